//! A finding of one check, before it is compared with those of the others.

use std::collections::HashSet;

use super::facts::{Facts, Seen};
use super::selector::Selector;
use crate::ipc::finding::{Finding, Severity};
use crate::ipc::{Kind, Reference};
use crate::output::escape::shell_word;

/// A finding whose fix is not a command yet, so several findings can be merged.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// How bad it is.
    pub severity: Severity,
    /// Whether it is about the system as a whole.
    pub is_of_system: bool,
    /// The objects that it is about. For the system as a whole: those that the fix removes.
    pub references: Vec<Reference>,
    /// What is wrong, in a sentence.
    pub why: String,
    /// What fixes it.
    pub remedy: Remedy,
    /// Whether the caller may do that.
    pub right: Right,
    /// The living processes that it is about.
    pub pids: Vec<i32>,
    /// What several objects with this problem have in common; `None` if each is a case of its own.
    pub shared: Option<Shared>,
}

/// Findings for which all of this is the same become one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Shared {
    /// The owner of the objects.
    pub owner: u32,
    /// What is wrong with them, as a sentence about several.
    pub words: &'static str,
}

/// What fixes a problem.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Remedy {
    /// No command: a person has to decide, and the reason says what.
    Decide,
    /// Run this line of shell.
    Run(String),
    /// Remove orphans, which a filter finds again.
    RemoveOrphans,
    /// Write the messages of queues into a file that only its owner can read, then remove the queues.
    /// Messages sent meanwhile are not lost.
    SaveAndRemove,
    /// Change the mode in this way.
    Chmod(&'static str),
    /// Set the `max_bytes` of queues to this number.
    Raise(u64),
}

/// Whether the caller has the permission that a remedy takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Right {
    /// The caller has it.
    Granted,
    /// Only root has it.
    Sudo,
    /// The caller is root and lacks it all the same, for example in a container.
    Denied,
}

/// What a remedy does to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Changes or removes it.
    Control,
    /// Receives its messages and removes it.
    ReadAndControl,
    /// Operates on it.
    Write,
}

/// The most queues that a fix lists by name to save their messages; beyond that it uses a filter.
const MOST_NAMED: usize = 20;

impl Right {
    /// Whether the caller may do this with an object.
    pub fn to(act: Act, seen: &Seen, facts: &Facts) -> Right {
        let caller = facts.caller(seen.observed.kind());
        let access = seen.observed.permissions().access(caller);
        Right::from(match act {
            Act::Control => access.control,
            Act::ReadAndControl => access.read && access.control,
            Act::Write => access.write,
        })
        .as_user(caller.uid)
    }

    /// For root, `Sudo` would not help: it becomes `Denied`.
    fn as_user(self, uid: u32) -> Right {
        if self == Right::Sudo && uid == 0 { Right::Denied } else { self }
    }

    /// Whether the caller has a privilege over the system as a whole.
    pub fn over_system(is_granted: bool, facts: &Facts) -> Right {
        Right::from(is_granted).as_user(facts.caller(Kind::Msg).uid)
    }
}

impl From<bool> for Right {
    fn from(is_granted: bool) -> Right {
        if is_granted { Right::Granted } else { Right::Sudo }
    }
}

impl Draft {
    /// A finding about one object.
    pub fn of(seen: &Seen, severity: Severity, why: String) -> Draft {
        Draft {
            severity,
            is_of_system: false,
            references: vec![seen.reference()],
            why,
            remedy: Remedy::Decide,
            right: Right::Granted,
            pids: Vec::new(),
            shared: None,
        }
    }

    /// A finding about the system as a whole.
    pub fn of_system(severity: Severity, why: String) -> Draft {
        Draft {
            severity,
            is_of_system: true,
            references: Vec::new(),
            why,
            remedy: Remedy::Decide,
            right: Right::Granted,
            pids: Vec::new(),
            shared: None,
        }
    }

    /// Sets the remedy, if the caller has this right or can get it.
    pub fn fixed_by(mut self, remedy: Remedy, right: Right) -> Draft {
        (self.remedy, self.right) = (remedy, right);
        if self.right == Right::Denied {
            self.remedy = Remedy::Decide;
            self.why += "; the fix takes a privilege that root does not have here";
        }
        self
    }

