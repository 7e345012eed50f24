//! `ipctool rm`

mod sandbox;

use sandbox::{NOBODY, Sandbox};
use serde_json::json;

/// Two queues (the first with key 0xbeef), a segment and a set.
fn some() -> Option<Sandbox> {
    let shell = Sandbox::new()?;
    shell.run("ipctool create msg --key 0xbeef && ipctool create msg").ok();
    shell.run("ipctool create shm --size 5 && ipctool create sem --key 7").ok();
    Some(shell)
}

fn left(shell: &Sandbox) -> String {
    let listed = shell.run("ipctool list -o ref --format csv --no-headings").ok().stdout();
    listed.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn by_reference_and_with_the_flags_of_ipcrm() {
    let Some(shell) = some() else { return };
    shell.run("ipctool rm msg:0xbeef shm:0").prints("");
    assert_eq!(left(&shell), "msg:1 sem:0");
    shell.run("ipctool rm -q 0x1 -S 07 -v").prints("msg:1\nsem:0\n");
    assert_eq!(left(&shell), "");
}

#[test]
fn what_can_be_removed_is_and_each_failure_is_reported() {
    let Some(shell) = some() else { return };
    shell
        .run("ipctool rm msg:9 msg:0 sem:0x99 msg:1")
        .exits(3)
        .says("ipctool: rm msg:9: no such message queue (EINVAL)\n")
        .says("ipctool: rm sem:0x00000099: no semaphore set has this key (ENOENT)\n");
    assert_eq!(left(&shell), "shm:0 sem:0");
    shell.run("ipctool rm msg:9 --force").prints("");
    shell.run("ipctool rm msg:0x99 sem:0 --force -v").prints("sem:0\n");
}

#[test]
fn an_object_named_twice_is_removed_once() {
    let Some(shell) = some() else { return };
    shell.run("ipctool rm msg:0 msg:0xbeef -q 0 -v").prints("msg:0\n");
}

#[test]
fn bad_input_removes_nothing() {
    let Some(shell) = some() else { return };
    shell.run("ipctool rm msg:0 nonsense").exits(2).says("'nonsense' is not a reference");
    shell.run("ipctool rm msg:0 msg:0x0").exits(2).says("IPC_PRIVATE, which names no object");
    shell.run("ipctool rm msg:0 -q x").exits(2).says("'x' is not an id");
    shell
        .run("ipctool rm msg:0 --all")
        .exits(2)
        .says("references cannot be combined with a filter or --all");
    shell.run("ipctool rm --all pizza --yes").exits(2).says("'pizza'");
    shell.run("ipctool rm --all --owner no-such-user --yes").exits(2).says("there is no user");
    shell.run("ipctool rm").exits(2).says("nothing to remove: give a REF, a filter or --all");
    assert_eq!(left(&shell), "msg:0 msg:1 shm:0 sem:0");
}

#[test]
fn a_dry_run_prints_what_would_go() {
    let Some(shell) = some() else { return };
    let table = shell.run("ipctool rm --all --dry-run").ok().stdout();
    let first: Vec<_> = table.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(first, ["REF", "msg:0", "msg:1", "shm:0", "sem:0"]);
    shell.run("ipctool rm --empty --key 0xbeef -n").ok().shows(" no messages; key\n");
    shell.run("ipctool rm msg:0xbeef -n").prints("msg:0\n");
    assert_eq!(left(&shell), "msg:0 msg:1 shm:0 sem:0");
}

#[test]
fn all_of_some_kinds() {
    let Some(shell) = some() else { return };
    let ran = shell.run("ipctool rm --all msg sem --yes --verbose").exits(0);
    assert_eq!(ran.stdout(), "msg:0\nmsg:1\nsem:0\n");
    assert_eq!(ran.stderr(), "ipctool: rm: removed 2 message queues, 1 semaphore set\n");
    assert_eq!(left(&shell), "shm:0");
    assert_eq!(shell.run("ipctool rm -a -y").exits(0).stdout(), "");
    assert_eq!(left(&shell), "");
    shell.run("ipctool rm -a -y").prints("");
}

#[test]
fn by_filter() {
    let Some(shell) = some() else { return };
    shell.run("ipctool send 0 keep").ok();
    assert_eq!(shell.run("ipctool rm --kind msg --empty -y -v").exits(0).stdout(), "msg:1\n");
    shell.run("ipctool rm --key 7 --owner 4711 -y -v").prints("");
    shell.run("ipctool rm --key 7 --owner \"$(id -u)\" -y -v").exits(0).shows("sem:0\n");
    shell.run("ipctool rm --idle 1h -y -v").prints("");
    assert_eq!(left(&shell), "msg:0 shm:0");
}

#[test]
fn many_at_once_only_with_consent() {
    let Some(shell) = some() else { return };
    shell.run("ipctool rm --all").exits(2).says("needs --yes if there is no terminal to ask on");
    shell.run("ipctool rm --empty < /dev/null").exits(2).says("needs --yes");
    assert_eq!(left(&shell), "msg:0 msg:1 shm:0 sem:0");
    let asked = shell.run("(sleep 0.3; echo n) | script -qec 'ipctool rm --all' /dev/null");
    asked.shows("remove 2 message queues, 1 shared memory segment, 1 semaphore set? [y/N]");
    assert_eq!(left(&shell), "msg:0 msg:1 shm:0 sem:0");
    shell.run("(sleep 0.3; echo y) | script -qec 'ipctool rm --all msg' /dev/null").shows("[y/N]");
    assert_eq!(left(&shell), "shm:0 sem:0");
    let unasked = shell.run("script -qec 'ipctool rm shm:0' /dev/null").exits(0);
    assert_eq!(unasked.stdout(), "");
}

#[test]
fn a_segment_in_use_is_only_marked() {
    let Some(shell) = some() else { return };
    shell
        .run_while_attached(0, "ipctool rm shm:0 --json; ipctool list -m -o ref,status --json")
        .shows("{\"removed\":[],\"marked\":[\"shm:0\"],\"failed\":[]}\n")
        .shows("\"status\":[\"dest\"]")
        .says("rm shm:0: still attached 1 time, so it was only marked for destruction; the kernel removes it when");
    assert_eq!(left(&shell), "msg:0 msg:1 sem:0");
}

#[test]
fn the_report_for_scripts() {
    let Some(shell) = some() else { return };
    let report = shell.run("ipctool rm msg:0 msg:9 --json").exits(3).json();
    assert_eq!(report["removed"], json!(["msg:0"]));
    assert_eq!(report["marked"], json!([]));
    assert_eq!(report["failed"][0]["ref"], "msg:9");
    assert_eq!(report["failed"][0]["error"], "no such message queue (EINVAL)");
    assert_eq!(report["failed"][0]["errno"], "EINVAL");
    let report = shell.run("ipctool rm --all -y --json").json();
    assert_eq!(report["removed"], json!(["msg:1", "shm:0", "sem:0"]));
}

#[test]
fn an_id_that_names_nothing_says_why() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool rm msg:5").exits(3).says("hint: this IPC namespace has no message queues\n");
    // The kernel reuses a slot only after at least 64 others: use all of them.
    shell.run("perl -e 'for (1..64) { $q = msgget(0, 0600); msgctl($q, 0, 0) }'").ok();
    shell.run("ipctool create msg").prints("msg:32768\n");
    shell
        .run("ipctool rm msg:0")
        .exits(3)
        .says("hint: msg:0 was removed: its slot 0 now holds a newer one, msg:32768\n");
    shell
        .run("ipctool rm msg:65536")
        .exits(3)
        .says("hint: msg:65536 never existed: its slot 0 holds an older one, msg:32768\n");
    shell
        .run("ipctool rm msg:7")
        .exits(3)
        .says("hint: it was removed, or never existed; to see what exists: ipctool list msg\n");
}

