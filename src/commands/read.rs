//! `ipctool read`: the bytes of shared memory.

use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;

use super::{Error, Result, resolve};
use crate::cli::Read as Options;
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::posix::FileIdentity;
use crate::ipc::{Object, Reference};
use crate::kernel::io::interruptible::Interruptible;
use crate::kernel::io::{os_error, outlet, poll};
use crate::kernel::shared_memory::{Access, SharedMemory};
use crate::kernel::signals;
use crate::kernel::{Errno, Namespace};
use crate::output::hexdump::{self, HexDump};
use crate::output::stdout::{self, OutputError};

const VERB: &str = "read";

/// How much is read and shown at once.
const PIECE: usize = 64 << 10;

/// How much can be watched, in bytes: there is a copy of it.
const MOST_WATCHED: u64 = 64 << 20;

pub(super) fn run(args: Options, namespace: &Namespace) -> Result<Status> {
    let reference = resolve(VERB, namespace, &args.memory)?;
    let memory = SharedMemory::open(namespace, &reference, Access::Read);
    let memory = memory
        .map_err(|error| Failure::of_access(VERB, &args.memory, Access::Read.bits(), error))?;
    let size = memory.size();
    if args.offset > size {
        let what = format!("--offset {} is beyond its end: it has {size} bytes", args.offset);
        return Err(Failure::new(VERB, &args.memory, what, Reason::Failed).into());
    }
    let length = args.length.unwrap_or(u64::MAX).min(size - args.offset);
    let range = args.offset..args.offset + length;
    let file = namespace.read(&reference).ok().as_ref().and_then(identity);
    let reader = Reader { named: &args.memory, reference, identity: file, memory, namespace };
    if args.follow {
        return reader.follow(range, args.interval);
    }
    match args.hex || (stdout::is_terminal() && !args.raw) {
        true => reader.show(range)?,
        false => reader.copy(range)?,
    }
    Ok(Status::Done)
}

struct Reader<'a> {
    named: &'a Reference,
    reference: Reference,
    /// The file of a POSIX object.
    identity: Option<FileIdentity>,
    memory: SharedMemory,
    namespace: &'a Namespace,
}

