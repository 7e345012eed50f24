//! The installed programs of util-linux, with which ours are compared: the same bytes on both outputs
//! and the same exit status, case by case.
#![allow(dead_code)]

use std::sync::OnceLock;

use crate::sandbox::{Needs, Sandbox, skip};

/// Whether the installed programs are those that ours are compared with; if not, the comparison is
/// skipped.
pub fn has_oracle() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        let version = |program: &str| {
            let run = std::process::Command::new(program).arg("--version").output();
            run.map(|ran| String::from_utf8_lossy(&ran.stdout).trim().to_owned())
                .unwrap_or_else(|error| format!("{program}: {error}"))
        };
        let programs = ["ipcs", "ipcrm", "ipcmk"];
        let is_other = |program: &&&str| {
            !version(program).starts_with(&format!("{program} from util-linux 2.38"))
        };
        let Some(other) = programs.iter().find(is_other) else { return true };
        let found = version(other);
        let reason = format!("the programs are compared with util-linux 2.38, not with {found:?}");
        skip(Needs::Machine, &reason);
        false
    })
}

/// Puts our programs in front of the installed ones.
pub const OURS: &str = "PATH=$PWD/links:$PATH";

/// A sandbox with the four links in the directory `links`.
pub fn with_links() -> Option<Sandbox> {
    let shell = Sandbox::new()?;
    install(&shell);
    Some(shell)
}

/// Makes the four links there.
pub fn install(shell: &Sandbox) {
    shell.run("mkdir links && ipctool install-links links 2> notes").exits(0);
}

/// One line of shell that runs a program with each of these lines of arguments, and prints its status and
/// its output.
pub fn script(program: &str, lines: &[String]) -> String {
    let head = format!(
        "run() {{ echo \"== $*\"; echo \"== $*\" >&2; {program} \"$@\"; echo \"-- $?\"; }}\n"
    );
    lines.iter().fold(head, |script, line| script + "run " + line + "\n")
}

/// What a script writes on either output, case by case.
#[track_caller]
fn cases(stdout: &str, stderr: &str) -> Vec<String> {
    let split = |text: &str| -> Vec<String> {
        format!("\n{text}").split("\n== ").skip(1).map(|case| format!("{case}\n")).collect()
    };
    let (stdout, stderr) = (split(stdout), split(stderr));
    assert_eq!(stdout.len(), stderr.len(), "each case is on both");
    stdout.into_iter().zip(stderr).map(|(out, err)| out + "-- stderr " + &err).collect()
}

/// Runs a script with the programs that `path` puts in front, and gives what they write.
#[track_caller]
fn run(uid: Option<u32>, shell: &Sandbox, path: &str, before: &str, script: &str) -> Vec<String> {
    if path == OURS {
        // Otherwise the installed programs would be compared with themselves.
        let found = "for program in ipcs ipcrm ipcmk msgtool; do command -v $program; done";
        let expected = "for program in ipcs ipcrm ipcmk msgtool; do echo $PWD/links/$program; done";
        shell.run(&format!("{OURS}; {found}")).prints(&shell.run(expected).stdout());
    }
    std::fs::write(shell.directory().join("script"), script).expect("room for the script");
    let line = format!("{path} {before} sh ./script");
    let ran = match uid {
        None => shell.run(&line),
        Some(uid) => shell.run_as(uid, &line).expect("it runs as root"),
    };
    let ran = ran.exits(0);
    cases(&ran.stdout(), &ran.stderr())
}

/// Runs a script that changes nothing with the installed programs and with ours, and compares.
#[track_caller]
pub fn agree(shell: &Sandbox, before: &str, script: &str, least: usize) {
    agree_as(None, shell, before, script, least);
}

/// The same as another user, where there is one.
#[track_caller]
pub fn agree_as(uid: Option<u32>, shell: &Sandbox, before: &str, script: &str, least: usize) {
    let ours = run(uid, shell, OURS, before, script);
    assert!(ours.len() >= least, "only {} cases ran", ours.len());
    if has_oracle() {
        same(&ours, &run(uid, shell, "", before, script));
    }
}

/// Runs a script that makes and removes objects with both, each in a namespace of its own.
#[track_caller]
pub fn agree_apart(script: &str, least: usize) {
    let (Some(shell), Some(other)) = (with_links(), with_links()) else { return };
    let ours = run(None, &shell, OURS, "", script);
    assert!(ours.len() >= least, "only {} cases ran", ours.len());
    if has_oracle() {
        same(&ours, &run(None, &other, "", "", script));
    }
}

/// Zero differing bytes.
#[track_caller]
fn same(ours: &[String], theirs: &[String]) {
    assert_eq!(ours.len(), theirs.len());
    let pairs = || ours.iter().zip(theirs).filter(|(ours, theirs)| ours != theirs);
    let shown: String =
        pairs().take(5).map(|(ours, theirs)| format!("ours:\n{ours}theirs:\n{theirs}\n")).collect();
    assert!(shown.is_empty(), "{} of {} differ\n{shown}", pairs().count(), theirs.len());
}