#[test]
fn what_belongs_to_others_stays() {
    let Some(shell) = some() else { return };
    let Some(ran) = shell.run_as(NOBODY, "ipctool rm msg:0") else { return };
    ran.exits(5)
        .says("rm msg:0: only its owner, its creator or a privileged process may do this (EPERM)\n")
        .says(
            "hint: msg:0 has mode 0600 (rw-------), owner root:root, creator root; you are nobody (uid 65534) without CAP_",
        );
    let mixed = shell.run_as(NOBODY, "ipctool rm msg:0 msg:99").unwrap();
    mixed.exits(1);
    assert_eq!(left(&shell), "msg:0 msg:1 shm:0 sem:0");
}

#[test]
fn what_cannot_be_printed_is_removed_all_the_same() {
    let Some(shell) = some() else { return };
    shell.run("ipctool rm -v msg:0 msg:1 > /dev/full").exits(1).says("(ENOSPC)");
    assert_eq!(left(&shell), "shm:0 sem:0");
    shell.run("(sleep 0.2; ipctool rm --all -y -v; echo $? >&2) | true").says("\n0\n");
    assert_eq!(left(&shell), "");
    shell.run("(sleep 0.2; ipctool rm -v msg:9 msg:10; echo $? >&2) | true").says("\n3\n");
    shell.run("ipctool create msg").ok();
    shell.run("(sleep 0.2; ipctool rm -v msg:2 msg:9; echo $? >&2) | true").says("\n3\n");
}

