//! Every explanation is true, with the numbers of the moment, and every command that it names works
//! when it is pasted. The faults are real: seccomp filters, modes, odd names; limits and full file systems
//! in `hints_limits.rs`.

mod hinting;
mod sandbox;

use hinting::{QUEUES, command, ordinary};
use sandbox::{NOBODY, Sandbox, is_root};

#[test]
fn a_call_that_is_not_there_is_blamed_on_what_hides_it() {
    let Some(shell) = Sandbox::new().and_then(Sandbox::can_forbid) else { return };
    let _queues = QUEUES.lock();
    let filters = shell
        .run("./forbid EPERM msgget sed -n 's/^Seccomp_filters:[[:space:]]*//p' /proc/self/status")
        .ok()
        .stdout();
    let hidden = format!(
        "a sandbox (gVisor, WSL 1, proot) or a seccomp filter (this process has {}) hides the call\n",
        filters.trim()
    );
    shell.run("ipctool create msg && ipctool send 0 x").ok();
    shell.run("ipctool create pmsg --name /q").ok();
    for (call, line) in [
        ("msgget", "ipctool create msg"),
        ("msgget", "ipctool recv 0xbeef"),
        ("shmget", "ipctool create shm --size 1"),
        ("semget", "ipctool create sem"),
        ("msgsnd", "ipctool send 0 x"),
        ("msgrcv", "ipctool recv 0"),
        ("msgrcv", "ipctool recv 0 --peek"),
        ("msgctl", "ipctool rm msg:0"),
    ] {
        let ran = shell.run(&format!("./forbid ENOSYS {call} {line}")).exits(1);
        ran.says(&format!("{call} failed: Function not implemented (ENOSYS)\nhint: this kernel has System V IPC (CONFIG_SYSVIPC; /proc/sysvipc/msg exists), so {hidden}"));
    }
    for (call, line) in [
        ("mq_open", "ipctool create pmsg --name /r"),
        ("mq_open", "ipctool send /q x"),
        ("mq_timedsend", "ipctool send /q x"),
        ("mq_timedreceive", "ipctool recv /q"),
    ] {
        let ran = shell.run(&format!("./forbid ENOSYS {call} {line}")).exits(1);
        ran.says(&format!("{call} failed: Function not implemented (ENOSYS)\nhint: this kernel has POSIX message queues (CONFIG_POSIX_MQUEUE; /proc/sys/fs/mqueue/queues_max exists), so {hidden}"));
    }
}

#[test]
fn only_a_copy_that_is_not_there_is_blamed_on_checkpoints() {
    let Some(shell) = Sandbox::new().and_then(Sandbox::can_forbid) else { return };
    shell.run("ipctool create msg && ipctool send 0 x").ok();
    shell.run("./forbid ENOSYS MSG_COPY ipctool recv 0 --peek").exits(1).says(
        "recv msg:0: this kernel cannot show a message without taking it (ENOSYS)\nhint: this kernel was built without CONFIG_CHECKPOINT_RESTORE",
    );
    shell.run("./forbid ENOSYS MSG_COPY ipctool recv 0").prints("x\n");
}

#[test]
fn a_kernel_without_ipc_is_told_from_a_call_that_is_hidden() {
    let Some(shell) = Sandbox::privileged().and_then(Sandbox::can_forbid) else { return };
    shell.run("mount -t tmpfs none /proc/sysvipc").ok();
    shell.run("./forbid ENOSYS shmget ipctool create shm --size 1").exits(1).says(
        "hint: the kernel has no System V IPC (/proc/sysvipc/msg is missing): it was built without CONFIG_SYSVIPC, or a sandbox",
    );
}

#[test]
fn a_refusal_that_permissions_do_not_explain_is_put_down_to_a_filter_or_module() {
    let Some(shell) = Sandbox::new().and_then(Sandbox::can_forbid) else { return };
    let refused = "a security module (SELinux, AppArmor, Smack) or a seccomp filter refuses it; this process has ";
    shell.run("ipctool create msg --key 0xbeef --mode 600 && ipctool create sem --mode 600").ok();
    for (errno, call, line, what) in [
        ("EACCES", "msgsnd", "ipctool send 0 x", "send msg:0: no permission"),
        ("EACCES", "msgrcv", "ipctool recv 0", "recv msg:0: no permission"),
        ("EPERM", "msgctl", "ipctool rm msg:0", "rm msg:0: not permitted"),
        ("EPERM", "msgctl", "ipctool chmod 600 msg:0", "chmod msg:0: not permitted"),
        ("EACCES", "semctl", "ipctool stat sem:0", "semaphores: no permission"),
    ] {
        let ran = shell.run(&format!("./forbid {errno} {call} {line}")).exits(5);
        let ran = ran
            .says(&format!("{what} ({errno})\nhint: "))
            .says(" has mode 0600 (rw-------), owner ");
        let ran = ran.says(&format!(", so permissions allow this, and {refused}"));
        assert_eq!(ran.stderr().contains(") with CAP_"), is_root(), "{}", ran.stderr());
        assert!(!ran.stderr().contains("without CAP_"), "{}", ran.stderr());
    }
    shell.run("./forbid EPERM msgrcv ipctool recv 0").exits(5).says(&format!(
        "recv msg:0: not permitted (EPERM)\nhint: a mode that forbids this gives EACCES, so {refused}"
    ));
    for (line, what) in [
        ("ipctool recv 0xbeef", "recv msg:0x0000beef: no permission"),
        ("ipctool rm msg:0xbeef", "rm msg:0x0000beef: no permission"),
    ] {
        let ran = shell.run(&format!("./forbid EACCES msgget {line}")).exits(5);
        ran.says(&format!("{what} (EACCES)\nhint: this needs no permission, so {refused}"));
    }
}

