//! What is told of a command: to a person, and as JSON.

use std::ffi::OsString;
use std::io::Write;

use serde::Serialize;

use super::VERB;
use crate::commands::rm::counted;
use crate::ipc::leak::{Difference, Leak, Named, Stranger};
use crate::ipc::posix::FileKind;
use crate::ipc::{Known, Object, Reference, count};
use crate::kernel::stderr::StandardError;
use crate::output::json::{self, Record};
use crate::output::style::human_size;
use crate::output::{Format, Section, Style, columns, escape, write_rows};

/// So many of a list are told to a person.
const SHOWN: usize = 10;

/// And so many of those that are the business of others: `--report` has all of them.
const STRANGERS: usize = 3;

/// What there is to tell.
pub(super) struct Report<'a> {
    pub command: &'a [OsString],
    pub status: u8,
    pub is_isolated: bool,
    pub keep: bool,
    pub strays: &'a [Named],
    pub difference: &'a Difference,
    pub ignored: &'a [Leak],
}

impl Report<'_> {
    /// Tells a person, if there is anything to tell.
    pub fn tell(&self, style: &Style) {
        let mut text = Vec::new();
        let Difference { leaks, strangers, removed } = self.difference;
        if !leaks.is_empty() {
            let fate = match (self.is_isolated, self.keep) {
                (true, _) => "gone with its namespace",
                (false, true) => "left in place",
                (false, false) => "now removed",
            };
            let memory: u64 = leaks.iter().map(Leak::memory).sum();
            let memory = match memory {
                0 => String::new(),
                bytes => format!(", {} of memory", human_size(bytes)),
            };
            let (files, objects): (Vec<&Leak>, Vec<&Leak>) =
                leaks.iter().partition(|leak| leak.other_file().is_some());
            let mut what = counted(objects.iter().map(|leak| leak.known.kind()));
            if !files.is_empty() {
                let comma = if what.is_empty() { "" } else { ", " };
                what += &format!("{comma}{} in /dev/shm", count(files.len() as u64, "other file"));
            }
            line(&mut text, &format!("leaked {what}{memory}; {fate}"));
            let section = Section::new("leaks", &columns::LEAK);
            // Writing to a vector cannot fail.
            let _ = write_rows(Format::Plain, section, true, leaks, style, &mut text);
            for leak in leaks {
                let holders: Vec<_> = leak.holders().map(|one| one.to_string()).collect();
                if !holders.is_empty() {
                    let reference = leak.known.reference();
                    line(&mut text, &format!("{reference} is held by {}", listed(&holders)));
                }
            }
        }
        if !self.strays.is_empty() {
            let fate = if self.is_isolated { "now ended" } else { "left running" };
            let strays: Vec<_> = self.strays.iter().map(Named::to_string).collect();
            line(&mut text, &format!("left in the background: {}; {fate}", listed(&strays)));
        }
        for Stranger { known, why } in strangers.iter().take(STRANGERS) {
            let reference = known.reference();
            line(&mut text, &format!("{reference} appeared meanwhile, left alone: {why}"));
        }
        if let Some(more @ 1..) = strangers.len().checked_sub(STRANGERS) {
            line(
                &mut text,
                &format!("{} more appeared meanwhile, left alone", count(more as u64, "object")),
            );
        }
        if !removed.is_empty() {
            let gone: Vec<_> =
                removed.iter().map(|object| object.reference().to_string()).collect();
            line(&mut text, &format!("was there before, and is gone: {}", listed(&gone)));
        }
        // There is nobody left to tell if this fails.
        let _ = StandardError.write_all(&text);
    }

    /// Tells a program.
    pub fn to_json(&self, style: &Style) -> Vec<u8> {
        let report = Json {
            command: self.command.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
            status: self.status,
            isolated: self.is_isolated,
            leaks: self.difference.leaks.iter().map(|leak| JsonLeak::of(leak, style)).collect(),
            ignored: self.ignored.iter().map(|leak| JsonLeak::of(leak, style)).collect(),
            appeared: self
                .difference
                .strangers
                .iter()
                .map(|one| JsonStranger { object: all(&one.known, style), why: &one.why })
                .collect(),
            removed: self.difference.removed.iter().map(Object::reference).collect(),
            processes: self.strays,
        };
        let mut text = Vec::new();
        // Writing to a vector cannot fail.
        let _ = json::write(&mut text, &report);
        text.push(b'\n');
        text
    }
}

/// One line on standard error, as everywhere.
fn line(text: &mut Vec<u8>, words: &str) {
    text.extend_from_slice(b"ipctool: ");
    escape::append(&format!("{VERB}: {words}"), text);
    text.push(b'\n');
}

/// Some of them, and how many more there are.
fn listed(words: &[String]) -> String {
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
    isolated: bool,
    leaks: Vec<JsonLeak<'a>>,
    ignored: Vec<JsonLeak<'a>>,
    appeared: Vec<JsonStranger<'a>>,
    removed: Vec<Reference>,
    processes: &'a [Named],
}

#[derive(Serialize)]
struct JsonLeak<'a> {
    #[serde(flatten)]
    object: Record<'a, Known>,
    pid: Option<i32>,
    command: Option<&'a str>,
    holders: Vec<Named>,
    /// What is no object, but lies in /dev/shm.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'static str>,
}

#[derive(Serialize)]
struct JsonStranger<'a> {
    #[serde(flatten)]
    object: Record<'a, Known>,
    why: &'a str,
}

impl<'a> JsonLeak<'a> {
    fn of(leak: &'a Leak, style: &'a Style) -> JsonLeak<'a> {
        JsonLeak {
            object: all(&leak.known, style),
            pid: leak.by.as_ref().map(|by| by.pid),
            command: leak.by.as_ref().and_then(|by| by.command.as_deref()),
            holders: leak.holders().collect(),
            file: leak.other_file().map(FileKind::name),
        }
    }
}

/// All fields of an object.
fn all<'a>(known: &'a Known, style: &'a Style) -> Record<'a, Known> {
    Record::of(known, columns::of_kind(known.kind()), style)
}
