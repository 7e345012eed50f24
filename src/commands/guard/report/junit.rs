//! The report as JUnit XML: a test for the command, and one for each object that it left behind.

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use super::Report;

/// The name of the suite and of the class of its tests.
const SUITE: &str = "ipctool guard";

pub(super) fn write(report: &Report<'_>) -> Vec<u8> {
    let mut suite = TestSuite::new(SUITE);
    let problems = report.problems();
    let mut add = |name: String, status: TestCaseStatus| {
        let mut case = TestCase::new(characters(&name), status);
        case.set_classname(SUITE);
        suite.add_test_case(case);
    };
    if !problems.iter().any(|problem| problem.subject.is_empty()) {
        add(report.command_line(), TestCaseStatus::success());
    }
    for problem in problems {
        let mut status = match problem.is_error {
            true => TestCaseStatus::non_success(NonSuccessKind::Failure),
            // It was allowed, and a reader should still see it.
            false => TestCaseStatus::skipped(),
        };
        status.set_message(characters(&problem.text)).set_type(problem.check);
        let name = match problem.subject.as_str() {
            "" => report.command_line(),
            subject => subject.to_owned(),
        };
        add(name, status);
    }
    let mut document = Document::new(SUITE);
    document.add_test_suite(suite);
    let mut text = Vec::new();
    // Writing to a vector cannot fail.
    let _ = document.serialize(&mut text);
    text
}

/// The text without the two characters that XML has not. The crate drops control characters.
fn characters(text: &str) -> String {
    text.replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}")
}
