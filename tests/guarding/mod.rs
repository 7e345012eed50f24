//! What the tests of `ipctool guard` have in common.
#![allow(dead_code)]

use serde_json::Value;

use crate::sandbox::{Needs, Ran, Sandbox, sees_everybody, skip, until};

/// One object of each kind, by a program that knows nothing of us: a queue with a message, a
/// segment, and a set that was operated on.
pub const THREE: &str = r#"perl -e '
    $q = msgget(0xbeef, 0600 | 01000) // die; msgsnd($q, pack("l! a*", 1, "hello"), 0) or die;
    shmget(0xcafe, 65536, 0600 | 01000) // die;
    $s = semget(0xf00d, 3, 0600 | 01000) // die; semop($s, pack("s3", 0, 1, 0)) or die;'"#;

/// Runs a command where the kernel answers EPERM to `unshare` and `perf_event_open`, as in many a
/// container, in a shell that [`Sandbox::can_forbid`].
pub const FORBID: &str = "./forbid EPERM unshare,perf_event_open";

/// A function of the shell that waits until a process sleeps, and goes on sleeping: what has slept all
/// the time can have made nothing. `(asleep $$; exec ipctool guard …)` starts guard only when the shell
/// sleeps, too, and waits for it.
pub const ASLEEP: &str = r#"asleep() {
    old=; until grep -q "^State:.S" "/proc/$1/status" && new=$(grep ctxt "/proc/$1/status") &&
        test "$new" = "$old"; do old=$new; sleep 0.05; done
}"#;

/// Runs a line that is one command, when everybody who waits for it sleeps.
pub fn run_beside_sleepers(shell: &Sandbox, line: &str) -> Ran {
    shell.run(&format!("{ASLEEP}; (asleep $$; exec {line})"))
}

/// A namespace in which every process can be inspected: else a queue that the command used may be
/// in use by a hidden process, and is left alone.
pub fn open_shell() -> Option<Sandbox> {
    Sandbox::new().filter(|_| sees_everybody())
}

/// Whether this is possible here; if not, the test is skipped.
pub fn can_isolate(shell: &Sandbox) -> bool {
    let ran = shell.run("ipctool guard --isolate always true; echo $?");
    if ran.stdout() != "0\n" {
        skip(Needs::Machine, &format!("no command can be isolated here: {}", ran.stderr().trim()));
    }
    ran.stdout() == "0\n"
}

/// Runs a line of shell that leaves its report in `report.json`.
pub fn report(shell: &Sandbox, line: &str) -> Value {
    let ran = shell.run(&format!("{line}; cat report.json"));
    let text = ran.stdout();
    let start = text.find("{\"command\"").unwrap_or_else(|| panic!("no report: {}", ran.stderr()));
    serde_json::from_str(&text[start..]).expect("it is JSON")
}

/// The references in a list of objects.
pub fn refs(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["ref"].as_str().unwrap()).collect()
}

/// A field of each leak in a report.
pub fn of_each_leak<'a>(report: &'a Value, field: &str) -> Vec<&'a Value> {
    report["leaks"].as_array().unwrap().iter().map(|leak| &leak[field]).collect()
}

/// No object is left in the namespace.
pub fn nothing_is_left(shell: &Sandbox) {
    shell.run("ipctool list --json").prints("[]\n");
}

/// Waits until there is this file in the directory of the shell.
#[track_caller]
pub fn wait_for(shell: &Sandbox, file: &str) {
    until(&format!("{file} is there"), || shell.directory().join(file).exists());
}

/// What the status and the output are, whatever was said on standard error.
pub trait Checks {
    fn prints_last(self, status: i32) -> Ran;
    fn stdout_is(self, expected: &str) -> Ran;
}

impl Checks for Ran {
    /// Its last line is this number, the status that a shell sees.
    #[track_caller]
    fn prints_last(self, status: i32) -> Ran {
        let text = self.stdout();
        assert_eq!(text.lines().last(), Some(status.to_string().as_str()), "{}", self.stderr());
        self
    }

    /// It printed this, whatever it said.
    #[track_caller]
    fn stdout_is(self, expected: &str) -> Ran {
        assert_eq!(self.stdout(), expected, "{}", self.stderr());
        self
    }
}
