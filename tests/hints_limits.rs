//! Explanations of limits, of memory and of `/dev/shm`: how much there is, who may change it, and how.

mod hinting;
mod sandbox;

use hinting::{QUEUES, command, ordinary};
use sandbox::{NOBODY, Needs, Sandbox, only_root, skip};

#[test]
fn a_limit_in_a_container_is_set_from_outside() {
    let Some(shell) = Sandbox::privileged() else { return };
    let kept = "nosuid,nodev,noexec";
    shell
        .run(&format!(
            "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro,{kept} /proc/sys"
        ))
        .ok();
    shell
        .run("ipctool limits --set msgmni=5")
        .exits(5)
        .says("limits msgmni: cannot set 5: Read-only file system (EROFS)\n")
        .says("hint: /proc/sys is mounted read-only, as in most containers: the limit is set when the container starts, in a pod by securityContext.sysctls (name kernel.msgmni, value \"5\"), else by: docker run --sysctl kernel.msgmni=5 IMAGE\n");
    shell
        .run("ipctool limits --set semmni=99")
        .exits(5)
        .says("docker run --sysctl kernel.sem='32000 1024000000 500 99' IMAGE\n");
}

#[test]
fn root_of_another_user_namespace_is_not_told_to_become_root() {
    let Some(shell) = Sandbox::new() else { return };
    let line = "unshare --user --map-root-user ipctool limits --set msgmni=99";
    let Some(ran) = shell.run_as(NOBODY, line) else { return };
    ran.exits(5).says(
        "hint: you are root of a user namespace that does not own this IPC namespace; as root of the one that does: sysctl -w kernel.msgmni=99\n",
    );
}

/// Whether a tmpfs can be mounted anew: not in a user namespace, which has no number for its owner.
fn can_remount() -> bool {
    only_root("only root can remount /dev/shm")
}

#[test]
fn a_full_dev_shm_says_how_full_it_is() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("mount -t tmpfs -o size=64k,nr_inodes=5,mode=1777 tmpfs /dev/shm").ok();
    shell.run("head -c 99999 /dev/zero > /dev/shm/full 2> /dev/null || true").ok();
    let psem = "ipctool create psem --name /lock";
    let full_of_bytes = shell.run(psem).exits(1).says(
        "create psem:/lock: no room for another POSIX semaphore (ENOSPC)\nhint: 65536 of 65536 bytes and 2 of 5 inodes (files) of /dev/shm are used: ",
    );
    let full_of_bytes = full_of_bytes.says("docker run --shm-size");
    shell.run("touch /dev/shm/3 /dev/shm/4 /dev/shm/5").ok();
    let pshm = "ipctool create pshm --name /cache --size 1";
    let full_of_files = shell.run(pshm).exits(1).says(
        "create pshm:/cache: no room for another POSIX shared memory object (ENOSPC)\nhint: 65536 of 65536 bytes and 5 of 5 inodes (files) of /dev/shm are used: ",
    );
    if can_remount() {
        shell.run(&command(&full_of_files, "elsewhere, as root: ")).ok();
        shell.run(pshm).ok();
        shell.run(psem).exits(1);
        shell.run(&command(&full_of_bytes, "elsewhere, as root: ")).ok();
        shell.run(psem).ok();
    }
}

#[test]
fn a_read_only_dev_shm_is_told() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("mount -t tmpfs -o ro,mode=1777 tmpfs /dev/shm").ok();
    let line = "ipctool create psem --name /lock";
    let ran = shell.run(line).exits(1).says("(EROFS)\nhint: /dev/shm is mounted read-only here");
    if can_remount() {
        shell.run(&command(&ran, "as root: ")).ok();
        shell.run(line).ok();
        shell.run("mount -o remount,ro /dev/shm").ok();
        shell
            .run("ipctool chmod 640 psem:/lock")
            .exits(1)
            .says("hint: /dev/shm is mounted read-only");
    }
}

