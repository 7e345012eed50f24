//! Limits that are nearly reached.

use super::checks::{Check, Needs, Subject};
use super::draft::{Draft, Remedy, Right, remove_orphans};
use super::facts::{Facts, Seen};
use super::orphans::is_new;
use crate::ipc::finding::Severity;
use crate::ipc::known::Verdict;
use crate::ipc::limit::Allowance;
use crate::ipc::{Kind, Object};
use crate::kernel::sysctl::{self, Limit, Source};
use crate::kernel::{accounts, process};
use crate::output::escape::shell_word;

pub(super) static LIMIT_NEAR: Check = Check {
    name: "limit-near",
    severity: Severity::Error,
    help: "a limit that is used to 80 % or more (see --threshold); error: it is reached",
    needs: Needs::LIMITS,
    subject: Subject::System,
    examine: limit_near,
};

pub(super) static PMSG_LIMIT: Check = Check {
    name: "pmsg-limit",
    severity: Severity::Error,
    help: "a user whose POSIX queues take 80 % or more of RLIMIT_MSGQUEUE (see --threshold)",
    needs: Needs::LIMITS,
    subject: Subject::System,
    examine: pmsg_limit,
};

/// A limit that is reached stops somebody now.
fn severity_at(allowance: &Allowance) -> Severity {
    if allowance.is_at(100) { Severity::Error } else { Severity::Warning }
}

fn limit_near(facts: &Facts) -> Vec<Draft> {
    let of_all = facts.allowances.iter().filter(|allowance| allowance.user.is_none());
    let near = of_all.filter(|allowance| allowance.is_at(facts.threshold));
    near.filter_map(|allowance| Some(near_one(Limit::find(allowance.name)?, allowance, facts)))
        .collect()
}

fn near_one(limit: Limit, allowance: &Allowance, facts: &Facts) -> Draft {
    let (used, most) = (allowance.used.unwrap_or(0), allowance.limit.unwrap_or(0));
    let percent = allowance.percent().unwrap_or(0.0);
    let (name, help) = (allowance.name, allowance.help);
    let mut why = format!("{used} of {most} ({help}) are used, {percent:.0} %: {name}");
    let share = |seen: &Seen| share(limit, seen);
    let orphans = Orphans::find(facts, share, None);
    if let Some(kind) = orphans.first().map(|(seen, _)| seen.known.kind()) {
        let freed = orphans.freed();
        let idle = if kind.is_posix() { " --idle 1h" } else { "" };
        let filter = format!("--orphan{idle}{}", facts.ignore_options);
        let rm = remove_orphans([kind].into_iter(), &filter);
        // An object is one of so many objects, and has so many of the pages or semaphores.
        let are = if orphans.0.len() as u64 == freed { "are" } else { "belong to" };
        why += &format!("; {freed} of {used} {are} orphans: {rm}");
        if brings_below(allowance, freed, facts) {
            return orphans.mend(Draft::of_system(severity_at(allowance), why), rm, facts);
        }
    }
    let draft = Draft::of_system(severity_at(allowance), why);
    match (limit.range(), limit.source()) {
        (Some(range), Source::Sysctl(sysctl, _)) if most < *range.end() => {
            let more = most.saturating_mul(2).clamp(1, *range.end());
            let right = Right::over_system(sysctl::is_writable(sysctl), facts);
            draft.mended_by(Remedy::Run(format!("ipctool limits --set {name}={more}")), right)
        }
        _ => Draft {
            why: format!("{}; it cannot be raised: remove what is not needed", draft.why),
            ..draft
        },
    }
}

/// How much of a limit goes with an object; nothing if the limit is not on such objects.
fn share(limit: Limit, seen: &Seen) -> Option<u64> {
    match (limit, &seen.known.object) {
        (Limit::Msgmni, Object::Queue(_))
        | (Limit::Shmmni, Object::Segment(_))
        | (Limit::Semmni, Object::SemaphoreSet(_))
        | (Limit::MqueueQueuesMax, Object::PosixQueue(_)) => Some(1),
        (Limit::Shmall, Object::Segment(segment)) => {
            Some(segment.size.div_ceil(process::page_size()))
        }
        (Limit::Semmns, Object::SemaphoreSet(set)) => Some(set.nsems),
        _ => None,
    }
}

