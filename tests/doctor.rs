//! `ipctool doctor`: for each check a case that triggers it, and the nearest that must not.

mod sandbox;

use sandbox::{ATTACH, Sandbox, only_root, sees_everybody};

/// What one check finds: `severity ref` of each.
fn found(shell: &Sandbox, check: &str) -> String {
    let ran = shell.run(&format!("ipctool doctor --only {check} --json"));
    let findings = ran.json();
    let lines = findings.as_array().unwrap().iter().map(|finding| {
        assert_eq!(finding["check"], check);
        assert!(!finding["why"].as_str().unwrap().is_empty());
        assert!(!finding["fix"].as_str().unwrap().is_empty());
        let reference = finding["ref"].as_str().unwrap_or("-");
        format!("{} {reference}", finding["severity"].as_str().unwrap())
    });
    lines.collect::<Vec<_>>().join(", ")
}

/// The fix of the only finding of a check, carried out.
fn mend(shell: &Sandbox, check: &str) {
    let findings = shell.run(&format!("ipctool doctor --only {check} --json")).json();
    let fix = findings[0]["fix"].as_str().unwrap().to_owned();
    shell.run(&fix).exits(0);
    assert_eq!(found(shell, check), "", "after {fix}");
}

const USED: &str = "perl -e 'msgsnd(0, pack(\"l! a*\", 1, \"x\"), 0) or die $!'";

#[test]
fn a_healthy_system_is_quiet() {
    let Some(shell) = Sandbox::new() else { return };
    let ran = shell.run("ipctool doctor --skip remove-ipc").exits(0);
    assert_eq!(ran.stdout(), "");
    shell.run("ipctool doctor --skip remove-ipc --json").exits(0).shows("[]\n");
    // A queue that is used by somebody who lives.
    shell
        .run(
            "ipctool create msg > /dev/null; perl -e '$| = 1; msgsnd(0, pack(\"l! a*\", 1, \"x\"), 0); print 1; sleep 60' > out & \
             until [ -s out ]; do sleep 0.01; done; ipctool doctor --skip remove-ipc; s=$?; kill $!; exit $s",
        )
        .exits(0);
}

#[test]
fn orphans() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg").ok();
    let never_used = found(&shell, "orphan");
    assert!(["note msg:0", ""].contains(&never_used.as_str()), "{never_used}");
    shell.run(USED).ok();
    if !sees_everybody() {
        return;
    }
    assert_eq!(found(&shell, "orphan"), "warning msg:0");
    shell
        .run("ipctool doctor --only orphan")
        .exits(6)
        .shows("its only recorded process ")
        .shows(" is gone; last touched ");
    mend(&shell, "orphan");
}

#[test]
fn a_failed_ftok() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --key 0xfffffffe").ok();
    assert_eq!(found(&shell, "ftok-failed"), "");
    shell.run("ipctool create shm --size 1 --key 0xffffffff").ok();
    assert_eq!(found(&shell, "ftok-failed"), "warning shm:0");
    mend(&shell, "ftok-failed");
}

#[test]
fn memory_of_a_removed_segment() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("attach", ATTACH);
    shell.run("ipctool create shm --size 64K").ok();
    shell.start("exec ./attach 0 > out").ends_later();
    shell.run("until [ -s out ]; do sleep 0.01; done").ok();
    assert_eq!(found(&shell, "marked-attached"), "");
    shell.run("ipcrm -m 0").ok();
    assert_eq!(found(&shell, "marked-attached"), "note shm:0");
    shell
        .run("ipctool doctor --only marked-attached")
        .exits(0)
        .shows("its 64K stay in memory")
        .shows("(./attach 0)");
    mend(&shell, "marked-attached");
}

