//! `ipctool doctor`: for each check a case that triggers it, and the nearest that must not. Orphans,
//! queues, semaphores, memory and limits have files of their own.

mod diagnosis;
mod sandbox;

use diagnosis::{USED, all_found, findings, fix, found, mend, only};
use sandbox::{NOBODY, Sandbox, is_root, only_root, sees_everybody};

#[test]
fn a_healthy_system_is_quiet() {
    let Some(shell) = Sandbox::new() else { return };
    let ran = shell.run("ipctool doctor --skip remove-ipc").exits(0);
    assert_eq!(ran.stdout(), "");
    shell.run("ipctool doctor --skip remove-ipc --json").exits(0).shows("[]\n");
    // A queue that a living process uses.
    shell.compile("use");
    shell.run("ipctool create msg").ok();
    let _sender = shell.start("exec ./use msg 0").ready();
    shell.run("ipctool doctor --skip remove-ipc").exits(0).lacks("msg:0");
}

#[test]
fn a_failed_ftok() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --key 0xfffffffe").ok();
    assert_eq!(found(&shell, "ftok-failed"), "");
    shell.run("ipctool create msg --key 0xffffffff").exits(0);
    assert_eq!(found(&shell, "ftok-failed"), "warning msg:1");
    assert_eq!(fix(&shell, "ftok-failed"), "", "its creator may be about to use it");
    if !sees_everybody() {
        return;
    }
    shell.run("ipctool send 1 x; ipctool recv 1").exits(0);
    let fix = mend(&shell, "ftok-failed");
    assert!(fix.contains(" --orphan --owner ") && fix.contains(" --key 0xffffffff "), "{fix}");
    shell.run("ipctool list -q -o ref --no-headings").prints("msg:0\n");
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
    shell.run("ipctool doctor --only locked-out").exits(6).shows("does not let its owner write it");
    mend(&shell, "world-writable");
    mend(&shell, "locked-out");
}

#[test]
fn processes_that_need_a_mode_are_named() {
    let Some(shell) = Sandbox::new() else { return };
    if !only_root("only root can be two users") {
        return;
    }
    shell.compile("use");
    shell.run("ipctool create shm --size 1 --mode 666").ok();
    let attached =
        |who: &str| shell.start(&format!("exec setpriv {who} --clear-groups ./use shm 0")).ready();
    let theirs = attached("--reuid 65534 --regid 65534");
    let finding = only(&shell, "world-writable");
    assert_eq!(finding["fix"], serde_json::Value::Null);
    assert_eq!(finding["pids"].as_array().unwrap().len(), 1);
    let words = finding["why"].as_str().unwrap();
    assert!(words.contains(" (./use shm 0)"), "{words}");
    drop(theirs);
    // Its group has bits of its own, and root needs none.
    let _group = attached("--reuid 65534 --regid 0");
    let _root = attached("--reuid 0 --regid 65534");
    assert_eq!(fix(&shell, "world-writable"), "ipctool chmod o-w shm:0");
}

#[test]
fn messages_from_the_dead() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("use");
    shell.run("ipctool create msg").ok();
    let sender = shell.start("exec ./use msg 0").ready();
    assert_eq!(found(&shell, "dead-sender-backlog"), "");
    drop(sender);
    assert_eq!(found(&shell, "dead-sender-backlog"), "warning msg:0");
    if !sees_everybody() {
        return;
    }
    let fix = mend(&shell, "dead-sender-backlog");
    assert_eq!(fix, "(umask 077; ipctool recv msg:0 --all --then-rm --json >> msg-0.jsonl)");
    // What only its owner could read stays so.
    shell.run("stat -c %a msg-0.jsonl").prints("600\n");
    shell.run("ipctool list -q -o ref --no-headings").prints("");
    shell
        .run("cat msg-0.jsonl")
        .prints("{\"ref\":\"msg:0\",\"type\":1,\"size\":1,\"text\":\"x\"}\n");
}

#[test]
fn memory_of_a_removed_segment() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("use");
    shell.run("ipctool create shm --size 64K --key 0xabc").ok();
    let holder = shell.start("exec ./use shm 0").ready();
    assert_eq!(found(&shell, "marked-attached"), "");
    shell.run("ipcrm -m 0").ok();
    assert_eq!(found(&shell, "marked-attached"), "note shm:0");
    shell
        .run("ipctool doctor --only marked-attached")
        .exits(0)
        .shows("marked for destruction (key 0x00000abc until then), but still attached")
        .shows("its 64K stay in memory")
        .shows("(./use shm 0)");
    let finding = only(&shell, "marked-attached");
    assert_eq!(finding["fix"], serde_json::Value::Null, "many programs mean it so");
    assert_eq!(finding["pids"].as_array().unwrap().len(), 1);
    drop(holder);
    assert_eq!(found(&shell, "marked-attached"), "");
}

#[test]
fn a_fix_works_for_the_caller() {
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
    assert_eq!(all_found(&shell), "warning msg:0 world-writable, note msg:0 orphan");
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
                mode 0662 lets every user write to it\n\
                fix: ipctool chmod o-w msg:0\n";
    for format in ["", "--format plain", "--format table"] {
        let ran = shell.run(&format!("ipctool doctor --only world-writable {format}")).exits(6);
        assert_eq!(ran.stdout(), text, "{format}");
    }
    let coloured = shell.run("ipctool doctor --only world-writable --color always").stdout();
    assert!(coloured.starts_with("\x1b[1m\x1b[35mwarning\x1b[0m  msg:0"), "{coloured:?}");
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
fn what_cannot_be_looked_at_is_not_healthy() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool doctor --skip remove-ipc").exits(0);
    if !only_root("only root can be two users") {
        return;
    }
    shell.run("mkdir -m 700 /dev/shm/closed").ok();
    let doctor = "ipctool doctor --only shm-full --color never";
    shell.run_as(NOBODY, doctor).unwrap().exits(1).says("cannot read /dev/shm/closed: ");
    let ran = shell.run_as(NOBODY, &format!("script -qec '{doctor}' /dev/null")).unwrap();
    ran.exits(1).lacks("nothing is wrong");
    // A finding is the more important thing to tell.
    shell.run("ipctool create msg --key 0xffffffff --mode 606").exits(0);
    let both = "ipctool doctor --only shm-full,world-writable";
    shell.run_as(NOBODY, both).unwrap().exits(6);
    shell.run("rmdir /dev/shm/closed; ipctool rm msg:0").ok();
    shell.run_as(NOBODY, doctor).unwrap().exits(0);
}

#[test]
fn kinds_that_cannot_be_listed_are_not_healthy() {
    // Nobody may mount the POSIX queues.
    let Some(shell) = Sandbox::prepared("") else { return };
    let doctor = "ipctool doctor --only world-writable --color never";
    let run = |line: &str| match is_root() {
        true => shell.run_as(NOBODY, line).expect("root can"),
        false => shell.run(line),
    };
    run(doctor).exits(1).says("POSIX");
    run(&format!("script -qec '{doctor}' /dev/null")).exits(1).lacks("nothing is wrong");
}

#[test]
fn objects_that_vanish_at_logout() {
    if !only_root("only root can be a user with a login") {
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
        shell.wait_until("pidof systemd-logind");
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
    shell.run("ipctool create msg --key 0xffffffff --mode 666").exits(0);
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
