//! `ipctool key`: the `ftok(3)` key of a path.

use std::io;
use std::path::Path;

use crate::cli;
use crate::commands::Result;
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::{Key, Project};
use crate::kernel::io::os_error;
use crate::kernel::sysv::ftok::ftok;
use crate::kernel::{CallError, Errno};
use crate::output::{escape, stdout};

pub(super) fn run(args: cli::Key) -> Result<Status> {
    let key = of_path("key", &args.path, args.project)?;
    stdout::print(&format!("{key}\n"))?;
    Ok(Status::Done)
}

/// The key that `ftok(3)` makes from a path. The path must exist.
pub fn of_path(verb: &'static str, path: &Path, project: Project) -> Result<Key, Failure> {
    ftok(path, project).map_err(|CallError { errno, .. }| {
        let reason = match errno {
            Errno::ENOENT => Reason::NothingThere,
            Errno::EACCES | Errno::EPERM => Reason::NotPermitted,
            _ => Reason::Failed,
        };
        let error = io::Error::from(errno);
        Failure::new(verb, escape::line(&path.to_string_lossy()), os_error::describe(&error), reason).with_hint(
            "ftok(3) makes a key from a path that exists; in C it returns -1 here, which is not a key",
        )
    })
}
