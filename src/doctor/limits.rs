//! Limits that are nearly reached.

use super::draft::{Act, Draft, Remedy, Right};
use super::facts::{Facts, HOUR, Seen};
use super::orphans::is_left_over;
use super::selector::Selector;
use crate::ipc::finding::Severity;
use crate::ipc::limit::Allowance;
use crate::kernel::limits::{self, Limit, Source};
use crate::kernel::process::accounts;

/// A reached limit is an error: the next program that needs more fails.
fn severity_at(allowance: &Allowance) -> Severity {
    if allowance.is_at(100) { Severity::Error } else { Severity::Warning }
}

pub(super) fn limit_near(facts: &Facts) -> Vec<Draft> {
    let of_all = facts.allowances.iter().filter(|allowance| allowance.user.is_none());
    let near = of_all.filter(|allowance| allowance.is_at(facts.threshold));
    near.filter_map(|allowance| {
        let limit = Limit::named(&allowance.name)?;
        Some(near_one(limit, allowance, facts))
    })
    .collect()
}

fn near_one(limit: Limit, allowance: &Allowance, facts: &Facts) -> Draft {
    let (used, most) = (allowance.used.unwrap_or(0), allowance.limit.number().unwrap_or(0));
    let percent = allowance.percent().unwrap_or(0.0);
    let (name, help) = (&allowance.name, allowance.help);
    let mut why = format!("{used} of {most} ({help}) are used, {percent:.0} %: {name}");
    let share = |seen: &Seen| limit.share(&seen.observed.object);
    if let Some(orphans) = Orphans::find(facts, share, None) {
        // Where the limit counts objects, these are orphans; pages or semaphores belong to orphans.
        let are = if orphans.all.len() as u64 == orphans.freed() { "are" } else { "belong to" };
        why += &format!("; {} of {used} {are} orphans: {}", orphans.freed(), orphans.removal);
        if brings_below(allowance, orphans.freed(), facts) {
            return orphans.fix(Draft::of_system(severity_at(allowance), why), facts);
        }
    }
    let draft = Draft::of_system(severity_at(allowance), why);
    match (limit.range(), limit.source()) {
        (Some(range), Source::Sysctl(sysctl, _)) if most < *range.end() => {
            let more = most.saturating_mul(2).clamp(1, *range.end());
            let right = Right::over_system(limits::is_writable(sysctl), facts);
            draft.fixed_by(Remedy::Run(format!("ipctool limits --set {name}={more}")), right)
        }
        _ => Draft {
            why: format!("{}; it cannot be raised: remove what is not needed", draft.why),
            ..draft
        },
    }
}

/// Whether the use of a limit falls below the threshold once this much is freed.
fn brings_below(allowance: &Allowance, freed: u64, facts: &Facts) -> bool {
    let used = allowance.used.map(|used| used.saturating_sub(freed));
    !Allowance { used, ..allowance.clone() }.is_at(facts.threshold)
}

/// Orphans that use part of a limit and hold no message.
struct Orphans<'a> {
    all: Vec<(&'a Seen, u64)>,
    /// The command that removes them.
    removal: String,
}

impl<'a> Orphans<'a> {
    /// The orphans that have a `share`, of one owner if given. `None` if there are none, or if no filter
    /// selects them without objects that may not be removed.
    fn find(
        facts: &'a Facts,
        share: impl Fn(&Seen) -> Option<u64>,
        owner: Option<u32>,
    ) -> Option<Orphans<'a>> {
        let is_left = |seen: &&Seen| {
            is_left_over(seen, facts)
                && seen.observed.object.messages().unwrap_or(0) == 0
                && owner.is_none_or(|uid| seen.observed.permissions().uid == uid)
        };
        let left = facts.objects.iter().filter(is_left);
        let all: Vec<_> = left.filter_map(|seen| Some((seen, share(seen)?))).collect();
        // Some of the new ones may have to stay, the old ones need not.
        let old = all
            .iter()
            .filter(|(seen, _)| seen.observed.object.is_idle(HOUR, facts.now))
            .copied()
            .collect();
        [all, old].into_iter().find_map(|all| {
            let references: Vec<_> = all.iter().map(|(seen, _)| seen.reference()).collect();
            let removal = Selector::of(&references, owner, facts)?.remove();
            Some(Orphans { all, removal })
        })
    }

    fn freed(&self) -> u64 {
        self.all.iter().map(|(_, share)| share).sum()
    }

    /// Makes their removal the fix of a finding.
    fn fix(self, draft: Draft, facts: &Facts) -> Draft {
        let rights = self.all.iter().map(|(seen, _)| Right::to(Act::Control, seen, facts));
        let right = rights.max().unwrap_or(Right::Granted);
        let references = self.all.iter().map(|(seen, _)| seen.reference()).collect();
        Draft { references, ..draft }.fixed_by(Remedy::Run(self.removal), right)
    }
}

/// The bytes that each user is charged for POSIX queues, against that user's limit.
pub(super) fn pmsg_limit(facts: &Facts) -> Vec<Draft> {
    let near = facts.allowances.iter().filter(|allowance| allowance.is_at(facts.threshold));
    let of_users = near.filter_map(|allowance| Some((allowance, allowance.user?)));
    of_users.map(|(allowance, uid)| pmsg_limit_of(uid, allowance, facts)).collect()
}

fn pmsg_limit_of(uid: u32, allowance: &Allowance, facts: &Facts) -> Draft {
    let (used, limit) = (allowance.used.unwrap_or(0), allowance.limit.number().unwrap_or(0));
    let user = accounts::user(uid);
    let why = format!(
        "the POSIX queues of {user} take {used} of {limit} bytes, {:.0} %: {} counts their capacity, even while they are empty",
        allowance.percent().unwrap_or(0.0),
        allowance.name,
    );
    let share = |seen: &Seen| Limit::RlimitMsgqueue.share(&seen.observed.object);
    if let Some(orphans) = Orphans::find(facts, share, Some(uid))
        && brings_below(allowance, orphans.freed(), facts)
    {
        let why = format!("{why}; orphans take {} of them: {}", orphans.freed(), orphans.removal);
        return orphans.fix(Draft::of_system(severity_at(allowance), why), facts);
    }
    let why = format!(
        "{why}; remove queues that are not needed, or raise the limit: LimitMSGQUEUE= of a service, msgqueue in limits.conf(5), prlimit --msgqueue for a running process"
    );
    Draft::of_system(severity_at(allowance), why)
}
