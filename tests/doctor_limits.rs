//! `ipctool doctor` on limits: what to remove, and what to raise.

mod diagnosis;
mod sandbox;

use diagnosis::{USED, all_found, found, mend, only};
use sandbox::{NOBODY, Sandbox, is_root, sees_everybody};
use serde_json::Value;

/// A process that waits on each queue keeps it from being an orphan.
const RECEIVERS: &str = "for q in $(ipctool list -q -o ref --no-headings); do ipctool recv $q & done > /dev/null 2>&1; wait";

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
fn a_limit_that_is_used_is_raised() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell
        .run("echo 3 > /proc/sys/kernel/msgmni; for i in 1 2 3; do ipctool create msg; done")
        .exits(0);
    let waiting = shell.start(RECEIVERS);
    shell.wait_until("[ $(ipctool list -q -o waiting --no-headings | grep -c 1) = 3 ]");
    let fix = mend(&shell, "limit-near");
    assert_eq!(fix, "ipctool limits --set msgmni=6");
    shell.run("cat /proc/sys/kernel/msgmni").prints("6\n");
    if is_root() {
        // Who is not root needs it for that.
        shell
            .run("echo 3 > /proc/sys/kernel/msgmni; chmod 755 /proc/sys/kernel 2> /dev/null; :")
            .exits(0);
        let ran = shell.run_as(NOBODY, "ipctool doctor --only limit-near --json").unwrap();
        assert_eq!(diagnosis::of(&ran)[0]["fix"], "sudo ipctool limits --set msgmni=6");
    }
    shell.run("ipctool rm --all --yes").exits(0);
    drop(waiting);
}

#[test]
fn orphans_are_removed_before_a_limit_is_raised() {
    let Some(shell) = Sandbox::privileged() else { return };
    if !sees_everybody() {
        return;
    }
    shell.run("echo '250 32000 100 6' > /proc/sys/kernel/sem; for i in 1 2 3 4 5 6; do ipctool create sem; done").exits(0);
    // Whoever made them may be about to use them.
    assert_eq!(only(&shell, "limit-near")["fix"], "ipctool limits --set semmni=12");
    shell.run("perl -e 'for (0..5) { semop($_, pack(\"s3\", 0, 1, 0)) or die }'").ok();
    // One cause, one finding: the orphans are that of the limit.
    assert_eq!(all_found(&shell), "error - limit-near");
    let finding = only(&shell, "limit-near");
    assert_eq!(finding["count"], 6);
    let words = finding["why"].as_str().unwrap();
    assert!(
        words.ends_with("; 6 of 6 are orphans: ipctool rm --kind sem --orphan --yes"),
        "{words}"
    );
    // Who may not remove them needs root.
    let ran = shell.run_as(NOBODY, "ipctool doctor --only limit-near --json").unwrap();
    let theirs = diagnosis::of(&ran)[0]["fix"].as_str().unwrap().to_owned();
    assert!(theirs.starts_with("sudo ipctool "), "{theirs}");
    assert_eq!(mend(&shell, "limit-near"), "ipctool rm --kind sem --orphan --yes");
    assert_eq!(all_found(&shell), "");
}

#[test]
fn a_limit_does_not_cost_a_message() {
    let Some(shell) = Sandbox::privileged() else { return };
    if !sees_everybody() {
        return;
    }
    shell.run("echo 2 > /proc/sys/kernel/msgmni; ipctool create msg; ipctool create msg").exits(0);
    shell.run("ipctool send 1 x; ipctool recv 1").exits(0);
    shell.run(USED).ok();
    assert_eq!(all_found(&shell), "error - limit-near, warning msg:0 orphan");
    let fix = mend(&shell, "limit-near");
    assert_eq!(fix, "ipctool rm --kind msg --orphan --empty --yes");
    shell.run("ipctool list -q -o ref,messages --no-headings | tr -s ' '").prints("msg:0 1\n");
    // And the fixes of one run do not get into each other's way.
    mend(&shell, "orphan");
    assert_eq!(all_found(&shell), "");
}

#[test]
fn the_bytes_of_a_user() {
    let Some(shell) = Sandbox::new() else { return };
    if !sees_everybody() {
        return;
    }
    shell.run("ipctool create pmsg --name /a --max-messages 4 --message-size 8192").ok();
    let doctor = || shell.run("prlimit --msgqueue=35000 ipctool doctor --only pmsg-limit --json");
    let findings = diagnosis::of(&doctor());
    // It is new: somebody may be about to use it.
    assert_eq!((&findings[0]["severity"], &findings[0]["fix"]), (&"warning".into(), &Value::Null));
    assert!(findings[0]["why"].as_str().unwrap().contains("LimitMSGQUEUE="), "{}", findings[0]);
    let age = "unshare -m sh -c 'mount -t mqueue none /mnt && touch -d \"2 hours ago\" /mnt/a'";
    shell.run(age).ok();
    let findings = diagnosis::of(&doctor());
    shell.run(findings[0]["fix"].as_str().unwrap()).exits(0);
    shell.run("ipctool list pmsg -o ref --no-headings").prints("");
    assert_eq!(diagnosis::of(&doctor()).len(), 0);
}
