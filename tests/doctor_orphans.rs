//! `ipctool doctor` on orphans: what is one and what is only new, and fixes that remove nothing else.

mod diagnosis;
mod sandbox;

use diagnosis::{USED, findings, fix, found, mend, only, why};
use sandbox::{Sandbox, is_root, only_root, sees_everybody};
use serde_json::json;

#[test]
fn orphans() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg").ok();
    // Uninspected processes may use a queue that its mode opens to them.
    assert_eq!(found(&shell, "orphan"), if is_root() { "note msg:0" } else { "" });
    shell.run(USED).ok();
    if !sees_everybody() {
        assert_eq!(found(&shell, "orphan"), "");
        return;
    }
    assert_eq!(found(&shell, "orphan"), "warning msg:0");
    shell
        .run("ipctool doctor --only orphan")
        .exits(6)
        .shows("its only recorded process ")
        .shows(" is gone; last touched ");
    mend(&shell, "orphan");
    shell.run("ipctool list -q -o ref --no-headings").prints("");
    shell.run("cat msg-0.jsonl").shows("\"text\":\"x\"");
}

#[test]
fn what_was_made_just_now_is_no_warning() {
    let Some(shell) = Sandbox::new() else { return };
    if !sees_everybody() {
        return;
    }
    // Made by a process that lives, which is recorded nowhere.
    let _maker = shell.start(
        "exec perl -e 'msgget(0, 01600) // die; semget(0, 1, 01600) // die; open F, q(>), q(made); close F; sleep 60'",
    );
    shell.wait_until("[ -e made ]");
    shell.run("ipctool create shm --size 1").ok();
    shell.run("ipctool doctor --only orphan").exits(0).lacks("fix: ");
    assert_eq!(found(&shell, "orphan"), "note msg:0", "one finding");
    let finding = only(&shell, "orphan");
    assert_eq!((&finding["count"], &finding["fix"]), (&3.into(), &serde_json::Value::Null));
    shell.run("ipctool rm shm:0 sem:0").ok();
    assert!(
        why(&shell, "orphan").ends_with(
            "; it is new, so its creator may be about to use it; if not: ipctool rm msg:0"
        ),
        "{}",
        why(&shell, "orphan")
    );
    shell.run("ipctool rm msg:0").ok();
    shell.run("ipctool create pshm --name /new --size 1; ipctool create psem --name /new").ok();
    shell.run("ipctool doctor --only orphan").exits(0).shows("about to use");
    assert_eq!(only(&shell, "orphan")["fix"], serde_json::Value::Null);
    // An object that was not touched for hours is no longer new.
    shell.run("touch -d '2 hours ago' /dev/shm/*").ok();
    assert_eq!(found(&shell, "orphan"), "warning pshm:/new");
    // A name may be that of another object when this is pasted: the filter looks again.
    let fix = mend(&shell, "orphan");
    let start = "ipctool rm --kind pshm --kind psem --orphan --owner ";
    assert!(fix.starts_with(start) && fix.ends_with(" --idle 1h --yes"), "{fix}");
    shell.run("ls /dev/shm").prints("");
}

#[test]
fn a_set_that_was_only_given_values_is_new() {
    let Some(shell) = Sandbox::new() else { return };
    if !sees_everybody() {
        return;
    }
    // A program that prepares a set for others, and ends. 16 is SETVAL.
    shell.run("perl -e '$s = semget(0, 1, 01600); semctl($s, 0, 16, 1) or die'").ok();
    assert_eq!(found(&shell, "orphan"), "note sem:0");
    assert_eq!(fix(&shell, "orphan"), "");
    shell.run("perl -e 'semop(0, pack(\"s3\", 0, -1, 0)) or die'").ok();
    assert_eq!(found(&shell, "orphan"), "warning sem:0");
    assert_eq!(
        mend(&shell, "orphan"),
        format!("ipctool rm --kind sem --orphan --owner {} --yes", me(&shell))
    );
}

/// The user of the shell, by name where they have one.
fn me(shell: &Sandbox) -> String {
    shell.run("id -un 2> /dev/null || id -u").stdout().trim().to_owned()
}

