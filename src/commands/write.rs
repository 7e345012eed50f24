//! `ipctool write`: standard input into shared memory.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Seek, Write};

use super::{Result, print_error, remark, resolve};
use crate::cli::Write as Options;
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::{Foreign, count};
use crate::kernel::io::interruptible::Interruptible;
use crate::kernel::io::{os_error, stdio};
use crate::kernel::shared_memory::{Access, SharedMemory};
use crate::kernel::{Errno, Namespace, signals};
use crate::output::Style;

const VERB: &str = "write";

pub(super) fn run(args: Options, namespace: &Namespace, style: &Style) -> Result<Status> {
    let named = &args.memory;
    signals::catch_signals().map_err(|error| Failure::of_preparation(VERB, named, &error))?;
    let reference = resolve(VERB, namespace, named)?;
    let memory = SharedMemory::open(namespace, &reference, Access::Write)
        .map_err(|error| Failure::of_access(VERB, named, Access::Write.bits(), error))?;
    let size = memory.size();
    let Some(room) = size.checked_sub(args.offset) else {
        let what = format!("--offset {} is beyond its end: it has {size} bytes", args.offset);
        return Err(Failure::new(VERB, named, what, Reason::Failed).into());
    };
    if io::stdin().is_terminal() {
        remark(style, "reading from the keyboard; Ctrl-D on a new line ends");
    }
    let input = stdio::standard_input().map_err(Trouble::Reading);
    let input = input.and_then(|input| Input::of(input, room));
    let mut input = input.map_err(|error| match signals::pending() {
        Some(signal) => {
            let what = "interrupted by a signal; nothing was written";
            Failure::new(VERB, named, what, Reason::Signal(signal))
        }
        None => Failure::new(VERB, named, error, Reason::Failed),
    })?;
    if input.length > room {
        let more = if input.is_exact { "" } else { " or more" };
        let what = format!(
            "standard input has {}{more}, but there is room for {room}{}; nothing was written",
            count(input.length, "byte"),
            if args.offset > 0 { format!(" behind {}", args.offset) } else { String::new() },
        );
        return Err(Failure::new(VERB, named, what, Reason::Failed).into());
    }
    let mut written = 0;
    while written < input.length {
        let place = args.offset + written;
        let end = args.offset + input.length;
        match memory.copy_from(place..end, &mut input.bytes) {
            // The file is shorter by now.
            Ok(0) => {
                let what = format!(
                    "standard input ended after {written} bytes of {}, which were written",
                    input.length
                );
                return Err(Failure::new(VERB, named, what, Reason::Failed).into());
            }
            Ok(copied) => written += copied as u64,
            Err(error) => {
                return Err(failed(&args, &memory, &error, written).into());
            }
        }
    }
    if args.verbose {
        print_error(format_args!("{VERB} {named}: {} written", count(written, "byte")));
    }
    Ok(Status::Done)
}

/// Why no more could be written.
fn failed(args: &Options, memory: &SharedMemory, error: &io::Error, written: u64) -> Failure {
    let before = format!("; {} written before", count(written, "byte"));
    let (what, reason) = match (signals::pending(), error.raw_os_error()) {
        (Some(signal), _) => ("interrupted by a signal".to_owned(), Reason::Signal(signal)),
        (None, Some(errno)) if errno == Errno::EFAULT as i32 => {
            let now = memory.size_now();
            let what = match now < memory.size() {
                true => {
                    format!("it was truncated meanwhile, from {} to {now} bytes", memory.size())
                }
                false => "there is no memory for more of it".to_owned(),
            };
            (what, Reason::Failed)
        }
        _ => (format!("cannot copy: {}", os_error::describe(error)), Reason::Failed),
    };
    let failure = Failure::new(VERB, &args.memory, what + &before, reason);
    match args.memory.kind.is_posix() && memory.size_now() >= memory.size() {
        true if signals::pending().is_none() => {
            failure.with_hint("/dev/shm may be full: df /dev/shm")
        }
        _ => failure,
    }
}

/// What is to be written: its length is known.
struct Input {
    bytes: Interruptible,
    length: u64,
    /// Whether it has just this many bytes; there may be more if there is no room for them.
    is_exact: bool,
}

/// Why standard input cannot be had.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("cannot read standard input: {}", os_error::describe(.0))]
    Reading(io::Error),
    #[error("cannot keep standard input in a file of {}: {}", Foreign::from(std::env::temp_dir().as_path()), os_error::describe(.0))]
    Keeping(io::Error),
}

impl Input {
    /// Standard input. Of a pipe, at most one byte more is read than there is room for.
    fn of(mut input: Interruptible, room: u64) -> Result<Input, Trouble> {
        let data = input.0.metadata().map_err(Trouble::Reading)?;
        if data.is_file() {
            let place = input.0.stream_position().map_err(Trouble::Reading)?;
            let length = data.len().saturating_sub(place);
            // A small one is read like a pipe: those of the kernel have another size than they say.
            if length > room || length > IN_MEMORY as u64 {
                return Ok(Input { bytes: input, length, is_exact: true });
            }
        }
        let mut kept = tempfile::spooled_tempfile(IN_MEMORY);
        let mut length = 0;
        let mut buffer = vec![0; 64 << 10];
        while length <= room {
            let most = usize::try_from(room - length).unwrap_or(usize::MAX - 1) + 1;
            let most = most.min(buffer.len());
            match input.read(&mut buffer[..most]).map_err(Trouble::Reading)? {
                0 => break,
                read => {
                    kept.write_all(&buffer[..read]).map_err(Trouble::Keeping)?;
                    length += read as u64;
                }
            }
        }
        let bytes = Interruptible(file_of(kept).map_err(Trouble::Keeping)?);
        Ok(Input { bytes, length, is_exact: length <= room })
    }
}

/// Up to so many bytes are kept in memory.
const IN_MEMORY: usize = 1 << 20;

/// What was kept, as a file from its start.
fn file_of(kept: tempfile::SpooledTempFile) -> io::Result<File> {
    let mut file = match kept.into_inner() {
        tempfile::SpooledData::OnDisk(file) => file,
        tempfile::SpooledData::InMemory(bytes) => {
            let flags = rustix::fs::MemfdFlags::CLOEXEC;
            let mut file = File::from(rustix::fs::memfd_create("input", flags)?);
            file.write_all(bytes.get_ref())?;
            file
        }
    };
    file.rewind()?;
    Ok(file)
}
