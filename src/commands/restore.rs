//! `ipctool restore`: makes the objects of a dump.

mod maker;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;

use maker::{Maker, Wishes};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::dump::file_identity;
use super::progress::Progress;
use super::{Result, report_all};
use crate::cli::Restore as Options;
use crate::dump::{Damage, Described, Reader, Record, Survey};
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::{Foreign, Kind, count};
use crate::kernel::io::interruptible::Interruptible;
use crate::kernel::io::{os_error, stdio};
use crate::kernel::sysv::next_id::NextId;
use crate::kernel::{Namespace, signals};
use crate::output::stdout;

const VERB: &str = "restore";

pub(super) fn run(args: Options, namespace: &Namespace) -> Result<Status> {
    let subject = args
        .file
        .as_deref()
        .map_or_else(|| Foreign::from(Path::new("standard input")), Foreign::from);
    signals::catch_signals().map_err(|error| Failure::of_no_signals(VERB, &subject, &error))?;
    let failed = |error: io::Error| match signals::pending() {
        Some(signal) => {
            let what = "interrupted by a signal; nothing was made";
            Failure::new(VERB, &subject, what, Reason::Signal(signal))
        }
        None => {
            let what = format!("cannot read it: {}", os_error::describe(&error));
            Failure::new(VERB, &subject, what, Reason::Failed)
        }
    };
    let mut file = input(args.file.as_deref()).map_err(failed)?;
    let survey = Survey::of(BufReader::new(Interruptible(file.try_clone()?)));
    let survey = survey.map_err(|damage| match damage {
        Damage::Io(error) => failed(error),
        damage => {
            let what = format!("{damage}; nothing was made");
            Failure::new(VERB, &subject, what, Reason::Failed)
        }
    })?;
    if args.dry_run {
        return describe(&survey);
    }
    if args.keep_ids {
        check_ids(&survey)?;
    }
    file.rewind().map_err(failed)?;
    let mut progress = Progress::of_bytes(file.metadata()?.len());
    let restored = restore(&args, namespace, &file, &survey, &mut progress);
    drop(progress);
    let (status, failures) = restored?;
    Ok(status.and(report_all(namespace, &failures)))
}

/// The dump as a file that can be read twice.
fn input(path: Option<&Path>) -> io::Result<File> {
    let mut given = match path {
        Some(path) => Interruptible(open(path)?),
        None => stdio::standard_input()?,
    };
    if given.0.metadata()?.is_file() && given.0.stream_position()? == 0 {
        return Ok(given.0);
    }
    let mut kept = tempfile::tempfile()?;
    let mut buffer = vec![0; 1 << 18];
    loop {
        match given.read(&mut buffer)? {
            0 => break,
            read => kept.write_all(&buffer[..read])?,
        }
    }
    kept.rewind()?;
    Ok(kept)
}

/// Opens a file. A signal ends the wait for somebody who writes to a pipe.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    loop {
        match rustix::fs::open(path, flags, Mode::empty()) {
            Err(Errno::INTR) if signals::pending().is_none() => {}
            opened => return Ok(opened?.into()),
        }
    }
}

/// Prints what a dump holds.
fn describe(survey: &Survey) -> Result<Status> {
    let mut text = String::new();
    for (described, is_complete) in &survey.objects {
        let gap = if *is_complete { "" } else { ", not complete: it would be left out" };
        let Ok(reference) = described.reference() else { continue };
        text += &format!("{reference}{gap}\n");
    }
    stdout::print(&text)?;
    Ok(Status::Done)
}

/// Whether ids can be chosen, before anything is made.
fn check_ids(survey: &Survey) -> Result<(), Failure> {
    let kinds = survey.objects.iter().filter_map(|(one, _)| one.reference().ok());
    let mut kinds: Vec<Kind> = kinds.map(|one| one.kind).filter(|kind| !kind.is_posix()).collect();
    kinds.dedup();
    for kind in kinds {
        if let Err(error) = NextId::check(kind) {
            let what =
                format!("cannot choose ids: {}; nothing was made", os_error::describe(&error));
            let (reason, hint) = match error.kind() {
                io::ErrorKind::PermissionDenied => (
                    Reason::NotPermitted,
                    "it takes CAP_CHECKPOINT_RESTORE in the user namespace of the IPC namespace",
                ),
                _ => (Reason::Failed, "the kernel needs CONFIG_CHECKPOINT_RESTORE"),
            };
            return Err(Failure::new(VERB, "--keep-ids", what, reason).with_hint(hint));
        }
    }
    Ok(())
}

