//! Columns that all kinds, or all kinds of one family, have in common.

use std::borrow::Cow;
use std::collections::HashSet;

use super::rows::USER;
use super::{ObjectColumn, home};
use crate::ipc::posix::{MemoryStatus, NamedFile};
use crate::ipc::process::role::{Role, State};
use crate::ipc::{Caller, Foreign, Kind, Object, Observed, Use};
use crate::kernel::posix::dev_shm::device_name;
use crate::kernel::process::accounts::{group, user};
use crate::output::page::{OnPage, in_full};
use crate::output::value::Part;
use crate::output::{Shape, Value};

const TITLE: &str = OnPage::<Observed>::TITLE;
const PROCESSES: &str = OnPage::<Observed>::PROCESSES;

/// The columns that identify any object.
pub(super) static EVERY: &[ObjectColumn] = &[
    ObjectColumn::text("ref", 16, "reference, which every command accepts", |observed| {
        match memory_status(observed) {
            // A new object may have its name by now.
            Some(MemoryStatus::Deleted) => Value::Missing,
            Some(MemoryStatus::Named | MemoryStatus::Subdirectory) | None => {
                Value::Reference(observed.reference())
            }
        }
    })
    .shown_with(TITLE),
    ObjectColumn::text("kind", 4, "kind of object", |observed| {
        Value::Text(Cow::Borrowed(observed.kind().name()))
    })
    .ranked(9)
    .shown_with(TITLE),
];

/// Where an object lives, if several places are looked at.
pub(super) static HOME: &[ObjectColumn] = &[
    home::ns().ranked(1).shown_with("container"),
    home::container().shown_by(|observed, _, page| {
        if let Some(home) = &observed.home {
            page.line("namespace", home);
        }
        if let (Some(_), Some(file)) = (&observed.home, observed.object.file())
            && observed.kind().is_in_dev_shm()
        {
            let device = device_name(file.identity.device);
            page.line("/dev/shm", format_args!("device {device}"));
        }
    }),
];

/// The columns that name a System V object.
pub(super) static SYSTEM_V_NAMES: &[ObjectColumn] = &[
    ObjectColumn::number("id", 10, "identifier", |observed| {
        observed.object.id().map_or(Value::Missing, |id| Value::Count(id.unsigned_abs().into()))
    })
    .ranked(9)
    .shown_with(TITLE),
    ObjectColumn::text("key", 10, "key; none for a private object", |observed| {
        Value::key(observed.permissions().key)
    })
    .shaped(Shape::Key)
    .ranked(3)
    .shown_by(|observed, around, page| {
        page.line(
            "key",
            match (Value::key(observed.permissions().key), observed.former_key()) {
                (Value::Missing, Some(former)) => format!("none, was {former} until removed"),
                (Value::Missing, None) => "none (IPC_PRIVATE)".to_owned(),
                (key, _) => in_full(&key, around.style),
            },
        );
    }),
];

/// The columns that name a POSIX object.
pub(super) static POSIX_NAMES: &[ObjectColumn] =
    &[ObjectColumn::text("name", 16, "name, as programs open it", |observed| {
        file(observed, |file| Value::Name(&file.name))
    })
    .shown_with(TITLE)];

/// The owner of any object.
pub(super) static OWNER: &[ObjectColumn] = &[
    ObjectColumn::text("owner", 10, "user name of the owner", |observed| {
        Value::User(observed.permissions().uid)
    })
    .ranked(4)
    .shown_by(|observed, _, page| {
        let permissions = observed.permissions();
        page.line("owner", account(permissions.uid, permissions.gid));
    }),
    ObjectColumn::text("group", 10, "group name of the owner", |observed| {
        Value::Group(observed.permissions().gid)
    })
    .ranked(6)
    .shown_with("owner"),
    ObjectColumn::number("uid", 6, "user id of the owner", |observed| {
        Value::Count(observed.permissions().uid.into())
    })
    .ranked(9)
    .shown_with("owner"),
    ObjectColumn::number("gid", 6, "group id of the owner", |observed| {
        Value::Count(observed.permissions().gid.into())
    })
    .ranked(9)
    .shown_with("owner"),
];

/// The permissions of any object.
pub(super) static MODE: &[ObjectColumn] =
    &[ObjectColumn::text("mode", 9, "permission bits", |observed| {
        Value::Mode(observed.permissions().mode)
    })
    .shaped(Shape::Mode)
    .ranked(5)
    .shown_by(|observed, around, page| {
        let mode = observed.permissions().mode;
        let rights = rights(&observed.object, &around.caller);
        page.line("mode", format_args!("{} ({mode}); {rights}", mode.symbolic()));
    })];

