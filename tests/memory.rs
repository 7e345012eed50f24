//! `ipctool read`, `write` and `attach`.

mod sandbox;

use sandbox::{NOBODY, Sandbox, only_root};

/// A shell with a segment of key 0xbeef and a POSIX object /m, of 64 KiB each.
fn with_memory() -> Option<Sandbox> {
    let shell = Sandbox::new()?;
    shell.run("ipctool create shm --key 0xbeef --size 64K").ok();
    shell.run("ipctool create pshm --name /m --size 64K").ok();
    Some(shell)
}

const BOTH: [&str; 2] = ["0xbeef", "/m"];

#[test]
fn what_is_written_is_read() {
    let Some(shell) = with_memory() else { return };
    for memory in BOTH {
        shell.run(&format!("ipctool read {memory} | tr -d '\\000' | wc -c")).prints("0\n");
        shell
            .run(&format!("printf hello | ipctool write {memory} --offset 0x1001 -v"))
            .exits(0)
            .says(": 5 bytes written\n");
        shell
            .run(&format!("ipctool read {memory} --offset 4K --length 7 | od -An -c"))
            .prints("  \\0   h   e   l   l   o  \\0\n");
        shell.run(&format!("ipctool read {memory} > out; wc -c < out")).prints("65536\n");
        // As hexdump shows it.
        shell.run(&format!("ipctool read {memory} --hex > dump; hexdump -C out | cmp - dump")).ok();
        let part = "--offset 4099 --length 40";
        shell
            .run(&format!("ipctool read {memory} --hex {part} > dump; hexdump -C -s 4099 -n 40 out | cmp - dump"))
            .ok();
        // Everything, from a file and through a pipe; nothing more.
        shell.run("head -c 65536 /dev/urandom > in").ok();
        shell.run(&format!("ipctool write {memory} < in; ipctool read {memory} | cmp - in")).ok();
        shell
            .run(&format!("tac in | head -c 60000 > half; cat half | ipctool write {memory}"))
            .ok();
        shell.run(&format!("ipctool read {memory} --length 60000 | cmp - half")).ok();
        shell
            .run(&format!(
                "ipctool read {memory} --offset 60000 > end; tail -c 5536 in | cmp - end"
            ))
            .ok();
        shell
            .run(&format!("ipctool read {memory} --offset 64K; ipctool write {memory} < /dev/null"))
            .prints("");
        // The kernel's own files have more than they say.
        shell
            .run(&format!(
                "ipctool write {memory} < /proc/version; ipctool read {memory} --length 13"
            ))
            .prints("Linux version");
        // From where the file stands.
        shell.run(&format!("(read -r x; ipctool write {memory}; cat) < /dev/null")).ok();
        shell.run(&format!("printf 'a\\nbcd' > f; (dd bs=2 count=1 of=/dev/null status=none; ipctool write {memory}) < f")).ok();
        shell.run(&format!("ipctool read {memory} --length 3")).prints("bcd");
    }
}

#[test]
fn with_programs_that_others_wrote() {
    let Some(shell) = with_memory() else { return };
    shell.run("perl -e 'shmwrite(0, \"from perl\", 7, 9) or die'").ok();
    shell.run("ipctool read shm:0 --offset 7 --length 9").prints("from perl");
    shell.run("printf 'to perl' | ipctool write shm:0 --offset 100").ok();
    shell.run("perl -e 'shmread(0, $b, 100, 7) or die; print $b'").prints("to perl");
    shell.run("printf x | ipctool write /m --offset 9; cmp -l /dev/shm/m /dev/zero 2> /dev/null | head -n 1").shows("10 170   0\n");
    if shell.has_python("sysv_ipc") {
        let read = "import sysv_ipc; print(sysv_ipc.SharedMemory(0xbeef).read(7, 100).decode())";
        shell.run(&format!("python3 -c '{read}'")).prints("to perl\n");
    }
}

