//! The report on a command: as text on standard error, and as a document for a program.

mod github;
mod gitlab;
mod json;
mod junit;

use std::ffi::OsString;
use std::io::Write;
use std::time::Duration;

use super::VERB;
use super::watch::Stray;
use crate::cli::ReportFormat;
use crate::commands::consent::counted;
use crate::ipc::attribution::leak::{Difference, Leak, Outcome, Stranger};
use crate::ipc::command_line::shell_word;
use crate::ipc::{Key, ProcessName, Target, count, duration};
use crate::kernel::io::stdio::StandardError;
use crate::output::style::human_size;
use crate::output::{Format, Section, Style, columns, escape, write_rows};

/// The most entries of a list in the text.
const SHOWN: usize = 10;

/// The most objects in the text that are not the command's; `--report` has all of them.
const STRANGERS: usize = 3;

/// Everything to report.
pub(super) struct Report<'a> {
    pub command: &'a [OsString],
    pub status: u8,
    pub is_isolated: bool,
    /// Whether the leaks are more than are accepted.
    pub is_failure: bool,
    /// The time limit, if the command exceeded it.
    pub timed_out: Option<Duration>,
    /// The processes that outlived the command.
    pub strays: &'a [Stray],
    pub difference: &'a Difference,
    pub ignored: &'a [Leak],
    /// Sentences about what could not be looked at.
    pub uninspected: &'a [String],
}

impl Report<'_> {
    /// Whether there may be more leaks.
    pub fn has_blind_spots(&self) -> bool {
        self.blind_spots().next().is_some()
    }

    /// Sentences about everything that may hide a leak.
    fn blind_spots(&self) -> impl Iterator<Item = String> {
        let doubtful = self.difference.strangers.iter().filter(|one| !one.is_certain);
        let doubtful = doubtful.map(|one| format!("{}: {}", one.observed.reference(), one.why));
        self.uninspected.iter().cloned().chain(doubtful)
    }

    /// Prints it on standard error, if there is anything to report.
    pub fn print(&self, style: &Style) {
        let mut text = Vec::new();
        if let Some(limit) = self.timed_out {
            let limit = duration::show(limit);
            line(&mut text, &format!("the command took longer than {limit} and was ended"));
        }
        self.append_leaks(style, &mut text);
        for (strays, fate) in [
            (self.strays_that(|stray| stray.has_ended), "now ended"),
            (self.strays_that(|stray| !stray.has_ended), "left running"),
        ] {
            if !strays.is_empty() {
                line(&mut text, &format!("left in the background: {}; {fate}", listed(&strays)));
            }
        }
        self.append_others(&mut text);
        for what in self.uninspected {
            line(&mut text, &format!("not everything could be looked at: {what}"));
        }
        // If standard error fails, there is no other place to report it.
        let _ = StandardError.write_all(&text);
    }

    /// Adds what the command left behind, and the outcome.
    fn append_leaks(&self, style: &Style, text: &mut Vec<u8>) {
        let leaks = &self.difference.leaks;
        if leaks.is_empty() {
            return;
        }
        let (touched, promised) = leaks.iter().map(|leak| (leak.memory(), leak.promised())).fold(
            (0_u64, 0_u64),
            |(touched, promised), (one, most)| {
                (touched.saturating_add(one), promised.saturating_add(most))
            },
        );
        let memory = match (human_size(touched), human_size(promised)) {
            // What nobody has touched takes no memory yet; the table has its size.
            _ if touched == 0 => String::new(),
            (all, _) if touched == promised => format!(", {all} of memory"),
            (touched, all) => format!(", {touched} of memory touched of {all} promised"),
        };
        let (files, objects): (Vec<&Leak>, Vec<&Leak>) =
            leaks.iter().partition(|leak| leak.other_file().is_some());
        let mut what = counted(objects.iter().map(|leak| leak.observed.kind()));
        if !files.is_empty() {
            let comma = if what.is_empty() { "" } else { ", " };
            what += &format!("{comma}{} in /dev/shm", count(files.len() as u64, "other file"));
        }
        line(text, &format!("leaked {what}{memory}{}", outcomes(leaks)));
        let section = Section::new(&columns::LEAK);
        // Writing to a vector cannot fail.
        let _ =
            write_rows(Format::for_screen(&style.screen), section, true, leaks, style, &mut *text);
        for leak in leaks {
            let holders: Vec<_> = leak.holders().iter().map(ProcessName::to_string).collect();
            let reference = leak.observed.reference();
            let was = if leak.outcome == Outcome::Removed { "was" } else { "is" };
            if !holders.is_empty() {
                line(text, &format!("{reference} {was} held by {}", listed(&holders)));
            }
            if let Some(why) = &leak.why {
                line(text, &format!("{reference} was left: {why}"));
            }
        }
    }

    /// Adds what happened that is not, or not certainly, due to the command.
    fn append_others(&self, text: &mut Vec<u8>) {
        let Difference { strangers, vanished, .. } = self.difference;
        // Uncertain objects come first.
        let (certain, doubtful): (Vec<_>, Vec<_>) =
            strangers.iter().partition(|one| one.is_certain);
        for Stranger { observed, why, .. } in doubtful.iter().chain(&certain).take(STRANGERS) {
            let reference = observed.reference();
            line(text, &format!("{reference} appeared meanwhile, left alone: {why}"));
        }
        if let Some(more @ 1..) = strangers.len().checked_sub(STRANGERS) {
            let more = count(more as u64, "object");
            line(text, &format!("{more} more appeared meanwhile, left alone"));
        }
        if !vanished.is_empty() {
            let gone: Vec<_> =
                vanished.iter().map(|object| object.reference().to_string()).collect();
            line(text, &format!("existed before the command, and vanished: {}", listed(&gone)));
        }
    }

    /// The names of those processes that outlived the command and meet a condition.
    fn strays_that(&self, is_so: impl Fn(&Stray) -> bool) -> Vec<String> {
        let strays = self.strays.iter().filter(|stray| is_so(stray));
        strays.map(|stray| stray.name.to_string()).collect()
    }

    /// The report as a document.
    pub fn to_document(&self, format: ReportFormat, style: &Style) -> Vec<u8> {
        match format {
            ReportFormat::Json => json::write(self, style),
            ReportFormat::Junit => junit::write(self),
            ReportFormat::Github => github::write(self),
            ReportFormat::Gitlab => gitlab::write(self),
        }
    }

    /// The command line in one line.
    fn command_line(&self) -> String {
        let words = self.command.iter().map(|word| shell_word(word.as_encoded_bytes()));
        words.collect::<Vec<_>>().join(" ")
    }

    /// Everything that a reader of results has to look at, for formats that know nothing of IPC objects.
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(limit) = self.timed_out {
            problems.push(Problem {
                check: "timeout",
                subject: String::new(),
                identity: String::new(),
                text: format!(
                    "the command took longer than {} and was ended",
                    duration::show(limit)
                ),
                is_error: true,
            });
        } else if self.status != 0 {
            problems.push(Problem {
                check: "command-failed",
                subject: String::new(),
                identity: String::new(),
                text: format!("the command ended with status {}", self.status),
                is_error: true,
            });
        }
        let mut private = 0;
        for leak in &self.difference.leaks {
            let object = &leak.observed.object;
            let identity = match leak.observed.reference().target {
                Target::Name(name) => name.to_string(),
                _ if leak.observed.permissions().key != Key::PRIVATE => {
                    leak.observed.permissions().key.to_string()
                }
                _ => {
                    private += 1;
                    format!("private {private}")
                }
            };
            problems.push(Problem {
                check: "ipc-leak",
                subject: leak.observed.reference().to_string(),
                identity: format!("{} {identity}", object.kind()),
                text: leak_text(leak),
                is_error: self.is_failure,
            });
        }
        problems.extend(self.blind_spots().map(|text| Problem {
            check: "not-inspected",
            subject: String::new(),
            identity: String::new(),
            text: format!("there may be more leaks: {text}"),
            is_error: true,
        }));
        problems
    }
}

