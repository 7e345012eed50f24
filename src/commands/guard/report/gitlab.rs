//! The report as Code Quality of GitLab: a JSON array.

use std::path::Path;

use serde::Serialize;

use super::{Problem, Report};
use crate::output::formats::json;

#[derive(Serialize)]
struct Issue<'a> {
    description: &'a str,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

pub(super) fn write(report: &Report<'_>) -> Vec<u8> {
    let program = report.command.first().map(|word| word.to_string_lossy()).unwrap_or_default();
    // GitLab looks for a file of the repository; any other path is shown as it is.
    let path = Path::new(&*program).strip_prefix("./").unwrap_or(Path::new(&*program));
    let path = path.to_string_lossy();
    let problems = report.problems();
    let issue = |problem| issue(problem, &path);
    let issues: Vec<Issue<'_>> = problems.iter().map(issue).collect();
    let mut text = Vec::new();
    // Writing to a vector cannot fail.
    let _ = json::write(&mut text, &issues);
    text.push(b'\n');
    text
}

fn issue<'a>(problem: &'a Problem, path: &'a str) -> Issue<'a> {
    // A problem without an object is told apart by what it says.
    let what = match problem.identity.as_str() {
        "" => &problem.text,
        identity => identity,
    };
    Issue {
        description: &problem.text,
        check_name: problem.check,
        fingerprint: fingerprint(&[problem.check, path, what]),
        severity: if problem.is_error { "major" } else { "info" },
        location: Location { path, lines: Lines { begin: 1 } },
    }
}

/// The same for the same words in every run and on every machine: FNV-1a in 64 bits. GitLab compares the
/// fingerprints of two branches to see what is new.
fn fingerprint(words: &[&str]) -> String {
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_depends_on_each_word_and_nothing_else() {
        assert_eq!(fingerprint(&["a", "b"]), fingerprint(&["a", "b"]));
        assert_ne!(fingerprint(&["a", "b"]), fingerprint(&["ab", ""]));
        assert_ne!(fingerprint(&["a"]), fingerprint(&["b"]));
    }
}
