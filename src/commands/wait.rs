//! `ipctool wait`: waits until an object is in a state.

use std::io;
use std::time::{Duration, Instant};

use super::{Error, Result};
use crate::cli::Wait;
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::posix::FileIdentity;
use crate::ipc::until::{Comparison, Until};
use crate::ipc::{Kind, Object, Observed, Reference, Verdict};
use crate::kernel::io::os_error;
use crate::kernel::process::scan::ScanScope;
use crate::kernel::process::uses::Inspection;
use crate::kernel::signals::{self, wait};
use crate::kernel::sysv::sem;
use crate::kernel::wakers::Wakers;
use crate::kernel::{CallError, CallName, Errno, Namespace, StatusError};
use crate::output::{Column, Style, Value, columns};

const VERB: &str = "wait";

/// The pause after the first look, and the longest one.
const PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// A pause is this many times as long as a look took at least.
const LEISURE: u32 = 200;

pub(super) fn run(args: Wait, namespace: &Namespace, style: &Style) -> Result<Status> {
    signals::catch_signals()
        .map_err(|error| Failure::of_preparation(VERB, &args.reference, &error))?;
    let watch = Watch::begin(&args, namespace, style)?;
    let mut wakers = Wakers::of(namespace, &args.reference, args.until != Until::Unused);
    let deadline = wait::deadline(args.timeout);
    let mut pause = PAUSE;
    loop {
        let start = Instant::now();
        // What comes after the last look is too late.
        let is_last = deadline.is_some_and(|deadline| deadline <= start);
        let look = watch.look(&mut wakers)?;
        let (seen, state) = match look {
            Look::Holds => return Ok(Status::Done),
            Look::NotYet { object, state } => (object, state),
        };
        if let Some(signal) = signals::pending() {
            return Ok(Status::Signal(signal));
        }
        if is_last {
            let what = format!("timed out: {state}");
            return Err(Failure::new(VERB, &args.reference, what, Reason::WouldBlock).into());
        }
        let now = Instant::now();
        let least = (now - start).saturating_mul(LEISURE);
        let left = deadline.map(|deadline| deadline.saturating_duration_since(now));
        let time = pause.max(least);
        wakers.sleep(left.map_or(time, |left| time.min(left)), seen.as_ref());
        // Whatever is told, it does not look all the time.
        let rest = least.saturating_sub(now.elapsed());
        wait::sleep(left.map_or(rest, |left| rest.min(left)));
        pause = (pause + pause / 2).min(LONGEST_PAUSE);
    }
}

/// What a look showed.
enum Look {
    /// The condition holds.
    Holds,
    /// It does not: the object, if there is one, and its state for people.
    NotYet { object: Option<Object>, state: String },
}

impl Look {
    fn not_yet(object: Object, state: impl Into<String>) -> Look {
        Look::NotYet { object: Some(object), state: state.into() }
    }
}

/// An object that is waited for.
struct Watch<'a> {
    args: &'a Wait,
    namespace: &'a Namespace,
    style: &'a Style,
    /// By id, so that it is this object and no later one; as given if any object counts.
    reference: Reference,
    /// The file of a POSIX object, whose name may belong to a later one.
    file: Option<FileIdentity>,
    column: Option<&'static Column<Observed>>,
}

