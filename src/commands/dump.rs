//! `ipctool dump`: saves objects with their content.

mod content;
mod lock;

use std::collections::HashSet;
use std::io::{self, BufWriter};

use content::Content;

use super::request::{Request, Usage};
use super::{Error, Result, find_all, now, remark, report_all, select};
use crate::cli::Dump as Options;
use crate::dump::{Described, Head, VERSION, Writer};
use crate::exit::Status;
use crate::explain::Failure;
use crate::ipc::{Key, Object};
use crate::kernel::io::interruptible::Interruptible;
use crate::kernel::process::accounts::{group, user};
use crate::kernel::{Namespace, signals};
use crate::output::stdout::{self, OutputError};
use crate::output::{Style, style};

const VERB: &str = "dump";

const USAGE: Usage = Usage {
    verb: VERB,
    nothing: "nothing to save: give a REF, a filter or --all",
    both: "references cannot be combined with a filter",
};

/// Where a dump goes.
type Out = BufWriter<Interruptible>;

/// Why a dump ended early.
enum Stop {
    /// One object cannot be saved; others can.
    Object(Failure),
    /// Nothing more can be written.
    Output(io::Error),
    /// A signal came.
    Signal(i32),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        match signals::pending() {
            Some(signal) => Stop::Signal(signal),
            None => Stop::Output(error),
        }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Object(failure)
    }
}

pub(super) fn run(args: Options, namespace: &Namespace, style: &Style) -> Result<Status> {
    signals::catch_signals().map_err(|error| Failure::of_no_signals(VERB, "", &error))?;
    let operands = args.references.all();
    let request = Request::read(USAGE, namespace, &operands, args.selecting, args.all)?;
    let (mut objects, missing) = find_all(VERB, namespace, &request.named);
    let mut status = report_all(namespace, &[request.failures, missing].concat());
    if let Some(filter) = &request.filter {
        let selected = select::select(VERB, namespace, filter, false)?.selected;
        if selected.is_empty() {
            remark(style, "no object matches");
        }
        objects.extend(selected.into_iter().map(|one| one.observed.object));
    }
    // One that is named twice is saved once.
    let mut seen = HashSet::new();
    objects.retain(|object| seen.insert(object.reference()));
    if objects.is_empty() && status != Status::Done {
        return Ok(status);
    }
    let mut writer = Writer::new(stdout::buffered()?);
    let dump = Dump { namespace, take: args.take, lock: args.lock };
    let mut failures = Vec::new();
    let written = dump.write(&mut writer, &objects, &mut failures);
    status = status.and(report_all(namespace, &failures));
    match written.and_then(|()| finish(writer).map_err(Stop::from)) {
        Ok(()) => Ok(status),
        Err(Stop::Signal(signal)) => Ok(Status::Signal(signal)),
        Err(Stop::Output(error)) => Err(Error::from(OutputError(error))),
        Err(Stop::Object(failure)) => Err(failure.into()),
    }
}

/// Writes the end, and waits until it is on the disk.
fn finish(writer: Writer<Out>) -> io::Result<()> {
    let out = writer.end()?;
    sync(out.get_ref())
}

/// Waits until what was written is on the disk, if it is a file.
fn sync(out: &Interruptible) -> io::Result<()> {
    match out.0.metadata()?.is_file() {
        true => out.0.sync_data(),
        false => Ok(()),
    }
}

struct Dump<'a> {
    namespace: &'a Namespace,
    take: bool,
    lock: bool,
}

impl Dump<'_> {
    fn write(
        &self,
        writer: &mut Writer<Out>,
        objects: &[Object],
        failures: &mut Vec<Failure>,
    ) -> Result<(), Stop> {
        writer.head(&self.head())?;
        for object in objects {
            match self.write_object(writer, object) {
                Err(Stop::Object(failure)) => failures.push(failure),
                written => written?,
            }
        }
        Ok(())
    }

    fn head(&self) -> Head {
        Head {
            version: VERSION,
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            ns: self.namespace.handle().identity().ok().map(|identity| identity.number()),
            time: style::timestamp(now()).map(|time| time.to_string()).unwrap_or_default(),
        }
    }

    fn write_object(&self, writer: &mut Writer<Out>, object: &Object) -> Result<(), Stop> {
        let mut described = describe(object);
        // Until it is written.
        let _locked = match self.lock {
            true => lock::close(self.namespace, object)?,
            false => None,
        };
        let content = Content::open(self, object, &mut described)?;
        writer.object(&described)?;
        match content.write(writer) {
            Err(Stop::Object(failure)) => {
                // Half of it must not be taken for all.
                writer.abandoned(&described.object)?;
                Err(Stop::Object(failure))
            }
            written => written,
        }
    }
}

/// What any object has.
fn describe(object: &Object) -> Described {
    let permissions = object.permissions();
    let key = Some(permissions.key).filter(|key| *key != Key::PRIVATE);
    Described {
        object: object.reference().to_string(),
        key: key.map(|key| key.to_string()),
        owner: user(permissions.uid).to_string(),
        group: group(permissions.gid).to_string(),
        uid: permissions.uid,
        gid: permissions.gid,
        mode: permissions.mode.to_string(),
        ..Described::default()
    }
}