/// Makes so many queues and sets, uses each, and ends.
fn used(number: u32) -> String {
    format!(
        "perl -e 'for (1..{number}) {{ $q = msgget(0, 01600); msgsnd($q, pack(\"l! a*\", 1, \"x\"), 0) or die; msgrcv($q, $m, 9, 0, 0) or die; \
         $s = semget(0, 1, 01600); semop($s, pack(\"s3\", 0, 1, 0)) or die }}'"
    )
}

#[test]
fn a_fix_hits_nothing_that_is_new() {
    let Some(shell) = Sandbox::new() else { return };
    if !sees_everybody() {
        return;
    }
    shell.run(&used(2)).ok();
    let one_filter = format!(
        "ipctool rm --kind sem --orphan --owner {0} --yes && ipctool rm --kind msg --orphan --owner {0} --empty --yes",
        me(&shell)
    );
    assert_eq!(only(&shell, "orphan")["fix"], one_filter);
    // A living process has made two more, which no filter can distinguish from the others.
    shell.run("ipctool create msg; ipctool create sem").ok();
    let of_warning = || {
        let found = findings(&shell, "--only orphan");
        found.into_iter().find(|one| one["severity"] == "warning").expect("it is there")
    };
    let fix = of_warning()["fix"].as_str().unwrap().to_owned();
    assert_eq!(fix, "ipctool rm msg:0 msg:1 sem:0 sem:1");
    shell.run(&fix).ok();
    shell.run("ipctool list -o ref --no-headings | tr -d ' '").prints("msg:2\nsem:2\n");
}

#[test]
fn a_thousand_objects_are_one_finding() {
    let Some(shell) = Sandbox::new() else { return };
    if !sees_everybody() {
        return;
    }
    shell.run(&used(150)).ok();
    // One of them is used, by a process that is too young to have made the others.
    shell.run("sleep 1.1").ok();
    let waiter = shell.start("exec ipctool recv 0").waits();
    let finding = only(&shell, "orphan");
    assert_eq!(finding["count"], 299, "{}", finding["why"]);
    shell.run("ipctool doctor --only orphan").exits(6).shows(&format!(
        " and 298 more  orphan\n299 objects of {}: no process is attached or waits, and every process recorded for them is gone\nfix: ",
        me(&shell)
    ));
    mend(&shell, "orphan");
    shell.run("ipctool list -o ref --no-headings | tr -d ' '").prints("msg:0\n");
    shell.run("ipctool send 0 x").ok();
    waiter.ends().exits(0);
}

#[test]
fn the_messages_of_many_orphans_are_saved() {
    let Some(shell) = Sandbox::new() else { return };
    if !sees_everybody() {
        return;
    }
    for (number, queues) in [(2, "msg:0 and 1 more"), (30, "msg:")] {
        let send = format!(
            "for i in $(seq {number}); do q=$(ipctool create msg); ipctool send $q \"message $i\"; done"
        );
        shell.run(&send).ok();
        shell.run("ipctool doctor --only orphan").exits(6).shows(queues);
        assert_eq!(only(&shell, "orphan")["count"], number);
        let fix = mend(&shell, "orphan");
        assert!(fix.starts_with("(umask 077; ") && fix.contains(" --all --then-rm "), "{fix}");
        shell.run("stat -c %a orphans.jsonl").prints("600\n");
        shell.run("ipctool list -q -o ref --no-headings").prints("");
        shell.run("grep -c message orphans.jsonl; rm orphans.jsonl").prints(&format!("{number}\n"));
    }
}

#[test]
fn a_fix_spares_what_is_kept_on_purpose() {
    let Some(shell) = Sandbox::new() else { return };
    if !sees_everybody() {
        return;
    }
    shell
        .run("ipctool create msg --key 0xbeef; ipctool send 0xbeef x; ipctool recv 0xbeef")
        .prints("msg:0\nx\n");
    shell.run(&used(30)).ok();
    let findings = findings(&shell, "--only orphan --ignore 0xbeef");
    assert_eq!(findings[0]["count"], 60);
    shell.run(findings[0]["fix"].as_str().unwrap()).exits(0);
    shell.run("ipctool list -q -o key --no-headings | tr -d ' '").prints("0x0000beef\n");
}

