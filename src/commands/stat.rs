//! `ipctool stat`: all there is to know about an object.

use std::io::Write;

use serde::Serialize;

use super::{find_all, report_all, select};
use crate::cli::Stat;
use crate::commands::Result;
use crate::exit::Status;
use crate::explain::Failure;
use crate::ipc::posix::SemaphoreState;
use crate::ipc::sysv::Semaphore;
use crate::ipc::{Caller, Key, Kind, Object, Observed, Time, Use, count};
use crate::kernel::Namespace;
use crate::kernel::limits::Limit;
use crate::kernel::posix::dev_shm::DevShm;
use crate::kernel::process;
use crate::kernel::process::Length;
use crate::kernel::process::accounts::{group, user};
use crate::kernel::process::scan::ScanScope;
use crate::kernel::process::uses::Observer;
use crate::kernel::sysv::sem;
use crate::output::formats::json::{self, Record};
use crate::output::page::Page;
use crate::output::stdout::{self, OutputError};
use crate::output::style::human_size;
use crate::output::{Column, Format, Section, Style, TimeFormat, columns, write_rows};

const VERB: &str = "stat";

pub(super) fn run(args: Stat, namespace: &Namespace, style: Style) -> Result<Status> {
    let references = args.references.all();
    if references.is_empty() {
        return Err(Failure::usage(VERB, "nothing was named: give a REF").into());
    }
    let (objects, failures) = find_all(VERB, namespace, &references);
    let mut status = report_all(namespace, &failures);
    let commands = if args.json { Length::Whole } else { Length::Shown };
    let observer = Observer::new(namespace, &ScanScope::around(&objects).with_commands(commands))?;
    let observed: Vec<_> = objects.into_iter().map(|object| observer.observe(object)).collect();
    let gaps: Vec<_> = observed.iter().filter_map(gap).collect();
    status = status.and(report_all(namespace, &gaps));
    let mut out = stdout::buffered()?;
    if args.json {
        let records: Vec<_> = observed
            .iter()
            .map(|observed| StatRecord::new(observed, namespace.shm(), &style))
            .collect();
        json::write(&mut out, &records).map_err(|error| OutputError(error.into()))?;
        out.write_all(b"\n").map_err(OutputError)?;
    } else {
        for (number, observed) in observed.iter().enumerate() {
            let gap = if number > 0 { "\n" } else { "" };
            let caller = process::caller(namespace.handle(), observed.kind());
            let page = page(observed, &caller, namespace.shm(), &style).map_err(OutputError)?;
            write!(out, "{gap}{page}").map_err(OutputError)?;
        }
    }
    out.flush().map_err(OutputError)?;
    select::warn_uninspected(VERB, &observer.missed());
    Ok(status)
}

/// What is in the way of knowing all about an object.
fn gap(observed: &Observed) -> Option<Failure> {
    let Object::SemaphoreSet(set) = &observed.object else { return None };
    if observed.semaphores.is_some() {
        return None;
    }
    // Asked once more, for the reason.
    let error = sem::semaphores(set.id, set.nsems).err()?;
    let failure = Failure::of_call(VERB, &observed.reference(), error);
    Some(failure.after("cannot read the semaphores: "))
}

/// One object for programs.
#[derive(Serialize)]
struct StatRecord<'a> {
    #[serde(flatten)]
    object: Record<'a, Observed>,
    users: Vec<Record<'a, Use>>,
    /// For a set only: null where they may not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    semaphores: Option<Option<Vec<Record<'a, Semaphore>>>>,
    /// For POSIX shared memory only: what it is if a program with musl made it as a semaphore; null where
    /// none has made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    musl_semaphore: Option<Option<SemaphoreState>>,
}

impl<'a> StatRecord<'a> {
    fn new(observed: &'a Observed, shm: &DevShm, style: &'a Style) -> StatRecord<'a> {
        let semaphores = observed.semaphores.as_ref();
        StatRecord {
            object: Record::of(observed, columns::of_kind(observed.kind()), style),
            users: observed
                .users()
                .iter()
                .map(|user| Record::of(user, columns::USER.iter(), style))
                .collect(),
            semaphores: (observed.kind() == Kind::Sem).then(|| {
                let record = |semaphore| Record::of(semaphore, columns::SEMAPHORE.iter(), style);
                Some(semaphores?.iter().map(record).collect())
            }),
            musl_semaphore: observed
                .object
                .memory()
                .map(|memory| shm.musl_semaphore(&memory.file.name)),
        }
    }
}

