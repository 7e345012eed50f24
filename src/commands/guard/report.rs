//! The report on a command: as text on standard error, and as JSON.

use std::ffi::OsString;
use std::io::Write;
use std::time::Duration;

use serde::Serialize;

use super::VERB;
use super::watch::Stray;
use crate::commands::consent::counted;
use crate::ipc::attribution::leak::{Difference, Leak, Outcome, Stranger};
use crate::ipc::posix::FileKind;
use crate::ipc::{Foreign, Object, Observed, ProcessName, Reference, count, duration};
use crate::kernel::io::stdio::StandardError;
use crate::output::formats::json::{self, Record};
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
        let memory: u64 = leaks.iter().map(Leak::memory).sum();
        let memory = match memory {
            0 => String::new(),
            bytes => format!(", {} of memory", human_size(bytes)),
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

    /// The report as JSON, with a newline.
    pub fn to_json(&self, style: &Style) -> Vec<u8> {
        let report = Json {
            command: self.command.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
            status: self.status,
            timed_out: self.timed_out.is_some(),
            isolated: self.is_isolated,
            leaks: self.difference.leaks.iter().map(|leak| JsonLeak::of(leak, style)).collect(),
            ignored: self.ignored.iter().map(|leak| JsonLeak::of(leak, style)).collect(),
            appeared: self
                .difference
                .strangers
                .iter()
                .map(|one| JsonStranger {
                    object: all(&one.observed, style),
                    outcome: Outcome::Left,
                    why: &one.why,
                })
                .collect(),
            vanished: self.difference.vanished.iter().map(Object::reference).collect(),
            processes: self.strays,
            uninspected: self.blind_spots().collect(),
        };
        let mut text = Vec::new();
        // Writing to a vector cannot fail.
        let _ = json::write(&mut text, &report);
        text.push(b'\n');
        text
    }
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

#[derive(Serialize)]
struct Json<'a> {
    command: Vec<String>,
    status: u8,
    timed_out: bool,
    isolated: bool,
    leaks: Vec<JsonLeak<'a>>,
    ignored: Vec<JsonLeak<'a>>,
    appeared: Vec<JsonStranger<'a>>,
    vanished: Vec<Reference>,
    processes: &'a [Stray],
    uninspected: Vec<String>,
}

#[derive(Serialize)]
struct JsonLeak<'a> {
    #[serde(flatten)]
    object: Record<'a, Observed>,
    pid: Option<i32>,
    command: Option<&'a Foreign>,
    holders: Vec<ProcessName>,
    outcome: Outcome,
    why: Option<&'a str>,
    /// The type of a file in /dev/shm that is not an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'static str>,
}

#[derive(Serialize)]
struct JsonStranger<'a> {
    #[serde(flatten)]
    object: Record<'a, Observed>,
    outcome: Outcome,
    why: &'a str,
}

impl<'a> JsonLeak<'a> {
    fn of(leak: &'a Leak, style: &'a Style) -> JsonLeak<'a> {
        JsonLeak {
            object: all(&leak.observed, style),
            pid: leak.by.as_ref().map(|by| by.pid),
            command: leak.by.as_ref().and_then(|by| by.command.as_ref()),
            holders: leak.holders(),
            outcome: leak.outcome,
            why: leak.why.as_deref(),
            file: leak.other_file().map(FileKind::name),
        }
    }
}

/// All fields of an object.
fn all<'a>(observed: &'a Observed, style: &'a Style) -> Record<'a, Observed> {
    Record::of(observed, columns::of_kind(observed.kind()), style)
}
