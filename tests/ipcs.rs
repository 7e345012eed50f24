//! `ipcs` beside the installed one, over states of a namespace and hundreds of command lines.

mod oracle;
mod sandbox;

use oracle::{agree, agree_as, install, script, with_links};
use sandbox::{NOBODY, Needs, Sandbox, only_root, skip};

/// Command lines of `ipcs`: every combination of what, how and in which unit; one object of each
/// kind; the ways to write options; and what is wrong.
fn ipcs_lines() -> Vec<String> {
    let resources = ["", "-q", "-m", "-s", "-qm", "-s -q", "-ms", "-a"];
    let formats = ["", "-t", "-p", "-c", "-l", "-u"];
    let units = ["", "-b", "--human"];
    let mut lines = Vec::new();
    for resource in resources {
        for format in formats {
            for unit in units {
                lines.push(format!("{resource} {format} {unit}"));
            }
        }
    }
    // The last format wins, and the last unit.
    for first in &formats[1..] {
        for second in &formats[1..] {
            lines.push(format!("{first} {second}"));
        }
        lines.push(format!("{first} --human -b"));
        lines.push(format!("-b --human {first}"));
    }
    for kind in ["-q", "-m", "-s"] {
        for id in ["0", "1", "2", "3", "32768", "2147483647", "+1", "' 1'", "01"] {
            for unit in units {
                lines.push(format!("{kind} {unit} -i {id}"));
            }
        }
        for id in ["''", "abc", "0x0", "1x", "2147483648", "-2147483649", "9999999999999999999999"]
        {
            lines.push(format!("{kind} -i {id}"));
        }
        lines.push(format!("-i 0 {kind} -t"));
        lines.push(format!("{kind} -i 77 -i 0"));
    }
    let written = [
        "--queues",
        "--shmems",
        "--semaphores",
        "--all",
        "--time",
        "--pid",
        "--creator",
        "--limits",
        "--summary",
        "--bytes",
        "--q --ti",
        "--sh --cr",
        "--sem --p",
        "--al --l",
        "--su",
        "--hu",
        "--by -u",
        "-qmsatpclub",
        "-ubq",
        "-qi0",
        "-qi 0",
        "--id 0 -m",
        "--id=0 -s",
        "--i 0 -q",
        "-mi0 --human",
        "--id= -q",
        "-tq",
        "-i0q",
        "-qmi 0",
        "-i 0",
        "-ai 0",
        "-- -q",
        "-q -- -t",
        "foo",
        "foo -q",
        "-q foo -t",
        "-",
        "- -q",
        "'' -q",
        "-q -i",
        "-i",
        "--id",
        "-z",
        "-qz",
        "-zq",
        "-q-",
        "--foo",
        "--foo=bar",
        "--s",
        "--s=1",
        "--=",
        "--=x",
        "--h",
        "--h=1",
        "--human=1",
        "--bytes=",
        "--queues=q",
        "--b=3",
        "-h",
        "--help",
        "--he",
        "-qh",
        "-h -z",
        "-z -h",
        "-é",
        "--é",
        "-i 1 -i x -z",
        "-W foo",
        "-:",
        "-?",
        "-1",
        "-q -q -q",
        "-l -s -m",
    ];
    lines.extend(written.map(str::to_owned));
    // And whatever comes of throwing dice, the same in every run.
    let words = [
        "-q", "-m", "-s", "-a", "-t", "-p", "-c", "-l", "-u", "-b", "--human", "-i 0", "-i 1",
        "-i 9", "--queues", "--sem", "--time", "--id=2", "-mu", "-ql", "x", "--",
    ];
    let mut dice = 7u64;
    let mut throw = |sides: usize| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) as usize % sides
    };
    for _ in 0..100 {
        let count = 2 + throw(4);
        lines.push((0..count).map(|_| words[throw(words.len())]).collect::<Vec<_>>().join(" "));
    }
    lines
}

/// Compares `ipcs` on all command lines in the state that a line of shell makes.
#[track_caller]
fn ipcs_agrees_after(setup: &str) {
    let Some(shell) = with_links() else { return };
    shell.run(setup).exits(0);
    agree(&shell, "", &script("ipcs", &ipcs_lines()), 300);
}

#[test]
fn ipcs_looks_as_it_always_did() {
    let Some(shell) = with_links() else { return };
    shell.run("links/ipcs | tr ' ' .").prints(
        "
------.Message.Queues.--------
key........msqid......owner......perms......used-bytes...messages....

------.Shared.Memory.Segments.--------
key........shmid......owner......perms......bytes......nattch.....status......

------.Semaphore.Arrays.--------
key........semid......owner......perms......nsems.....

",
    );
    shell.run("ipctool create msg --key 0xbeef --mode 660 && ipctool send 0 hello").exits(0);
    shell
        .run("links/ipcs -q --human | awk '/^0x/ { print $1, $2, $4, $5, $6 }'")
        .prints("0x0000beef 0 660 5B 1\n");
    shell
        .run("links/ipcs -ub | head -4")
        .prints("\n------ Messages Status --------\nallocated queues = 1\nused headers = 1\n");
}

