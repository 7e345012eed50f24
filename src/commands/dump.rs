//! `ipctool dump`: saves objects with their content.

mod content;
mod lock;

use std::collections::HashSet;
use std::fs::{File, Metadata};
use std::io::{self, BufWriter};
use std::os::unix::fs::MetadataExt;

use content::Content;

use super::request::{Request, Usage};
use super::{Result, find_all, now, remark, report_all, select};
use crate::cli::Dump as Options;
use crate::dump::{Described, Head, VERSION, Writer};
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::posix::FileIdentity;
use crate::ipc::{Key, Object, count};
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
        let selection = select::select(VERB, namespace, filter, false)?;
        if selection.selected.is_empty() {
            remark(style, "no object matches");
        }
        if !selection.unlisted.is_empty() {
            status = status.and(Status::Failed);
        }
        objects.extend(selection.selected.into_iter().map(|one| one.observed.object));
    }
    // One that is named twice is saved once.
    let mut seen = HashSet::new();
    objects.retain(|object| seen.insert(object.reference()));
    if objects.is_empty() && status != Status::Done {
        return Ok(status);
    }
    let out = stdout::buffered()?;
    let own = file_identity(&out.get_ref().0);
    let mut writer = Writer::new(out);
    let dump = Dump { namespace, take: args.take, lock: args.lock, own };
    let mut failures = Vec::new();
    let (saved, written) = dump.write(&mut writer, &objects, &mut failures);
    status = status.and(report_all(namespace, &failures));
    let written = match written {
        // What is written is whole, and can be restored.
        Err(Stop::Signal(signal)) => {
            let _ = finish(writer);
            let left = count((objects.len() - saved) as u64, "object");
            let what = format!("interrupted by a signal; {left} not saved, or not to the end");
            return Err(Failure::new(VERB, "", what, Reason::Signal(signal)).into());
        }
        written => written.and_then(|()| finish(writer).map_err(Stop::from)),
    };
    match written {
        Ok(()) => Ok(status),
        Err(Stop::Signal(signal)) => Ok(Status::Signal(signal)),
        Err(Stop::Output(error)) => {
            // A closed pipe, too: what nobody reads is not saved.
            Err(Failure::new(VERB, "", OutputError(error), Reason::Failed).into())
        }
        Err(Stop::Object(failure)) => Err(failure.into()),
    }
}

/// The file that a dump is written to or read from must not be in it.
pub(super) fn file_identity(file: &File) -> Option<FileIdentity> {
    let data = file.metadata().ok().filter(Metadata::is_file)?;
    Some(FileIdentity { device: data.dev(), inode: data.ino() })
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
    /// The file that it is written to.
    own: Option<FileIdentity>,
}

impl Dump<'_> {
    /// Returns how many objects it has dealt with, and why it ended.
    fn write(
        &self,
        writer: &mut Writer<Out>,
        objects: &[Object],
        failures: &mut Vec<Failure>,
    ) -> (usize, Result<(), Stop>) {
        if let Err(error) = writer.head(&self.head()) {
            return (0, Err(error.into()));
        }
        for (number, object) in objects.iter().enumerate() {
            match self.write_object(writer, object) {
                Err(Stop::Object(failure)) => failures.push(failure),
                Err(stop) => return (number, Err(stop)),
                Ok(()) => {}
            }
        }
        (objects.len(), Ok(()))
    }

    fn head(&self) -> Head {
        Head {
            version: VERSION,
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            ns: self.namespace.handle().identity().ok().map(|identity| identity.number()),
            time: style::timestamp(now()).map(|time| time.to_string()).unwrap_or_default(),
        }
    }

    fn write_object(&self, writer: &mut Writer<Out>, seen: &Object) -> Result<(), Stop> {
        let reference = seen.reference();
        let failed = |what: &str| Failure::new(VERB, &reference, what, Reason::Failed);
        // As it is now: others took their time before it.
        let object = self.namespace.read(&reference);
        let object = &object.map_err(|error| Failure::of_call(VERB, &reference, error))?;
        let identity = |object: &Object| object.file().map(|file| file.identity);
        if identity(object) != identity(seen) {
            return Err(failed("its name belongs to another object by now").into());
        }
        if self.own.is_some() && identity(object) == self.own {
            return Err(failed("it is the dump itself").into());
        }
        let mut described = describe(object);
        // Until it is written.
        let _locked = match self.lock {
            true => lock::close(self.namespace, object)?,
            false => None,
        };
        let content = Content::open(self, object, &mut described)?;
        let is_taken = matches!(content, Content::Taken(..));
        writer.object(&described)?;
        match content.write(writer) {
            Err(stop @ (Stop::Object(_) | Stop::Signal(_))) => {
                // Half of it must not be taken for all; but what was taken is nowhere else.
                if !is_taken {
                    writer.abandoned(&described.object)?;
                }
                Err(stop)
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
