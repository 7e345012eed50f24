//! The findings as text for people.

use std::io::{self, Write};

use crate::ipc::count;
use crate::ipc::finding::{Finding, Severity};
use crate::output::Style;
use crate::output::escape::line;

/// Writes each finding as a few lines: what, why, and the fix on a line of its own, for copying.
pub(super) fn write(findings: &[Finding], style: &Style, mut out: impl Write) -> io::Result<()> {
    for (number, finding) in findings.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        let severity = finding.severity.name();
        let colour = match finding.severity {
            Severity::Error => "31;1",
            Severity::Warning => "33;1",
            Severity::Note => "36",
        };
        write!(out, "{}", coloured(severity, colour, style))?;
        if let Some(first) = &finding.reference {
            write!(out, "  {}", line(&first.to_string()))?;
            let more = finding.references.len() as u64 - 1;
            if more > 0 {
                write!(out, " and {more} more")?;
            }
        }
        writeln!(out, "  {}", finding.check)?;
        writeln!(out, "{}", line(&finding.why))?;
        if let Some(fix) = &finding.fix {
            writeln!(out, "fix: {}", line(fix))?;
        }
    }
    out.flush()
}

/// The line for a healthy system.
pub(super) fn healthy(objects: usize, checks: usize, style: &Style) -> String {
    let objects = count(objects as u64, "object");
    let checks = count(checks as u64, "check");
    let text = format!("nothing is wrong: {checks}, {objects}");
    format!("{}\n", coloured(&text, "2", style))
}

fn coloured(text: &str, code: &str, style: &Style) -> String {
    match style.color {
        true => format!("\x1b[{code}m{text}\x1b[0m"),
        false => text.to_owned(),
    }
}
