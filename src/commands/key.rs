//! `ipctool key`: the `ftok(3)` key of a path.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::cli;
use crate::commands::Result;
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::{Key, Project};
use crate::kernel::io::os_error;
use crate::output::{escape, stdout};

pub(super) fn run(args: cli::Key) -> Result<Status> {
    let key = of_path("key", &args.path, args.project)?;
    stdout::print(&format!("{key}\n"))?;
    Ok(Status::Done)
}

/// The key that `ftok(3)` makes of a path, which must exist.
pub fn of_path(verb: &'static str, path: &Path, project: Project) -> Result<Key, Failure> {
    match std::fs::metadata(path) {
        Ok(data) => Ok(Key::from_file(data.dev(), data.ino(), project)),
        Err(error) => {
            let reason = match error.kind() {
                std::io::ErrorKind::NotFound => Reason::NothingThere,
                std::io::ErrorKind::PermissionDenied => Reason::NotPermitted,
                _ => Reason::Failed,
            };
            Err(Failure::new(verb, escape::line(&path.to_string_lossy()), os_error::describe(&error), reason).with_hint(
                "ftok(3) makes a key of a path that exists; in C it would return -1 here, which is no key",
            ))
        }
    }
}
