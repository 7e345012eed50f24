//! The options with which `rm` and `list` find the objects of a fix again. They look at each object when
//! the fix runs, so a fix that is pasted late spares what was used since.

use std::collections::HashSet;
use std::time::Duration;

use super::facts::{Facts, HOUR, Seen};
use crate::ipc::filter::{Idle, Keyed, Owner};
use crate::ipc::process::observed::Verdict;
use crate::ipc::{Filter, Key, Kind, Reference};
use crate::kernel::process::accounts;
use crate::output::escape::shell_word;

/// The durations for `--idle`. The longest comes first, because it spares most of what other programs
/// create meanwhile.
const IDLE: [(Duration, &str); 3] =
    [(HOUR, "1h"), (Duration::from_secs(600), "10m"), (Duration::from_secs(60), "1m")];

/// A filter that selects orphans by what they have in common.
#[derive(Clone, Debug)]
pub(super) struct Selector {
    kinds: Vec<Kind>,
    owner: Option<u32>,
    key: Option<Key>,
    idle: Option<(Duration, &'static str)>,
    /// Whether to select queues that hold messages.
    has_messages: bool,
    ignore: String,
}

impl Selector {
    /// The narrowest filter that selects exactly these objects, if there is one. Of POSIX objects it may
    /// select more, but only left-over ones. `owner` is their common owner, if they have one.
    pub fn of(wanted: &[Reference], owner: Option<u32>, facts: &Facts) -> Option<Selector> {
        let wanted: HashSet<&Reference> = wanted.iter().collect();
        let is_wanted = |seen: &&Seen| wanted.contains(&seen.reference());
        let seen: Vec<&Seen> = facts.objects.iter().filter(is_wanted).collect();
        let key = seen.first()?.observed.permissions().key;
        let has_key = key != Key::PRIVATE
            && seen.iter().all(|one| one.observed.permissions().key == key)
            && seen.iter().all(|one| !one.observed.kind().is_posix());
        let is_of_kind = |kind: &Kind| seen.iter().any(|one| one.observed.kind() == *kind);
        let all = Selector {
            kinds: Kind::ALL.into_iter().filter(is_of_kind).collect(),
            owner,
            key: has_key.then_some(key),
            idle: None,
            has_messages: seen.iter().any(|one| one.observed.object.messages().unwrap_or(0) > 0),
            ignore: facts.ignore_options.clone(),
        };
        // By the time the fix runs, the name of a POSIX object may belong to another one.
        let is_posix = all.kinds.iter().any(|kind| kind.is_posix());
        let steps = IDLE.into_iter().map(Some).chain([None]);
        let mut selectors = steps.map(|idle| Selector { idle, ..all.clone() });
        match is_posix {
            // No younger POSIX object is left over.
            true => selectors.next(),
            false => selectors.find(|selector| selector.is_exact(&wanted, facts)),
        }
    }

    fn is_exact(&self, wanted: &HashSet<&Reference>, facts: &Facts) -> bool {
        let filter = Filter::new(self.kinds.clone(), Vec::new())
            .and(self.owner.map(Owner))
            .and(self.key.map(Keyed::from))
            .and(self.idle.map(|(least, _)| Idle(least)));
        // What the filter would select now.
        let is_selected = |seen: &&Seen| {
            seen.orphan == Verdict::Yes
                && filter.may_match(&seen.observed.object, facts.now)
                && (self.has_messages || seen.observed.object.messages().unwrap_or(0) == 0)
        };
        let selected = facts.objects.iter().filter(is_selected);
        let selected: HashSet<Reference> = selected.map(Seen::reference).collect();
        selected.len() == wanted.len() && selected.iter().all(|one| wanted.contains(one))
    }

    /// The options, without those for kinds.
    fn options(&self) -> String {
        let mut options = "--orphan".to_owned();
        if let Some(uid) = self.owner {
            options += &format!(" --owner {}", shell_word(&accounts::user(uid)));
        }
        if let Some(key) = self.key {
            options += &format!(" --key {key}");
        }
        if let Some((_, idle)) = self.idle {
            options += &format!(" --idle {idle}");
        }
        options + &self.ignore
    }

    /// The command that removes them. It spares queues that hold messages.
    pub fn remove(&self) -> String {
        let (queues, others): (Vec<Kind>, Vec<Kind>) =
            self.kinds.iter().partition(|kind| kind.is_queue());
        let remove = |kinds: &[Kind], more: &str| {
            let kinds: String = kinds.iter().map(|kind| format!(" --kind {kind}")).collect();
            format!("ipctool rm{kinds} {}{more} --yes", self.options())
        };
        let commands = [(others, ""), (queues, " --empty")];
        let commands = commands.iter().filter(|(kinds, _)| !kinds.is_empty());
        commands.map(|(kinds, more)| remove(kinds, more)).collect::<Vec<_>>().join(" && ")
    }

    /// The command that prints the reference of each, one a line.
    pub fn list(&self) -> String {
        let kinds: Vec<_> = self.kinds.iter().copied().map(Kind::name).collect();
        format!("ipctool list {} {} -o ref --no-headings", kinds.join(" "), self.options())
    }
}