#[test]
fn nobody_needs_permission_to_make_something() {
    let Some(shell) = Sandbox::new().and_then(Sandbox::can_forbid) else { return };
    let _queues = QUEUES.lock();
    // It has no more to do with others than that they have no key, either.
    shell.run("ipctool create msg && ipctool create shm --size 1").ok();
    for (errno, call, line, what) in [
        ("EPERM", "msgget", "ipctool create msg", "create msg: not permitted"),
        ("EACCES", "shmget", "ipctool create shm --size 1", "create shm: no permission"),
        ("EPERM", "semget", "ipctool create sem --key 7", "create sem:0x00000007: not permitted"),
        ("EPERM", "msgget", "ipctool send 0xbeef --create x", "send msg:0x0000beef: not permitted"),
    ] {
        let ran = shell.run(&format!("./forbid {errno} {call} {line}")).exits(5);
        ran.says(&format!(
            "{what} ({errno})\nhint: this needs no permission, so a security module (SELinux, AppArmor, Smack) or a seccomp filter refuses it; this process has "
        ));
    }
    shell
        .run("./forbid EPERM mq_open ipctool create pmsg --name /q")
        .exits(5)
        .says("create pmsg:/q: not permitted (EPERM)\nhint: a mode that forbids this gives EACCES, so a security module");
    // Others may not see its file.
    if is_root() {
        shell.run("ipctool create pmsg --name /q").ok();
        shell
            .run("./forbid EPERM mq_unlink ipctool rm pmsg:/q")
            .exits(5)
            .says("rm pmsg:/q: no permission (EACCES)\nhint: pmsg:/q has mode 0600")
            .says("with CAP_FOWNER, so permissions allow this, and a security module");
    }
}

#[test]
fn the_class_of_bits_that_applied_is_told() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --mode 604 && ipctool send 0 x").ok();
    let Some(ran) = shell.run_as(NOBODY, "ipctool send 0 x") else { return };
    ran.exits(5).says(
        "hint: msg:0 has mode 0604 (rw----r--), owner root:root, creator root; you are nobody (uid 65534) without CAP_IPC_OWNER, so the bits for others apply (r--): they allow read access, but this needs write access (-w-)\n",
    );
    shell.run("ipctool chown :65534 msg:0").ok();
    shell
        .run_as(NOBODY, "ipctool recv 0")
        .unwrap()
        .exits(5)
        .says("so the bits for the group apply (---): they allow no access, but this needs read access (r--)\n");
    shell.run("ipctool create sem --key 0xbeef --mode 600").ok();
    shell
        .run_as(NOBODY, "ipctool create sem --key 0xbeef --mode 660")
        .unwrap()
        .exits(5)
        .says("apply (---): they allow no access, but this needs read and write access (rw-)\n");
    shell.run("ipctool create pshm --name /m --size 1 --mode 640").ok();
    shell
        .run_as(NOBODY, "ipctool create pshm --name /m --size 1")
        .unwrap()
        .exits(5)
        .says("hint: pshm:/m has mode 0640 (rw-r-----), owner root:root; you are nobody (uid 65534) without CAP_DAC_OVERRIDE, so the bits for others apply (---)");
    shell.run("chmod 755 /dev/shm").ok();
    for line in ["ipctool rm pshm:/m", "ipctool create psem --name /new"] {
        shell
            .run_as(NOBODY, line)
            .unwrap()
            .exits(5)
            .says("no permission (EACCES)\nhint: /dev/shm has mode 0755 (rwxr-xr-x), owner root:root; you are nobody (uid 65534) without CAP_DAC_OVERRIDE, so the bits for others apply (r-x), but creating or removing a name in it takes write permission\n");
    }
}

