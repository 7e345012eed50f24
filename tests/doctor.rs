//! `ipctool doctor`: for each check a case that triggers it, and the nearest that must not.

mod diagnosis;
mod sandbox;

use diagnosis::{USED, all_found, findings, found, mend, only};
use sandbox::{ATTACH, NOBODY, Sandbox, is_root, sees_everybody};

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
fn a_failed_ftok() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --key 0xfffffffe").ok();
    assert_eq!(found(&shell, "ftok-failed"), "");
    shell.run("ipctool create shm --size 1 --key 0xffffffff").ok();
    assert_eq!(found(&shell, "ftok-failed"), "warning shm:0");
    mend(&shell, "ftok-failed");
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
    if !sees_everybody() {
        return;
    }
    mend(&shell, "dead-sender-backlog");
    shell.run("ipctool list -q -o ref --no-headings").prints("");
    shell
        .run("cat msg-0.jsonl")
        .prints("{\"ref\":\"msg:0\",\"type\":1,\"size\":1,\"text\":\"x\"}\n");
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
    shell.run("ipctool list -q -o ref --no-headings").prints("");
    shell.run("cat msg-0.jsonl").shows("\"text\":\"x\"");
}

#[test]
fn what_was_made_just_now_is_no_warning() {
    let Some(shell) = Sandbox::new() else { return };
    if !sees_everybody() {
        return;
    }
    shell.run("ipctool create shm --size 1; ipctool create sem; ipctool create msg").ok();
    shell.run("ipctool doctor --only orphan").exits(0);
    assert_eq!(found(&shell, "orphan"), "note msg:0", "one finding");
    assert_eq!(only(&shell, "orphan")["count"], 3);
    shell.run("ipctool rm --all --yes").exits(0);
    shell.run("ipctool create pshm --name /new --size 1; ipctool create psem --name /new").ok();
    shell.run("ipctool doctor --only orphan").exits(0).shows("about to use");
    assert_eq!(only(&shell, "orphan")["fix"], serde_json::Value::Null);
    // What nobody has touched for hours is another matter.
    shell.run("touch -d '2 hours ago' /dev/shm/*").ok();
    assert_eq!(found(&shell, "orphan"), "warning pshm:/new");
    mend(&shell, "orphan");
    shell.run("ls /dev/shm").prints("");
}

#[test]
fn a_thousand_objects_are_one_finding() {
    let Some(shell) = Sandbox::new() else { return };
    if !sees_everybody() {
        return;
    }
    shell.run("for i in $(seq 150); do ipctool create msg; ipctool create sem; done").exits(0);
    // One of them is used, by a process that is too young to have made the others.
    shell.run("sleep 1.1").ok();
    let waiter = shell.start("exec ipctool recv 0").waits();
    let finding = only(&shell, "orphan");
    assert_eq!(finding["count"], 299, "{}", finding["why"]);
    shell
        .run("ipctool doctor --only orphan")
        .exits(0)
        .shows(" and 298 more  orphan\n299 objects of root: nobody has used them yet\nfix: ");
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
        mend(&shell, "orphan");
        shell.run("ipctool list -q -o ref --no-headings").prints("");
        shell.run("grep -c message orphans.jsonl; rm orphans.jsonl").prints(&format!("{number}\n"));
    }
}

#[test]
fn memory_of_a_removed_segment() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("attach", ATTACH);
    shell.run("ipctool create shm --size 64K").ok();
    let holder = shell.start("exec ./attach 0 > out");
    shell.run("until [ -s out ]; do sleep 0.01; done").ok();
    assert_eq!(found(&shell, "marked-attached"), "");
    shell.run("ipcrm -m 0").ok();
    assert_eq!(found(&shell, "marked-attached"), "note shm:0");
    shell
        .run("ipctool doctor --only marked-attached")
        .exits(0)
        .shows("its 64K stay in memory")
        .shows("(./attach 0)");
    let finding = only(&shell, "marked-attached");
    assert_eq!(finding["fix"], serde_json::Value::Null, "many programs mean it so");
    assert_eq!(finding["pids"].as_array().unwrap().len(), 1);
    drop(holder);
    assert_eq!(found(&shell, "marked-attached"), "");
}

