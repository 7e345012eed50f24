//! The findings as text for people.

use std::io::{self, Write};

use crate::ipc::finding::{Finding, Severity};
use crate::output::Style;
use crate::output::escape::line;
use crate::output::style::{ALARM, NOTE, WARNING, paint};
use crate::output::width;

/// Writes each finding as a few lines: what, why, and the fix on a line of its own, for copying.
pub(super) fn write(findings: &[Finding], style: &Style, mut out: impl Write) -> io::Result<()> {
    for (number, finding) in findings.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        let severity = finding.severity.name();
        let colour = match finding.severity {
            Severity::Error => ALARM,
            Severity::Warning => WARNING,
            Severity::Note => NOTE,
        };
        write!(out, "{}", paint(severity, colour, &style.screen))?;
        if let Some(first) = &finding.reference {
            write!(out, "  {}", line(&first.to_string()))?;
            let more = finding.references.len() as u64 - 1;
            if more > 0 {
                write!(out, " and {more} more")?;
            }
        }
        if let Some(home) = &finding.home {
            write!(out, "  in {}", line(&home.name()))?;
        }
        writeln!(out, "  {}", finding.check)?;
        for line in wrapped(&line(&finding.why), style.screen.columns) {
            writeln!(out, "{line}")?;
        }
        if let Some(fix) = &finding.fix {
            writeln!(out, "fix: {}", line(fix))?;
        }
    }
    out.flush()
}

/// A sentence in lines of at most this width. A command in it stays on one line, for copying, however long
/// that is: such a command comes last, after a colon.
fn wrapped(sentence: &str, columns: Option<usize>) -> Vec<String> {
    let Some(columns) = columns else { return vec![sentence.to_owned()] };
    let starts = ["ipctool ", "sudo "].map(|start| format!(": {start}"));
    let command = starts.iter().filter_map(|start| sentence.rfind(start)).min();
    // The clause that announces the command goes with it.
    let clause = command.map(|place| sentence[..place].rfind("; ").map_or(0, |before| before + 2));
    let (prose, command) = sentence.split_at(clause.unwrap_or(sentence.len()));
    let options = width::between_words(columns).break_words(false);
    let mut lines = width::wrapped(prose.trim_end(), options);
    lines.retain(|line| !line.is_empty());
    lines.extend((!command.is_empty()).then(|| command.to_owned()));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_wrapped_and_commands_are_not() {
        let wrapped = |text: &str| wrapped(text, Some(24)).join("|");
        assert_eq!(wrapped("no process reads what is queued"), "no process reads what is|queued");
        assert_eq!(
            wrapped("nobody reads; to see the messages: ipctool recv msg:0 --peek --all"),
            "nobody reads;|to see the messages: ipctool recv msg:0 --peek --all"
        );
        assert_eq!(
            wrapped("a-word-that-is-longer-than-a-line"),
            "a-word-that-is-longer-than-a-line"
        );
    }
}
