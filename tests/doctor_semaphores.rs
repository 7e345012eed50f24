//! `ipctool doctor` on semaphores: stuck ones, and circles of processes that wait for each other.

mod diagnosis;
mod sandbox;

use diagnosis::{all_found, fix, found, only, why};
use sandbox::{NOBODY, Ran, Running, Sandbox, only_root, sees_everybody};
use serde_json::Value;

/// A process that takes one semaphore, makes a file of its name to show that, waits for the file `go`, and
/// takes another one: each `SET, INDEX`.
fn takes(shell: &Sandbox, name: &str, first: &str, second: &str) -> Running {
    shell.start(&format!(
        "exec perl -e '$0 = \"ipctool\"; \
         sub take {{ my ($set, $index) = @_; semop($set, pack(\"s3\", $index, -1, 0)) or die $! }} \
         take({first}); open F, q(>), q({name}); close F; select undef, undef, undef, 0.01 until -e q(go); \
         take({second}); exit 0'"
    ))
}

/// Lets the processes continue that hold a semaphore, and waits until all of them wait.
fn go<const N: usize>(shell: &Sandbox, held: [(&str, Running); N]) -> [Running; N] {
    for (name, _) in &held {
        shell.wait_until(&format!("[ -e {name} ]"));
    }
    let asleep = waiting(shell);
    shell.run("touch go").ok();
    wait_for(shell, asleep + N as u64);
    held.map(|(_, process)| process)
}

/// How many threads wait on semaphores.
fn waiting(shell: &Sandbox) -> u64 {
    sum(&shell.run(WAITING))
}

const WAITING: &str = "ipctool list -s -o waiting --no-headings";

fn sum(ran: &Ran) -> u64 {
    ran.stdout().split_whitespace().map(|number| number.parse::<u64>().expect("a number")).sum()
}

/// Waits until so many threads wait on semaphores.
fn wait_for(shell: &Sandbox, number: u64) {
    shell.until(WAITING, |ran| sum(ran) == number);
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
    // A process frees semaphore 1 once, takes it, and dies without SEM_UNDO.
    shell.run("perl -e 'semop(0, pack(\"s3\", 1, 1, 0)) or die; semop(0, pack(\"s3\", 1, -1, 0)) or die'").ok();
    assert_eq!(found(&shell, "stuck-semaphore"), "", "nobody waits");
    let waiter = shell
        .start("exec perl -e '$0 = \"ipctool\"; exit !semop(0, pack(\"s3\", 1, -1, 0))'")
        .waits();
    // It may be a lock, or count work for a pool of which this is a healthy worker: a person decides.
    assert_eq!(all_found(&shell), "warning sem:0 stuck-semaphore");
    shell
        .run("ipctool doctor --only stuck-semaphore")
        .exits(6)
        .shows("semaphore 1 is 0, 1 process waits for it")
        .shows("; if it is a lock, ")
        .lacks("fix: ");
    release(&shell);
    waiter.ends().exits(0);
    // The next one wants more at once.
    let waiter = shell
        .start("exec perl -e '$0 = \"ipctool\"; exit !semop(0, pack(\"s3\", 1, -3, 0))'")
        .waits();
    release(&shell);
    waiter.ends().exits(0);
}

/// Runs the command that releases a lock, from the reason; it is no fix, because only a person can decide.
fn release(shell: &Sandbox) {
    assert_eq!(fix(shell, "stuck-semaphore"), "");
    let words = why(shell, "stuck-semaphore");
    let (_, command) = words.split_once("; to release it: ").expect("it is told");
    shell.run(command).ok();
    assert_eq!(found(shell, "stuck-semaphore"), "", "after {command}");
}

#[test]
fn nobody_holds_what_was_only_given_a_value() {
    let Some(shell) = Sandbox::new() else { return };
    // Workers wait for the first piece of work, long after the program that made the set has ended.
    shell.run("ipctool create sem; perl -e 'semctl(0, 0, 16, 0) or die'").ok();
    let _worker =
        shell.start("exec perl -e '$0 = \"ipctool\"; semop(0, pack(\"s3\", 0, -1, 0))'").waits();
    assert_eq!(found(&shell, "stuck-semaphore"), "");
}

#[test]
fn who_may_not_release_a_lock_is_told_to_ask_root() {
    if !only_root("only root can be two users") {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create sem --mode 644").ok();
    shell.run("perl -e 'semop(0, pack(\"s3\", 0, 1, 0)); semop(0, pack(\"s3\", 0, -1, 0))'").ok();
    let _waiter =
        shell.start("exec perl -e '$0 = \"ipctool\"; semop(0, pack(\"s3\", 0, -1, 0))'").waits();
    let ran = shell.run_as(NOBODY, "ipctool doctor --only stuck-semaphore --json").unwrap();
    let words = diagnosis::of(&ran)[0]["why"].to_string();
    assert!(words.contains("; to release it: sudo ipctool semop "), "{words}");
}

#[test]
fn two_processes_wait_for_each_other() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create sem --nsems 2").ok();
    free(&shell, 0, 2);
    // A process that starts in a later second is not the one that changed the set last.
    shell.run("sleep 1.1").ok();
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
    // Releasing one semaphore ends the deadlock.
    free(&shell, 0, 1);
    two.ends().exits(0);
    assert_eq!(found(&shell, "deadlock"), "");
    drop(one);
}

/// Two idle workers, each of which has prepared the semaphore of the other one. 16 is SETVAL.
fn idle_workers(shell: &Sandbox) -> [Running; 2] {
    let workers = [(0, 1), (1, 0)].map(|(own, other)| {
        shell.start(&format!(
            "exec perl -e '$0 = \"ipctool\"; semctl(0, {other}, 16, 0) or die; \
             semop(0, pack(\"s3\", {own}, -1, 0))'"
        ))
    });
    wait_for(shell, 2);
    workers
}

#[test]
fn who_only_sets_a_value_takes_nothing() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create sem --nsems 2").ok();
    let _workers = idle_workers(&shell);
    assert_eq!(all_found(&shell), "", "nobody has ever operated on it");
}

#[test]
fn whether_it_was_a_value_that_was_set_may_be_unknown() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create sem --nsems 3").ok();
    let _workers = idle_workers(&shell);
    // The set is in use, by another process.
    shell.run("perl -e 'semop(0, pack(\"s3\", 2, 1, 0)) or die'").ok();
    assert_eq!(found(&shell, "deadlock"), "warning sem:0");
    assert!(why(&shell, "deadlock").contains("(SETVAL)"));
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
    let _last = shell.start(
        "exec perl -e 'semop(0, pack(\"s3\", 2, -1, 0)) or die; open F, q(>), q(held); close F; sleep 60'",
    );
    shell.wait_until("[ -e held ]");
    let held =
        [("a", takes(&shell, "a", "0, 0", "0, 1")), ("b", takes(&shell, "b", "0, 1", "0, 2"))];
    let _waiting = go(&shell, held);
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
    // Another process has it open, and may post it.
    let other = shell.start(
        "exec perl -e 'open F, q(</dev/shm/sem.lock); open G, q(>), q(open); close G; sleep 60'",
    );
    shell.wait_until("[ -e open ]");
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