/// Makes all that is complete. Returns why some could not be made.
fn restore(
    args: &Options,
    namespace: &Namespace,
    file: &File,
    survey: &Survey,
    progress: &mut Progress,
) -> Result<(Status, Vec<Failure>)> {
    let mut reader = Reader::new(BufReader::with_capacity(1 << 18, file));
    let mut complete = survey.objects.iter().map(|(_, is_complete)| *is_complete);
    let mut failures = Vec::new();
    let mut status = Status::Done;
    let mut unprinted = None;
    let mut begun = 0;
    let wishes =
        Wishes { replaces: args.replace, keeps_ids: args.keep_ids, dump: file_identity(file) };
    let mut maker: Option<Maker<'_>> = None;
    loop {
        let stopped = signals::pending()
            .map(|signal| ("interrupted by a signal".to_owned(), Reason::Signal(signal)));
        let record = match (stopped, reader.next()) {
            (None, Ok(record)) => record,
            (stopped, read) => {
                let changed = read.err().map(|damage| {
                    // It was right at the first reading.
                    (format!("the dump was changed meanwhile: {damage}"), Reason::Failed)
                });
                let left = survey.objects.len() - begun;
                failures.extend(stopped.or(changed).map(|why| stop(why, left, maker.as_ref())));
                return Ok((status, failures));
            }
        };
        let is_next = matches!(record, Some(Record::Object(_) | Record::End));
        if let Some(maker) = maker.take_if(|_| is_next) {
            let old = maker.old().clone();
            match maker.finish() {
                Ok(new) => {
                    let line = format!("{old} → {new}\n");
                    // The rest is made nevertheless; who reads no further has a reason.
                    match progress.aside(|| stdout::print(&line)) {
                        Err(error) if !error.is_closed_pipe() => unprinted = Some(error),
                        _ => {}
                    }
                }
                Err(failure) => failures.push(failure),
            }
        }
        match record {
            None => {
                if let Some(error) = unprinted {
                    let what = format!("it went on, but {error}");
                    failures.push(Failure::new(VERB, "", what, Reason::Failed));
                }
                return Ok((status, failures));
            }
            Some(Record::Object(described)) => {
                begun += 1;
                if complete.next() == Some(true) {
                    maker = begin(namespace, *described, wishes, &mut failures);
                } else {
                    let what = "it is not complete in the dump, and was left out";
                    let old = described.reference().map(|old| old.to_string()).unwrap_or_default();
                    failures.push(Failure::new(VERB, old, what, Reason::Failed));
                    status = Status::Failed;
                }
            }
            Some(Record::Message(message)) => {
                let sent = maker.as_ref().map(|maker| maker.send(&message));
                fail(&mut maker, sent, &mut failures);
            }
            Some(Record::Piece(offset, bytes)) => {
                let written = maker.as_ref().map(|maker| maker.write(offset, &bytes));
                fail(&mut maker, written, &mut failures);
            }
            Some(Record::Head(_) | Record::Abandoned | Record::End) => {}
        }
        progress.advance_to(reader.place());
    }
}

fn begin<'a>(
    namespace: &'a Namespace,
    described: Described,
    wishes: Wishes,
    failures: &mut Vec<Failure>,
) -> Option<Maker<'a>> {
    // The dump was checked, so it is one.
    let made = match described.reference() {
        Ok(old) => Maker::begin(namespace, described, old, wishes),
        Err(error) => Err(Failure::new(VERB, "", error, Reason::Failed)),
    };
    made.map_err(|failure| failures.push(failure)).ok()
}

/// Gives up an object of which a part could not be made.
fn fail(
    maker: &mut Option<Maker<'_>>,
    made: Option<Result<(), Failure>>,
    failures: &mut Vec<Failure>,
) {
    if let Some(Err(failure)) = made {
        failures.push(failure);
        *maker = None;
    }
}

/// Why not all was made. What is not complete goes.
fn stop((why, reason): (String, Reason), left: usize, maker: Option<&Maker<'_>>) -> Failure {
    let left = count(left as u64 + u64::from(maker.is_some()), "object");
    let removed = maker.filter(|maker| maker.has_removed());
    let removed =
        removed.map(|maker| format!("; what had the place of {} is removed", maker.old()));
    let what = format!("{why}; {left} not made{}", removed.unwrap_or_default());
    Failure::new(VERB, "", what, reason)
}