#[test]
fn a_full_queue() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg; head -c 8192 /dev/zero | ipctool send 0; head -c 8191 /dev/zero | ipctool send 0").exits(0);
    assert_eq!(found(&shell, "queue-full"), "");
    shell.run("ipctool send 0 x").ok();
    assert_eq!(found(&shell, "queue-full"), "warning msg:0");
    let sender = shell.start("exec ipctool send 0 late").waits();
    assert_eq!(found(&shell, "queue-full"), "error msg:0");
    shell
        .run("ipctool doctor --only queue-full")
        .exits(6)
        .shows("1 thread blocked sending: ")
        .shows("(ipctool send 0 late)");
    shell.run("ipctool rm msg:0").ok();
    sender.ends().exits(3);
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
fn modes_that_give_too_much_or_too_little() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --mode 664; ipctool create sem --mode 600").ok();
    assert_eq!(found(&shell, "world-writable"), "");
    assert_eq!(found(&shell, "locked-out"), "");
    shell.run("ipctool chmod -f 662 msg:0; ipctool chmod -f 400 sem:0").ok();
    assert_eq!(found(&shell, "world-writable"), "warning msg:0");
    assert_eq!(found(&shell, "locked-out"), "warning sem:0");
    shell
        .run("ipctool doctor --only locked-out")
        .exits(6)
        .shows("does not let its own owner write it");
    mend(&shell, "world-writable");
    mend(&shell, "locked-out");
}

#[test]
fn a_limit_that_is_near() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("echo 10 > /proc/sys/kernel/msgmni; for i in 1 2 3 4 5 6 7; do ipctool create msg; done").exits(0);
    assert_eq!(found(&shell, "limit-near"), "");
    shell.run("ipctool doctor --only limit-near --threshold 70").exits(6);
    shell.run("ipctool create msg").ok();
    assert_eq!(found(&shell, "limit-near"), "warning -");
    shell.run("ipctool create msg; ipctool create msg").ok();
    assert_eq!(found(&shell, "limit-near"), "error -");
    shell
        .run("ipctool doctor --only limit-near")
        .exits(6)
        .shows("10 of 10 (message queues) are used, 100 %: msgmni");
    mend(&shell, "limit-near");
}

#[test]
fn objects_that_vanish_at_logout() {
    if !only_root("only root can be a user with a login") {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    let with = |setting: &str| {
        let line = format!(
            "unshare --mount sh -c 'mkdir -p /etc/systemd; mount -t tmpfs none /etc/systemd; \
             echo \"[Login]\" > /etc/systemd/logind.conf; mkdir /etc/systemd/logind.conf.d; \
             printf \"[Login]\\n{setting}\\n\" > /etc/systemd/logind.conf.d/x.conf; \
             ipctool doctor --only remove-ipc --json'"
        );
        shell.run(&line).json().as_array().unwrap().len()
    };
    shell.run("ipctool create msg").ok();
    assert_eq!(with(""), 0, "only root owns something");
    shell.run("ipctool chown 4711 msg:0").exits(0);
    assert_eq!(with(""), 1, "it is the default");
    assert_eq!(with("RemoveIPC=yes"), 1);
    assert_eq!(with("RemoveIPC=no"), 0);
}

#[test]
fn messages_from_the_dead() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg").ok();
    shell
        .run(
            "perl -e '$| = 1; msgsnd(0, pack(\"l! a*\", 1, \"x\"), 0); print 1; sleep 60' > out & \
             until [ -s out ]; do sleep 0.01; done; ipctool doctor --only dead-sender-backlog; s=$?; kill $!; exit $s",
        )
        .exits(0);
    shell.run("sleep 0.1").ok();
    assert_eq!(found(&shell, "dead-sender-backlog"), "warning msg:0");
    mend(&shell, "dead-sender-backlog");
    shell
        .run("cat msg-0.jsonl")
        .prints("{\"ref\":\"msg:0\",\"type\":1,\"size\":1,\"text\":\"x\"}\n");
}

#[test]
fn checks_are_chosen_by_name() {
    let Some(shell) = Sandbox::new() else { return };
    let listed = shell.run("ipctool doctor --list-checks").ok().stdout();
    assert_eq!(listed.lines().count(), 14);
    shell.run("ipctool create msg --key 0xffffffff --mode 666").ok();
    let names = |options: &str| {
        let found = shell.run(&format!("ipctool doctor {options} --json")).records();
        let mut names: Vec<_> = found.iter().map(|one| one["check"].to_string()).collect();
        names.sort();
        names.join(" ")
    };
    let both = "--only ftok-failed,world-writable";
    assert_eq!(names(both), r#""ftok-failed" "world-writable""#);
    assert_eq!(names(&format!("{both} --skip ftok-failed")), r#""world-writable""#);
    shell.run("ipctool doctor --only pizza").exits(2).says("ftok-failed");
    shell.run("ipctool doctor --only ftok-failed > /dev/full").exits(1).says("(ENOSPC)");
}