#[test]
fn what_does_not_fit_is_refused_before_a_byte_is_written() {
    let Some(shell) = with_memory() else { return };
    for memory in BOTH {
        for (line, why) in [
            (
                "head -c 65537 /dev/urandom | ipctool write M",
                "standard input has 65537 bytes or more, but there is room for 65536; nothing was written",
            ),
            ("yes | ipctool write M", "standard input has 65537 bytes or more"),
            (
                "printf ab | ipctool write M --offset 65535",
                "standard input has 2 bytes or more, but there is room for 1 behind 65535; nothing was written",
            ),
            (
                "head -c 70000 /dev/urandom > f; ipctool write M < f",
                "standard input has 70000 bytes, but there is room for 65536; nothing was written",
            ),
            (
                "ipctool write M --offset 65537 < /dev/null",
                "--offset 65537 is beyond its end: it has 65536 bytes",
            ),
            (
                "ipctool read M --offset 65537",
                "--offset 65537 is beyond its end: it has 65536 bytes",
            ),
            ("ipctool write M < .", "cannot read standard input: Is a directory (EISDIR)"),
            ("ipctool write M <&-", "cannot read standard input: Bad file descriptor (EBADF)"),
            (
                "ipctool read M > /dev/full",
                "cannot write to standard output: No space left on device (ENOSPC)",
            ),
            (
                "ipctool read M --hex > /dev/full",
                "cannot write to standard output: No space left on device (ENOSPC)",
            ),
        ] {
            shell.run(&line.replace('M', memory)).exits(1).says(why);
        }
        for (arguments, status, why) in [
            ("read M --hex --raw", 2, "cannot be used with"),
            ("read M --follow --raw", 2, "cannot be used with"),
            ("read M --interval 1s", 2, "--follow"),
            ("read M --offset -1", 2, "'-1' is not a size"),
            ("read M --length 0x", 2, "'0x' is not a size"),
            ("attach M --for 1s -- true", 2, "cannot be used with"),
        ] {
            shell
                .run(&format!("ipctool {}", arguments.replace('M', memory)))
                .exits(status)
                .says(why);
        }
        // A closed pipe is no failure.
        shell
            .run(&format!("(ipctool read {memory}; echo $? >&2) | head -c 1 > /dev/null"))
            .says("0\n");
        shell.run(&format!("ipctool read {memory} | tr -d '\\000'")).prints("");
    }
    for verb in ["read", "write", "attach"] {
        shell
            .run(&format!("ipctool {verb} shm:9 < /dev/null"))
            .exits(3)
            .says("no such shared memory segment (EINVAL)");
        shell
            .run(&format!("ipctool {verb} 0xabc < /dev/null"))
            .exits(3)
            .says("no shared memory segment has this key (ENOENT)");
        shell
            .run(&format!("ipctool {verb} /none < /dev/null"))
            .exits(3)
            .says("no such POSIX shared memory object (ENOENT)");
        shell
            .run(&format!("ipctool {verb} psem:/x < /dev/null"))
            .exits(2)
            .says("is a POSIX semaphore, not shared memory");
    }
    // A directory, a pipe or a link is no object; opening it might wait, or lead elsewhere.
    shell.run("mkdir /dev/shm/d; mkfifo /dev/shm/p; ln -s /etc/passwd /dev/shm/l").ok();
    for name in ["/d", "/p", "/l"] {
        shell
            .run(&format!("ipctool read {name}"))
            .exits(3)
            .says("no such POSIX shared memory object");
    }
}

#[test]
fn holes_are_not_touched() {
    let Some(shell) = Sandbox::new() else { return };
    let rss =
        "ipctool list shm pshm -o rss --no-headings | tr -dc '0-9\\n' | sort -un | paste -sd' '";
    if shell.run("ipctool create shm --key 0xbeef --size 8G --noreserve").status() != 0 {
        // Where the address space or shmall is small.
        return;
    }
    shell.run("ipctool create pshm --name /m --size 8G").ok();
    for memory in BOTH {
        shell.run(&format!("ipctool read {memory} --hex")).prints(
            "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n*\n200000000\n",
        );
        shell
            .run(&format!("ipctool read {memory} --offset 6G --length 1M | cksum"))
            .prints("3018728591 1048576\n");
        shell.run(rss).prints("0\n");
    }
    shell.run("for m in 0xbeef /m; do printf x | ipctool write $m --offset 5G; done").ok();
    for memory in BOTH {
        // A hole stays a hole in a file.
        shell
            .run(&format!(
                "ipctool read {memory} > out; wc -c < out; du -k out | cut -f1 | grep -xE '.|..'"
            ))
            .shows("8589934592\n");
        shell.run("dd if=out bs=1M skip=5120 count=1 status=none | tr -d '\\000'").prints("x");
        // And nothing of what was in the file may shine through.
        shell.run(&format!("yes | head -c 3M > out; ipctool read {memory} --length 2M 1<> out; head -c 2M out | tr -d '\\000' | wc -c; tail -c 1M out | tr -d '\\000' | wc -c")).prints("0\n1048576\n");
        shell
            .run(&format!("printf ab > out; ipctool read {memory} --length 4K >> out; wc -c < out"))
            .prints("4098\n");
    }
    let text = shell.run(rss).stdout();
    assert!(text.split_whitespace().all(|rss| rss.parse::<u64>().unwrap() <= 4 << 20), "{text}");
}

/// As another program may do at any time.
#[test]
fn what_is_made_shorter_meanwhile_is_an_error_and_no_crash() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pshm --name /m --size 1M; mkfifo in out").ok();
    let writer = shell.start("exec ipctool write /m < in");
    // It reads a pipe to its end before it writes.
    shell.run("exec 3> in; ipctool create msg > /dev/null; sleep 0.05; truncate -s 4096 /dev/shm/m; head -c 100000 /dev/urandom >&3").ok();
    writer
        .ends()
        .exits(1)
        .says("it was truncated meanwhile, from 1048576 to 4096 bytes; 4096 bytes written before");
    shell.run("stat -c %s /dev/shm/m").prints("4096\n");
    shell.run("truncate -s 0 /dev/shm/m; head -c 4M /dev/urandom > /dev/shm/m").ok();
    let reader = shell.start("exec ipctool read /m > out");
    shell.run("exec 3< out; head -c 100 <&3 > /dev/null; truncate -s 4096 /dev/shm/m; cat <&3 > /dev/null").ok();
    reader
        .ends()
        .exits(1)
        .says("it was truncated meanwhile, from 4194304 to 4096 bytes; read up to ");
    let follower = shell.start("exec ipctool read /m --follow --interval 10ms > log");
    shell.wait_until("test -s log");
    shell.run("truncate -s 0 /dev/shm/m").ok();
    follower.ends().exits(1).says("it was truncated meanwhile, from 4096 to 0 bytes");
}

