//! What may be removed as an orphan, and what must not: an object counts as used if unseen processes may use
//! it, or if its use is unknown.

mod sandbox;

use sandbox::{NOBODY, Ran, Sandbox, only_root, sees_everybody};

const ORPHANS: &str = "ipctool list --orphan --no-headings -o ref";

/// Waits until a line of shell succeeds, for ten seconds at most.
fn until(line: &str) -> String {
    format!(
        "n=0; until {line}; do n=$((n+1)); [ $n -lt 500 ] || {{ echo 'never: {}' >&2; exit 99; }}; sleep 0.02; done; ",
        line.replace('\'', "")
    )
}

/// Waits until this many threads wait on objects of System V.
fn waiting(number: u32) -> String {
    until(&format!(
        "[ \"$(ipctool list -q -s -o waiting --no-headings 2> /dev/null | awk '{{n += $1}} END {{print n + 0}}')\" = {number} ]"
    ))
}

/// Runs a line of shell in a process namespace of its own below that of the test.
fn in_a_pod(shell: &Sandbox, line: &str) -> Ran {
    shell.run_with("unshare --pid --fork --mount-proc sh", line.as_bytes())
}

#[test]
fn a_clock_that_was_set_makes_no_living_sender_a_stranger() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.compile("use");
    shell.compile_library("clock");
    shell.run("ipctool create msg; ipctool send 0 x; ipctool recv 0").ok();
    let sender = shell.start("exec ./use msg 0");
    // Who looks at a process makes /proc remember when that was.
    shell.run(&until("ipctool stat msg:0 | grep -q 'last sender.*alive'")).exits(0);
    for seconds in [3600, 86_400, -3600] {
        let ahead = format!("env LD_PRELOAD=./clock.so AHEAD={seconds}");
        shell.run(&format!("{ahead} ipctool rm --orphan --kind msg --yes")).exits(0);
        shell.run(&format!("{ahead} ipctool rm --orphan=likely --kind msg --yes")).exits(0);
        shell.run(&format!("{ahead} ipctool stat msg:0 --json")).exits(0).lacks("\"reused\"");
    }
    shell.run("ipctool list -q --no-headings -o ref").prints("msg:0\n");
    drop(sender);
}

