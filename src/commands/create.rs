//! `ipctool create`: creates an object.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::slice;

use super::{everywhere, find_all, is_watched, key, print_error, remark};
use crate::cli::Create;
use crate::commands::Result;
use crate::exit::Status;
use crate::explain::{Failure, Reason, Wish};
use crate::ipc::posix::SemaphoreState;
use crate::ipc::sysv::operation::SEMVMX;
use crate::ipc::{CommandLine, Key, Kind, Name, Object, Observed, Project, Reference, Target};
use crate::kernel::limits::Limit;
use crate::kernel::posix::dev_shm::Outcome;
use crate::kernel::posix::mq_calls;
use crate::kernel::posix::mq_calls::Shape;
use crate::kernel::process::accounts::user;
use crate::kernel::sysv::{msg, sem, shm};
use crate::kernel::{CallError, Errno, Namespace, process};
use crate::output::stdout::{self, OutputError};
use crate::output::{Format, Section, Style, columns, write_rows};

const VERB: &str = "create";

pub(super) fn run(args: Create, namespace: &Namespace, style: &Style) -> Result<Status> {
    check(&args)?;
    let created = match args.kind.is_posix() {
        true => create_named(&args, namespace),
        false => create_keyed(&args, namespace),
    };
    if args.json && created.is_err() {
        stdout::print("[]\n")?;
    }
    let reference = created?;
    let printed = match args.json {
        true => print_json(namespace, &reference, style),
        false => stdout::print(&format!("{reference}\n")),
    };
    // Nothing else names the new object, so even a closed pipe is reported.
    printed.map_err(|error| {
        Failure::new(VERB, &reference, format!("it exists, but {error}"), Reason::Failed)
            .with_hint(format!("to remove it: {}", CommandLine::new("ipctool rm").word(&reference)))
    })?;
    remark_elsewhere(&args, namespace, &reference, style);
    Ok(Status::Done)
}

/// Tells a person where else there is an object with this key or name: it may be the one that was meant.
fn remark_elsewhere(args: &Create, namespace: &Namespace, made: &Reference, style: &Style) {
    let named = match args.key {
        Some(key) if key != Key::PRIVATE => Reference { kind: args.kind, target: Target::Key(key) },
        None if args.kind.is_posix() => made.clone(),
        _ => return,
    };
    if !is_watched(style) || args.json {
        return;
    }
    let found = everywhere::find_elsewhere(namespace, &HashSet::from([named.clone()]));
    if let Some(home) = found.get(&named).and_then(|homes| homes.first()) {
        let stat = CommandLine::new("ipctool --in").word(home.name());
        let what = if args.kind.is_posix() { "name" } else { "key" };
        remark(
            style,
            &format!("the IPC namespace {home} has one with this {what}, too: {stat} stat {named}"),
        );
    }
}

/// Prints the object as an array of one.
fn print_json(
    namespace: &Namespace,
    reference: &Reference,
    style: &Style,
) -> Result<(), OutputError> {
    // It may be removed by now.
    let (objects, _) = find_all(VERB, namespace, slice::from_ref(reference));
    let objects: Vec<_> = objects.into_iter().map(Observed::from).collect();
    let section = Section::new(columns::of_kind(reference.kind));
    write_rows(Format::Json, section, false, &objects, style, stdout::buffered()?)
        .map_err(OutputError)
}

/// Rejects options that this kind of object does not have, and requires those that it needs.
fn check(args: &Create) -> Result<(), Failure> {
    use Kind::{Msg, Pmsg, Psem, Pshm, Sem, Shm};
    let noun = args.kind.noun();
    for (is_given, option, kinds) in [
        (args.size.is_some(), "--size", &[Shm, Pshm][..]),
        (args.huge.is_some(), "--huge", &[Shm]),
        (args.noreserve, "--noreserve", &[Shm]),
        (args.nsems.is_some(), "--nsems", &[Sem]),
        (args.key.is_some(), "--key", &[Msg, Shm, Sem]),
        (args.ftok.is_some(), "--ftok", &[Msg, Shm, Sem]),
        (args.name.is_some(), "--name", &[Pmsg, Pshm, Psem]),
        (args.max_messages.is_some(), "--max-messages", &[Pmsg]),
        (args.message_size.is_some(), "--message-size", &[Pmsg]),
        (!args.value.is_empty(), "--value", &[Sem, Psem]),
    ] {
        if is_given && !kinds.contains(&args.kind) {
            return Err(Failure::usage(VERB, format!("a {noun} has no {option}")));
        }
    }
    let values = args.value.len();
    match args.kind {
        Sem if args.value.iter().any(|&value| value > SEMVMX) => {
            let value = args.value.iter().max().copied().unwrap_or_default();
            let what = format!("--value {value} is above semvmx, {SEMVMX} (ERANGE)");
            Err(Failure::new(VERB, args.kind, what, Reason::Failed))
        }
        Sem if values > 0 && args.nsems.is_some_and(|nsems| nsems as usize != values) => {
            let nsems = args.nsems.unwrap_or_default();
            let what = format!("--value has {values} values, but --nsems is {nsems}");
            Err(Failure::usage(VERB, what))
        }
        Psem if values > 1 => {
            Err(Failure::usage(VERB, format!("a {noun} has one --value, not {values}")))
        }
        Shm | Pshm if args.size.is_none() => {
            Err(Failure::usage(VERB, format!("a {noun} needs --size")))
        }
        Pshm if args.size > Some(i64::MAX as u64) => {
            Err(Failure::usage(VERB, format!("a {noun} has at most {} bytes", i64::MAX)))
        }
        kind if kind.is_posix() && args.name.is_none() => {
            Err(Failure::usage(VERB, format!("a {noun} needs --name /NAME")))
        }
        _ => Ok(()),
    }
}

