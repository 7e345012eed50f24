//! `ipctool key`: the `ftok(3)` key of a path, and the paths that have a key.

use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::print_error;
use crate::cli;
use crate::commands::Result;
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::{Key, Project, count};
use crate::kernel::io::os_error;
use crate::kernel::sysv::ftok::{self, Found, ftok};
use crate::kernel::{CallError, Errno};
use crate::output::stdout::OutputError;
use crate::output::{escape, stdout};

const VERB: &str = "key";

pub(super) fn run(args: cli::Key) -> Result<Status> {
    match args.find {
        Some(key) => find(key, &args),
        None => {
            let key = of_path(VERB, &args.path, args.project)?;
            stdout::print(&format!("{key}\n"))?;
            Ok(Status::Done)
        }
    }
}

/// The key that `ftok(3)` makes from a path. The path must exist.
pub fn of_path(verb: &'static str, path: &Path, project: Project) -> Result<Key, Failure> {
    ftok(path, project).map_err(|CallError { errno, .. }| {
        Failure::new(verb, shown(path), os_error::describe(&errno.into()), reason(errno)).with_hint(
            "ftok(3) makes a key from a path that exists; in C it returns -1 here, which is not a key",
        )
    })
}

/// Prints the paths that have this key, as they are found.
fn find(key: Key, args: &cli::Key) -> Result<Status> {
    if key == Key::FTOK_FAILED {
        let what = "0xffffffff is what ftok(3) returns when it fails, so no path has this key";
        return Err(Failure::usage(VERB, what).into());
    }
    std::fs::metadata(&args.path).map_err(|error| {
        let errno = error.raw_os_error().map_or(Errno::UnknownErrno, Errno::from_raw);
        Failure::new(VERB, shown(&args.path), os_error::describe(&error), reason(errno))
    })?;
    if args.verbose {
        print_error(format_args!("{VERB} {key}: {}", key.parts()));
    }
    let mut out = stdout::buffered()?;
    let flushes = io::stdout().is_terminal();
    let (mut found, mut unread) = (0_u64, 0_u64);
    let searched = ftok::find(key, &args.path, args.one_file_system, |place| {
        match place {
            Found::Path(path) => {
                found += 1;
                match args.null {
                    true => {
                        out.write_all(path.as_os_str().as_bytes())?;
                        out.write_all(b"\0")?;
                    }
                    false => writeln!(out, "{}", shown(&path))?,
                }
                if flushes {
                    out.flush()?;
                }
            }
            Found::Unread(path, error) => {
                unread += 1;
                print_error(format_args!(
                    "{VERB} {}: {}",
                    shown(&path),
                    os_error::describe(&error)
                ));
            }
        }
        Ok::<_, OutputError>(())
    })?;
    out.flush().map_err(OutputError)?;
    let failed = |what: String, reason| Failure::new(VERB, key, what, reason);
    match (found, unread) {
        (0, 0) => {
            let (path, parts) = (shown(&args.path), key.parts());
            let what = format!("no path in {path} has this key: it means {parts}");
            Err(failed(what, Reason::NothingThere).with_hint(match searched.has_device {
                true => "the file may have been removed or created anew; a new file has another inode number",
                false => "no file there is on a device whose number ends like that; search another file system",
            }))?
        }
        (_, 0) => Ok(Status::Done),
        (_, unread) => {
            let what = format!(
                "{} could not be searched, so paths may be missing",
                count(unread, "place")
            );
            Err(failed(what, Reason::Failed))?
        }
    }
}

fn reason(errno: Errno) -> Reason {
    match errno {
        Errno::ENOENT => Reason::NothingThere,
        Errno::EACCES | Errno::EPERM => Reason::NotPermitted,
        _ => Reason::Failed,
    }
}

fn shown(path: &Path) -> String {
    escape::line(&path.to_string_lossy())
}
