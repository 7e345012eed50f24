//! `ipctool doctor` on semaphores: stuck ones, and circles of processes that wait for each other.

mod diagnosis;
mod sandbox;

use diagnosis::{all_found, found, mend, only, why};
use sandbox::{NOBODY, Running, Sandbox, is_root, sees_everybody};
use serde_json::Value;

/// A process that takes one semaphore, tells so in a file of its name, waits for the file `go`, and
/// takes another one: each `SET, INDEX`.
fn takes(shell: &Sandbox, name: &str, first: &str, second: &str) -> Running {
    shell.start(&format!(
        "exec perl -e '$0 = \"ipctool\"; \
         sub take {{ my ($set, $index) = @_; semop($set, pack(\"s3\", $index, -1, 0)) or die $! }} \
         take({first}); open F, q(>), q({name}); close F; select undef, undef, undef, 0.01 until -e q(go); \
         take({second}); exit 0'"
    ))
}

/// Lets those go on that have told that they hold something, and waits until all of them wait.
fn go<const N: usize>(shell: &Sandbox, held: [(&str, Running); N]) -> [Running; N] {
    for (name, _) in &held {
        shell.run(&format!("until [ -e {name} ]; do sleep 0.01; done")).ok();
    }
    shell.run("touch go; sleep 0.1").ok();
    held.map(|(_, process)| process.waits())
}

/// Sets all semaphores of a set to 1.
fn free(shell: &Sandbox, id: u32, number: u32) {
    let add = format!(
        "ipctool list -s > /dev/null; perl -e 'semop({id}, pack(\"s3\", $_, 1, 0)) or die $! for 0..{number}-1'"
    );
    shell.run(&add).ok();
}

#[test]
fn a_lock_of_a_dead_process() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create sem --nsems 2").ok();
    // Somebody frees semaphore 1 once, takes it, and dies without SEM_UNDO.
    shell.run("perl -e 'semop(0, pack(\"s3\", 1, 1, 0)) or die; semop(0, pack(\"s3\", 1, -1, 0)) or die'").ok();
    assert_eq!(found(&shell, "stuck-semaphore"), "", "nobody waits");
    let waiter = shell
        .start("exec perl -e '$0 = \"ipctool\"; exit !semop(0, pack(\"s3\", 1, -1, 0))'")
        .waits();
    assert_eq!(found(&shell, "stuck-semaphore"), "error sem:0");
    shell
        .run("ipctool doctor --only stuck-semaphore")
        .exits(6)
        .shows("semaphore 1 is 0, 1 process waits for it");
    assert_eq!(all_found(&shell), "error sem:0 stuck-semaphore");
    mend(&shell, "stuck-semaphore");
    waiter.ends().exits(0);
    // The next one wants more at once.
    let waiter = shell
        .start("exec perl -e '$0 = \"ipctool\"; exit !semop(0, pack(\"s3\", 1, -3, 0))'")
        .waits();
    mend(&shell, "stuck-semaphore");
    waiter.ends().exits(0);
}

#[test]
fn who_may_not_release_a_lock_is_told_to_ask_root() {
    if !is_root() {
        eprintln!("skipped: only root can be two users");
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create sem --mode 644").ok();
    shell.run("perl -e 'semop(0, pack(\"s3\", 0, 1, 0)); semop(0, pack(\"s3\", 0, -1, 0))'").ok();
    let _waiter =
        shell.start("exec perl -e '$0 = \"ipctool\"; semop(0, pack(\"s3\", 0, -1, 0))'").waits();
    let ran = shell.run_as(NOBODY, "ipctool doctor --only stuck-semaphore --json").unwrap();
    let fix = diagnosis::of(&ran)[0]["fix"].clone();
    assert!(fix.as_str().unwrap().starts_with("sudo perl -e "), "{fix}");
}

#[test]
fn two_processes_wait_for_each_other() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create sem --nsems 2").ok();
    free(&shell, 0, 2);
    let held =
        [("a", takes(&shell, "a", "0, 0", "0, 1")), ("b", takes(&shell, "b", "0, 1", "0, 0"))];
    assert_eq!(found(&shell, "deadlock"), "");
    let [one, two] = go(&shell, held);
    assert_eq!(all_found(&shell), "error sem:0 deadlock");
    let finding = only(&shell, "deadlock");
    assert_eq!((&finding["fix"], finding["pids"].as_array().unwrap().len()), (&Value::Null, 2));
    let words = finding["why"].as_str().unwrap();
    assert!(words.starts_with("2 processes wait for each other: "), "{words}");
    assert!(words.contains("waits for semaphore 0 of sem:0, on which"), "{words}");
    assert!(words.contains("waits for semaphore 1 of sem:0, on which"), "{words}");
    // Whoever gives one back lets them go.
    free(&shell, 0, 1);
    shell.run("sleep 0.1").ok();
    assert_eq!(found(&shell, "deadlock"), "");
    two.ends().exits(0);
    drop(one);
}