fn create_keyed(args: &Create, namespace: &Namespace) -> Result<Reference, Failure> {
    let key = match &args.ftok {
        Some(argument) => ftok(argument)?,
        None => args.key.unwrap_or(Key::PRIVATE),
    };
    let size = args.size.unwrap_or(0);
    let (made, size) = match args.kind {
        Kind::Shm => {
            let flags = args.mode.bits() as i32 | page_flags(args)?;
            (shm::create_with_flags(key, size, flags, args.exclusive), size)
        }
        Kind::Sem => {
            let given = i32::try_from(args.value.len()).ok().filter(|&number| number > 0);
            let nsems = args.nsems.or(given).unwrap_or(1);
            (create_set(key, nsems, args), nsems.unsigned_abs().into())
        }
        Kind::Msg => (msg::create(key, args.mode, args.exclusive), 0),
        kind @ (Kind::Pmsg | Kind::Pshm | Kind::Psem) => {
            let what = format!("a {} has a name instead of a key", kind.noun());
            return Err(Failure::usage(VERB, what));
        }
    };
    let wish = Wish { kind: args.kind, key, size, mode: args.mode, is_huge: args.huge.is_some() };
    let id = made.map_err(|error| Failure::of_creation(VERB, &wish, error))?;
    if args.kind == Kind::Shm {
        survives_its_creator(id)?;
    }
    let reference = Reference::id(args.kind, id);
    if key == Key::FTOK_FAILED {
        print_error(format_args!("{VERB} {reference}: warning: {}", Key::FTOK_CAUTION));
    }
    if key != Key::PRIVATE && !args.exclusive {
        // The call does not show whether the object is new; a new one has no differences.
        warn_differences(args, namespace, &reference);
    }
    Ok(reference)
}

/// The flags of `shmget(2)` about pages.
fn page_flags(args: &Create) -> Result<i32, Failure> {
    let huge = args.huge.map_or(Some(0), shm::huge_flags);
    let huge = huge.ok_or_else(|| {
        let size = args.huge.unwrap_or_default();
        Failure::usage(VERB, format!("--huge={size}: the size of a page is a power of two"))
    })?;
    Ok(huge | if args.noreserve { shm::NORESERVE } else { 0 })
}

/// Creates a set. Only a new one gets the values.
fn create_set(key: Key, nsems: i32, args: &Create) -> Result<i32, CallError> {
    let create = |exclusive| sem::create(key, nsems, args.mode, exclusive);
    if args.value.is_empty() {
        return create(args.exclusive);
    }
    // Whether it is new shows only so.
    let id = match create(true) {
        Err(CallError { errno: Errno::EEXIST, .. }) if !args.exclusive => return create(false),
        made => made?,
    };
    // Both are checked, or made so.
    let values: Vec<u16> = args.value.iter().map(|&value| value as u16).collect();
    sem::set_values(id, &values).inspect_err(|_| {
        // It is new, so nobody else can rely on it.
        let _ = sem::remove(id);
    })?;
    Ok(id)
}

/// Fails for a new segment that the kernel would destroy as soon as this process ends, so that its
/// reference would name nothing. A segment that existed before is left as it is.
fn survives_its_creator(id: i32) -> Result<(), Failure> {
    let reference = Reference::id(Kind::Shm, id);
    if Limit::ShmRmidForced.value() != Some(1) {
        return Ok(());
    }
    let segment = shm::read(id).map_err(|error| Failure::of_call(VERB, &reference, error))?;
    if segment.creator_pid.unsigned_abs() != std::process::id() || segment.attached > 0 {
        return Ok(());
    }
    // The kernel would do this in a moment.
    let _ = shm::remove(id);
    let what = "it would be destroyed at once: kernel.shm_rmid_forced is 1, so the kernel destroys a segment that is not attached when its creator ends";
    Err(Failure::new(VERB, Kind::Shm, what, Reason::Failed).with_hint(
        "create it in the program that attaches it, or, as root: ipctool limits --set shm_rmid_forced=0",
    ))
}

