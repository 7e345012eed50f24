//! The report as one JSON object.

use serde::Serialize;

use super::Report;
use crate::commands::guard::watch::Stray;
use crate::ipc::attribution::leak::{Leak, Outcome};
use crate::ipc::posix::FileKind;
use crate::ipc::{Foreign, Object, Observed, ProcessName, Reference};
use crate::output::formats::json::{self, Record};
use crate::output::{Style, columns};

/// The document, with a newline.
pub(super) fn write(report: &Report<'_>, style: &Style) -> Vec<u8> {
    let document = Json {
        command: report.command.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
        status: report.status,
        timed_out: report.timed_out.is_some(),
        isolated: report.is_isolated,
        leaks: report.difference.leaks.iter().map(|leak| JsonLeak::of(leak, style)).collect(),
        ignored: report.ignored.iter().map(|leak| JsonLeak::of(leak, style)).collect(),
        appeared: report
            .difference
            .strangers
            .iter()
            .map(|one| JsonStranger {
                object: all(&one.observed, style),
                outcome: Outcome::Left,
                why: &one.why,
            })
            .collect(),
        vanished: report.difference.vanished.iter().map(Object::reference).collect(),
        processes: report.strays,
        uninspected: report.blind_spots().collect(),
    };
    let mut text = Vec::new();
    // Writing to a vector cannot fail.
    let _ = json::write(&mut text, &document);
    text.push(b'\n');
    text
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