/// A line of results.
struct Problem {
    /// Which kind of problem it is.
    check: &'static str,
    /// The object; empty for none.
    subject: String,
    /// What stays the same in the next run, in which the object has another id.
    identity: String,
    /// What happened, in a sentence.
    text: String,
    /// Whether it makes guard fail.
    is_error: bool,
}

/// What was left behind, by which process, and what became of it.
fn leak_text(leak: &Leak) -> String {
    let observed = &leak.observed;
    let mut text = format!("leaked {}", observed.reference());
    if observed.permissions().key != Key::PRIVATE {
        text += &format!(" (key {})", observed.permissions().key);
    }
    if let Some(by) = &leak.by {
        text += &format!(", by {by}");
    }
    text + outcomes(std::slice::from_ref(leak)).as_str()
}

/// Adds a line with the usual prefix.
fn line(text: &mut Vec<u8>, words: &str) {
    text.extend_from_slice(b"ipctool: ");
    escape::append(&format!("{VERB}: {words}"), text);
    text.push(b'\n');
}

/// The outcome of all leaks, or the number of leaks for each outcome.
fn outcomes(leaks: &[Leak]) -> String {
    let all = [
        (Outcome::Removed, "removed", "now removed"),
        (Outcome::Marked, "marked", "marked for destruction: gone when the last process detaches"),
        (Outcome::Left, "left", "left in place"),
        (Outcome::GoneWithNamespace, "gone", "gone with its namespace"),
    ];
    let number = |outcome| leaks.iter().filter(|leak| leak.outcome == outcome).count();
    let present: Vec<_> = all.iter().filter(|(outcome, ..)| number(*outcome) > 0).collect();
    match present.as_slice() {
        [(.., words)] => format!("; {words}"),
        several => {
            let part = |(outcome, word, _): &&(_, _, _)| format!("{} {word}", number(*outcome));
            format!(": {}", several.iter().map(part).collect::<Vec<_>>().join(", "))
        }
    }
}

/// The first entries, and how many more there are.
pub(super) fn listed(words: &[String]) -> String {
    let shown = &words[..words.len().min(SHOWN)];
    match words.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