#[test]
fn ipcs_without_any_object() {
    ipcs_agrees_after("true");
}

#[test]
fn ipcs_with_one_of_each() {
    ipcs_agrees_after(
        "ipctool create msg --key 0xbeef --mode 660; ipctool create shm --size 64K; \
         ipctool create sem --nsems 3 --key 0x1 --mode 0",
    );
}

#[test]
fn ipcs_with_many() {
    ipcs_agrees_after(
        r#"perl -e '
            for $n (1..60) {
                $key = $n % 3 ? $n * 71582788 - ($n > 30) * 4294967296 : 0;
                $mode = ($n * 37) & 0777;
                msgget($key, 01000 | $mode);
                shmget($key, $n ** 4, 01000 | $mode);
                semget($key, $n, 01000 | $mode);
            }
            # Holes, and ids of a later sequence.
            for $id (2, 5, 7) { msgctl($id, 0, 0); shmctl($id, 0, 0); semctl($id, 0, 0, 0) }
            for $n (1..2) { msgget(0, 0600); shmget(0, 1, 0600); semget(0, 1, 0600) }
        '; ipctool list -q | grep -q 0xe"#,
    );
}

#[test]
fn ipcs_with_queues_in_use() {
    ipcs_agrees_after(
        "for key in 1 2 3; do ipctool create msg --key $key; done; \
         ipctool send 0 one two three; ipctool recv 0; \
         head -c 8000 /dev/zero | ipctool send 1; ipctool send 1 '' && ipctool send 2 x; \
         ipctool recv 2; ipctool chmod 0 msg:1",
    );
}

#[test]
fn ipcs_with_sizes_from_small_to_huge() {
    ipcs_agrees_after(
        r#"perl -e '
            # Without a reservation there is room for any size.
            for $size (1, 999, 1023, 1024, 1025, 1075, 1076, 1536, 10188, 1048575, 1048576, 1073741823,
                       1 << 40, (1 << 50) - 1, 1 << 60) {
                shmget(0, $size, 011600);
            }
            for $length (1, 51, 52, 1023, 1024, 1075, 1076, 8191, 8192) {
                $id = msgget(0, 0600);
                msgsnd($id, pack("l! a*", 1, "x" x $length), 0) or die $!;
            }
            msgsnd(msgget(0, 0600), pack("l!", 1), 0) or die $!;
        '"#,
    );
}

#[test]
fn ipcs_with_semaphores_on_which_processes_wait() {
    let Some(shell) = with_links() else { return };
    shell.run("ipctool create sem --nsems 4 && ipctool create sem --nsems 1").exits(0);
    shell.run("perl -e 'semop(0, pack(\"s9\", 0, 7, 0, 2, 32767, 0, 3, 1, 0)) or die $!'").ok();
    let waits = |operation: &str| {
        shell.start(&format!("exec perl -e 'semop(0, pack(\"s3\", {operation}))'"))
    };
    let _waiters = [waits("1, -1, 0"), waits("1, -2, 0"), waits("2, 0, 0"), waits("0, -9, 0")];
    shell.wait_until("[ $(ipctool stat sem:0 --json | grep -o '\"role\":\"waiting' | wc -l) = 4 ]");
    agree(&shell, "", &script("ipcs", &ipcs_lines()), 300);
    shell.run("ipctool rm sem:0").exits(0);
}

#[test]
fn ipcs_with_segments_that_are_attached_marked_and_locked() {
    let Some(shell) = with_links() else { return };
    shell.run("for n in 1 2 3 4; do ipctool create shm --size $n --key $n; done").exits(0);
    shell.compile("use");
    let attach = |id: u32| shell.start(&format!("exec ./use shm {id}")).ready();
    let _holders = [attach(0), attach(1), attach(1), attach(2)];
    // SHM_LOCK
    shell.run("perl -e 'for $id (2, 3) { shmctl($id, 11, 0) or die $! }'").ok();
    shell.run("ipcrm -m 1 -m 2 && ipctool list -m | grep -q dest").exits(0);
    agree(&shell, "", &script("ipcs", &ipcs_lines()), 300);
}

