//! The report as annotations of GitHub: workflow commands, a line each.

use super::Report;

pub(super) fn write(report: &Report<'_>) -> Vec<u8> {
    let problems = report.problems();
    // The command may have ended in the middle of a line, and an annotation begins one.
    let mut text = if problems.is_empty() { "" } else { "\n" }.to_owned();
    for problem in problems {
        let level = if problem.is_error { "error" } else { "warning" };
        let title = property(&format!("ipctool guard: {}", problem.check));
        text += &format!("::{level} title={title}::{}\n", data(&problem.text));
    }
    text.into_bytes()
}

/// Text behind the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_a_command_or_begins_another() {
        assert_eq!(data("100 %\r\n::error::x"), "100 %25%0D%0A::error::x");
        assert_eq!(property("a: b, c"), "a%3A b%2C c");
    }
}
