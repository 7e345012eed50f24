//! `ipctool doctor` on shared memory as a whole: `/dev/shm`, and segments that vanish.

mod diagnosis;
mod sandbox;

use diagnosis::{found, mend};
use sandbox::{NOBODY, Sandbox, is_root, only_root};

/// The severity, the reason and the fix of the only finding of a check; empty where there is no fix.
#[track_caller]
fn only(shell: &Sandbox, check: &str) -> (String, String, String) {
    let finding = diagnosis::only(shell, check);
    let text = |field: &str| finding[field].as_str().unwrap_or_default().to_owned();
    (text("severity"), text("why"), text("fix"))
}

/// A sandbox whose `/dev/shm` has these limits.
fn with_dev_shm(options: &str) -> Option<Sandbox> {
    let shell = Sandbox::privileged()?;
    shell.run(&format!("mount -t tmpfs -o mode=1777,{options} tmpfs /dev/shm")).ok();
    Some(shell)
}

#[test]
fn dev_shm_that_is_short_of_bytes() {
    let Some(shell) = with_dev_shm("size=1M") else { return };
    shell.run("head -c 700K /dev/zero > /dev/shm/data").ok();
    assert_eq!(found(&shell, "shm-full"), "");
    shell.run("ipctool doctor --only shm-full --threshold 60").exits(6);
    shell.run("head -c 900K /dev/zero > /dev/shm/data").ok();
    let (severity, why, fix) = only(&shell, "shm-full");
    assert_eq!(severity, "warning");
    assert!(why.starts_with("921600 of 1048576 bytes are used in /dev/shm, 88 %"), "{why}");
    let remount = "mount -o remount,size=2097152 /dev/shm";
    if is_root() {
        assert_eq!(fix, remount);
    }
    shell.run("cat /dev/zero > /dev/shm/data").exits(1);
    assert_eq!(only(&shell, "shm-full").0, "error");
    if !only_root("only root can mount a tmpfs again") {
        assert_eq!(fix, "", "root of a user namespace cannot");
        return;
    }
    // No fix is suggested that not even root can run here.
    let doctor = "ipctool doctor --only shm-full --json";
    let fix_by =
        |prefix: &str| shell.run(&format!("{prefix} {doctor}")).fields("fix")[0][0].clone();
    for powerless in ["unshare --user --map-root-user", "setpriv --bounding-set -sys_admin"] {
        assert_eq!(fix_by(powerless), serde_json::Value::Null, "{powerless}");
    }
    let ran = shell.run_as(NOBODY, doctor).expect("root can");
    assert_eq!(ran.fields("fix")[0][0], format!("sudo {remount}"));
    mend(&shell, "shm-full");
}

#[test]
fn dev_shm_that_promised_more_than_it_has() {
    let Some(shell) = with_dev_shm("size=1M") else { return };
    shell.run("head -c 256K /dev/zero > /dev/shm/data").ok();
    shell.run("ipctool create pshm --name /fits --size 768K").ok();
    assert_eq!(found(&shell, "shm-full"), "");
    // By one byte.
    shell.run("ipctool create pshm --name /more --size 1").ok();
    let (severity, why, fix) = only(&shell, "shm-full");
    // Many programs create files far larger than what they ever touch.
    assert_eq!((severity.as_str(), fix.as_str()), ("warning", ""));
    assert!(
        why.starts_with("the files in /dev/shm are 786433 bytes larger than the memory that they hold, and 786432 bytes are left: a process that touches more gets SIGBUS"),
        "{why}"
    );
    shell.run("ipctool rm pshm:/more").ok();
    assert_eq!(found(&shell, "shm-full"), "");
    // No process can open a deleted file, but one that holds it can touch its memory.
    let ran = shell.run(
        "exec 9<> /dev/shm/big; truncate -s 1G /dev/shm/big; rm /dev/shm/big; \
         ipctool doctor --only shm-full",
    );
    ran.exits(6).shows("bytes larger than the memory that they hold");
}

#[test]
fn dev_shm_that_is_short_of_inodes() {
    let Some(shell) = with_dev_shm("nr_inodes=20") else { return };
    // The directory itself has one.
    shell.run("for i in $(seq 14); do echo > /dev/shm/$i; done").ok();
    assert_eq!(found(&shell, "shm-full"), "");
    shell.run("mkdir /dev/shm/directory").ok();
    let (severity, why, fix) = only(&shell, "shm-full");
    assert_eq!(severity, "warning");
    assert!(why.starts_with("16 of 20 inodes are used in /dev/shm, 80 %"), "{why}");
    if only_root("only root can mount a tmpfs again") {
        assert_eq!(fix, "mount -o remount,nr_inodes=40 /dev/shm");
        mend(&shell, "shm-full");
    }
}

