//! Saves lines in files, in the first directory that has room for them.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::kernel::io::outlet::file_limit;

/// Files that together hold all lines.
#[derive(Debug)]
pub(super) struct Files {
    /// Their paths, in order.
    pub(super) paths: Vec<PathBuf>,
    /// The common start of their paths.
    pub(super) stem: PathBuf,
}

/// A line that can be written several times.
pub(super) trait Line {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()>;
}

impl Line for &str {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.as_bytes())
    }
}

/// Saves lines in a new file that only the caller can read, in the first directory that has room; in several
/// files if one would be larger than `RLIMIT_FSIZE`.
pub(super) fn save(
    kind: &str,
    lines: impl Iterator<Item = impl Line> + Clone,
) -> io::Result<Files> {
    let last = [std::env::temp_dir(), "/var/tmp".into(), "/dev/shm".into()];
    let mut result = Err(io::ErrorKind::NotFound.into());
    for directory in std::env::current_dir().into_iter().chain(last) {
        result = save_in(&directory, kind, lines.clone());
        if result.is_ok() {
            break;
        }
    }
    result
}

fn save_in(
    directory: &Path,
    kind: &str,
    lines: impl Iterator<Item = impl Line> + Clone,
) -> io::Result<Files> {
    let limit = file_limit();
    let mut length = Length(0);
    lines.clone().try_for_each(|line| line.write_to(&mut length))?;
    let mut pieces = Pieces::new(directory, kind, limit, length.0 > limit);
    for line in lines {
        let mut length = Length(0);
        line.write_to(&mut length)?;
        // A line continues in the next file only if no file can hold all of it.
        if pieces.room() < length.0 && length.0 <= limit {
            pieces.end()?;
        }
        let mut out = BufWriter::with_capacity(8192, &mut pieces);
        line.write_to(&mut out)?;
        out.flush()?;
    }
    pieces.keep()
}

/// Counts what is written.
struct Length(u64);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Files of a limited size that are filled one after the other. They are deleted again unless all of them are
/// complete.
struct Pieces<'a> {
    directory: &'a Path,
    kind: &'a str,
    limit: u64,
    /// The common start of their names, known once there is one file.
    stem: Option<OsString>,
    is_one_of_many: bool,
    filled: Vec<TempPath>,
    current: Option<(tempfile::NamedTempFile, u64)>,
}

impl<'a> Pieces<'a> {
    fn new(directory: &'a Path, kind: &'a str, limit: u64, is_one_of_many: bool) -> Pieces<'a> {
        let (stem, filled, current) = (None, Vec::new(), None);
        Pieces { directory, kind, limit, stem, is_one_of_many, filled, current }
    }

    /// How many more bytes the present file may have.
    fn room(&self) -> u64 {
        self.limit - self.current.as_ref().map_or(0, |(_, length)| *length)
    }

    /// Begins a file. Sorting the names gives the order of the files.
    fn begin(&mut self) -> io::Result<tempfile::NamedTempFile> {
        let suffix = match self.is_one_of_many {
            true => format!("-{:06}.{}", self.filled.len() + 1, self.kind),
            false => format!(".{}", self.kind),
        };
        let mut builder = tempfile::Builder::new();
        let builder = builder.suffix(&suffix);
        // The crate's own way of opening puts the path into its errors, and takes out the number.
        let mut access = OpenOptions::new();
        access.read(true).write(true).create_new(true).mode(0o600);
        let make = |path: &Path| access.open(path);
        let file = match &self.stem {
            Some(stem) => builder.prefix(stem).rand_bytes(0).make_in(self.directory, make)?,
            None => builder.prefix("ipctool-recv-").make_in(self.directory, make)?,
        };
        if self.stem.is_none()
            && let Some(name) = file.path().file_name()
        {
            let name = name.as_encoded_bytes();
            let stem = name[..name.len() - suffix.len()].to_vec();
            self.stem = Some(std::os::unix::ffi::OsStringExt::from_vec(stem));
        }
        Ok(file)
    }

    /// Ends the present file.
    fn end(&mut self) -> io::Result<()> {
        if let Some((file, _)) = self.current.take() {
            file.as_file().sync_all()?;
            self.filled.push(file.into_temp_path());
        }
        Ok(())
    }

    fn keep(mut self) -> io::Result<Files> {
        self.end()?;
        let stem = self.directory.join(self.stem.unwrap_or_default());
        let keep = |path: TempPath| Ok(path.keep()?);
        Ok(Files { paths: self.filled.into_iter().map(keep).collect::<io::Result<_>>()?, stem })
    }
}

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.room() == 0 {
            self.end()?;
        }
        let (mut file, length) = match self.current.take() {
            Some(current) => current,
            None => (self.begin()?, 0),
        };
        let most = (self.limit - length).min(bytes.len() as u64) as usize;
        let written = match most {
            // With a limit of 0 bytes the kernel returns the error.
            0 => file.as_file_mut().write(bytes),
            most => file.as_file_mut().write(&bytes[..most]),
        };
        let count = *written.as_ref().unwrap_or(&0);
        self.current = Some((file, length + count as u64));
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