fn create_named(args: &Create, namespace: &Namespace) -> Result<Reference, Failure> {
    let name = Name::parse(args.kind, args.name.as_deref().unwrap_or_default())
        .map_err(|error| Failure::usage(VERB, format!("--name: {error}")))?;
    let reference = Reference::name(args.kind, name.clone());
    let mut shape = None;
    let made = match args.kind {
        Kind::Pmsg => {
            shape = self::shape(args);
            mq_calls::create(&name, shape, args.mode, args.exclusive).map(|made| made.1)
        }
        Kind::Psem => {
            let value = args.value.first().copied().unwrap_or(0);
            namespace.shm().create_semaphore(&name, value, args.mode, args.exclusive)
        }
        _ => {
            let size = args.size.unwrap_or(0);
            namespace.shm().create_memory(&name, size, args.mode, args.exclusive)
        }
    };
    let outcome =
        made.map_err(|error| Failure::of_named_creation(VERB, &reference, shape, error))?;
    if outcome == Outcome::Found {
        warn_differences(args, namespace, &reference);
    }
    Ok(reference)
}

/// The shape that was asked for. If only half of it was given, the system's default completes it.
fn shape(args: &Create) -> Option<Shape> {
    if args.max_messages.is_none() && args.message_size.is_none() {
        return None;
    }
    let or_default = |asked: Option<u64>, limit: Limit| asked.or_else(|| limit.value());
    Some(Shape {
        max_messages: or_default(args.max_messages, Limit::MqueueMsgDefault)?,
        message_size: or_default(args.message_size, Limit::MqueueMsgsizeDefault)?,
    })
}

/// Warns how an existing object differs from what was asked for: another user may have created it as a
/// trap.
fn warn_differences(args: &Create, namespace: &Namespace, reference: &Reference) {
    // If it is gone again, there is nothing to warn about.
    let Ok(object) = namespace.read(reference) else { return };
    let differences: Vec<_> =
        access(args, &object).into_iter().chain(content(args, &object)).collect();
    if !differences.is_empty() {
        let differences = differences.join(", ");
        print_error(format_args!("{VERB} {reference}: it already existed, {differences}"));
    }
}

/// Owner and mode, unless the caller owns the object and the mode is the one asked for. The creator of a
/// System V object never changes and keeps the owner's rights, so it must be the caller as well.
fn access(args: &Create, object: &Object) -> Option<String> {
    let permissions = object.permissions();
    let own = process::uid();
    let (uid, cuid) = match object.kind().is_posix() {
        true => (permissions.uid, permissions.uid),
        false => (permissions.uid, permissions.cuid),
    };
    if (uid, cuid, permissions.mode) == (own, own, args.mode) {
        return None;
    }
    let creator = match uid == cuid {
        true => String::new(),
        false => format!(", creator {}", user(cuid)),
    };
    Some(format!("with owner {}{creator} and mode {}", user(uid), permissions.mode))
}

/// The shape of a queue or the value of a semaphore, if it is not the one asked for.
fn content(args: &Create, object: &Object) -> Option<String> {
    match object {
        Object::PosixQueue(queue) => {
            let (most, size) = (queue.max_messages?, queue.message_size?);
            let differs = |asked: Option<u64>, is: u64| asked.is_some_and(|asked| asked != is);
            (differs(args.max_messages, most) || differs(args.message_size, size))
                .then(|| format!("for {most} messages of {size} bytes"))
        }
        Object::PosixSemaphore(semaphore) => {
            let Some(SemaphoreState { value, .. }) = semaphore.state else {
                return Some("and holds no semaphore that can be read".to_owned());
            };
            let asked = args.value.first().filter(|asked| **asked != value);
            asked.map(|_| format!("with value {value}"))
        }
        Object::SemaphoreSet(set) if !args.value.is_empty() => {
            let values = sem::values(set.id, set.nsems).ok()?;
            let differ = !values.iter().copied().map(u32::from).eq(args.value.iter().copied());
            let values: Vec<String> = values.iter().map(u16::to_string).collect();
            differ.then(|| format!("with values {}", values.join(",")))
        }
        // A smaller one would have been an error.
        Object::Queue(_)
        | Object::Segment(_)
        | Object::SemaphoreSet(_)
        | Object::PosixMemory(_) => None,
    }
}

/// The key of `PATH[:PROJ]`; the part after the last colon is the project.
fn ftok(argument: &OsStr) -> Result<Key, Failure> {
    let bytes = argument.as_bytes();
    let (path, project) = match bytes.iter().rposition(|&byte| byte == b':') {
        None => (argument, Project::default()),
        Some(colon) => {
            let project = String::from_utf8_lossy(&bytes[colon + 1..]);
            let project = project
                .parse()
                .map_err(|error| Failure::usage(VERB, format!("--ftok PATH:PROJ: {error}")))?;
            (OsStr::from_bytes(&bytes[..colon]), project)
        }
    };
    key::of_path(VERB, Path::new(path), project)
}