impl<'a> Watch<'a> {
    fn begin(args: &'a Wait, namespace: &'a Namespace, style: &'a Style) -> Result<Watch<'a>> {
        let kind = args.reference.kind;
        let column = column(kind, &args.until)?;
        if args.until == Until::Empty && !kind.is_queue() {
            let what = format!("a {} is never empty: only a queue is", kind.noun());
            return Err(Failure::usage(VERB, what).into());
        }
        let mut watch =
            Watch { args, namespace, style, reference: args.reference.clone(), file: None, column };
        if args.until != Until::Exists {
            match watch.find() {
                Ok(object) => {
                    watch.file = object.file().map(|file| file.identity);
                    watch.reference = object.reference();
                }
                // It is gone already.
                Err(error) if args.until == Until::Gone && error.is_missing() => {}
                Err(error) => return Err(watch.failed(error).into()),
            }
        }
        Ok(watch)
    }

    /// The object as far as a look at itself shows it.
    fn find(&self) -> Result<Object, CallError> {
        self.namespace.read(&self.reference)
    }

    fn failed(&self, error: CallError) -> Failure {
        Failure::of_call(VERB, &self.args.reference, error)
    }

    fn look(&self, wakers: &mut Wakers) -> Result<Look> {
        let found = self.find().and_then(|object| match object.file() {
            // The name belongs to another object by now.
            Some(file) if self.file.is_some_and(|own| own != file.identity) => Err(GONE),
            _ => Ok(object),
        });
        let object = match (found, &self.args.until) {
            (Ok(_), Until::Exists) => return Ok(Look::Holds),
            (Err(error), Until::Gone) if error.is_missing() => return Ok(Look::Holds),
            (Err(error), Until::Exists) if error.is_missing() => {
                let state = format!("there is no such {}", self.reference.kind.noun());
                return Ok(Look::NotYet { object: None, state });
            }
            (Err(error), _) if error.is_missing() => {
                let what =
                    format!("the {} was removed during the wait", self.reference.kind.noun());
                let removed = Reason::NothingThere;
                return Err(Failure::new(VERB, &self.args.reference, what, removed).into());
            }
            (Err(error), _) => return Err(self.failed(error).into()),
            (Ok(object), _) => object,
        };
        match &self.args.until {
            Until::Exists | Until::Gone => Ok(Look::not_yet(object, "it is still there")),
            Until::Empty => match object.messages() {
                Some(0) => Ok(Look::Holds),
                Some(messages) => Ok(Look::not_yet(object, format!("messages is {messages}"))),
                None => Err(self.unknown("messages")),
            },
            Until::Unused => self.look_for_users(object, wakers),
            Until::Column(name, comparison, number) => {
                self.compare(object, name, *comparison, *number)
            }
        }
    }

    fn look_for_users(&self, object: Object, wakers: &mut Wakers) -> Result<Look> {
        // Some kinds count their users.
        let mut observed = Observed::from(object);
        if let Object::SemaphoreSet(set) = &observed.object {
            observed.semaphores = sem::semaphores(set.id, set.nsems).ok();
        }
        if observed.is_unused() == Verdict::Yes {
            return Ok(Look::Holds);
        }
        let observed = self.inspect(observed.object)?;
        let present = || observed.users().iter().filter(|user| user.role.is_present());
        wakers.watch(present().map(|user| user.pid));
        let state = match observed.is_unused() {
            Verdict::Yes => return Ok(Look::Holds),
            Verdict::Unknown(why) => format!("whether it is used is not known: {why}"),
            Verdict::No => match present().next() {
                Some(user) => format!("{} uses it", user.name()),
                None => "it is used".to_owned(),
            },
        };
        Ok(Look::not_yet(observed.object, state))
    }

    /// The object with the processes that use it.
    fn inspect(&self, object: Object) -> Result<Observed> {
        let scope = ScanScope::to_judge([&object]);
        let failed = |error: io::Error| {
            let what = format!("cannot look at the processes: {}", os_error::describe(&error));
            Failure::new(VERB, &self.args.reference, what, Reason::Failed)
        };
        let inspection = Inspection::of(self.namespace, &scope).map_err(failed)?;
        Ok(inspection.observer(self.namespace).map_err(failed)?.observe(object))
    }

    fn compare(
        &self,
        object: Object,
        name: &str,
        comparison: Comparison,
        number: u64,
    ) -> Result<Look> {
        let Some(column) = self.column else { return Err(self.unknown(name)) };
        let needs_processes = columns::on_request().any(|other| other == name);
        let observed = match &object {
            _ if needs_processes => self.inspect(object)?,
            // Only the table shows how much of it is in memory.
            Object::Segment(segment)
                if (column.value)(&Observed::from(object.clone())) == Value::Missing =>
            {
                let id = Reference::id(Kind::Shm, segment.id);
                match self.namespace.status(&id) {
                    Ok(object) => Observed::from(object),
                    Err(StatusError::Call(error)) => return Err(self.failed(error).into()),
                    Err(StatusError::Read(error)) => {
                        return Err(Failure::of_reading(VERB, &self.args.reference, &error).into());
                    }
                }
            }
            _ => Observed::from(object),
        };
        let value = (column.value)(&observed);
        let holds = match &value {
            Value::Bytes(value) | Value::Count(value) => comparison.holds(*value, number),
            Value::Pid(pid) => comparison.holds(i64::from(*pid).unsigned_abs(), number),
            Value::Fill { used, limit, .. } if *limit > 0 => {
                comparison.holds(u128::from(*used) * 100, u128::from(number) * u128::from(*limit))
            }
            // Nobody is recorded.
            Value::Missing if name.ends_with("_pid") => comparison.holds(0, number),
            _ => return Err(self.unknown(name)),
        };
        if holds {
            return Ok(Look::Holds);
        }
        let mut shown = Vec::new();
        value.write(self.style, &mut shown);
        let state = format!("{name} is {}", String::from_utf8_lossy(&shown));
        Ok(Look::not_yet(observed.object, state))
    }

    /// A number that the caller may not know.
    fn unknown(&self, what: &str) -> Error {
        let what = format!("its {what} cannot be told");
        Failure::new(VERB, &self.args.reference, what, Reason::Failed)
            .with_hint("it takes permission to open it")
            .into()
    }
}

/// The column that a condition names.
fn column(kind: Kind, until: &Until) -> Result<Option<&'static Column<Observed>>, Failure> {
    let Until::Column(name, ..) = until else { return Ok(None) };
    let found = columns::numbers(kind).find(|column| column.name == name);
    if found.is_some() {
        return Ok(found);
    }
    let what = match columns::with_requests(kind).any(|column| column.name == name) {
        true => format!("'{name}' is no number"),
        false => format!("a {} has no column '{name}'", kind.noun()),
    };
    let names: Vec<_> = columns::numbers(kind).map(|column| column.name).collect();
    Err(Failure::usage(VERB, format!("--until: {what}"))
        .with_hint(format!("its numbers are {}", names.join(", "))))
}

/// The error for a name that belongs to another object by now.
const GONE: CallError = CallError { name: CallName::Stat, errno: Errno::ENOENT };