#[test]
fn whom_a_fix_spares_is_told_by_name() {
    let Some(shell) = Sandbox::new() else { return };
    if !only_root("only root can be two users") || !sees_everybody() {
        return;
    }
    // Their number is a key as well.
    shell.run(&used(1)).ok();
    shell.run("ipctool rm msg:0; ipctool create sem --key 65534; perl -e 'semop(1, pack(\"s3\", 0, 1, 0))'").exits(0);
    let findings = findings(&shell, "--only orphan --ignore nobody");
    assert_eq!(findings[0]["count"], 2);
    let fix = findings[0]["fix"].as_str().unwrap();
    assert_eq!(fix, "ipctool rm --kind sem --orphan --owner root --ignore nobody --yes");
    shell.run(fix).exits(0);
    shell.run("ipctool list -o ref --no-headings").prints("");
}

#[test]
fn a_user_cleans_up_their_own() {
    let Some(shell) = Sandbox::new() else { return };
    const SOMEBODY: u32 = 4711;
    let make = "perl -e 'for (1..25) { $s = semget(0, 1, 01600); semop($s, pack(\"s3\", 0, 1, 0)) or die }'";
    shell.run("ipctool create sem").ok();
    let Some(ran) = shell.run_as(SOMEBODY, make) else { return };
    ran.ok();
    let doctor = "ipctool doctor --only orphan --json";
    let findings = diagnosis::of(&shell.run_as(SOMEBODY, doctor).unwrap());
    assert_eq!(findings.len(), 1, "of root's it is not known");
    let fix = findings[0]["fix"].as_str().unwrap();
    assert_eq!(fix, "ipctool rm --kind sem --orphan --owner 4711 --yes");
    shell.run_as(SOMEBODY, fix).unwrap().exits(0);
    shell.run("ipctool list -s -o ref --no-headings | tr -d ' '").prints("sem:0\n");
}

#[test]
fn doctor_finds_what_nobody_holds() {
    let Some(shell) = Sandbox::with_posix() else { return };
    if !sees_everybody() {
        return;
    }
    shell.run("./posix /mp-x1b2c3 sem_open 1; ipctool create pshm --name '/a b' --size 1; ipctool create pmsg --name /q; ipctool send /q x").ok();
    // Just made, they may be about to be used.
    shell.run("ipctool doctor --only orphan").exits(0).shows("about to use");
    let age = "touch -d '2 hours ago' /dev/shm/*; \
               unshare -m sh -c 'mount -t mqueue none /mnt && touch -d \"2 hours ago\" /mnt/q'";
    shell.run(age).ok();
    let save = "(umask 077; ipctool recv pmsg:/q --all --then-rm --json >> pmsg--q.jsonl)";
    let me = shell.run("id -un").stdout();
    let me = me.trim();
    let remove =
        format!("ipctool rm --kind pshm --kind psem --orphan --owner {me} --idle 1h --yes");
    assert_eq!(
        shell.run("ipctool doctor --only orphan --json").fields("refs severity fix"),
        json!([
            [["pmsg:/q"], "warning", save],
            [["pshm:/a b", "psem:/mp-x1b2c3"], "warning", remove],
        ])
    );
    for finding in shell.run("ipctool doctor --skip remove-ipc --json").records() {
        shell.run(finding["fix"].as_str().expect("a fix")).exits(0);
    }
    shell.run("ipctool list; ipctool doctor --skip remove-ipc").prints("");
    shell.run("cat pmsg--q.jsonl").shows("\"text\":\"x\"");
    shell.run("ipctool create pmsg --name /full --max-messages 1; ipctool send /full x").ok();
    shell
        .run("ipctool doctor --only queue-full")
        .exits(6)
        .shows("it holds 1 of 1 message (mq_maxmsg)");
}
