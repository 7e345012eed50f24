//! What a check finds, before it is known what the others have found.

use super::facts::{Facts, Seen};
use crate::ipc::finding::{Finding, Severity};
use crate::ipc::{Kind, Reference};
use crate::output::escape::shell_word;

/// A finding whose fix is not a command yet, so that several can become one.
#[derive(Debug)]
pub(in crate::commands) struct Draft {
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) struct Shared {
    /// The owner of the objects.
    pub owner: u32,
    /// What is wrong with them, as a sentence about several.
    pub words: &'static str,
}

/// What mends a trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Remedy {
    /// Only a person can decide; the reason says what.
    Decide,
    /// This line of shell.
    Run(String),
    /// Removing the objects.
    Remove,
    /// The same for orphans, which a filter finds again; POSIX ones only after an hour.
    RemoveOrphans,
    /// Writing the messages of queues into a file, and then removing the queues.
    SaveAndRemove,
    /// Writing the messages of queues into a file.
    Save,
    /// This change of mode.
    Chmod(&'static str),
    /// Letting queues hold so many bytes.
    Raise(u64),
}

/// Whether the caller may do what a remedy takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::commands) enum Right {
    /// They may.
    Granted,
    /// Root may.
    Sudo,
    /// They are root, and may not all the same: in a container, for example.
    Denied,
}

/// What a remedy does with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Act {
    /// Changes or removes it.
    Control,
    /// Receives its messages and removes it.
    ReadAndControl,
    /// Receives its messages.
    Read,
    /// Operates on it.
    Write,
}

/// So many objects a fix names one by one; more than these, a filter selects.
const MOST_NAMED: usize = 20;

impl Right {
    /// Whether the caller may do this with an object.
    pub fn to(act: Act, seen: &Seen, facts: &Facts) -> Right {
        let caller = facts.caller(seen.known.kind());
        let access = seen.known.permissions().access(caller);
        Right::from(match act {
            Act::Control => access.control,
            Act::ReadAndControl => access.read && access.control,
            Act::Read => access.read,
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
        self.shared = Some(Shared { owner: seen.known.permissions().uid, words });
        self
    }

    /// Whether the objects are gone when it is mended.
    pub fn removes(&self) -> bool {
        match self.remedy {
            Remedy::Remove | Remedy::RemoveOrphans | Remedy::SaveAndRemove => true,
            // What the system as a whole names is what its fix removes.
            Remedy::Run(_) => self.is_of_system,
            Remedy::Decide | Remedy::Save | Remedy::Chmod(_) | Remedy::Raise(_) => false,
        }
    }

    /// What is told of it, as a finding of this check.
    pub fn finish(self, check: &'static str, facts: &Facts) -> Finding {
        let fix = self.command(facts);
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
        let is_long = words.len() > MOST_NAMED;
        let line = match &self.remedy {
            Remedy::Decide => return None,
            Remedy::Run(line) => line.clone(),
            Remedy::RemoveOrphans if is_long => self.remove_by_filter(facts),
            Remedy::Remove | Remedy::RemoveOrphans => format!("ipctool rm {all}"),
            Remedy::Chmod(change) => format!("ipctool chmod {change} {all}"),
            Remedy::Raise(bytes) => {
                each(&words, |queue| format!("ipctool limits --queue-bytes {bytes} {queue}"))
            }
            Remedy::Save => self.each_saved(&words, "messages"),
            Remedy::SaveAndRemove if is_long => self.save_and_remove_by_filter(facts),
            Remedy::SaveAndRemove => self.each_saved(&words, "orphans"),
        };
        Some(if self.right == Right::Granted { line } else { as_root(&line) })
    }

    /// The messages of one queue go into a file of its own.
    fn each_saved(&self, words: &[String], several: &str) -> String {
        let name = match self.references.as_slice() {
            // Not longer than a file system takes.
            [one] => one.to_string().replace([':', '/'], "-").chars().take(60).collect(),
            _ => several.to_owned(),
        };
        let file = shell_word(&format!("{name}.jsonl"));
        each(words, |queue| {
            let save = format!("ipctool recv {queue} --all --json >> {file}");
            match self.remedy {
                Remedy::SaveAndRemove => format!("{save} && ipctool rm {queue}"),
                _ => save,
            }
        })
    }

    /// The options that select these orphans again, and nothing that has become used since.
    fn filter(&self, facts: &Facts) -> String {
        let owner = self.shared.as_ref().map_or(String::new(), |shared| {
            format!(" --owner {}", shell_word(&crate::kernel::accounts::user(shared.owner)))
        });
        let is_posix = self.references.iter().any(|one| one.kind.is_posix());
        let idle = if is_posix { " --idle 1h" } else { "" };
        format!("--orphan{owner}{idle}{}", facts.ignore_options)
    }

    fn kinds(&self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(|kind| self.references.iter().any(|one| one.kind == *kind))
    }

    fn remove_by_filter(&self, facts: &Facts) -> String {
        remove_orphans(self.kinds(), &self.filter(facts))
    }

    fn save_and_remove_by_filter(&self, facts: &Facts) -> String {
        let kinds: Vec<_> = self.kinds().map(Kind::name).collect();
        format!(
            "ipctool list {} {} -o ref --no-headings | while read -r q; do \
             ipctool recv \"$q\" --all --json >> orphans.jsonl && ipctool rm \"$q\"; done",
            kinds.join(" "),
            self.filter(facts),
        )
    }
}

/// The command that removes all orphans of these kinds that a filter selects, but no message.
pub(super) fn remove_orphans(kinds: impl Iterator<Item = Kind>, filter: &str) -> String {
    let (queues, others): (Vec<_>, Vec<_>) = kinds.partition(|kind| kind.is_queue());
    let remove = |kinds: &[Kind], more: &str| {
        let kinds: String = kinds.iter().map(|kind| format!(" --kind {kind}")).collect();
        format!("ipctool rm{kinds} {filter}{more} --yes")
    };
    let commands = [(others, ""), (queues, " --empty")];
    let commands = commands.iter().filter(|(kinds, _)| !kinds.is_empty());
    commands.map(|(kinds, more)| remove(kinds, more)).collect::<Vec<_>>().join(" && ")
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