#[test]
fn ipcs_with_owners_of_long_names_and_of_none() {
    if !only_root("only root can give objects away, and name their owners") {
        return;
    }
    let Some(shell) = with_links() else { return };
    shell
        .run(
            "for kind in msg sem 'shm --size 1'; do for n in 1 2 3 4; do ipctool create $kind; done; done; \
             for kind in msg sem shm; do ipctool chown 4000000000:4000000001 $kind:0; \
             ipctool chown 60001:60002 $kind:1; ipctool chown 60003 $kind:2; done; \
             { cat /etc/passwd; echo 'a-name-of-more-than-ten:x:60001:60001::/:/bin/sh'; \
             echo 'ten-bytes-:x:60003:60003::/:/bin/sh'; } > passwd; \
             { cat /etc/group; echo 'a-group-of-more-than-ten:x:60002:'; } > group",
        )
        .exits(0);
    let names = "unshare --mount sh -c 'mount --bind passwd /etc/passwd && \
                 mount --bind group /etc/group && exec \"$@\"' sh";
    if shell.run(&format!("{names} true")).stderr().is_empty() {
        shell.run(&format!("{names} links/ipcs -c")).shows("a-group-of-more-than-ten");
        agree(&shell, names, &script("ipcs", &ipcs_lines()), 300);
    } else {
        skip(Needs::Machine, "nothing can be mounted over /etc/passwd, to name the owners");
        agree(&shell, "", &script("ipcs", &ipcs_lines()), 300);
    }
}

#[test]
fn ipcs_of_somebody_who_may_not_read() {
    let Some(shell) = Sandbox::new() else { return };
    let Some(_) = shell.run_as(NOBODY, "mkdir links && ./ipctool install-links links 2> notes")
    else {
        return;
    };
    shell
        .run(
            "for mode in 600 644 622; do ipctool create msg --mode $mode; \
             ipctool create shm --size 5000 --mode $mode; ipctool create sem --nsems 2 --mode $mode; done; \
             ipctool send 0 x; ipctool send 1 x; ipctool chown 65534 msg:2",
        )
        .exits(0);
    agree_as(Some(NOBODY), &shell, "", &script("ipcs", &ipcs_lines()), 300);
}

#[test]
fn limits_overflow_as_they_always_did() {
    let Some(shell) = Sandbox::privileged() else { return };
    install(&shell);
    let limits: Vec<_> = ipcs_lines().into_iter().filter(|line| line.contains("-l")).collect();
    for (shmall, shmmax, sem) in [
        ("18446744073692774399", "18446744073692774399", "7 8 9 10"),
        ("18446744073709551615", "18446744073709551615", "0 0 0 0"),
        ("4503599627370495", "1023", "65536 -1 5 6"),
        ("4503599627370496", "1024", "-1 -2147483648 -7 6"),
        ("4611686018427387903", "1048575", "2147483647 2147483647 2147483647 1"),
        ("4611686018427387904", "1048576", "7 8 9 10"),
        ("0", "0", "7 8 9 10"),
        ("1", "1", "7 8 9 10"),
    ] {
        shell
            .run(&format!(
                "echo {shmall} > /proc/sys/kernel/shmall; echo {shmmax} > /proc/sys/kernel/shmmax; \
                 echo 2147483647 > /proc/sys/kernel/msgmnb; echo 1 > /proc/sys/kernel/msgmax; \
                 echo {sem} > /proc/sys/kernel/sem; cat /proc/sys/kernel/shmall"
            ))
            .prints(&format!("{shmall}\n"));
        agree(&shell, "", &script("ipcs", &limits), 30);
    }
}

#[test]
fn limits_and_sums_need_no_proc() {
    let Some(shell) = Sandbox::privileged() else { return };
    install(&shell);
    let hidden = "unshare --mount sh -c 'mount -t tmpfs none /proc && exec \"$@\"' sh";
    shell.run(&format!("{hidden} ls /proc")).prints("");
    let mut lines = Vec::new();
    for resource in ["", "-q", "-m", "-s"] {
        for format in ["-l", "-u"] {
            lines.extend(["", "-b", "--human"].map(|unit| format!("{resource} {format} {unit}")));
        }
    }
    agree(&shell, hidden, &script("ipcs", &lines), 24);
}

#[test]
fn times_are_those_of_the_local_time_zone() {
    let Some(shell) = with_links() else { return };
    shell
        .run(
            "ipctool create msg; ipctool send 0 x; ipctool recv 0; ipctool create sem; \
             ipctool create shm --size 1",
        )
        .exits(0);
    let lines = ["-t", "-q -i 0", "-m -i 0", "-s -i 0"].map(str::to_owned);
    for zone in [
        "America/New_York",
        ":Asia/Kathmandu",
        "EST5EDT",
        "<+0330>-3:30",
        "Nowhere/At_All",
        "",
        ":",
        "XYZ",
        "UTC-14",
        "/usr/share/zoneinfo/Pacific/Chatham",
        "CET-1CEST,M3.5.0,M10.5.0/3",
    ] {
        agree(&shell, &format!("TZ='{zone}'"), &script("ipcs", &lines), 4);
    }
    agree(&shell, "env -u TZ", &script("ipcs", &lines), 4);
}

#[test]
fn options_stand_in_front_where_posix_is_asked_for() {
    let Some(shell) = with_links() else { return };
    let lines = ["foo -q", "-q foo -z", "-q -- -z", "-z foo"].map(str::to_owned);
    agree(&shell, "POSIXLY_CORRECT=", &script("ipcs", &lines), 4);
}