#[test]
fn a_full_dev_shm() {
    let Some(shell) = Sandbox::prepared("mount -t tmpfs -o size=1M tmpfs /dev/shm") else { return };
    shell.run("ipctool create pshm --name /m --size 4M").ok();
    shell
        .run("head -c 2M /dev/zero > f; ipctool write /m < f")
        .exits(1)
        .says("there is no memory for more of it; 1048576 bytes written before\nhint: /dev/shm may be full");
}

#[test]
fn changes_are_followed() {
    let Some(shell) = with_memory() else { return };
    for memory in BOTH {
        let follower = shell.start(&format!(
            "exec ipctool read {memory} --follow --interval 10ms --length 64 > log"
        ));
        shell.wait_until("grep -q 00000040 log");
        shell.run(&format!("printf hi | ipctool write {memory} --offset 17")).ok();
        shell.wait_until("grep -q hi log");
        assert_eq!(follower.signal("INT").ends().status(), 130);
        shell.run("tail -n 2 log").prints(
            "00000040\n00000010  00 68 69 00 00 00 00 00  00 00 00 00 00 00 00 00  |.hi.............|\n",
        );
        shell.run("rm log").ok();
    }
    shell.run("ipctool create pshm --name /big --size 65M").ok();
    shell
        .run("ipctool read /big --follow")
        .exits(2)
        .says("68157440 bytes are too many to follow, 67108864 at most");
}

#[test]
fn a_segment_is_kept_attached() {
    let Some(shell) = with_memory() else { return };
    shell
        .run("ipctool attach 0xbeef -- sh -c 'echo $IPCTOOL_ID $IPCTOOL_REF; ipctool list shm -o attached,status --no-headings; exit 7'")
        .exits(7)
        .shows("0 shm:0\n       1 -\n");
    shell.run("ipctool attach 0xbeef --for 1ms -v").exits(0).says(" 65536 bytes at 0x");
    shell
        .run("ipctool attach /m -r -- sh -c 'ipctool stat pshm:/m --json; echo $IPCTOOL_REF'")
        .shows("\"mapped")
        .shows("pshm:/m\n");
    shell
        .run("ipctool attach 0xbeef -- nosuch")
        .exits(127)
        .says("attach nosuch: ")
        .says("(ENOENT)");
    // Removed, it is there until it is detached.
    let holder = shell.start("exec ipctool attach 0xbeef --read-only");
    shell.wait_until("ipctool list shm -o attached --no-headings | grep -q 1");
    shell.run("printf kept | ipctool write 0xbeef").ok();
    shell.run("ipctool rm shm:0").says("only marked for destruction");
    shell.run("ipctool list shm -o status --no-headings").prints("dest\n");
    shell.run("ipctool read shm:0 --length 4").prints("kept");
    assert_eq!(holder.signal("TERM").ends().status(), 143);
    shell.run("ipctool list shm --no-headings").prints("");
    // Signals go to the command, and it ends as that does.
    shell.run("ipctool create shm --size 1").ok();
    let holder = shell.start("exec ipctool attach shm:1 -- sh -c 'trap \"echo caught; exit 3\" TERM; touch begun; while :; do sleep 0.01; done'");
    shell.wait_until("test -e begun");
    holder.signal("TERM").ends().exits(3).shows("caught\n");
}

#[test]
fn what_others_own() {
    if !only_root("only root can be two users") {
        return;
    }
    let Some(shell) = with_memory() else { return };
    let as_nobody = |line: &str| shell.run_as(NOBODY, line).unwrap();
    for memory in BOTH {
        let of_mode = |mode: &str| {
            let kind = if memory == "/m" { "pshm" } else { "shm" };
            shell.run(&format!("ipctool chmod {mode} {kind}:{memory}")).ok();
        };
        as_nobody(&format!("ipctool read {memory}"))
            .exits(5)
            .says("no permission (EACCES)")
            .says("needs read access (r--)");
        of_mode("644");
        as_nobody(&format!("ipctool read {memory} | wc -c")).prints("65536\n");
        as_nobody(&format!("printf x | ipctool write {memory}"))
            .exits(5)
            .says("needs read and write access (rw-)");
        as_nobody(&format!("ipctool attach {memory} --for 1ms")).exits(5);
        as_nobody(&format!("ipctool attach {memory} --for 1ms --read-only")).ok();
        of_mode("666");
        as_nobody(&format!("printf x | ipctool write {memory}; ipctool read {memory} --length 1"))
            .prints("x");
    }
}
