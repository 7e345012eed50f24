//! `ipctool install-links`: creates links under the names of the old programs.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{print_error, report_all};
use crate::cli::{self, InstallLinks};
use crate::commands::Result;
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::{CommandLine, Foreign};
use crate::kernel::Namespace;
use crate::kernel::io::directory::{Directory, Entry};
use crate::kernel::io::os_error;
use crate::output::stdout;

const VERB: &str = "install-links";

pub(super) fn run(args: InstallLinks, namespace: &Namespace) -> Result<Status> {
    // Opened once, so that another user who may write to its parent cannot exchange it meanwhile.
    let place = Directory::open(&args.directory).map_err(|error| {
        let make = CommandLine::new("mkdir -p --").operand(Foreign::from(&*args.directory));
        let hint = format!("to create it: {make}");
        match error.kind() {
            ErrorKind::NotFound => failed(&args.directory, &error).with_hint(hint),
            _ => failed(&args.directory, &error),
        }
    })?;
    let links = Links { directory: place, path: args.directory };
    let binary = std::env::current_exe().and_then(fs::canonicalize);
    let binary = binary.map_err(|error| failed(Path::new("/proc/self/exe"), &error))?;
    let path = stable_path(&binary).unwrap_or_else(|| binary.clone());
    let is_beside = |parent: &Path| {
        let parent =
            fs::metadata(parent).and_then(|data| is_same(&data, &links.directory.metadata()?));
        parent.unwrap_or(false)
    };
    // A relative link still works if the binary and its links are moved together.
    let target = match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if is_beside(parent) => Path::new(name),
        _ => &path,
    };
    let mut missing = Vec::new();
    let mut taken = Vec::new();
    for name in cli::drop_ins() {
        match links.directory.find(name.as_ref()) {
            Err(error) if error.kind() == ErrorKind::NotFound => missing.push(name),
            Err(error) => return Err(failed(&links.path.join(name), &error).into()),
            Ok(_) if links.leads_to(name, &binary) => {}
            Ok(entry) => taken.push((name, entry)),
        }
    }
    if !taken.is_empty() {
        let failures: Vec<_> =
            taken.iter().map(|(name, entry)| links.taken_by(name, entry)).collect();
        return Ok(report_all(namespace, &failures));
    }
    links.make(&missing, target)?;
    if args.verbose {
        let target = Foreign::from(target);
        let line = |name: &&str| format!("{} -> {target}\n", links.shown(name));
        stdout::print(&missing.iter().map(line).collect::<String>())?;
    }
    warn_of_others(&links.path, &binary);
    Ok(Status::Done)
}

/// The directory of the links, and its path as the user gave it.
struct Links {
    directory: Directory,
    path: PathBuf,
}

impl Links {
    fn shown(&self, name: &str) -> Foreign {
        self.path.join(name).as_path().into()
    }

    fn leads_to(&self, name: &str, binary: &Path) -> bool {
        let found = self.directory.follow(name.as_ref()).and_then(|entry| entry.metadata());
        found.and_then(|found| is_same(&found, &fs::metadata(binary)?)).unwrap_or(false)
    }

    /// Why a name is taken. The hint shows how to remove a link, but not a file, which may be the only copy.
    fn taken_by(&self, name: &str, entry: &Entry) -> Failure {
        let failure = |what: &str| {
            let what = format!("it exists already and {what}; no link was created");
            Failure::new(VERB, self.shown(name), what, Reason::Failed)
        };
        let Ok(target) = entry.target() else { return failure("is not a link") };
        let nothing = match self.directory.follow(name.as_ref()) {
            Ok(_) => "",
            Err(_) => ", which does not exist",
        };
        let remove = CommandLine::new("rm --").operand(self.shown(name));
        failure(&format!("leads to {}{nothing}", Foreign::from(target.as_path())))
            .with_hint(format!("to remove that link: {remove}"))
    }

    /// Creates all of the links or none.
    fn make(&self, names: &[&str], target: &Path) -> Result<(), Failure> {
        let mut made: Vec<(&str, Entry)> = Vec::new();
        for &name in names {
            // Fails if something took the name since the check.
            if let Err(error) = self.directory.link(name.as_ref(), target) {
                for (name, link) in &made {
                    self.remove(name, link, target);
                }
                return Err(failed(&self.path.join(name), &error));
            }
            if let Ok(link) = self.directory.find(name.as_ref()) {
                made.push((name, link));
            }
        }
        Ok(())
    }

    /// Removes a link that this run created, if it is still the same.
    fn remove(&self, name: &str, link: &Entry, target: &Path) {
        let is_ours = || -> io::Result<bool> {
            let now = self.directory.find(name.as_ref())?;
            Ok(now.target()? == target && is_same(&link.metadata()?, &now.metadata()?)?)
        };
        if is_ours().unwrap_or(false) {
            // The failure that led here is the one to report.
            let _ = self.directory.unlink(name.as_ref());
        }
    }
}

fn is_same(one: &Metadata, other: &Metadata) -> io::Result<bool> {
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}

/// The path under which this binary was called, if it is absolute or found in PATH. It may be a link that
/// leads to a newer version later.
fn stable_path(binary: &Path) -> Option<PathBuf> {
    let called = PathBuf::from(std::env::args_os().next()?);
    let is_name = called.parent() == Some(Path::new(""));
    let path = if is_name { in_path(&called)? } else { called };
    (path.is_absolute() && leads_to(&path, binary)).then_some(path)
}

/// The program that a shell runs for this name.
fn in_path(name: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|candidate| is_executable(candidate))
}

fn leads_to(link: &Path, binary: &Path) -> bool {
    link.canonicalize().is_ok_and(|target| target == binary)
}

/// Notes the names for which a shell finds other programs, or none.
fn warn_of_others(directory: &Path, binary: &Path) {
    let found: Vec<_> = cli::drop_ins().filter_map(|name| in_path(Path::new(name))).collect();
    let others: Vec<_> = found
        .iter()
        .filter(|other| !leads_to(other, binary))
        .map(|other| Foreign::from(other.as_path()).to_string())
        .collect();
    if !others.is_empty() {
        let others = others.join(", ");
        print_error(format_args!("{VERB}: note: with your PATH, a shell still runs {others}"));
    } else if found.is_empty() {
        let directory = Foreign::from(directory);
        print_error(format_args!("{VERB}: note: {directory} is not in your PATH"));
    }
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    let reason = match error.kind() {
        ErrorKind::NotFound => Reason::NothingThere,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Reason::NotPermitted,
        _ => Reason::Failed,
    };
    Failure::new(VERB, Foreign::from(path), os_error::describe(error), reason)
}