/// The creator of a System V object.
pub(super) static CREATOR: &[ObjectColumn] = &[
    ObjectColumn::text("creator", 10, "user name of the creator", |observed| {
        Value::User(observed.permissions().cuid)
    })
    .ranked(4)
    .shown_by(|observed, _, page| {
        let permissions = observed.permissions();
        page.line("creator", account(permissions.cuid, permissions.cgid));
    }),
    ObjectColumn::text("cgroup", 10, "group name of the creator", |observed| {
        Value::Group(observed.permissions().cgid)
    })
    .ranked(6)
    .shown_with("creator"),
    ObjectColumn::number("cuid", 6, "user id of the creator", |observed| {
        Value::Count(observed.permissions().cuid.into())
    })
    .ranked(9)
    .shown_with("creator"),
    ObjectColumn::number("cgid", 6, "group id of the creator", |observed| {
        Value::Count(observed.permissions().cgid.into())
    })
    .ranked(9)
    .shown_with("creator"),
];

/// The last change of a System V object.
pub(super) static SYSTEM_V_CHANGE: &[ObjectColumn] = &[ObjectColumn::time(
    "changed",
    10,
    "when it was created, or its owner or mode changed",
    |observed| Value::time(observed.object.changed()),
)
.ranked(3)];

/// The last change of a POSIX object.
pub(super) static POSIX_CHANGE: &[ObjectColumn] = &[ObjectColumn::time(
    "modified",
    10,
    "when its content last changed by a system call",
    |observed| file(observed, |file| Value::time(file.modified)),
)
.ranked(3)];

/// Columns that need an inspection of all processes, and so are shown only on request.
pub(super) static ON_REQUEST: &[ObjectColumn] = &[
    ObjectColumn::number("waiting", 7, "number of threads waiting on it", |observed| {
        observed.users.as_ref().map_or(Value::Missing, |_| Value::Count(observed.waiting()))
    })
    .shown_with(PROCESSES),
    ObjectColumn::prose(
        "users",
        20,
        "processes that have it attached, mapped or open, or wait on it",
        users,
    )
    .shaped(Shape::Users)
    .shown_with(PROCESSES),
    ObjectColumn::prose(
        "command",
        20,
        "command line of its creator or last user, if that is alive, or of a process that uses it",
        |observed| command(observed).map_or(Value::Missing, Value::Foreign),
    )
    .shown_with(PROCESSES),
];

/// The processes as records. People see those that use the object now, each once.
fn users(observed: &Observed) -> Value<'_> {
    let mut seen = HashSet::new();
    let parts = observed.users().iter().map(|user| {
        let is_shown = user.role.is_present() && seen.insert(user.pid);
        Part { words: is_shown.then(|| short_name(user)), fields: fields(user) }
    });
    Value::Parts(parts.collect())
}

fn fields(user: &Use) -> Vec<(&'static str, Value<'_>)> {
    USER.iter().map(|column| (column.name, (column.value)(user))).collect()
}

/// The command line of the creator, else of the last user, else of a process that uses the object now: the
/// first that is alive.
fn command(observed: &Observed) -> Option<&Foreign> {
    let alive = || observed.users().iter().filter(|user| user.state == State::Alive);
    let creator = alive().find(|user| user.role == Role::Creator);
    let last = || alive().filter(|user| !user.role.is_present()).max_by_key(|user| user.since);
    let user = creator.or_else(last).or_else(|| alive().next())?;
    user.command.as_ref()
}

/// `71(server)`.
fn short_name(user: &Use) -> Cow<'static, str> {
    let program = user.command.as_ref().map(Foreign::program);
    let program = program.as_ref().map_or("?".into(), Foreign::as_raw);
    Cow::Owned(format!("{}({program})", user.pid))
}

pub(super) fn memory_status(observed: &Observed) -> Option<MemoryStatus> {
    observed.object.memory().map(|memory| memory.status)
}

fn file<'a>(observed: &'a Observed, value: fn(&'a NamedFile) -> Value<'a>) -> Value<'a> {
    observed.object.file().map_or(Value::Missing, value)
}

/// A user and a group, by name and number.
fn account(uid: u32, gid: u32) -> String {
    format!("{}:{} (uid {uid}, gid {gid})", user(uid), group(gid))
}

/// What the caller may do with the object.
fn rights(object: &Object, caller: &Caller) -> String {
    let access = object.permissions().access(caller);
    let alter = if object.kind() == Kind::Sem { "alter" } else { "write" };
    let words: Vec<_> =
        [(access.read, "read"), (access.write, alter), (access.control, "change and remove")]
            .into_iter()
            .filter_map(|(is_granted, word)| is_granted.then_some(word))
            .collect();
    match words.as_slice() {
        [] => "you have no access".to_owned(),
        words => format!("you may {}", words.join(", ")),
    }
}
