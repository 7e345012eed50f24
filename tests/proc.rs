//! Where there is no `/proc`, or one with the process ids of others: what works does, and the rest says
//! just that.

mod sandbox;

use sandbox::{Ran, Sandbox, only_root};

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
    shell.run("ipctool create msg --key 5; ipctool send 0x5 x; ipctool create pmsg --name /q; ipctool create pshm --name /m --size 5").ok();
    for command in [
        "list",
        "list -q",
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
    shell
        .run_with(
            "unshare --mount --pid --fork sh",
            b"mount -t proc -o subset=pid proc /proc && ipctool list -q",
        )
        .exits(1)
        .says("subset=pid")
        .denies("this kernel");
}