/// One object for a person.
fn page(
    observed: &Observed,
    caller: &Caller,
    shm: &DevShm,
    style: &Style,
) -> std::io::Result<String> {
    let object = &observed.object;
    let permissions = object.permissions();
    let mut page = Page::new(format!("{}  {}", object.reference(), object.kind().noun()));
    match permissions.key {
        _ if object.kind().is_posix() => {}
        Key::PRIVATE => page.line("key", "none (IPC_PRIVATE)"),
        Key::FTOK_FAILED => page.line("key", format!("{} (ftok failed)", Key::FTOK_FAILED)),
        key => page.line("key", key),
    }
    let account = |uid, gid| format!("{}:{} (uid {uid}, gid {gid})", user(uid), group(gid));
    page.line("owner", account(permissions.uid, permissions.gid));
    if !object.kind().is_posix() {
        page.line("creator", account(permissions.cuid, permissions.cgid));
    }
    page.line(
        "mode",
        format!(
            "{} ({}); {}",
            permissions.mode.symbolic(),
            permissions.mode,
            rights(object, caller)
        ),
    );
    let time = |time: Option<Time>| match time {
        None => "never".to_owned(),
        Some(time) => format!(
            "{} ({})",
            style.time_as(time, TimeFormat::Iso),
            style.time_as(time, TimeFormat::Relative)
        ),
    };
    let of = |used: u64, limit: Option<u64>, name: &str| match limit {
        Some(limit @ 1..) => {
            format!("{used} of {limit} {name}, {} %", u128::from(used) * 100 / u128::from(limit))
        }
        _ => used.to_string(),
    };
    match object {
        Object::Queue(queue) => {
            page.line("messages", queue.messages);
            page.line("bytes", of(queue.bytes, queue.max_bytes, "(max_bytes)"));
            page.line("last send", time(queue.last_send));
            page.line("last recv", time(queue.last_recv));
        }
        Object::Segment(segment) => {
            let size = of(segment.size, Limit::Shmmax.value(), "(shmmax)");
            page.line("size", format!("{}: {size}", human_size(segment.size)));
            if let (Some(rss), Some(swap)) = (segment.rss, segment.swap) {
                page.line("in memory", format!("{rss} bytes, and {swap} swapped out"));
            }
            if let Some(huge_page) = segment.huge_page {
                page.line("pages", format!("huge, of {}", human_size(huge_page)));
            }
            page.line("attached", count(segment.attached, "time"));
            let status: Vec<_> = segment.status_names().collect();
            if !status.is_empty() {
                page.line("status", status.join(", "));
            }
            if segment.status.is_marked() {
                page.line("", "removed already: it goes when the last process detaches it");
            }
            page.line("last attach", time(segment.last_attach));
            page.line("last detach", time(segment.last_detach));
        }
        Object::PosixQueue(queue) => {
            let unknown = || "unknown: that takes permission to open it".to_owned();
            let messages = queue
                .messages
                .map_or_else(unknown, |messages| of(messages, queue.max_messages, "(mq_maxmsg)"));
            page.line("messages", messages);
            if let Some(bytes) = queue.bytes {
                page.line("bytes", bytes);
            }
            if let Some(size) = queue.message_size {
                page.line("largest", format!("{size} bytes in one message (mq_msgsize)"));
            }
            if let Some(reserved) = queue.reserved_bytes() {
                let is_own = permissions.uid == caller.uid;
                let limit = Limit::RlimitMsgqueue.value().filter(|_| is_own);
                page.line("reserved", of(reserved, limit, "bytes (RLIMIT_MSGQUEUE)"));
            }
        }
        Object::PosixMemory(memory) => {
            page.line("size", format!("{}: {} bytes", human_size(memory.size), memory.size));
            page.line("in memory", format!("{} bytes, swapped out or not", memory.rss));
            if let Some(SemaphoreState { value, waiters }) = shm.musl_semaphore(&memory.file.name) {
                page.line(
                    "semaphore",
                    format!("if a program with musl made it as one, its value is {value}, its waiters {waiters}"),
                );
            }
        }
        Object::PosixSemaphore(semaphore) => match semaphore.state {
            Some(SemaphoreState { value, waiters }) => {
                page.line("value", value);
                page.line(
                    "waiters",
                    format!(
                        "{waiters} by the count of the C library, in which a killed one stays; {} found waiting now",
                        observed.waiting()
                    ),
                );
            }
            None => {
                page.line("value", "unknown: it may not be read, or is laid out in another way")
            }
        },
        Object::SemaphoreSet(set) => {
            page.line("semaphores", of(set.nsems, Limit::Semmsl.value(), "(semmsl)"));
            page.line("last op", time(set.last_op));
        }
    }
    match object.file() {
        Some(file) => page.line("modified", time(file.modified)),
        None => page.line("changed", time(object.changed())),
    }
    let mut text = page.into_text();
    if let Some(semaphores) = &observed.semaphores {
        append_rows(semaphores, "semaphores", &columns::SEMAPHORE, style, &mut text)?;
    }
    if !observed.users().is_empty() {
        append_rows(observed.users(), "processes", &columns::USER, style, &mut text)?;
    }
    Ok(text)
}

fn append_rows<T>(
    rows: &[T],
    title: &str,
    columns: &'static [Column<T>],
    style: &Style,
    text: &mut String,
) -> std::io::Result<()> {
    let mut block = Vec::new();
    let section = Section::new(title, columns);
    write_rows(Format::fitting(), section, true, rows, style, &mut block)?;
    *text += &format!("  {title}\n");
    for line in String::from_utf8_lossy(&block).lines() {
        *text += &format!("    {line}\n");
    }
    Ok(())
}

/// What the caller may do, in words.
fn rights(object: &Object, caller: &Caller) -> String {
    let access = object.permissions().access(caller);
    let alter = if object.kind() == Kind::Sem { "alter" } else { "write" };
    let words: Vec<_> =
        [(access.read, "read"), (access.write, alter), (access.control, "change and remove")]
            .into_iter()
            .filter_map(|(is_granted, word)| is_granted.then_some(word))
            .collect();
    match words.as_slice() {
        [] => "you may do nothing with it".to_owned(),
        words => format!("you may {}", words.join(", ")),
    }
}
