//! `ipcrm(1)`: removes objects.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use super::util_linux::c_number::{self, Invalid};
use super::util_linux::getopt::{Getopt, Opt, OptValue};
use super::util_linux::program::{Group, HELP, Program, VERSION};
use super::util_linux::session::{Result, Session};
use crate::exit::Status;
use crate::ipc::{Key, Kind, Object, Reference, Target};
use crate::kernel::Errno;
use crate::kernel::sysv::listing::Detail;

const fn option(short: char, long: &'static str, value: &'static str, help: &'static str) -> Opt {
    Opt { short: Some(short), long, value: OptValue::Required(value), help }
}

/// Its help.
pub(super) const PROGRAM: Program = Program {
    name: "ipcrm",
    synopsis: &["[options]", "shm|msg|sem <id>..."],
    purpose: "Remove certain IPC resources.",
    groups: &[
        Group {
            heading: "Options",
            width: 28,
            options: &[
                option('m', "shmem-id", "id", "remove shared memory segment by id"),
                option('M', "shmem-key", "key", "remove shared memory segment by key"),
                option('q', "queue-id", "id", "remove message queue by id"),
                option('Q', "queue-key", "key", "remove message queue by key"),
                option('s', "semaphore-id", "id", "remove semaphore by id"),
                option('S', "semaphore-key", "key", "remove semaphore by key"),
                Opt {
                    short: Some('a'),
                    long: "all",
                    value: OptValue::Optional("shm|msg|sem"),
                    help: "remove all (in the specified category)",
                },
                Opt {
                    short: Some('v'),
                    long: "verbose",
                    value: OptValue::None,
                    help: "explain what is being done",
                },
            ],
        },
        Group { heading: "", width: 28, options: &[HELP, VERSION] },
    ],
    listed_first: &[],
    notes: "",
    differs: "\
\x20 - An id or a key of more than 32 bits is refused: util-linux cuts it to 32 bits and removes that object.
  - An empty id after 'ipcrm msg', 'shm' or 'sem' is refused: util-linux reads it as id 0.
  - The message about an empty key gives no reason: util-linux prints that of an earlier error.
  - Without /proc, -a removes nothing and fails: util-linux then reads each object by a system call.
",
};

/// The order in which `--all` removes the kinds.
const ALL: [Kind; 3] = [Kind::Shm, Kind::Sem, Kind::Msg];

pub(super) fn run(session: &mut Session, arguments: &[OsString]) -> Result<Status> {
    let Some((first, rest)) = arguments.split_first() else { return Ok(Status::Done) };
    let mut removal = Removal { session, is_verbose: false, status: Status::Done };
    if let Some(kind) = kind(first.as_bytes()) {
        removal.old_syntax(kind, rest)?;
        return Ok(removal.status);
    }
    let mut options = Getopt::new(PROGRAM.options(), arguments);
    let mut all = Vec::new();
    while let Some((option, value)) = removal.session.option(&PROGRAM, &mut options)? {
        let text = value.unwrap_or_default();
        match option {
            "shmem-id" => removal.by_id(Kind::Shm, text)?,
            "shmem-key" => removal.by_key(Kind::Shm, text)?,
            "queue-id" => removal.by_id(Kind::Msg, text)?,
            "queue-key" => removal.by_key(Kind::Msg, text)?,
            "semaphore-id" => removal.by_id(Kind::Sem, text)?,
            "semaphore-key" => removal.by_key(Kind::Sem, text)?,
            "verbose" => removal.is_verbose = true,
            _ => {
                all = match value.map(kind) {
                    None => ALL.to_vec(),
                    Some(Some(kind)) => vec![kind],
                    Some(None) => return Err(removal.unknown(text)),
                }
            }
        }
    }
    for kind in all {
        removal.all(kind)?;
    }
    if let Some(operand) = options.operands().first() {
        removal.unknown(operand);
        return Err(removal.session.try_help());
    }
    Ok(removal.status)
}

fn kind(word: &[u8]) -> Option<Kind> {
    Kind::SYSTEM_V.into_iter().find(|kind| kind.name().as_bytes() == word)
}

/// The removals of one run.
struct Removal<'a> {
    session: &'a mut Session,
    is_verbose: bool,
    status: Status,
}