#[test]
fn the_limit_that_send_meets_is_told_as_by_create() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("echo 1 > /proc/sys/kernel/msgmni && ipctool create msg").ok();
    let full = |verb| {
        format!(
            "{verb} msg:0x0000beef: no room for another message queue (ENOSPC)\nhint: 1 of 1 message queues are in use (msgmni), and 1 more asked for: "
        )
    };
    shell.run("ipctool create msg --key 0xbeef").exits(1).says(&full("create"));
    shell.run("ipctool send 0xbeef --create x").exits(1).says(&full("send"));
    // The limit of POSIX queues is none for whoever has CAP_SYS_RESOURCE.
    let _queues = QUEUES.lock();
    shell.run("echo 0 > /proc/sys/fs/mqueue/queues_max").ok();
    let line = "ipctool send /jobs --create x";
    let Some(ran) = shell.run_as(NOBODY, line) else { return };
    ran.exits(1)
        .says("no room for another POSIX message queue (ENOSPC)\nhint: ")
        .says("0 POSIX queues are in use in this IPC namespace (fs.mqueue.queues_max)\n");
}

#[test]
fn memory_that_is_not_promised_is_told_with_the_numbers() {
    let Some(shell) = Sandbox::new() else { return };
    let overcommit = std::fs::read_to_string("/proc/sys/vm/overcommit_memory").unwrap();
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap();
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap();
    let total = total.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024;
    let expected = match overcommit.trim() {
        "0" => format!("no segment may be larger than memory and swap together, {total} and "),
        "2" => "(Committed_AS and CommitLimit of /proc/meminfo) are promised".to_owned(),
        _ => {
            skip(Needs::Machine, "this machine promises any memory (vm.overcommit_memory)");
            return;
        }
    };
    shell
        .run("ipctool create shm --size 1024T")
        .exits(1)
        .says("create shm: the kernel has no memory for it (ENOMEM)\nhint: it asks for 1125899906842624 bytes, and ")
        .says(&expected);
}

#[test]
fn memory_of_the_kernel_is_told_from_that_of_segments() {
    let Some(shell) = Sandbox::new().and_then(Sandbox::can_forbid) else { return };
    shell
        .run("./forbid ENOMEM msgget ipctool create msg")
        .exits(1)
        .says("create msg: the kernel has no memory for it (ENOMEM)\nhint: the kernel keeps the object in its own memory: ")
        .says(" bytes are available (MemAvailable of /proc/meminfo), and the limit of a memory cgroup counts, too\n");
}

#[test]
fn bytes_for_queues_can_be_raised_as_the_hint_says() {
    let Some(shell) = Sandbox::new() else { return };
    let _queues = QUEUES.lock();
    let create = "ipctool create pmsg --name /jobs --max-messages 10 --message-size 512";
    let ran = ordinary(&shell, &format!("prlimit --msgqueue=100: {create}"));
    let ran = ran
        .exits(1)
        .says("out of bytes for POSIX queues: it takes 6080, and ")
        .says("a service gets more by LimitMSGQUEUE=");
    let raise = command(&ran, "; in a shell: ");
    assert!(raise.starts_with("prlimit --pid $$ --msgqueue="), "{raise}");
    ordinary(&shell, &format!("prlimit --pid $$ --msgqueue=100: && {raise} && {create}"))
        .prints("pmsg:/jobs\n");
    let ran = ordinary(&shell, "prlimit --msgqueue=100 ipctool send /more --create x").exits(1);
    assert!(command(&ran, "; for a shell, as root: ").starts_with("prlimit --pid $$ --msgqueue="));
}

#[test]
fn without_a_signal_for_a_timer_the_call_and_the_queue_are_named() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg").ok();
    for line in ["recv 0 --timeout 1s", "send 0 x"] {
        let verb = &line[..4];
        shell
            .run(&format!("prlimit --sigpending=0 ipctool {line}"))
            .exits(1)
            .says(&format!("ipctool: {verb} msg:0: cannot prepare for signals: timer_create: "))
            .says("(EAGAIN)\nhint: ")
            .says("RLIMIT_SIGPENDING");
    }
}
