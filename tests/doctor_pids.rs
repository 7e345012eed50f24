//! `ipctool doctor --json`: the processes that a finding names.

mod sandbox;

use sandbox::{Running, Sandbox};

/// That the one finding of a check names one process, though two of its threads wait, as `words` tell.
#[track_caller]
fn names_it_once(shell: &Sandbox, waiting: Running, check: &str, words: &str) {
    let found = shell.run(&format!("ipctool doctor --only {check} --json")).exits(6);
    let [finding] = &found.records()[..] else { panic!("{}", found.stdout()) };
    let pids = finding["pids"].as_array().expect("an array");
    assert_eq!(pids.len(), 1, "{finding}");
    let why = finding["why"].as_str().expect("words");
    assert!(why.contains(words), "{why}");
    waiting.signal("KILL").ends().exits(137);
}

#[test]
fn a_process_of_two_threads_that_wait_is_named_once() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("waiters");
    shell.run("ipctool create msg; ipctool limits --queue-bytes 0 msg:0").exits(0);
    names_it_once(
        &shell,
        shell.start("exec ./waiters room").waits(),
        "queue-full",
        "2 threads blocked",
    );
    // Taken by a process that is gone.
    shell.run("ipctool create sem").ok();
    shell.run("perl -e 'semop(0, pack(\"s3\", 0, $_, 0)) or die for 1, -1'").ok();
    names_it_once(
        &shell,
        shell.start("exec ./waiters semaphore").waits(),
        "stuck-semaphore",
        "2 processes wait",
    );
}
