//! Where there is no `/proc`, or one with the process ids of others; where the POSIX queues are mounted
//! nowhere, elsewhere, or are those of another namespace: what works does, and the rest says just that.

mod sandbox;

use sandbox::{NOBODY, Ran, Sandbox, is_root, only_root};
use serde_json::json;

/// A sandbox with some objects, and nothing at `/proc`.
fn without_proc(shell: &Sandbox, line: &str) -> Ran {
    shell.run_with("unshare --mount sh", format!("mount -t tmpfs none /proc; {line}").as_bytes())
}

#[test]
fn without_proc_each_command_says_so_or_does_without() {
    if !only_root("only root can cover /proc") {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --key 5; ipctool send 0x5 x; ipctool create pmsg --name /q; ipctool create pshm --name /m --size 5; ipctool create shm --size 5").ok();
    for command in [
        "list",
        "list -m",
        "list --who",
        "list --orphan",
        "stat msg:0",
        "rm --orphan --yes",
        "doctor",
        "limits",
        "guard --isolate never true",
        "list pmsg",
        "list pshm --who",
    ] {
        let ran = without_proc(&shell, &format!("ipctool {command}")).exits(1);
        ran.says("there is no /proc here: as root, mount -t proc proc /proc\n").denies("no such");
    }
    // The kernel tells of queues, sets and segments by call, except of the memory of segments.
    without_proc(&shell, "ipctool list -q -o ref --no-headings").prints("msg:0\n");
    without_proc(&shell, "ipctool list -m -o ref,size --no-headings").ok().shows("shm:0");
    without_proc(&shell, "ipctool recv msg:x5").exits(2);
    without_proc(&shell, "ipctool recv 0x5").prints("x\n");
    without_proc(&shell, "ipctool send /q y && ipctool recv /q").prints("y\n");
    without_proc(&shell, "ipctool stat pmsg:/q").exits(1).says("there is no /proc here");
    without_proc(&shell, "ipctool rm pmsg:/q msg:0").ok();
    without_proc(&shell, "ipctool rm msg:0").exits(3).says("no such message queue (EINVAL)");
}

#[test]
fn with_the_proc_of_others_whoever_looks_at_processes_says_so() {
    if !only_root("only root can make a process namespace here") {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --key 5; ipctool send 0x5 x").ok();
    let foreign = |line: &str| shell.run_with("unshare --pid --fork sh", line.as_bytes());
    for command in ["list --who", "list --orphan", "stat msg:0", "rm --orphan --yes", "doctor"] {
        foreign(&format!("ipctool {command}"))
            .exits(1)
            .says("/proc belongs to another process namespace: as root, mount -t proc proc /proc");
    }
    foreign("ipctool list -q --no-headings -o ref").prints("msg:0\n");
    foreign("ipctool recv 0x5").prints("x\n");
}

#[test]
fn a_proc_of_processes_alone_is_told_from_a_kernel_without_ipc() {
    if !only_root("only root can cover /proc") {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create shm --size 5").ok();
    shell
        .run_with(
            "unshare --mount --pid --fork sh",
            b"mount -t proc -o subset=pid proc /proc && ipctool list -m",
        )
        .exits(1)
        .says("subset=pid")
        .denies("this kernel");
}

/// Where the file system is not mounted, users who may mount it see the queues. Others get one note, and can
/// use the queues whose names they give.
#[test]
fn without_the_mount() {
    let Some(shell) = Sandbox::prepared("") else {
        return;
    };
    let before = shell.run("cat /proc/self/mounts").stdout();
    let make = "ipctool create pmsg --name /q && ipctool send /q hello";
    let use_it = "ipctool stat pmsg:/q | grep messages && ipctool recv /q && ipctool rm pmsg:/q";
    if only_root("an ordinary user cannot mount the queues") {
        shell
            .run(&format!("{make} && ipctool list pmsg -o ref,messages && {use_it}"))
            .ok()
            .shows("pmsg:/q                 1\n")
            .shows("hello\n");
        assert_eq!(
            shell.run("cat /proc/self/mounts").stdout(),
            before,
            "nothing visible is mounted"
        );
    }
    let somebody = |line: &str| match is_root() {
        true => shell.run_as(NOBODY, line).expect("root can"),
        false => shell.run(line),
    };
    somebody("ipctool create psem --name /s").ok();
    somebody("ipctool list -o ref --no-headings")
        .exits(0)
        .shows("psem:/s\n")
        .says("cannot list POSIX message queues")
        .says("mount -t mqueue none /dev/mqueue");
    somebody("ipctool list pmsg").exits(5).says("(EPERM)");
    somebody("ipctool rm --all --yes --json")
        .exits(5)
        .shows("\"removed\":[\"psem:/s\"]")
        .shows("{\"ref\":\"pmsg\",\"error\":\"POSIX message queues cannot be listed\",\"errno\":");
    somebody("ipctool list psem").ok();
    somebody(&format!("{make} && {use_it}")).exits(0).shows("hello\n");
    let limits = somebody("ipctool limits --json").exits(0);
    let limits = limits.says("RLIMIT_MSGQUEUE: its use is unknown").fields("name used");
    assert!(limits.as_array().unwrap().contains(&json!(["RLIMIT_MSGQUEUE", null])), "{limits}");
}

#[test]
fn mounted_elsewhere() {
    let elsewhere = "\
        mount -t tmpfs tmpfs /mnt; mkdir '/mnt/two words'; mount -t mqueue mqueue '/mnt/two words'";
    let Some(shell) = Sandbox::prepared(elsewhere) else { return };
    let work = "ipctool create pmsg --name /q > /dev/null && ipctool list pmsg --no-headings -o ref,messages && ipctool rm --kind pmsg --yes 2> /dev/null";
    shell.run(work).prints("pmsg:/q                 0\n");
    if let Some(ran) = shell.run_as(NOBODY, work) {
        ran.prints("pmsg:/q                 0\n");
    }
}

/// A mount that is visible may be that of another IPC namespace.
#[test]
fn the_queues_of_another_namespace_are_none_of_ours() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("grep -q ' /dev/mqueue mqueue ' /proc/mounts").ok();
    shell.run("ipctool create pmsg --name /theirs --mode 666").prints("pmsg:/theirs\n");
    if only_root("an ordinary user takes along no privilege over the mount") {
        shell.run("ipctool rm pmsg:/theirs").ok();
        shell
            .run(
                "unshare --ipc setpriv --reuid 65534 --clear-groups --inh-caps=-all sh -c \
                 'ipctool create pmsg --name /mine && ipctool stat pmsg:/mine && \
                 ipctool chmod -v 640 pmsg:/mine'",
            )
            .exits(0)
            .shows("pmsg:/mine  POSIX message queue")
            .shows("→ 0640");
        shell.run("ipctool create pmsg --name /theirs --mode 666").ok();
        shell.run("unshare --ipc ipctool list pmsg").prints("");
        shell.run("unshare --ipc setpriv --reuid 65534 --clear-groups --inh-caps=-all sh -c 'ls /dev/mqueue'").prints("theirs\n");
    }
    let mapped = "unshare --user --map-current-user --ipc ipctool list pmsg";
    shell.run(mapped).exits(5).says("cannot list POSIX message queues");
    shell.run("ipctool list pmsg -o ref --no-headings").prints("pmsg:/theirs\n");
}
