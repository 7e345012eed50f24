//! `ipctool key`: the `ftok(3)` key of a path, and the paths that have a key.

use std::io::{BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::{print_error, remark};
use crate::cli;
use crate::commands::Result;
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::outcome::PathKey;
use crate::ipc::{Foreign, Key, Project, count};
use crate::kernel::io::interruptible::Interruptible;
use crate::kernel::io::os_error;
use crate::kernel::sysv::ftok::{self, Found, ftok};
use crate::kernel::{CallError, Errno};
use crate::output::stdout::OutputError;
use crate::output::{Format, Layout, Render, Section, Style, columns, stdout};

const VERB: &str = "key";

pub(super) fn run(args: cli::Key, style: &Style) -> Result<Status> {
    match args.find {
        Some(key) => find(key, &args, style),
        None => {
            let key = of_path(VERB, &args.path, args.project);
            if args.json && key.is_err() {
                stdout::print("[]\n")?;
            }
            let key = key?;
            match args.json {
                true => {
                    let mut listing = Listing::begin(&args, style)?;
                    listing.write(&args.path, args.project.number(), key)?;
                    listing.finish()?;
                }
                false => stdout::print(&format!("{key}\n"))?,
            }
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
fn find(key: Key, args: &cli::Key, style: &Style) -> Result<Status> {
    if key == Key::FTOK_FAILED {
        let what = "0xffffffff is what ftok(3) returns when it fails, so no path has this key";
        return Err(Failure::usage(VERB, what).into());
    }
    let mut listing = Listing::begin(args, style)?;
    if let Err(error) = std::fs::metadata(&args.path) {
        let errno = error.raw_os_error().map_or(Errno::UnknownErrno, Errno::from_raw);
        listing.finish()?;
        let what = os_error::describe(&error);
        return Err(Failure::new(VERB, shown(&args.path), what, reason(errno)).into());
    }
    if args.verbose {
        print_error(format_args!("{VERB} {key}: {}", key.parts()));
    } else if !args.json && !args.null {
        remark(style, &format!("{key}: {}", key.parts()));
    }
    let (mut found, mut unread) = (0_u64, 0_u64);
    let searched = ftok::find(key, &args.path, args.one_file_system, |place| {
        match place {
            Found::Path(path) => {
                found += 1;
                // The project is the high byte of a key.
                listing.write(&path, (key.0 as u32 >> 24) as u8, key)?;
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
    listing.finish()?;
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

/// The paths while they are printed.
enum Listing<'a> {
    /// A line or a NUL-terminated record for each.
    Paths {
        out: BufWriter<Interruptible>,
        has_nul_ends: bool,
    },
    Json(Box<dyn Render<PathKey> + 'a>),
}

impl<'a> Listing<'a> {
    fn begin(args: &cli::Key, style: &'a Style) -> Result<Listing<'a>, OutputError> {
        let out = stdout::buffered()?;
        if !args.json {
            return Ok(Listing::Paths { out, has_nul_ends: args.null });
        }
        let sections = vec![Section::new(&columns::PATH_KEY)];
        let layout = Layout { sections, chosen: None, headings: false, has_nul_ends: false };
        Ok(Listing::Json(Format::Json.begin(layout, style, out)?))
    }

    fn write(&mut self, path: &Path, project: u8, key: Key) -> Result<(), OutputError> {
        match self {
            Listing::Json(render) => {
                render.row(0, &PathKey { path: path.into(), project, key })?;
            }
            Listing::Paths { out, has_nul_ends } => {
                match has_nul_ends {
                    true => {
                        out.write_all(path.as_os_str().as_bytes())?;
                        out.write_all(b"\0")?;
                    }
                    false => writeln!(out, "{}", shown(path))?,
                }
                // A search of a large tree takes long, and its reader may want no more than one.
                out.flush()?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<(), OutputError> {
        match self {
            Listing::Paths { mut out, .. } => out.flush()?,
            Listing::Json(mut render) => render.finish()?,
        }
        Ok(())
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
    Foreign::from(path).to_string()
}
