//! The findings as text for people.

use std::io::{self, Write};

use crate::ipc::finding::{Finding, Severity};
use crate::output::Style;
use crate::output::escape::line;
use crate::output::style::{ALARM, NOTE, WARNING, paint};

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
        writeln!(out, "  {}", finding.check)?;
        writeln!(out, "{}", line(&finding.why))?;
        if let Some(fix) = &finding.fix {
            writeln!(out, "fix: {}", line(fix))?;
        }
    }
    out.flush()
}
