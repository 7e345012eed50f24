//! `ipctool install-links`: makes links by which it is called as the old programs.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::complain;
use crate::cli::InstallLinks;
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::kernel::descriptor;
use crate::output::stdout;
use crate::personality;

const VERB: &str = "install-links";

pub(super) fn run(args: InstallLinks) -> anyhow::Result<Status> {
    let directory = args.directory;
    let real_directory = directory.canonicalize().map_err(|error| {
        let hint = format!("'mkdir -p {}' makes it", directory.display());
        match error.kind() {
            ErrorKind::NotFound => failed(&directory, &error).with_hint(hint),
            _ => failed(&directory, &error),
        }
    })?;
    let binary = std::env::current_exe().and_then(fs::canonicalize);
    let binary = binary.map_err(|error| failed(Path::new("/proc/self/exe"), &error))?;
    // Together with its links, it can be moved.
    let target = match (binary.parent(), binary.file_name()) {
        (Some(parent), Some(name)) if parent == real_directory => Path::new(name),
        _ => &binary,
    };
    let mut missing = Vec::new();
    let mut taken = Vec::new();
    for personality in &personality::ALL {
        let link = directory.join(personality.name);
        match fs::symlink_metadata(&link) {
            Err(error) if error.kind() == ErrorKind::NotFound => missing.push(link),
            Err(error) => return Err(failed(&link, &error).into()),
            Ok(_) if leads_to(&link, &binary) => {}
            Ok(_) => taken.push(link),
        }
    }
    for link in &taken {
        let what = "it is there already, and is not ipctool: left alone, and no link was made";
        complain(Failure::new(VERB, link.display(), what, Reason::Failed));
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
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = |name: &str| {
        let candidates = std::env::split_paths(&path).map(|directory| directory.join(name));
        candidates.into_iter().find(|candidate| is_executable(candidate))
    };
    let others: Vec<_> = personality::ALL
        .iter()
        .filter_map(|personality| found(personality.name))
        .filter(|other| !leads_to(other, binary))
        .map(|other| other.display().to_string())
        .collect();
    if !others.is_empty() {
        let others = others.join(", ");
        complain(format_args!("{VERB}: note: with your PATH, a shell still runs {others}"));
    } else if found(personality::ALL[0].name).is_none() {
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
