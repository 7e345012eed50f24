//! What can be wrong with a system, and how to fix it. This module neither prints nor changes anything;
//! `ipctool doctor` prints what it finds.
//!
//! [`CHECKS`] is the registry. [`diagnose`] looks at what the wanted checks need, runs each of them, and merges
//! the findings that have one cause. Where several places are looked at, each is a [`Case`] for a while, so that
//! one pause is enough for all of them.

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
use std::thread;
use std::time::Duration;

use facts::{Facts, Scope};

use crate::ipc::finding::Finding;
use crate::ipc::limit::Allowance;
use crate::ipc::{Expected, Kind, Object, Observed, Snapshot, Time};
use crate::kernel::Namespace;
use crate::kernel::posix::dev_shm::Space;
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
    /// The objects that were checked, without the ignored ones.
    pub objects: Vec<Observed>,
    /// The kinds that could not be listed.
    pub unlisted: Vec<Kind>,
    /// All limits but those of `/dev/shm`, if a check needs them.
    pub allowances: Vec<Allowance>,
    /// How full `/dev/shm` is, if there is one and a check needs it.
    pub space: Option<Space>,
    /// The uninspected processes that may matter.
    pub missed: Missed,
    /// Whether everything that the checks need could be looked at, except single processes that the
    /// caller may not inspect.
    pub is_whole: bool,
}

/// From how many per cent on a limit or a queue counts as nearly full, unless the user says otherwise.
pub const NEAR: u64 = 80;

/// How long a thread or queue must not move to count as stuck.
pub const REST: Duration = Duration::from_millis(100);

/// A place that was looked at once. What is stuck there shows at a second look.
pub struct Case<'a> {
    checks: &'a [&'static Check],
    facts: Facts,
    unlisted: Vec<Kind>,
}

impl<'a> Case<'a> {
    /// Looks at a namespace, see [`diagnose`].
    pub fn open(
        question: Question<'a>,
        namespace: &Namespace,
        snapshot: Snapshot,
        warn: &mut dyn FnMut(String),
    ) -> io::Result<Case<'a>> {
        let Question { checks, ignore, threshold, now, is_quick, elsewhere, inspection } = question;
        let needs = checks.iter().fold(Needs::NONE, |needs, check| needs.and(check.needs));
        let needs = if is_quick { needs.quick() } else { needs };
        let scope = Scope { needs, ignore, threshold, now, elsewhere, inspection };
        let unlisted = snapshot.unlisted.clone();
        let facts = Facts::gather(scope, namespace, snapshot, warn)?;
        Ok(Case { checks, facts, unlisted })
    }

    /// Whether something may be stuck, so that a second look is needed.
    pub fn may_be_stuck(&self) -> bool {
        self.facts.may_be_stuck()
    }

    /// Looks at the namespace again, [`REST`] later.
    pub fn look_again(&mut self, namespace: &Namespace) {
        self.facts.look_again(namespace);
    }

    /// Runs the checks.
    pub fn close(self) -> Diagnosis {
        let Case { checks, facts, unlisted } = self;
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
        let Facts { objects, allowances, dev_shm, missed, is_whole, .. } = facts;
        let objects = objects.into_iter().map(|seen| seen.observed).collect();
        let space = dev_shm.map(|dev_shm| dev_shm.space);
        Diagnosis { findings, objects, unlisted, allowances, space, missed, is_whole }
    }
}

/// Runs the checks on a namespace and all objects in it. `warn` gets a sentence about everything that
/// cannot be looked at, beyond the kinds that are unlisted. Fails if no process can be inspected.
pub fn diagnose(
    question: Question<'_>,
    namespace: &Namespace,
    snapshot: Snapshot,
    warn: &mut dyn FnMut(String),
) -> io::Result<Diagnosis> {
    let mut case = Case::open(question, namespace, snapshot, warn)?;
    if case.may_be_stuck() {
        thread::sleep(REST);
        case.look_again(namespace);
    }
    Ok(case.close())
}
