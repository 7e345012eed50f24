//! What can be wrong with a system, and what mends it. Says nothing and mends nothing: `ipctool doctor`
//! shows what is found here.
//!
//! [`checks`] is the registry. [`diagnose`] looks once at what the wanted checks need, asks each of them,
//! and makes one finding of one cause.

mod checks;
mod dev_shm;
mod draft;
mod facts;
mod limits;
pub(crate) mod logind;
mod memory;
mod orphans;
mod permissions;
mod queues;
mod reader;
mod selector;
mod semaphores;
mod settle;

pub use checks::{CHECKS, Check, Subject};
pub use facts::Needs;

use std::io;

use facts::{Facts, Scope};

use crate::ipc::finding::Finding;
use crate::ipc::{Expected, Snapshot, Time};
use crate::kernel::Namespace;
use crate::kernel::process::uses::Missed;

/// What somebody wants to know.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Whether these find anything.
    pub checks: &'a [&'static Check],
    /// Apart from these objects, which are kept on purpose.
    pub ignore: &'a [Expected],
    /// From how many per cent on something is nearly full, 1 to 100.
    pub threshold: u64,
    /// The time.
    pub now: Time,
}

/// The answer.
#[derive(Debug)]
pub struct Diagnosis {
    /// What is wrong, each cause once, the worst first.
    pub findings: Vec<Finding>,
    /// How many objects were looked at that are not ignored.
    pub objects: usize,
    /// Who could not be inspected that may matter.
    pub missed: Missed,
    /// Whether everything could be looked at that the checks need, but for single processes that
    /// the caller has no permission to inspect.
    pub is_whole: bool,
}

/// What these checks find wrong with a namespace and the objects in it, all of them. What cannot be
/// looked at beyond what is unlisted is handed to `warn`, in words. Fails where no process can be
/// inspected.
pub fn diagnose(
    question: Question<'_>,
    namespace: &Namespace,
    snapshot: Snapshot,
    warn: &mut dyn FnMut(String),
) -> io::Result<Diagnosis> {
    let Question { checks, ignore, threshold, now } = question;
    let needs = checks.iter().fold(Needs::NONE, |needs, check| needs.and(check.needs));
    let scope = Scope { needs, ignore, threshold, now };
    let facts = Facts::gather(scope, namespace, snapshot, warn)?;
    let of_check = |check: &'static Check| {
        let drafts = check.find(&facts).into_iter();
        drafts.map(move |draft| (check, draft))
    };
    let found = checks.iter().copied().flat_map(of_check).collect();
    let mut findings: Vec<Finding> = settle::settle(found)
        .into_iter()
        .map(|(check, draft)| draft.finish(check.name, &facts))
        .collect();
    findings.sort_by_key(|finding| finding.severity);
    let Facts { objects, missed, is_whole, .. } = facts;
    Ok(Diagnosis { findings, objects: objects.len(), missed, is_whole })
}
