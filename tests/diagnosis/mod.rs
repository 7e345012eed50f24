//! What `ipctool doctor` finds in a sandbox, for the tests of its checks.
#![allow(dead_code)]

use crate::sandbox::{Ran, Sandbox};
use serde_json::Value;

/// A message on the first queue, from a process that is gone.
pub const USED: &str = "perl -e 'msgsnd(0, pack(\"l! a*\", 1, \"x\"), 0) or die $!'";

/// All findings of a run with these options.
pub fn findings(shell: &Sandbox, options: &str) -> Vec<Value> {
    of(&shell.run(&format!("ipctool doctor {options} --json")))
}

/// The findings in what `ipctool doctor --json` has printed, each of which must be whole.
pub fn of(ran: &Ran) -> Vec<Value> {
    let all = ran.json().as_array().expect("an array").clone();
    for finding in &all {
        let fields: Vec<_> = finding.as_object().unwrap().keys().collect();
        assert_eq!(
            fields,
            ["check", "count", "fix", "pids", "ref", "refs", "severity", "why"],
            "{finding}"
        );
        assert!(!finding["why"].as_str().unwrap().is_empty(), "{finding}");
        if let Some(fix) = finding["fix"].as_str() {
            assert!(!fix.is_empty() && !fix.contains('\n') && !fix.contains("kill"), "{fix}");
        }
        assert_eq!(finding["count"], finding["refs"].as_array().unwrap().len(), "{finding}");
    }
    all
}

/// What one check finds: `severity ref` of each.
pub fn found(shell: &Sandbox, check: &str) -> String {
    let findings = findings(shell, &format!("--only {check}"));
    let lines = findings.iter().map(|finding| {
        assert_eq!(finding["check"], check);
        let reference = finding["ref"].as_str().unwrap_or("-");
        format!("{} {reference}", finding["severity"].as_str().unwrap())
    });
    lines.collect::<Vec<_>>().join(", ")
}

/// What all checks find, but for what hangs on the machine: `severity ref check` of each.
pub fn all_found(shell: &Sandbox) -> String {
    let lines = findings(shell, "--skip remove-ipc").into_iter().map(|finding| {
        let text = |field: &str| finding[field].as_str().unwrap_or("-").to_owned();
        format!("{} {} {}", text("severity"), text("ref"), text("check"))
    });
    lines.collect::<Vec<_>>().join(", ")
}

/// The only finding of a check.
pub fn only(shell: &Sandbox, check: &str) -> Value {
    let mut findings = findings(shell, &format!("--only {check}"));
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0)
}

/// Why, of the only finding of a check.
pub fn why(shell: &Sandbox, check: &str) -> String {
    only(shell, check)["why"].as_str().unwrap().to_owned()
}

/// The fix of the only finding of a check; empty where only a person can decide.
pub fn fix(shell: &Sandbox, check: &str) -> String {
    only(shell, check)["fix"].as_str().unwrap_or_default().to_owned()
}

/// The fix of the only finding of a check, carried out as it stands. Returns it.
pub fn mend(shell: &Sandbox, check: &str) -> String {
    let fix = fix(shell, check);
    assert!(!fix.is_empty(), "{check} has no fix");
    shell.run(&fix).exits(0);
    assert_eq!(found(shell, check), "", "after {fix}");
    fix
}
