//! `ipctool install-links`: makes links by which it is called as the old programs.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::complain;
use crate::cli::{self, InstallLinks};
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::kernel::descriptor;
use crate::output::escape::shell_word;
use crate::output::stdout;

const VERB: &str = "install-links";

pub(super) fn run(args: InstallLinks) -> anyhow::Result<Status> {
    let directory = args.directory;
    let real_directory = directory.canonicalize().map_err(|error| {
        let hint = format!("to make it: mkdir -p -- {}", quoted(&directory));
        match error.kind() {
            ErrorKind::NotFound => failed(&directory, &error).with_hint(hint),
            _ => failed(&directory, &error),
        }
    })?;
    let binary = std::env::current_exe().and_then(fs::canonicalize);
    let binary = binary.map_err(|error| failed(Path::new("/proc/self/exe"), &error))?;
    let path = stable_path(&binary).unwrap_or_else(|| binary.clone());
    let is_beside = |parent: &Path| parent.canonicalize().is_ok_and(|real| real == real_directory);
    // Together with its links, it can be moved.
    let target = match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if is_beside(parent) => Path::new(name),
        _ => &path,
    };
    let mut missing = Vec::new();
    let mut taken = Vec::new();
    for name in cli::drop_ins() {
        let link = directory.join(name);
        match fs::symlink_metadata(&link) {
            Err(error) if error.kind() == ErrorKind::NotFound => missing.push(link),
            Err(error) => return Err(failed(&link, &error).into()),
            Ok(_) if leads_to(&link, &binary) => {}
            Ok(_) => taken.push(link),
        }
    }
    for link in &taken {
        complain(taken_by(link));
    }
    if !taken.is_empty() {
        return Ok(Status::Failed);
    }
    make(&missing, target)?;
    if args.verbose {
        let line = |link: &PathBuf| format!("{} -> {}\n", link.display(), target.display());
        stdout::print(&missing.iter().map(line).collect::<String>())?;
    }
    warn_of_others(&directory, &binary);
    Ok(Status::Done)
}

/// Why a name is not to be had. Of a link it is known where it leads, so it may be told how to remove
/// it; anything else may be the only one.
fn taken_by(path: &Path) -> Failure {
    let told = |what: &str| {
        let what = format!("it is there already, and {what}: left alone, and no link was made");
        Failure::new(VERB, path.display(), what, Reason::Failed)
    };
    let Ok(target) = fs::read_link(path) else { return told("is no link") };
    let nothing = if path.exists() { "" } else { ", where nothing is" };
    told(&format!("leads to {}{nothing}", target.display()))
        .with_hint(format!("to remove that link: rm -- {}", quoted(path)))
}

/// The path by which this binary was called, if that holds wherever one is: it may be a link that
/// leads to the next version some day.
fn stable_path(binary: &Path) -> Option<PathBuf> {
    let called = PathBuf::from(std::env::args_os().next()?);
    let is_name = called.parent() == Some(Path::new(""));
    let path = if is_name { in_path(&called)? } else { called };
    (path.is_absolute() && leads_to(&path, binary)).then_some(path)
}

/// What a shell runs by this name.
fn in_path(name: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|candidate| is_executable(candidate))
}

fn quoted(path: &Path) -> String {
    shell_word(path)
}

/// Makes all of the links or none.
fn make(links: &[PathBuf], target: &Path) -> Result<(), Failure> {
    for (made, link) in links.iter().enumerate() {
        // Fails where something has come there since.
        if let Err(error) = symlink(target, link) {
            for link in &links[..made] {
                // Whatever goes wrong here, the failure that led here is the one to tell.
                let _ = fs::remove_file(link);
            }
            return Err(failed(link, &error));
        }
    }
    Ok(())
}

fn leads_to(link: &Path, binary: &Path) -> bool {
    link.canonicalize().is_ok_and(|target| target == binary)
}

/// Tells of names by which a shell finds something else, or nothing.
fn warn_of_others(directory: &Path, binary: &Path) {
    let found: Vec<_> = cli::drop_ins().filter_map(|name| in_path(Path::new(name))).collect();
    let others: Vec<_> = found
        .iter()
        .filter(|other| !leads_to(other, binary))
        .map(|other| other.display().to_string())
        .collect();
    if !others.is_empty() {
        let others = others.join(", ");
        complain(format_args!("{VERB}: note: with your PATH, a shell still runs {others}"));
    } else if found.is_empty() {
        complain(format_args!("{VERB}: note: {} is not in your PATH", directory.display()));
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
    Failure::new(VERB, path.display(), descriptor::describe(error), reason)
}
