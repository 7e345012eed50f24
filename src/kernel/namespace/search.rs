//! Finds the IPC namespace that a user means: by a process, a file, a number, or a container.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::str::FromStr;
use std::sync::Arc;

use super::census::Member;
use super::{Handle, Identity, Place};
use crate::ipc::{Container, Foreign};
use crate::kernel::container::Containers;
use crate::kernel::process;

/// An IPC namespace as a user names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    /// That of process 1.
    Host,
    /// A link in `/proc/PID/ns`, or a bind mount.
    File(PathBuf),
    /// A process id, the number of a namespace, or a container by such an id.
    Number(u64, String),
    /// A container.
    Container(String),
}

impl FromStr for Where {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Where, Infallible> {
        Ok(match text.parse() {
            _ if text == "host" => Where::Host,
            // The name of a container of a pod has a slash, too.
            _ if text.starts_with(['/', '.']) => Where::File(text.into()),
            Ok(number) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                Where::Number(number, text.to_owned())
            }
            _ => Where::Container(text.to_owned()),
        })
    }
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Where::Host => f.write_str("host"),
            Where::File(path) => Foreign::from(path.as_path()).fmt(f),
            Where::Number(_, word) | Where::Container(word) => f.write_str(word),
        }
    }
}

/// Why no namespace was found.
#[derive(Debug)]
pub enum NotFound {
    /// There is none; these are the names of those that exist.
    Nowhere(Vec<String>),
    /// Several containers have this name.
    Several(Vec<String>),
    /// Looking failed.
    Failed(io::Error),
    /// The file is something else.
    NoNamespace,
}

impl Where {
    /// The place that is meant.
    pub fn find(&self) -> Result<Place, NotFound> {
        match self {
            Where::Host => {
                let denied = || NotFound::Failed(io::ErrorKind::PermissionDenied.into());
                if let Ok(place) = Place::of_process(1) {
                    return Ok(place);
                }
                let host = Identity::of_host().ok_or_else(denied)?;
                Place::of(host, None).map_err(NotFound::Failed)?.ok_or_else(denied)
            }
            Where::File(path) => {
                let handle = Handle::open(path).map_err(|error| match error.raw_os_error() {
                    Some(libc::EINVAL) => NotFound::NoNamespace,
                    _ => NotFound::Failed(error),
                })?;
                let found = match process_in(path) {
                    Some(pid) => Place::of_process(pid).map(Some),
                    None => handle.identity().and_then(|it| Place::of(it, Some(&handle))),
                };
                let found = found.map_err(NotFound::Failed)?;
                let gone = || NotFound::Failed(io::Error::from_raw_os_error(libc::ESRCH));
                // The open file, so that the namespace stays until it is entered.
                found.ok_or_else(gone).map(|place| place.kept_by(handle))
            }
            Where::Number(number, word) => match i32::try_from(*number) {
                Ok(pid) if !process::is_gone(pid) => {
                    Place::of_process(pid).map_err(NotFound::Failed)
                }
                Ok(_) => container(word),
                Err(_) => {
                    let place = Place::of(Identity::numbered(*number), None);
                    place.map_err(NotFound::Failed)?.map_or_else(|| container(word), Ok)
                }
            },
            Where::Container(word) => container(word),
        }
    }
}

/// The process in a path `/proc/PID/ns/ipc`.
fn process_in(path: &std::path::Path) -> Option<i32> {
    let pid = path.to_str()?.strip_prefix("/proc/")?.strip_suffix("/ns/ipc")?;
    match pid {
        "self" => Some(std::process::id() as i32),
        pid => pid.parse().ok(),
    }
}

/// The place of the container with this name or id; else of the only one whose id starts so.
fn container(word: &str) -> Result<Place, NotFound> {
    let containers = Containers::new();
    // The oldest process of each.
    let mut all: BTreeMap<String, (Member, Rc<Container>)> = BTreeMap::new();
    for pid in process::all() {
        let Ok(Some(container)) = containers.of(pid) else { continue };
        let Some(member) = Member::find(pid) else { continue };
        let (oldest, _) = all.entry(container.id.clone()).or_insert((member, container));
        *oldest = member.min(*oldest);
    }
    let which = |is_meant: &dyn Fn(&Container) -> bool| -> Vec<&(Member, Rc<Container>)> {
        all.values().filter(|(_, container)| is_meant(container)).collect()
    };
    let mut found = which(&|container| container.is_called(word));
    if found.is_empty() {
        found = which(&|container| container.may_be_called(word));
    }
    match found.as_slice() {
        [(member, container)] => {
            let mut place = Place::of_process(member.pid).map_err(NotFound::Failed)?;
            let label = container.label();
            if which(&|other| other.label() == label).len() > 1 {
                Arc::make_mut(&mut place.home).is_shared = true;
            }
            Ok(place)
        }
        [] => Err(NotFound::Nowhere(names(all.values()))),
        several => Err(NotFound::Several(names(several.iter().copied()))),
    }
}

/// The names of containers; several of one name with their ids.
fn names<'a>(containers: impl Iterator<Item = &'a (Member, Rc<Container>)>) -> Vec<String> {
    let all: Vec<&Container> = containers.map(|(_, container)| &**container).collect();
    let name = |one: &&Container| {
        let label = one.label();
        let is_shared = all.iter().filter(|other| other.label() == label).count() > 1;
        if is_shared { format!("{label} ({})", one.id) } else { label }
    };
    all.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_word_may_mean() {
        let read = |text: &str| text.parse::<Where>().unwrap();
        assert_eq!(read("host"), Where::Host);
        assert_eq!(read("/proc/7/ns/ipc"), Where::File("/proc/7/ns/ipc".into()));
        assert_eq!(read("4026531839"), Where::Number(4_026_531_839, "4026531839".into()));
        assert_eq!(read("12"), Where::Number(12, "12".into()));
        assert_eq!(read("./kept"), Where::File("./kept".into()));
        for name in ["web", "0a1b", "pod/web", "+7", "12 ", "99999999999999999999"] {
            assert_eq!(read(name), Where::Container(name.into()), "{name:?}");
        }
    }

    #[test]
    fn the_process_in_a_path() {
        let process = |path: &str| process_in(std::path::Path::new(path));
        assert_eq!(process("/proc/17/ns/ipc"), Some(17));
        assert_eq!(process("/proc/self/ns/ipc"), Some(std::process::id() as i32));
        for other in ["/proc/17/task/18/ns/ipc", "/run/ipc", "/proc/x/ns/ipc"] {
            assert_eq!(process(other), None, "{other}");
        }
    }
}