#[test]
fn a_circle_of_three_over_two_sets() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create sem --nsems 2; ipctool create sem").ok();
    free(&shell, 0, 2);
    shell.run("ipctool list -s -o id --no-headings | tr -d ' '").prints("0\n1\n");
    free(&shell, 1, 1);
    let held = [
        ("a", takes(&shell, "a", "0, 0", "0, 1")),
        ("b", takes(&shell, "b", "0, 1", "1, 0")),
        ("c", takes(&shell, "c", "1, 0", "0, 0")),
    ];
    let _waiting = go(&shell, held);
    let finding = only(&shell, "deadlock");
    let refs: Vec<_> =
        finding["refs"].as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!((refs.len(), finding["pids"].as_array().unwrap().len()), (2, 3));
    assert!(why(&shell, "deadlock").starts_with("3 processes wait for each other: "));
}

#[test]
fn a_line_is_no_circle() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create sem --nsems 3").ok();
    free(&shell, 0, 3);
    // The last of them holds what the second one waits for, and works.
    let _last = takes(&shell, "c", "0, 2", "0, 2");
    shell.run("until [ -e c ]; do sleep 0.01; done").ok();
    shell.run("mv c held").ok();
    let held =
        [("a", takes(&shell, "a", "0, 0", "0, 1")), ("b", takes(&shell, "b", "0, 1", "0, 2"))];
    for (name, _) in &held {
        shell.run(&format!("until [ -e {name} ]; do sleep 0.01; done")).ok();
    }
    let [(_, one), (_, two)] = held;
    shell.run("touch go; sleep 0.1").ok();
    let _waiting = (one.waits(), two.waits());
    assert_eq!(found(&shell, "deadlock"), "");
    assert_eq!(found(&shell, "stuck-semaphore"), "");
}

#[test]
fn a_consumer_waits_for_what_it_took_itself() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create sem").ok();
    free(&shell, 0, 1);
    let _consumer = go(&shell, [("a", takes(&shell, "a", "0, 0", "0, 0"))]);
    assert_eq!(found(&shell, "deadlock"), "");
    assert_eq!(found(&shell, "stuck-semaphore"), "");
}

#[test]
fn a_posix_semaphore_that_nobody_else_has() {
    let Some(shell) = Sandbox::with_posix() else { return };
    shell.run("ipctool create psem --name /lock --value 0").ok();
    assert_eq!(found(&shell, "stuck-semaphore"), "");
    let waiter = shell.start("cp posix ipctool; exec ./ipctool /lock sem_wait").waits();
    if !sees_everybody() {
        assert_eq!(found(&shell, "stuck-semaphore"), "", "somebody hidden may have it");
        return;
    }
    assert_eq!(found(&shell, "stuck-semaphore"), "warning psem:/lock");
    let words = why(&shell, "stuck-semaphore");
    assert!(
        words.starts_with("it is 0, 1 thread waits for it, and no other process has it"),
        "{words}"
    );
    // Somebody else has it, and may post it.
    let other = shell.start(
        "exec perl -e 'open F, q(</dev/shm/sem.lock); open G, q(>), q(open); close G; sleep 60'",
    );
    shell.run("until [ -e open ]; do sleep 0.01; done").ok();
    assert_eq!(found(&shell, "stuck-semaphore"), "");
    drop(other);
    assert_eq!(found(&shell, "stuck-semaphore"), "warning psem:/lock");
    shell.run("./posix /lock sem_post").ok();
    waiter.ends().exits(0);
    assert_eq!(found(&shell, "stuck-semaphore"), "");
    // A waiter that was killed stays in the C library's count, and waits no more.
    drop(shell.start("exec ./ipctool /lock sem_wait").waits());
    shell.run("ipctool list psem -o waiters --no-headings | tr -d ' '").prints("1\n");
    assert_eq!(found(&shell, "stuck-semaphore"), "");
}