impl Removal<'_> {
    /// Removes by the old syntax, `ipcrm msg 1 2 3`.
    fn old_syntax(&mut self, kind: Kind, ids: &[OsString]) -> Result<()> {
        if ids.is_empty() {
            self.session.warn("not enough arguments");
            return Err(self.session.try_help());
        }
        for id in ids {
            let text = id.as_bytes();
            // An id of more than 32 bits must not be cut to one that names another object, and an empty
            // word must not mean id 0.
            match c_number::whole(text, 10).map(|number| (number.wrapping(), number.signed())) {
                Ok((_, Some(id))) => self.remove(&Reference::id(kind, id), "id")?,
                Ok((id, None)) if u32::try_from(id).is_ok() => {
                    self.remove(&Reference::id(kind, id as i32), "id")?;
                }
                _ => {
                    self.session.warn([b"invalid id: ", text].concat());
                    self.status = Status::Failed;
                }
            }
        }
        if self.status == Status::Done {
            self.session.out.extend(b"resource(s) deleted\n");
        }
        Ok(())
    }

    fn by_id(&mut self, kind: Kind, text: &[u8]) -> Result<()> {
        match c_number::decimal(text) {
            Ok(id) => self.remove(&Reference::id(kind, id), "id"),
            Err(invalid) => Err(self.unparsed(text, invalid)),
        }
    }

    fn by_key(&mut self, kind: Kind, text: &[u8]) -> Result<()> {
        let key = c_number::whole(text, 0).and_then(|number| {
            // A key of more than 32 bits must not be cut to one that names another object. A key with
            // the top bit set may be written as a negative number.
            let bits = number.wrapping();
            let short = u32::try_from(bits).map(|bits| bits as i32);
            short.or_else(|_| i32::try_from(bits as i64)).map_err(|_| Invalid::OutOfRange)
        });
        let key = key.map(Key).map_err(|invalid| self.unparsed(text, invalid))?;
        if key == Key::PRIVATE {
            self.session.warn([b"illegal key (", text, b")"].concat());
            self.status = Status::Failed;
            return Ok(());
        }
        match self.session.namespace.resolve(&Reference { kind, target: Target::Key(key) }) {
            Ok(object) => self.remove(&object, "key"),
            Err(error) => {
                let what = match error.errno {
                    Errno::EACCES => "permission denied for key",
                    Errno::EIDRM => "already removed key",
                    Errno::ENOENT => "invalid key",
                    errno => return Err(self.session.fail_with("key failed", errno)),
                };
                self.session.warn([what.as_bytes(), b" (", text, b")"].concat());
                self.status = Status::Failed;
                Ok(())
            }
        }
    }

    /// Removes every object of a kind that the caller may read.
    fn all(&mut self, kind: Kind) -> Result<()> {
        let objects = self
            .session
            .namespace
            .snapshot_in([kind], Detail::WithoutMemory)
            .map_err(|error| self.session.fail(error.to_string()))?;
        for object in objects.objects.iter().map(Object::reference) {
            if self.session.namespace.check_readable(&object).is_ok() {
                self.remove(&object, "id")?;
            }
        }
        Ok(())
    }

    /// Removes an object that was given by its `id` or its `key`.
    fn remove(&mut self, object: &Reference, named_by: &str) -> Result<()> {
        let (kind, id) = (object.kind, &object.target);
        if self.is_verbose {
            let noun = if kind == Kind::Sem { "semaphore" } else { kind.noun() };
            self.session.out.extend(format!("removing {noun} id `{id}'\n").bytes());
            self.session.flush_some();
        }
        let Err(error) = self.session.namespace.remove(object) else { return Ok(()) };
        let what = match error.errno {
            Errno::EACCES | Errno::EPERM => "permission denied for",
            Errno::EINVAL => "invalid",
            Errno::EIDRM => "already removed",
            errno => return Err(self.session.fail_with(&format!("{named_by} failed"), errno)),
        };
        self.session.warn(format!("{what} {named_by} ({id})"));
        self.status = Status::Failed;
        Ok(())
    }

    fn unknown(&self, word: &[u8]) -> Status {
        self.session.fail([b"unknown argument: ", word].concat())
    }

    fn unparsed(&self, text: &[u8], invalid: Invalid) -> Status {
        self.session.unparsed("failed to parse argument", text, invalid)
    }
}