#[test]
fn a_dry_run_looks_for_what_it_names() {
    let Some(shell) = some() else { return };
    shell.run("ipctool rm -n msg:9 msg:1").exits(3).shows("msg:1\n").says("rm msg:9: no such");
}

#[test]
fn what_changed_while_it_was_asked_about_is_spared() {
    let Some(shell) = some() else { return };
    shell
        .run("(sleep 0.5; ipctool send 0 precious; echo y) | script -qec 'ipctool rm --empty' /dev/null")
        .shows("remove 2 message queues?");
    assert_eq!(left(&shell), "msg:0 shm:0 sem:0");
}

#[test]
fn what_is_kept_on_purpose_stays() {
    let Some(shell) = Sandbox::new() else { return };
    let make = "for key in 0xbeef 0xcafe; do ipctool create msg --key $key; done; ipctool create psem --name /kept; ipctool create psem --name /other";
    shell.run(make).ok();
    shell.run("ipctool rm --all --ignore 0xbeef --ignore /kept --yes").exits(0);
    let left = "ipctool list -o ref --no-headings | tr -d ' '";
    shell.run(left).prints("msg:0\npsem:/kept\n");
    // --ignore alone does not select all other objects.
    shell
        .run("ipctool rm --ignore 0xbeef --yes")
        .exits(2)
        .says("nothing to remove: give a REF, a filter or --all");
    shell
        .run("ipctool rm msg:0 --ignore 0xbeef")
        .exits(2)
        .says("references cannot be combined with a filter");
    shell.run("ipctool rm --all --ignore $(id -un) --yes").exits(0);
    shell.run("ipctool rm --all --ignore no-such-user --yes").exits(2).says("is not a key");
    shell.run(left).prints("msg:0\npsem:/kept\n");
}

/// Each look at a POSIX queue changes its modification time.
#[test]
fn what_was_only_looked_at_is_as_it_was() {
    let Some(shell) = Sandbox::with_posix() else { return };
    let make = "ipctool create msg; ipctool create shm --size 5; ipctool create sem; \
                ipctool create pmsg --name /q; ipctool create pshm --name /m --size 5; \
                ipctool create psem --name /s; sleep 1.1; ipctool list; ipctool stat pmsg:/q; sleep 1.1";
    shell.run(make).exits(0);
    shell.run("ipctool rm --all --yes").exits(0).says("ipctool: rm: removed 1 message queue, ");
    shell.run("ipctool list --json").prints("[]\n");
    shell.run(make).exits(0);
    // Who waits on a queue of System V, an ordinary user cannot always see.
    shell.run("ipctool rm msg:1; ipctool rm --orphan=likely --yes").exits(0).denies("not removed");
    shell.run("ipctool list --json").prints("[]\n");
}