#[test]
fn a_capability_does_not_count_over_owners_who_are_not_mapped() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pshm --name /m --size 1 --mode 600").ok();
    let line = "unshare --user --map-root-user ipctool create pshm --name /m --size 1";
    let Some(ran) = shell.run_as(NOBODY, line) else { return };
    ran.exits(5).says(
        "you are root (uid 0) with CAP_DAC_OVERRIDE, which does not apply because the owner or the group is not mapped in your user namespace, so the bits for others apply (---): they allow no access, but this needs read and write access (rw-)\n",
    );
}

#[test]
fn an_owner_who_is_locked_out_is_shown_the_way_back() {
    let Some(shell) = Sandbox::new() else { return };
    let me = |line: &str| ordinary(&shell, line);
    me("ipctool create msg && ipctool create sem && ipctool create pshm --name '/two words' --size 1").ok();
    let lock = "ipctool chmod --force 0 msg:0 sem:0 'pshm:/two words'";
    for (line, status) in [
        ("ipctool recv 0 --nowait", 4),
        ("ipctool send 0 x", 0),
        ("ipctool recv 0 --peek", 0),
        ("ipctool stat sem:0 > /dev/null", 0),
        ("ipctool create pshm --name '/two words' --size 1 > /dev/null", 0),
    ] {
        me(lock).ok();
        let locked_out =
            me(line).exits(5).says("so the bits for the owner apply (---): they allow no access");
        me(&command(&locked_out, "; to regain access: ")).ok();
        me(line).exits(status);
    }
}

/// Names with all that a shell, or a line, could take for something else.
const ODD_NAMES: [&str; 11] = [
    "/two words",
    "/it's",
    "/\"quoted\"",
    "/$(touch hacked)",
    "/`touch hacked`",
    "/a;touch hacked",
    "/-x --force",
    "/*?[a]~!#&|<>(){}",
    "/new\\x0aline",
    "/not\\xfftext",
    "/back\\slash\\x5cx41",
];

#[test]
fn a_command_in_a_hint_works_whatever_the_name() {
    let Some(shell) = Sandbox::new() else { return };
    for name in ODD_NAMES {
        let named =
            |line: &str| shell.run_with(&format!("IFS= read -r name; {line}"), name.as_bytes());
        let create = "ipctool create pshm --name \"$name\" --size";
        let reference = named(&format!("{create} 10")).ok().stdout();
        let smaller = named(&format!("{create} 20")).exits(1);
        shell.run(&command(&smaller, "; to see it: ")).exits(0).shows(reference.trim());
        let full = named(&format!("{create} 10 > /dev/full")).exits(1);
        shell.run(&command(&full, "hint: to remove it: ")).ok();
        shell.run("ipctool list pshm --no-headings").prints("");
        let line = format!(
            "IFS= read -r name <<'END'\n{name}\nEND\n{create} 10 > /dev/null; ipctool chmod 0 \"pshm:$name\""
        );
        let warned = ordinary(&shell, &line).says("warning: you can no longer read or write it");
        ordinary(&shell, &command(&warned, "hint: to undo this: ")).ok();
        shell.run("ipctool list pshm --no-headings -o mode --numeric-perms").shows("0600");
        shell.run("ipctool rm --all pshm --yes 2> /dev/null").ok();
        assert!(!shell.directory().join("hacked").exists(), "{name} was run");
    }
}

#[test]
fn a_command_for_a_path_works_whatever_its_bytes() {
    let Some(shell) = Sandbox::new() else { return };
    for path in [
        "two words",
        "it'\\''s",
        "-x",
        "$(touch hacked)",
        "new\\012line\\012",
        "not\\377text",
        "a%%b",
    ] {
        let set = format!(
            "name=$(printf '{path}.'); name=${{name%.}};",
            path = path.replacen('-', "\\055", 1)
        );
        let missing = shell.run(&format!("{set} ipctool install-links -- \"$name\"")).exits(3);
        shell.run(&command(&missing, "hint: to create it: ")).ok();
        shell.run(&format!("{set} test -d \"./$name\"")).ok();
        shell.run(&format!("{set} ln -s nowhere \"./$name/ipcs\"")).ok();
        let taken = shell.run(&format!("{set} ipctool install-links -- \"$name\"")).exits(1);
        shell.run(&command(&taken, "hint: to remove that link: ")).ok();
        shell.run(&format!("{set} ls -A \"./$name\"")).prints("");
        assert!(!shell.directory().join("hacked").exists(), "{path} was run");
    }
}

#[test]
fn a_message_that_looks_like_an_option_is_shown_the_way() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg").ok();
    for message in ["'--two words'", "'-$(touch hacked)'"] {
        let ran = shell.run(&format!("ipctool send 0 {message}")).exits(2);
        let shown = command(&ran, "goes behind -e or '--': ");
        let line = shown.replace("QUEUE", "0").replace("MESSAGE", message);
        shell
            .run(&format!("{line}; ipctool recv 0"))
            .prints(&format!("{}\n", message.trim_matches('\'')));
    }
}