#[test]
fn a_machine_whose_start_is_shown_wrongly_makes_no_living_sender_a_stranger() {
    if !only_root("only root can cover /proc/stat") {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("use");
    shell.run("ipctool create msg; ipctool send 0 x; ipctool recv 0").ok();
    // All times that are computed from this file are an hour later.
    let line = "
        mkfifo ready; ./use msg 0 > ready & read line < ready
        awk '/^btime/ { $2 += 3600 } { print }' /proc/stat > stat
        mount --bind stat /proc/stat
        ipctool rm --orphan --yes; ipctool rm --orphan=likely --yes
        ipctool list --no-headings -o ref; ipctool stat msg:0 --json
        kill $!";
    let ran = shell.run_with("cat > line; unshare --mount sh line", line.as_bytes()).exits(0);
    ran.shows("msg:0\n").shows("\"role\":\"last sender\"").shows("\"state\":\"alive\"");
}

#[test]
fn who_cannot_be_looked_at_for_any_reason_may_use_it() {
    if !sees_everybody() {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    shell.compile_library("fault");
    shell.run("ipctool create msg").ok();
    let waiter = shell.start("exec ipctool recv 0");
    shell.run(&waiting(1)).ok();
    for (number, words) in [
        (24, "Too many open files (EMFILE)"),
        (23, "(ENFILE)"),
        (12, "(ENOMEM)"),
        (5, "(EIO)"),
        (1, "could not be inspected"),
        // The kernel, or a sandbox, has no such file of a living thread.
        (2, "could not be inspected"),
    ] {
        let faulty = format!("env LD_PRELOAD=./fault.so FAULT={number} AT=/syscall");
        shell
            .run(&format!("{faulty} ipctool rm --orphan=likely --kind msg --yes -v"))
            .exits(0)
            .says(words)
            .says("rm msg:0: skipped as uncertain: ");
        shell.run(&format!("{faulty} ipctool rm --unused --kind msg --yes")).exits(0).says(words);
        shell
            .run(&format!("{faulty} ipctool chmod 666 --unused --kind msg --yes -v"))
            .exits(0)
            .says(words)
            .says("chmod msg:0: skipped as uncertain: ");
        shell.run("ipctool list -q -P -o mode --no-headings").prints("0600\n");
    }
    // One descriptor is enough for a look at one process at a time.
    shell.run("prlimit --nofile=4 ipctool rm --orphan --kind msg --yes").exits(0);
    shell.run("ipctool list -q -o ref --no-headings").prints("msg:0\n");
    drop(waiter);
}

#[test]
fn from_a_pod_nobody_sees_who_uses_a_queue_or_a_set() {
    if !only_root("only root can make a process namespace here") {
        return;
    }
    let Some(shell) = Sandbox::with_posix() else { return };
    shell
        .run(
            "ipctool create msg; ipctool create msg; ipctool create sem; ipctool create pmsg --name /q; \
             ipctool create pshm --name /m --size 4096; ipctool create psem --name /s; \
             ipctool create pshm --name /left --size 4096",
        )
        .ok();
    let posix = "ipctool list pmsg pshm --who --no-headings -o ref,users";
    let ready = format!(
        "{}{}",
        waiting(1),
        until(&format!(
            "[ $({posix} 2> /dev/null | grep -c posix) = 2 ] && grep -q sem.s /proc/*/maps"
        ))
    );
    // The receiver and the holders live in one process namespace, ipctool in another.
    let pod = "unshare --pid --fork --mount-proc sh -c";
    let lines = format!(
        "{pod} 'ipctool recv 0 & ./posix /q mq_open & ./posix /m mmap & ./posix /s sem_wait & wait' > holders & \
         {ready} \
         unshare --pid --fork --mount-proc ipctool rm --orphan --yes --kind msg --kind sem --kind pmsg --kind pshm --kind psem; \
         unshare --pid --fork --mount-proc ipctool list --orphan=likely -v --no-headings -o ref | sed s/^/likely:/; \
         ipctool list --no-headings -o ref; pkill -9 -P $!"
    );
    let ran = shell.run(&lines);
    let ran = ran
        .says("this process namespace is not the machine's own")
        .says("list msg:0: skipped as uncertain: processes in other process namespaces may wait on it")
        .says("list sem:0: skipped as uncertain: ");
    assert_eq!(
        ran.stdout().split_whitespace().collect::<Vec<_>>(),
        [
            "likely:pshm:/left",
            "msg:0",
            "msg:1",
            "sem:0",
            "pmsg:/q",
            "pshm:/left",
            "pshm:/m",
            "psem:/s"
        ],
    );
}

#[test]
fn in_a_pod_the_kernel_proves_that_a_file_and_a_segment_are_free() {
    if !only_root("only root can make a process namespace here") {
        return;
    }
    let Some(shell) = Sandbox::with_posix() else { return };
    let line = "
        ipctool create pshm --name /m --size 4096 > made; ipctool create shm --size 5 > made
        ipctool list pshm shm --orphan --no-headings -o ref";
    in_a_pod(&shell, line).exits(0).prints("shm:0\npshm:/m\n");
}

/// The mode lets everybody open it, and not everybody can be inspected.
#[test]
fn an_ordinary_user_cleans_up_after_himself() {
    let Some(shell) = Sandbox::with_posix() else { return };
    let nobody = |line: &str| shell.run_as(NOBODY, line);
    let Some(ran) = nobody("ipctool create pshm --name /m --size 4096 --mode 644") else { return };
    ran.exits(0);
    nobody("ipctool create pmsg --name /q --mode 644; ipctool create psem --name /s --mode 666");
    // Root reads one of them, which no other user can see.
    let reader = shell.start("exec 9< /dev/shm/m; echo ready; exec sleep 20");
    shell
        .run(&until("[ -n \"$(ipctool list pshm --who --no-headings -o users | grep sleep)\" ]"))
        .ok();
    let list = "ipctool list pmsg pshm psem --orphan --no-headings -o ref 2> /dev/null";
    nobody(list).unwrap().prints("pmsg:/q\npsem:/s\n");
    reader.signal("KILL").ends();
    nobody(list).unwrap().prints("pmsg:/q\npshm:/m\npsem:/s\n");
    nobody("ipctool rm --orphan --kind pmsg --kind pshm --kind psem --yes 2> /dev/null")
        .unwrap()
        .exits(0);
    shell.run("ipctool list").prints("");
}

#[test]
fn what_an_older_process_of_its_owner_may_come_back_to_is_no_orphan() {
    if !sees_everybody() {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("use");
    for kind in ["msg", "shm", "sem"] {
        let (id, other) = (format!("{kind}:0"), format!("{kind}:1"));
        let make = format!("ipctool create {kind} --size 5 2> /dev/null || ipctool create {kind}");
        shell.run(&make).ok();
        let server = shell.start(&format!("exec ./use {kind} 0"));
        shell.run(&until(&format!("ipctool stat {id} | grep -q './use {kind} 0'"))).ok();
        // Made after the server has started; no process uses it.
        shell.run(&format!("sleep 1.1; {make}")).ok();
        let list = format!("ipctool list {kind} --no-headings -o ref");
        shell.run(&format!("{list} --unused")).exits(0).shows(&other);
        shell
            .run(&format!("{list} --orphan -v"))
            .exits(0)
            .lacks(&other)
            .says(&format!("list {other}: skipped as uncertain: it may still belong to "))
            .says(&format!("(./use {kind} 0), which uses {id}"));
        shell.run(&format!("{list} --orphan=likely")).exits(0).shows(&other);
        // Its number is that of a process of another user.
        if let Some(ran) = shell.run_as(NOBODY, &make) {
            ran.exits(0);
            shell.run(&format!("{list} --orphan")).exits(0).prints(&format!("{kind}:2\n"));
        }
        // Without its server, all of it is left over.
        server.signal("KILL").ends();
        shell.run(&format!("ipctool rm --kind {kind} --orphan --yes")).exits(0);
        shell.run(&list).prints("");
    }
}

#[test]
fn a_process_that_came_later_is_no_heir() {
    if !sees_everybody() {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("use");
    shell.run("ipctool create shm --size 5; ipctool create shm --size 5; sleep 1.1").ok();
    let later = shell.start("exec ./use shm 1");
    shell
        .run(&until("[ \"$(ipctool list -m -o attached --no-headings | tr -d ' \\n')\" = 01 ]"))
        .ok();
    shell.run(ORPHANS).prints("shm:0\n");
    drop(later);
}

#[test]
fn a_posix_object_belongs_to_its_like_and_to_its_maker() {
    let Some(shell) = Sandbox::with_posix() else { return };
    let list = "ipctool list pshm --orphan --no-headings -o ref";
    let server = shell.start("exec ./posix /PostgreSQL.17 mmap");
    shell.run(&until("grep -q PostgreSQL.17 /proc/*/maps 2> /dev/null")).ok();
    shell
        .run(
            "sleep 1.1; for name in PostgreSQL.18 PostgreSQL.x other; do \
             ipctool create pshm --name /$name --size 5; done",
        )
        .ok();
    shell
        .run(&format!("{list} -v"))
        .exits(0)
        .lacks("pshm")
        .says("list pshm:/PostgreSQL.18: skipped as uncertain: it may still belong to ")
        .says("list pshm:/other: skipped as uncertain: it may still belong to ")
        .says("(./posix /PostgreSQL.17 mmap), which uses pshm:/PostgreSQL.17");
    server.signal("KILL").ends();
    // Whoever holds the like of one may be of another user.
    let Some(_) = shell.run_as(NOBODY, "ipctool create pshm --name /torch_1_7 --size 5") else {
        return;
    };
    let holder = shell.start("exec 9< /dev/shm/torch_1_7; exec sleep 20");
    shell.run(&until("ls -l /proc/*/fd 2> /dev/null | grep -q torch_1_7")).ok();
    shell.run("sleep 1.1; ipctool create pshm --name /torch_1_8 --size 5").ok();
    shell
        .run("ipctool list pshm --orphan -v --owner \"$(id -u)\"")
        .says("list pshm:/torch_1_8: skipped as uncertain: it may ");
    drop(holder);
}

#[test]
fn a_file_that_lies_in_dev_shm_is_not_ours_to_remove() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("echo precious > /dev/shm/notes.txt; echo old > /dev/shm/old").ok();
    shell.run("touch -d '2 hours ago' /dev/shm/old").ok();
    shell
        .run("ipctool rm --orphan --yes -v 2>&1; ls /dev/shm")
        .shows("rm pshm:/notes.txt: skipped as uncertain: it may be any file in /dev/shm")
        .shows("pshm:/old\n")
        .shows("\nnotes.txt\n");
    // Somebody writes it right now.
    shell.run("sleep 1.1").ok();
    let line = "exec 9> /dev/shm/log; ipctool rm --orphan --kind pshm --yes -v; ls /dev/shm";
    shell.run(line).exits(0).shows("pshm:/notes.txt\n").shows("\nlog\n");
}

#[test]
fn leases_are_released_at_once_and_harm_nobody() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("ipctool create pshm --name /m --size 4096").ok();
    // Whoever opens it while it is judged waits for a moment, or comes right before.
    let open = "n=0; while [ $n -lt 300 ]; do n=$((n+1)); : < /dev/shm/m || exit 9; done";
    let judge = "n=0; while [ $n -lt 60 ]; do n=$((n+1)); ipctool list pshm --unused > seen || exit 8; done";
    let stderr = shell.run(&format!("({judge}) & {open}; wait $!")).exits(0).stderr();
    assert!(stderr.lines().all(|line| line.contains("could not be inspected")), "{stderr}");
    shell.run("grep LEASE /proc/locks | grep \":$(stat -c %i /dev/shm/m) \"").exits(1);
}

#[test]
fn that_nothing_is_there_is_all_that_force_forgives() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool rm -f msg:5 shm:5").ok();
    shell.run("ipctool create msg").ok();
    let ask = |options: &str| {
        shell.run(&format!(
            "(sleep 0.5; ipctool send 0 precious; echo y) | script -qec 'ipctool rm --all {options}' /dev/null"
        ))
    };
    ask("-f").shows("rm msg:0: not removed: it was used after it was selected");
    shell.run("ipctool recv 0 --peek").prints("precious\n");
    ask("--even-if-changed").shows("rm: removed 1 message queue");
    shell.run("ipctool list").prints("");
}

/// With the system calls of a 32-bit program: msgrcv(2), or the older ipc(2).
#[cfg(target_arch = "x86_64")]
#[test]
fn a_program_of_32_bits_that_waits_is_seen() {
    if !sees_everybody() {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("receive32");
    shell.run("ipctool create msg; ipctool create msg").ok();
    let waiters = ["0 401", "1 117"].map(|what| shell.start(&format!("exec ./receive32 {what}")));
    shell.run(&waiting(2)).ok();
    shell.run("ipctool rm --orphan=likely --kind msg --yes").ok();
    let stat = shell.run("ipctool stat msg:0 msg:1 --json").json();
    for number in 0..2 {
        assert_eq!(stat[number]["users"][0]["role"], "waiting to receive type 7", "{stat}");
    }
    drop(waiters);
}

/// Its first thread has gone into another IPC namespace.
#[test]
fn a_thread_that_waits_elsewhere_than_its_process_is_seen() {
    if !sees_everybody() {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("threads");
    shell.run("ipctool create msg").ok();
    let waiter = shell.start("exec ./threads elsewhere 0");
    shell.run(&waiting(1)).ok();
    shell.run("ipctool rm --orphan=likely --kind msg --yes").ok();
    shell.run("ipctool list -q --no-headings -o ref").prints("msg:0\n");
    drop(waiter);
}

#[test]
fn a_daemon_may_come_back_to_what_it_made_before() {
    if !sees_everybody() {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("daemon");
    // It makes two segments, leaves its terminal as daemons do, and attaches one of them.
    shell.run("./daemon early < /dev/null").ok();
    shell
        .run(&until("[ \"$(ipctool list -m -o attached --no-headings | tr -d ' \\n')\" = 01 ]"))
        .ok();
    shell
        .run("ipctool rm --orphan --yes -v; ipctool list -m -o ref --no-headings; kill -9 $(ipctool list -m -o users --no-headings | tr -dc '0-9 \\n')")
        .says("rm shm:0: skipped as uncertain: it may still belong to ")
        .shows("shm:0\nshm:1\n");
}