/// Whether a limit is far again when so much of it is free.
fn brings_below(allowance: &Allowance, freed: u64, facts: &Facts) -> bool {
    let used = allowance.used.map(|used| used.saturating_sub(freed));
    !Allowance { used, ..allowance.clone() }.is_at(facts.threshold)
}

/// Orphans that take a share of a limit, and hold no message.
struct Orphans<'a>(Vec<(&'a Seen, u64)>);

impl<'a> Orphans<'a> {
    fn find(
        facts: &'a Facts,
        share: impl Fn(&Seen) -> Option<u64>,
        owner: Option<u32>,
    ) -> Orphans<'a> {
        let is_left = |seen: &&Seen| {
            seen.orphan == Verdict::Yes
                // Of POSIX objects nobody knows whether they were ever used.
                && !(seen.known.kind().is_posix() && is_new(seen, facts))
                && seen.known.messages().unwrap_or(0) == 0
                && owner.is_none_or(|uid| seen.known.permissions().uid == uid)
        };
        let left = facts.objects.iter().filter(is_left);
        Orphans(left.filter_map(|seen| Some((seen, share(seen)?))).collect())
    }

    fn first(&self) -> Option<&(&'a Seen, u64)> {
        self.0.first()
    }

    fn freed(&self) -> u64 {
        self.0.iter().map(|(_, share)| share).sum()
    }

    /// A finding that removing them mends.
    fn mend(&self, draft: Draft, rm: String, facts: &Facts) -> Draft {
        let all_mine = self.0.iter().all(|(seen, _)| {
            let caller = facts.caller(seen.known.kind());
            seen.known.permissions().access(caller).control
        });
        let references = self.0.iter().map(|(seen, _)| seen.reference()).collect();
        let right = Right::over_system(all_mine, facts);
        Draft { references, ..draft }.mended_by(Remedy::Run(rm), right)
    }
}

/// The bytes that users are charged for POSIX queues, each of whom has a limit of their own.
fn pmsg_limit(facts: &Facts) -> Vec<Draft> {
    let near = facts.allowances.iter().filter(|allowance| allowance.is_at(facts.threshold));
    let of_users = near.filter_map(|allowance| Some((allowance, allowance.user?)));
    of_users.map(|(allowance, uid)| pmsg_limit_of(uid, allowance, facts)).collect()
}

fn pmsg_limit_of(uid: u32, allowance: &Allowance, facts: &Facts) -> Draft {
    let (used, limit) = (allowance.used.unwrap_or(0), allowance.limit.unwrap_or(0));
    let user = accounts::user(uid);
    let why = format!(
        "the POSIX queues of {user} take {used} of {limit} bytes, {:.0} %: {} counts their capacity, whatever is queued",
        allowance.percent().unwrap_or(0.0),
        allowance.name,
    );
    let share = |seen: &Seen| match &seen.known.object {
        Object::PosixQueue(queue) => queue.reserved_bytes(),
        Object::Queue(_)
        | Object::Segment(_)
        | Object::SemaphoreSet(_)
        | Object::PosixMemory(_)
        | Object::PosixSemaphore(_) => None,
    };
    let orphans = Orphans::find(facts, share, Some(uid));
    if brings_below(allowance, orphans.freed(), facts) {
        let filter =
            format!("--orphan --owner {} --idle 1h{}", shell_word(&user), facts.ignore_options);
        let rm = remove_orphans([Kind::Pmsg].into_iter(), &filter);
        let why = format!("{why}; orphans take {} of them: {rm}", orphans.freed());
        return orphans.mend(Draft::of_system(severity_at(allowance), why), rm, facts);
    }
    let why = format!(
        "{why}; remove queues that are not needed, or raise the limit: LimitMSGQUEUE= of a service, msgqueue in limits.conf(5), prlimit --msgqueue for a running process"
    );
    Draft::of_system(severity_at(allowance), why)
}