#[test]
fn a_fix_is_fit_for_whoever_asks() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --mode 666 > /dev/null; ipctool create sem --mode 400").exits(0);
    let ask = "ipctool doctor --only world-writable,locked-out --json";
    let Some(ran) = shell.run_as(NOBODY, ask) else { return };
    let theirs: Vec<_> = diagnosis::of(&ran).into_iter().map(|one| one["fix"].clone()).collect();
    assert_eq!(theirs, ["sudo ipctool chmod o-w msg:0", "sudo ipctool chmod u+rw sem:0"]);
    let mine = findings(&shell, "--only world-writable,locked-out");
    assert_eq!(mine[0]["fix"], "ipctool chmod o-w msg:0");
    shell.run(mine[0]["fix"].as_str().unwrap()).exits(0);
    shell.run(mine[1]["fix"].as_str().unwrap()).exits(0);
    assert_eq!(findings(&shell, "--only world-writable,locked-out").len(), 0);
    // Their own they can mend.
    shell
        .run_as(NOBODY, "ipctool create msg --mode 662; ipctool create msg --mode 602")
        .unwrap()
        .ok();
    let fix = diagnosis::of(&shell.run_as(NOBODY, ask).unwrap())[0]["fix"].clone();
    shell.run_as(NOBODY, fix.as_str().unwrap()).unwrap().exits(0);
    assert_eq!(findings(&shell, "--only world-writable,locked-out").len(), 0, "after {fix}");
}

#[test]
fn no_two_fixes_for_one_object() {
    let Some(shell) = Sandbox::new() else { return };
    if !sees_everybody() {
        return;
    }
    // Never used, which is no more than a note.
    shell.run("ipctool create msg --mode 666").ok();
    assert_eq!(all_found(&shell), "warning msg:0 world-writable");
    shell.run("ipctool doctor --only world-writable").shows("fix: ipctool chmod o-w msg:0\n");
    // Left over: what is removed needs no other mode.
    shell.run(USED).ok();
    assert_eq!(all_found(&shell), "warning msg:0 orphan, warning msg:0 world-writable");
    let findings = findings(&shell, "--skip remove-ipc");
    assert_eq!(findings[1]["fix"], serde_json::Value::Null, "{}", findings[1]);
    shell.run(findings[0]["fix"].as_str().unwrap()).exits(0);
    assert_eq!(all_found(&shell), "");
    // Two reasons to remove it are one removal.
    shell.run("ipctool create msg --key 0xffffffff; ipctool send 0xffffffff x").exits(0);
    assert_eq!(all_found(&shell), "warning msg:1 ftok-failed");
    mend(&shell, "ftok-failed");
    shell.run("wc -l < msg-1.jsonl; ipctool list -o ref --no-headings").prints("1\n");
}

#[test]
fn odd_names_are_quoted() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pshm --name '/two words;$x' --size 1 --mode 606").ok();
    mend(&shell, "world-writable");
    shell.run("stat -c %a '/dev/shm/two words;$x'").prints("604\n");
}

#[test]
fn a_person_reads_a_few_lines() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --mode 662; ipctool create shm --size 1 --mode 600").ok();
    let text = "warning  msg:0  world-writable\n\
                mode 0662 lets every user write it\n\
                fix: ipctool chmod o-w msg:0\n";
    for format in ["", "--format plain", "--format table"] {
        let ran = shell.run(&format!("ipctool doctor --only world-writable {format}")).exits(6);
        assert_eq!(ran.stdout(), text, "{format}");
    }
    let coloured = shell.run("ipctool doctor --only world-writable --color always").stdout();
    assert!(coloured.starts_with("\x1b[33;1mwarning\x1b[0m  msg:0"), "{coloured:?}");
    shell.run("ipctool chmod 606 shm:0").exits(0);
    shell.run("ipctool doctor --only world-writable").exits(6).shows(
        "warning  msg:0 and 1 more  world-writable\n\
         2 objects of ",
    );
    shell
        .run("ipctool doctor --only world-writable --format tsv")
        .exits(6)
        .shows("world-writable\twarning\tmsg:0\t");
}

#[test]
fn a_healthy_system_gets_a_line_on_a_terminal() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool doctor --only world-writable").prints("");
    shell
        .run("script -qec 'ipctool doctor --only world-writable --color never' /dev/null")
        .exits(0)
        .shows("nothing is wrong: 1 check, 0 objects");
}

