//! What can be wrong with a system, and how to fix it. This module neither prints nor changes anything;
//! `ipctool doctor` prints what it finds.
//!
//! [`CHECKS`] is the registry. [`diagnose`] looks once at what the wanted checks need, runs each of them,
//! and merges the findings that have one cause.

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
use crate::ipc::{Expected, Object, Snapshot, Time};
use crate::kernel::Namespace;
use crate::kernel::process::uses::{Inspection, Missed};

/// What to diagnose.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The checks to run.
    pub checks: &'a [&'static Check],
    /// Objects that are kept on purpose, and left out.
    pub ignore: &'a [Expected],
    /// The percentage of use, 1 to 100, from which something counts as nearly full.
    pub threshold: u64,
    /// The present time.
    pub now: Time,
    /// Whether to do without a look at the processes. Then only the checks that are quick find everything.
    pub is_quick: bool,
    /// Objects in other IPC namespaces, which take up limits of users all the same. `None` leaves out the
    /// limits of users and of the machine.
    pub elsewhere: Option<&'a [Object]>,
    /// What an inspection of the processes showed of this namespace and others, if there was one.
    pub inspection: Option<&'a Inspection>,
}

/// The answer.
#[derive(Debug, Default)]
pub struct Diagnosis {
    /// What is wrong, each cause once, the worst first.
    pub findings: Vec<Finding>,
    /// How many objects were checked, without the ignored ones.
    pub objects: usize,
    /// The uninspected processes that may matter.
    pub missed: Missed,
    /// Whether everything that the checks need could be looked at, except single processes that the
    /// caller may not inspect.
    pub is_whole: bool,
}

/// Runs the checks on a namespace and all objects in it. `warn` gets a sentence about everything that
/// cannot be looked at, beyond the kinds that are unlisted. Fails if no process can be inspected.
pub fn diagnose(
    question: Question<'_>,
    namespace: &Namespace,
    snapshot: Snapshot,
    warn: &mut dyn FnMut(String),
) -> io::Result<Diagnosis> {
    let Question { checks, ignore, threshold, now, is_quick, elsewhere, inspection } = question;
    let needs = checks.iter().fold(Needs::NONE, |needs, check| needs.and(check.needs));
    let needs = if is_quick { needs.quick() } else { needs };
    let scope = Scope { needs, ignore, threshold, now, elsewhere, inspection };
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