impl Reader<'_> {
    /// The parts of a range in their order, and whether each may hold anything or is just zeros.
    fn parts(&self, range: Range<u64>) -> impl Iterator<Item = (Range<u64>, bool)> {
        let mut place = range.start;
        std::iter::from_fn(move || {
            let rest = place..range.end;
            let part = (!rest.is_empty()).then(|| self.memory.first_part(self.namespace, rest))?;
            place = part.0.end;
            Some(part)
        })
    }

    /// Writes the bytes as they are.
    fn copy(&self, range: Range<u64>) -> Result<()> {
        let failed = |error| Error::from(OutputError(error));
        let mut out = Destination::of(stdout::file()?);
        let mut buffer = Vec::new();
        for (part, is_data) in self.parts(range) {
            if !is_data {
                out.write_zeros(part.end - part.start).map_err(failed)?;
                continue;
            }
            let mut place = part.start;
            while place < part.end {
                let copied = self.memory.copy_to(place..part.end, &mut out.out, &mut buffer);
                match copied {
                    Ok(0) => return Err(self.truncated(place).into()),
                    Ok(copied) => place += copied as u64,
                    Err(error) => return Err(self.copy_failed(error)),
                }
            }
        }
        out.finish().map_err(failed)
    }

    /// Shows them as `hexdump -C` does.
    fn show(&self, range: Range<u64>) -> Result<()> {
        let mut out = stdout::file()?;
        let mut write = |text: &mut Vec<u8>| {
            let written = out.write_all(text);
            text.clear();
            written.map_err(|error| Error::from(OutputError(error)))
        };
        let mut dump = HexDump::at(range.start);
        let (mut bytes, mut text) = (vec![0; PIECE], Vec::new());
        for (part, is_data) in self.parts(range) {
            let mut place = part.start;
            if !is_data {
                dump.push_zeros(part.end - part.start, &mut text);
                place = part.end;
                write(&mut text)?;
            }
            while place < part.end {
                let piece = PIECE.min((part.end - place) as usize);
                let read = self.read(&mut bytes[..piece], place)?;
                dump.push(&bytes[..read], &mut text);
                place += read as u64;
                write(&mut text)?;
            }
        }
        dump.finish(&mut text);
        write(&mut text)
    }

    /// Shows them, and then each line that changes.
    fn follow(&self, range: Range<u64>, interval: std::time::Duration) -> Result<Status> {
        let length = range.end - range.start;
        if length > MOST_WATCHED {
            let what = format!(
                "{length} bytes are too many to follow, {MOST_WATCHED} at most: choose with --offset and --length"
            );
            return Err(Failure::new(VERB, self.named, what, Reason::Usage).into());
        }
        signals::catch_signals()
            .map_err(|error| Failure::of_preparation(VERB, self.named, &error))?;
        let mut before = vec![0; length as usize];
        self.fill(&mut before, range.start)?;
        let (mut dump, mut text) = (HexDump::at(range.start), Vec::new());
        dump.push(&before, &mut text);
        dump.finish(&mut text);
        let mut now = before.clone();
        loop {
            let mut out = stdout::file()?;
            out.write_all(&text).map_err(OutputError)?;
            text.clear();
            poll::wait_abandoned(&out.0, interval);
            if let Some(signal) = signals::pending() {
                return Ok(Status::Signal(signal));
            }
            if poll::is_abandoned(&out.0) {
                return Ok(Status::Done);
            }
            self.check_name()?;
            self.fill(&mut now, range.start)?;
            let lines = before.chunks(hexdump::LINE).zip(now.chunks(hexdump::LINE));
            for (number, (before, now)) in lines.enumerate() {
                if before != now {
                    let place = range.start + (number * hexdump::LINE) as u64;
                    hexdump::append_line(place, now, &mut text);
                }
            }
            before.copy_from_slice(&now);
        }
    }

    /// Fails if it was removed, so that nobody else finds what is shown here.
    fn check_name(&self) -> Result<(), Failure> {
        let is_it = match self.namespace.read(&self.reference) {
            Ok(object) => !object.is_marked() && identity(&object) == self.identity,
            Err(error) => !error.is_missing(),
        };
        match is_it {
            true => Ok(()),
            false => {
                let what = "it was removed meanwhile";
                Err(Failure::new(VERB, self.named, what, Reason::NothingThere))
            }
        }
    }

    /// Reads all of these bytes; what nobody has written is not touched.
    fn fill(&self, bytes: &mut [u8], start: u64) -> Result<()> {
        for (part, is_data) in self.parts(start..start + bytes.len() as u64) {
            let mut place = part.start;
            while place < part.end {
                let bytes = &mut bytes[(place - start) as usize..(part.end - start) as usize];
                place += match is_data {
                    true => self.read(bytes, place)? as u64,
                    false => {
                        bytes.fill(0);
                        part.end - place
                    }
                };
            }
        }
        Ok(())
    }

    fn read(&self, bytes: &mut [u8], place: u64) -> Result<usize, Failure> {
        match self.memory.read_at(bytes, place) {
            Ok(0) => Err(self.truncated(place)),
            Ok(read) => Ok(read),
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    /// A POSIX object was made shorter.
    fn truncated(&self, place: u64) -> Failure {
        let (before, now) = (self.memory.size(), self.memory.size_now());
        let what =
            format!("it was truncated meanwhile, from {before} to {now} bytes; read up to {place}");
        Failure::new(VERB, self.named, what, Reason::Failed)
    }

    fn unreadable(&self, error: &io::Error) -> Failure {
        let what = format!("cannot read its memory: {}", os_error::describe(error));
        Failure::new(VERB, self.named, what, Reason::Failed)
    }

    fn copy_failed(&self, error: io::Error) -> Error {
        match error.raw_os_error() {
            // Of the memory; standard output has none.
            Some(errno) if errno == Errno::EFAULT as i32 => self.unreadable(&error).into(),
            _ => OutputError(error).into(),
        }
    }
}

/// The file of a POSIX object.
fn identity(object: &Object) -> Option<FileIdentity> {
    object.file().map(|file| file.identity)
}

/// Standard output; in a regular file, zeros become a hole.
struct Destination {
    out: Interruptible,
    /// Whether nothing lies behind the present place, so that what is skipped is zeros.
    is_sparse: bool,
    zeros: Vec<u8>,
    has_hole: bool,
}

impl Destination {
    fn of(out: Interruptible) -> Destination {
        let is_sparse = outlet::is_at_end(&out.0).unwrap_or(false);
        Destination { out, is_sparse, zeros: Vec::new(), has_hole: false }
    }

    fn write_zeros(&mut self, mut number: u64) -> io::Result<()> {
        if self.is_sparse {
            let step = number.try_into().map_err(io::Error::other)?;
            self.out.0.seek(SeekFrom::Current(step))?;
            self.has_hole = true;
            return Ok(());
        }
        self.zeros.resize(PIECE, 0);
        while number > 0 {
            let piece = number.min(PIECE as u64);
            self.out.write_all(&self.zeros[..piece as usize])?;
            number -= piece;
        }
        Ok(())
    }

    /// A hole at the end must be part of the file.
    fn finish(mut self) -> io::Result<()> {
        if self.has_hole {
            let end = self.out.0.stream_position()?;
            if end > self.out.0.metadata()?.size() {
                self.out.0.set_len(end)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Read;

    #[test]
    fn holes_in_a_new_file_and_zeros_over_an_old_one() {
        let write = |file: &File| {
            let mut out = Destination::of(Interruptible(file.try_clone().unwrap()));
            out.out.write_all(b"ab").unwrap();
            out.write_zeros(100_000).unwrap();
            out.out.write_all(b"c").unwrap();
            out.write_zeros(1 << 20).unwrap();
            out.finish().unwrap();
        };
        let mut content = b"ab".to_vec();
        content.resize(100_002, 0);
        content.push(b'c');
        content.resize(100_003 + (1 << 20), 0);
        let mut file = tempfile::tempfile().unwrap();
        write(&file);
        assert!(file.metadata().unwrap().blocks() < 200);
        // In the middle of a file, nothing may be left of what was there.
        let mut old = tempfile::tempfile().unwrap();
        old.write_all(&vec![7; 3 << 20]).unwrap();
        old.rewind().unwrap();
        write(&old);
        for (file, length) in [(&mut file, content.len()), (&mut old, 3 << 20)] {
            let mut read = Vec::new();
            file.rewind().unwrap();
            file.read_to_end(&mut read).unwrap();
            assert_eq!(read.len(), length);
            assert!(read.starts_with(&content));
        }
    }
}