#[test]
fn objects_that_vanish_at_logout() {
    if !is_root() {
        eprintln!("skipped: only root can be a user with a login");
        return;
    }
    let (Some(shell), Some(other)) = (Sandbox::new(), Sandbox::new()) else { return };
    let with = |setting: &str| {
        let line = format!(
            "unshare --mount sh -c 'mkdir -p /etc/systemd; mount -t tmpfs none /etc/systemd; \
             echo \"[Login]\" > /etc/systemd/logind.conf; mkdir /etc/systemd/logind.conf.d; \
             printf \"[Login]\\n{setting}\\n\" > /etc/systemd/logind.conf.d/x.conf; \
             ipctool doctor --only remove-ipc --json'"
        );
        diagnosis::of(&shell.run(&line)).len()
    };
    // A program of that name.
    let logind = |shell: &Sandbox| {
        let started =
            shell.start("cp $(command -v sleep) systemd-logind; exec ./systemd-logind 60");
        shell.run("until pidof systemd-logind > /dev/null; do sleep 0.01; done").ok();
        started
    };
    shell.run("ipctool create msg; ipctool chown 4711 msg:0").exits(0);
    assert_eq!(with(""), 0, "there is no logind");
    let elsewhere = logind(&other);
    assert_eq!(with(""), 0, "its objects are others");
    drop(elsewhere);
    let _here = logind(&shell);
    assert_eq!(with(""), 1, "it is the default");
    assert_eq!(with("RemoveIPC=yes"), 1);
    assert_eq!(with("RemoveIPC=no"), 0);
    let ran = shell.run_as(NOBODY, "ipctool doctor --only remove-ipc").unwrap();
    assert_eq!(ran.exits(0).stdout(), "", "to others its namespace is not known");
    shell.run("ipctool chown 0 msg:0").exits(0);
    assert_eq!(with(""), 0, "only root owns something");
}

#[test]
fn checks_are_chosen_by_name() {
    let Some(shell) = Sandbox::new() else { return };
    let listed = shell.run("ipctool doctor --list-checks").ok().stdout();
    for check in ["queue-full ", "deadlock ", "nobody-reads-type ", "queue-near-full ", "orphan "] {
        assert!(listed.lines().any(|line| line.starts_with(check)), "{check}{listed}");
    }
    shell.run("ipctool create msg --key 0xffffffff --mode 666").ok();
    let names = |options: &str| {
        let mut names: Vec<_> =
            findings(&shell, options).into_iter().map(|one| one["check"].clone()).collect();
        names.sort_by_key(|name| name.to_string());
        names
    };
    assert_eq!(names("--only ftok-failed,world-writable"), ["ftok-failed", "world-writable"]);
    assert_eq!(names("--only ftok-failed,world-writable --skip ftok-failed"), ["world-writable"]);
    shell.run("ipctool doctor --only pizza").exits(2).says("ftok-failed");
    shell.run("ipctool doctor --only ftok-failed > /dev/full").exits(1).says("(ENOSPC)");
}

#[test]
fn what_is_kept_on_purpose_is_no_finding() {
    let Some(shell) = Sandbox::new() else { return };
    let make = "ipctool create msg --key 0xbeef --mode 606; ipctool create shm --key 0xcafe --size 1 --mode 606; ipctool create pshm --name /kept --size 1 --mode 606";
    shell.run(make).ok();
    let left = |options: &str| {
        let found = findings(&shell, &format!("--only world-writable {options}"));
        found.iter().map(|one| one["count"].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!(left(""), 3);
    assert_eq!(left("--ignore 0xbeef"), 2);
    assert_eq!(left("--ignore 48879 --ignore /kept"), 1);
    assert_eq!(left("--ignore 0xbeef,0xcafe,/kept"), 0);
    let me = shell.run("id -un").stdout();
    assert_eq!(left(&format!("--ignore {}", me.trim())), 0);
    let uid = shell.run("id -u").stdout();
    assert_eq!(left(&format!("--ignore {}", uid.trim())), 0);
    shell.run("ipctool doctor --ignore pizza").exits(2).says("'pizza' is not a key");
    shell.run("ipctool doctor --ignore 0x0").exits(2).says("IPC_PRIVATE");
}

#[test]
fn a_fix_spares_what_is_kept_on_purpose() {
    let Some(shell) = Sandbox::new() else { return };
    if !sees_everybody() {
        return;
    }
    shell
        .run("ipctool create msg --key 0xbeef; for i in $(seq 30); do ipctool create msg; done")
        .exits(0);
    let findings = findings(&shell, "--only orphan --ignore 0xbeef");
    assert_eq!(findings[0]["count"], 30);
    shell.run(findings[0]["fix"].as_str().unwrap()).exits(0);
    shell.run("ipctool list -q -o key --no-headings | tr -d ' '").prints("0x0000beef\n");
}

#[test]
fn a_user_cleans_up_their_own() {
    let Some(shell) = Sandbox::new() else { return };
    const SOMEBODY: u32 = 4711;
    let make = "for i in $(seq 25); do ipctool create sem; done > /dev/null";
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