    /// Lets it be merged with findings about objects of the same owner that have the same `words`.
    pub fn shared(mut self, seen: &Seen, words: &'static str) -> Draft {
        self.shared = Some(Shared { owner: seen.observed.permissions().uid, words });
        self
    }

    /// Whether the fix removes the objects.
    pub fn removes(&self) -> bool {
        match self.remedy {
            Remedy::RemoveOrphans | Remedy::SaveAndRemove => true,
            // See `references`.
            Remedy::Run(_) => self.is_of_system,
            Remedy::Decide | Remedy::Chmod(_) | Remedy::Raise(_) => false,
        }
    }

    /// The finding of this check.
    pub fn finish(mut self, check: &'static str, facts: &Facts) -> Finding {
        let fix = self.command(facts);
        // Each process once, in the order in which the reason names them.
        let mut named = HashSet::new();
        self.pids.retain(|&pid| named.insert(pid));
        let reference = match self.is_of_system {
            true => None,
            false => self.references.first().cloned(),
        };
        Finding {
            check,
            severity: self.severity,
            reference,
            references: self.references,
            why: facts.address(self.why),
            fix: fix.map(|fix| facts.address(fix)),
            pids: self.pids,
            home: facts.home.clone(),
        }
    }

    /// The command that fixes it, as one line.
    fn command(&self, facts: &Facts) -> Option<String> {
        let words: Vec<_> = self.references.iter().map(word).collect();
        let all = words.join(" ");
        let line = match &self.remedy {
            Remedy::Decide => return None,
            Remedy::Run(line) => line.clone(),
            // An id never hits another object; a filter also spares what was used since.
            Remedy::RemoveOrphans => match self.selector(facts) {
                Some(selector) => selector.remove(),
                None => format!("ipctool rm {all}"),
            },
            Remedy::Chmod(change) => format!("ipctool chmod {change} {all}"),
            Remedy::Raise(bytes) => {
                each(&words, |queue| format!("ipctool limits --queue-bytes {bytes} {queue}"))
            }
            Remedy::SaveAndRemove => self.save_and_remove(&words, facts),
        };
        Some(if self.right == Right::Granted { line } else { as_root(&line) })
    }

    /// The filter that finds these orphans again.
    fn selector(&self, facts: &Facts) -> Option<Selector> {
        let first = self.references.first()?;
        let first = facts.objects.iter().find(|one| one.reference() == *first)?;
        // A merged finding has one owner.
        Selector::of(&self.references, Some(first.observed.permissions().uid), facts)
    }

    /// Saves the messages of one queue in a file with its name, of several in one file.
    fn save_and_remove(&self, words: &[String], facts: &Facts) -> String {
        let name = match self.references.as_slice() {
            // A file system limits the length of a name.
            [one] => one.to_string().replace([':', '/'], "-").chars().take(60).collect(),
            [] | [..] => "orphans".to_owned(),
        };
        let file = shell_word(&format!("{name}.jsonl"));
        let save = |queue: &str| format!("ipctool recv {queue} --all --then-rm --json >> {file}");
        let is_long = words.len() > MOST_NAMED;
        let line = match self.selector(facts).filter(|_| is_long) {
            Some(selector) => {
                format!("{} | while read -r q; do {}; done", selector.list(), save("\"$q\""))
            }
            None => each(words, save),
        };
        // The queue may have been private, so the file is.
        format!("(umask 077; {line})")
    }
}

/// A line of shell as root. If it has several commands or a redirection, all of it must run under `sudo`.
pub(super) fn as_root(line: &str) -> String {
    match line.contains(['|', '&', ';', '>']) {
        true => format!("sudo sh -c {}", shell_word(line)),
        false => format!("sudo {line}"),
    }
}

/// A reference as a shell takes it.
pub(super) fn word(reference: &Reference) -> String {
    shell_word(&reference.to_string())
}

/// A command for one object, or for each of several.
fn each(words: &[String], command: impl Fn(&str) -> String) -> String {
    match words {
        [one] => command(one),
        words => format!("for q in {}; do {}; done", words.join(" "), command("\"$q\"")),
    }
}