#[test]
fn memory_without_a_name() {
    let Some(shell) = with_dev_shm("size=1M") else { return };
    shell
        .run("ipctool create pshm --name /named --size 4096; head -c 4096 /dev/zero > /dev/shm/x")
        .ok();
    assert_eq!(found(&shell, "shm-deleted"), "");
    let held = |size: &str, line: &str| {
        shell.run(&format!(
            "exec 9<> /dev/shm/gone; head -c {size} /dev/zero >&9; rm /dev/shm/gone; {line} 9>&-"
        ))
    };
    held("20K", "ipctool doctor --only shm-deleted")
        .exits(0)
        .shows("note")
        .shows("1 deleted file in /dev/shm, still open or mapped, holds 20K: ")
        .shows(" (sh -c ")
        .shows("ipctool list pshm");
    held("900K", "ipctool doctor --only shm-deleted").exits(6).shows("warning").shows("holds 900K");
    // Nothing is held, so nothing is wrong.
    held("0", "ipctool doctor --only shm-deleted").prints("");
    assert_eq!(found(&shell, "shm-deleted"), "");
    if !only_root("only root can be two users") {
        return;
    }
    shell.run_as(NOBODY, "true").expect("root can").ok();
    held("20K", "setpriv --reuid 65534 --clear-groups ./ipctool doctor --only shm-deleted")
        .exits(0)
        .shows(
            "20K more in /dev/shm belong to deleted files that are held by uninspected processes",
        )
        .shows("sudo ipctool list pshm");
}

#[test]
fn segments_that_vanish() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.compile("use");
    shell.run("ipctool create shm --size 4096 --key 0xbeef").prints("shm:0\n");
    assert_eq!(found(&shell, "rmid-forced"), "");
    shell.start("exec ./use shm 0").ready().ends_later();
    shell.run("echo 1 > /proc/sys/kernel/shm_rmid_forced").ok();
    let (severity, why, fix) = only(&shell, "rmid-forced");
    assert_eq!(severity, "note");
    assert!(
        why.starts_with("kernel.shm_rmid_forced is 1: the kernel destroys a segment when"),
        "{why}"
    );
    assert_eq!(fix, "ipctool limits --set shm_rmid_forced=0");
    shell.run("ipctool doctor --only rmid-forced").exits(0);

    // No reference is printed of a segment that is destroyed at once.
    for options in ["", "--key 0xcafe", "--key 0xcafe --exclusive"] {
        let ran = shell.run(&format!("ipctool create shm --size 4096 {options}")).exits(1);
        assert_eq!(ran.stdout(), "");
        ran.says("ipctool: create shm: it would be destroyed at once: kernel.shm_rmid_forced is 1")
            .says("hint: create it in the program that attaches it, or, as root: ipctool limits --set shm_rmid_forced=0\n");
    }
    shell.run("ipctool list shm -o ref --no-headings").prints("shm:0\n");
    // A segment that is attached stays, and is opened.
    shell.run("ipctool create shm --size 4096 --key 0xbeef").prints("shm:0\n");
    shell.run("ipctool create msg").prints("msg:0\n");

    // A segment of a living process that has not attached it yet.
    let _maker = shell.start(
        "exec perl -e 'shmget(0, 4096, 01600) // die $!; open F, q(>), q(made); close F; sleep 60'",
    );
    shell.wait_until("[ -e made ]");
    shell
        .run("ipctool doctor --only rmid-forced")
        .exits(6)
        .shows("warning")
        .shows("; shm:")
        .shows(" is not attached\n");
    // In many a container /proc/sys is read-only, for root, too.
    let ran = shell.run(
        "unshare --mount sh -c 'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && \
         ipctool doctor --only rmid-forced --json'",
    );
    assert_eq!(ran.fields("fix")[0][0], serde_json::Value::Null);
    mend(&shell, "rmid-forced");
    shell.run("ipctool create shm --size 4096").exits(0);
    shell
        .run("kill $(ipctool list shm --no-headings -o users | tr -cd '0-9\\n' | grep .)")
        .exits(0);
}
