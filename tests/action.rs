//! The GitHub Action: its step, run as the runner does, and its inputs.

mod guarding;
mod sandbox;

use std::collections::BTreeSet;

use guarding::can_isolate;
use sandbox::Sandbox;

const ACTION: &str = include_str!("../action.yml");
const STEP: &str = include_str!("../packaging/guard-action");

#[test]
fn the_step_annotates_the_job() {
    let Some(shell) = Sandbox::new() else { return };
    if !can_isolate(&shell) {
        return;
    }
    shell.run_with("cat > step", STEP.as_bytes()).ok();
    let step = |inputs: &str| shell.run(&format!("{inputs} bash step 2> /dev/null"));
    let leak = "IPCTOOL_RUN='echo one\nipctool create msg --key 0xbeef\necho two'";
    step(leak).exits(6).shows(
        "one\nmsg:0\ntwo\n\n::error title=ipctool guard%3A ipc-leak::leaked msg:0 (key 0x0000beef)",
    );
    step(&format!("IPCTOOL_MAX_LEAKS=1 {leak}")).exits(0).shows("::warning ");
    step(&format!("IPCTOOL_IGNORE=0xbeef,0xcafe {leak}")).exits(0).lacks("::");
    step("IPCTOOL_RUN='echo fine'").ok().shows("fine\n").lacks("::");
    // The first line that fails ends them, in a pipe as well.
    step("IPCTOOL_RUN='false | true\necho never'").exits(1).lacks("never");
    step("IPCTOOL_TIMEOUT=100ms IPCTOOL_RUN='sleep 60'").exits(124).shows("timeout");
    step("IPCTOOL_KILL_STRAYS=true IPCTOOL_ISOLATE=never IPCTOOL_RUN='sleep 60 & echo on'")
        .exits(0)
        .shows("on\n");
    step("IPCTOOL_REPORT=leaks.xml IPCTOOL_RUN='ipctool create msg'").exits(6).lacks("::");
    shell.run("head -c 5 leaks.xml").prints("<?xml");
    // Nothing in an input is shell code, and the command does not see the inputs.
    step("IPCTOOL_IGNORE='$(touch hacked)' IPCTOOL_RUN=true").exits(2);
    shell.run("test ! -e hacked").ok();
    step("IPCTOOL_TIMEOUT=1m IPCTOOL_RUN='env'").exits(0).lacks("IPCTOOL_");
    step("IPCTOOL_RUN=''").exits(1);
}

#[test]
fn every_input_reaches_the_step() {
    let lines = || ACTION.lines().map(str::trim_end);
    let inputs = lines().skip_while(|line| *line != "inputs:").skip(1);
    let inputs = inputs.take_while(|line| line.starts_with(' '));
    let is_name = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    let declared: BTreeSet<_> =
        inputs.filter(is_name).map(|line| line.trim().trim_end_matches(':').to_owned()).collect();
    assert_eq!(declared.len(), 7, "{declared:?}");
    for input in &declared {
        let variable = format!("IPCTOOL_{}", input.to_uppercase().replace('-', "_"));
        let passed = format!("        {variable}: ${{{{ inputs.{input} }}}}");
        assert!(lines().any(|line| line == passed), "{passed}");
        assert!(STEP.contains(&variable), "{variable}");
    }
    assert_eq!(ACTION.matches("${{").count(), declared.len(), "no other expression");
}
