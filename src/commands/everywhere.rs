//! `--in` and `--all-namespaces`: where else a command looks.

use std::io::ErrorKind;

use super::print_error;
use crate::commands::Result;
use crate::explain::{Failure, Reason};
use crate::ipc::count;
use crate::kernel::io::os_error;
use crate::kernel::namespace::{Identity, Manner, NotFound, Place, Places, Stay, Where};
use crate::kernel::{Errno, Namespace, process};

/// All places of the machine, and what may not be looked at.
#[derive(Debug)]
pub(super) struct Everywhere {
    /// The places.
    pub places: Vec<Place>,
    /// The namespaces that may not be entered.
    closed: Vec<Identity>,
    /// How many processes may not be inspected.
    uninspected: u64,
}

impl Everywhere {
    /// Looks at every process.
    pub fn find() -> Result<Everywhere> {
        let Places { all, uninspected } = Places::find()?;
        Ok(Everywhere { places: all, closed: Vec::new(), uninspected })
    }

    /// Goes to each place in turn. One that is gone by now is left out.
    pub fn each(&mut self, mut look: impl FnMut(&Place, &Namespace) -> Result<()>) -> Result<()> {
        let mut closed = Vec::new();
        for place in &self.places {
            match place
                .open()
                .map(|namespace| namespace.enter(Manner::ByCall).map(|stay| (namespace, stay)))
            {
                Ok(Ok((namespace, _stay))) => look(place, &namespace)?,
                Ok(Err(_)) => closed.push(place.identity),
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    closed.push(place.identity)
                }
                // It is gone.
                Err(_) => {}
            }
        }
        self.closed.extend(closed);
        self.closed.sort_unstable();
        self.closed.dedup();
        Ok(())
    }

    /// Goes to a place that was visited before. `None` if it is gone by now.
    pub fn visit<R>(place: &Place, look: impl FnOnce(&Namespace) -> R) -> Option<R> {
        let namespace = place.open().ok()?;
        let _stay = namespace.enter(Manner::ByCall).ok()?;
        Some(look(&namespace))
    }

    /// Whether everything could be looked at.
    pub fn is_whole(&self) -> bool {
        self.closed.is_empty() && self.uninspected == 0
    }

    /// Says what may not be looked at.
    pub fn warn(&self, verb: &str) {
        let namespaces = count(self.closed.len() as u64, "IPC namespace");
        let closed = format!("{namespaces} may not be entered");
        let uninspected = match self.uninspected {
            1 => "1 process may not be inspected and may live in another one".to_owned(),
            number => format!("{number} processes may not be inspected and may live in others"),
        };
        let what = match (self.closed.is_empty(), self.uninspected) {
            (true, 0) => return,
            (true, _) => uninspected,
            (false, 0) => closed,
            (false, _) => format!("{closed}, and {uninspected}"),
        };
        let advice = if process::uid() == 0 { "" } else { "; run as root to see them" };
        print_error(format_args!("{verb}: {what}{advice}"));
    }
}

/// The namespace that a user names.
pub(super) fn find(verb: &'static str, place: &Where) -> Result<Place, Failure> {
    let subject = format!("--in {place}");
    let failed = |what: &str, reason| Failure::new(verb, &subject, what, reason);
    place.find().map_err(|error| match error {
        NotFound::Nowhere(names) => {
            let what = match place {
                Where::Number(..) => "there is no such process, IPC namespace or container",
                _ => "there is no such container",
            };
            let failure = failed(what, Reason::NothingThere);
            match names.as_slice() {
                [] => failure.with_hint("no process that can be seen runs in a container; to see the namespaces: ipctool list --namespaces"),
                names => failure.with_hint(format!("containers: {}", names.join(", "))),
            }
        }
        NotFound::Several(names) => {
            failed(&format!("several containers are called so: {}", names.join(", ")), Reason::Usage)
        }
        NotFound::NoNamespace => failed("it is not an IPC namespace", Reason::Usage)
            .with_hint("a file that is one: /proc/PID/ns/ipc"),
        NotFound::Failed(error) => of_io(verb, &subject, &error),
    })
}

fn of_io(verb: &'static str, subject: &str, error: &std::io::Error) -> Failure {
    let reason = match error.kind() {
        std::io::ErrorKind::PermissionDenied => return denied(verb, subject),
        std::io::ErrorKind::NotFound => Reason::NothingThere,
        _ => Reason::Failed,
    };
    let what = match reason {
        Reason::NothingThere => "there is no such process or file".to_owned(),
        _ => os_error::describe(error),
    };
    Failure::new(verb, subject, what, reason)
}

/// The caller may not look at a place, or enter it.
fn denied(verb: &'static str, subject: &str) -> Failure {
    let what = "you may not enter its IPC namespace";
    let hint = match process::uid() {
        0 => {
            "it takes CAP_SYS_ADMIN and CAP_SYS_PTRACE over it; from inside a container, also the /proc of the host: run the container privileged, with the process namespace of the host"
        }
        _ => {
            "run as root; an ordinary user may enter only namespaces that belong to a user namespace of that user, as those of rootless containers do"
        }
    };
    Failure::new(verb, subject, what, Reason::NotPermitted).with_hint(hint)
}

/// Opens and enters a place.
pub(super) fn enter(
    verb: &'static str,
    subject: &str,
    place: &Place,
    manner: Manner,
) -> Result<(Namespace, Stay), Failure> {
    let namespace = place.open().map_err(|error| of_io(verb, subject, &error))?;
    let stay = namespace.enter(manner).map_err(|errno| match errno {
        Errno::EPERM => denied(verb, subject),
        errno => of_io(verb, subject, &std::io::Error::from_raw_os_error(errno as i32)),
    })?;
    Ok((namespace, stay))
}
