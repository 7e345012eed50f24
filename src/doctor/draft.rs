//! What a check finds, before it is known what the others have found.

use std::collections::HashSet;

use super::facts::{Facts, Seen};
use super::selector::Selector;
use crate::ipc::finding::{Finding, Severity};
use crate::ipc::{Kind, Reference};
use crate::output::escape::shell_word;

/// A finding whose fix is not a command yet, so that several can become one.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// How bad it is.
    pub severity: Severity,
    /// Whether it concerns the system as a whole.
    pub is_of_system: bool,
    /// The objects that it concerns; of the system as a whole, those that the fix removes.
    pub references: Vec<Reference>,
    /// What is wrong, in a sentence.
    pub why: String,
    /// What mends it.
    pub remedy: Remedy,
    /// Whether the caller may do that.
    pub right: Right,
    /// The living processes that it concerns.
    pub pids: Vec<i32>,
    /// What several objects have in common that have this trouble; nothing where each is a case of
    /// its own.
    pub shared: Option<Shared>,
}

/// What makes several findings one: all of it is the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Shared {
    /// The owner of the objects.
    pub owner: u32,
    /// What is wrong with them, as a sentence about several.
    pub words: &'static str,
}

/// What mends a trouble.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Remedy {
    /// Only a person can decide; the reason says what.
    Decide,
    /// This line of shell.
    Run(String),
    /// Removing orphans, which a filter finds again.
    RemoveOrphans,
    /// Writing the messages of queues into a file that only its owner can read, and removing the
    /// queues. What is sent meanwhile is not lost.
    SaveAndRemove,
    /// This change of mode.
    Chmod(&'static str),
    /// Letting queues hold so many bytes.
    Raise(u64),
}

/// Whether the caller may do what a remedy takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Right {
    /// They may.
    Granted,
    /// Root may.
    Sudo,
    /// They are root, and may not all the same: in a container, for example.
    Denied,
}

/// What a remedy does with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Changes or removes it.
    Control,
    /// Receives its messages and removes it.
    ReadAndControl,
    /// Operates on it.
    Write,
}

/// From so many queues a fix saves the messages one by one; more than these, a filter selects.
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

    /// What root may is denied to those who are root already.
    fn as_user(self, uid: u32) -> Right {
        if self == Right::Sudo && uid == 0 { Right::Denied } else { self }
    }

    /// As [`Right::to`], for a privilege over the system as a whole.
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

    /// With what mends it, if the caller has this right or can get it.
    pub fn mended_by(mut self, remedy: Remedy, right: Right) -> Draft {
        (self.remedy, self.right) = (remedy, right);
        if self.right == Right::Denied {
            self.remedy = Remedy::Decide;
            self.why += "; mending it takes a privilege that root does not have here";
        }
        self
    }

    /// Together with others of the same owner of which the same can be said.
    pub fn shared(mut self, seen: &Seen, words: &'static str) -> Draft {
        self.shared = Some(Shared { owner: seen.observed.permissions().uid, words });
        self
    }

    /// Whether the objects are gone when it is mended.
    pub fn removes(&self) -> bool {
        match self.remedy {
            Remedy::RemoveOrphans | Remedy::SaveAndRemove => true,
            // What the system as a whole names is what its fix removes.
            Remedy::Run(_) => self.is_of_system,
            Remedy::Decide | Remedy::Chmod(_) | Remedy::Raise(_) => false,
        }
    }

    /// What is told of it, as a finding of this check.
    pub fn finish(mut self, check: &'static str, facts: &Facts) -> Finding {
        let fix = self.command(facts);
        // Each of them once, in the order in which the reason names them.
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
            why: self.why,
            fix,
            pids: self.pids,
        }
    }

    /// The command that mends it, as one line.
    fn command(&self, facts: &Facts) -> Option<String> {
        let words: Vec<_> = self.references.iter().map(word).collect();
        let all = words.join(" ");
        let line = match &self.remedy {
            Remedy::Decide => return None,
            Remedy::Run(line) => line.clone(),
            // By its id no other object is hit, even if it may have become used since.
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

    /// What finds these orphans again.
    fn selector(&self, facts: &Facts) -> Option<Selector> {
        let first = self.references.first()?;
        let first = facts.objects.iter().find(|one| one.reference() == *first)?;
        // Those of several owners are several findings.
        Selector::of(&self.references, Some(first.observed.permissions().uid), facts)
    }

    /// The messages of one queue go into a file of its own.
    fn save_and_remove(&self, words: &[String], facts: &Facts) -> String {
        let name = match self.references.as_slice() {
            // Not longer than a file system takes.
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
        // The mode of the queue may have kept others from reading these messages.
        format!("(umask 077; {line})")
    }
}

/// A line of shell as root. Of several commands, or with a redirection, all must run under `sudo`.
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
