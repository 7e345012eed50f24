//! `ipctool create`: makes a queue, segment or set.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::key;
use crate::cli::Create;
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::{Key, Kind, Project, Reference};
use crate::kernel::{msg, sem, shm};
use crate::output::stdout;

const VERB: &str = "create";

pub(super) fn run(args: Create) -> anyhow::Result<Status> {
    let size = match (args.kind, args.size, args.nsems) {
        (Kind::Shm, Some(size), None) => size,
        (Kind::Shm, None, _) => {
            return Err(Failure::usage(VERB, "a segment needs --size").into());
        }
        (Kind::Sem, None, nsems) => nsems.unwrap_or(1).unsigned_abs().into(),
        (Kind::Msg, None, None) => 0,
        (kind, Some(_), _) if kind != Kind::Shm => {
            return Err(Failure::usage(VERB, format!("a {} has no --size", kind.noun())).into());
        }
        (kind, ..) => {
            return Err(Failure::usage(VERB, format!("a {} has no --nsems", kind.noun())).into());
        }
    };
    let key = match &args.ftok {
        Some(argument) => ftok(argument)?,
        None => args.key.unwrap_or(Key::PRIVATE),
    };
    let made = match args.kind {
        Kind::Msg => msg::create(key, args.mode, args.exclusive),
        Kind::Shm => shm::create(key, size, args.mode, args.exclusive),
        Kind::Sem => sem::create(key, size as i32, args.mode, args.exclusive),
    };
    let id = made.map_err(|error| Failure::of_creation(VERB, args.kind, key, size, error))?;
    let reference = Reference::id(args.kind, id);
    // Nobody else knows of it: even a closed pipe is no reason to keep silent.
    stdout::print(&format!("{reference}\n")).map_err(|error| {
        Failure::new(VERB, reference, format!("it is there, but {error}"), Reason::Failed)
            .with_hint(format!("'ipctool rm {reference}' removes it"))
    })?;
    Ok(Status::Done)
}

/// `PATH[:PROJ]`: what follows the last colon is the project.
fn ftok(argument: &OsStr) -> Result<Key, Failure> {
    let bytes = argument.as_bytes();
    let (path, project) = match bytes.iter().rposition(|&byte| byte == b':') {
        None => (argument, Project::default()),
        Some(colon) => {
            let project = String::from_utf8_lossy(&bytes[colon + 1..]);
            let project = project
                .parse()
                .map_err(|error| Failure::usage(VERB, format!("--ftok PATH:PROJ: {error}")))?;
            (OsStr::from_bytes(&bytes[..colon]), project)
        }
    };
    key::of_path(VERB, Path::new(path), project)
}
