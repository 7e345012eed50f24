//! `ipctool guard`: commands that leak, in namespaces of their own and beside others, of
//! whom `guard_shared.rs` has more.

mod guarding;
mod sandbox;

use guarding::{Checks, FORBID, THREE, nothing_is_left, refs, report, wait_for};
use sandbox::{NOBODY, Needs, Sandbox, is_root, only_root, sees_everybody, skip};
use serde_json::Value;

/// Whether this is possible here; if not, the test is skipped.
fn can_isolate(shell: &Sandbox) -> bool {
    let ran = shell.run("ipctool guard --isolate always true; echo $?");
    if ran.stdout() != "0\n" {
        skip(Needs::Machine, &format!("no command can be isolated here: {}", ran.stderr().trim()));
    }
    ran.stdout() == "0\n"
}

#[test]
fn a_clean_command_is_not_talked_about() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool guard --isolate never -- echo hello").prints("hello\n");
    if can_isolate(&shell) {
        shell.run("ipctool guard -- echo hello").prints("hello\n");
        shell.run("ipctool guard echo hello --report x -q").prints("hello --report x -q\n");
        let tidy = r#"perl -e '$q = msgget(0, 0600); msgctl($q, 0, 0)'"#;
        shell.run(&format!("ipctool guard -- {tidy}")).prints("");
    }
}

#[test]
fn isolated_every_leak_is_told_and_nothing_outside_is_touched() {
    let Some(shell) = Sandbox::new().filter(can_isolate) else { return };
    shell.run("ipctool create msg --key 0xbeef").ok();
    shell.run("ipctool send 0xbeef 'from outside'").ok();
    let before = shell.run("ipctool list --json").stdout();
    let ran = shell.run(&format!("ipctool guard -- {THREE}")).exits(6);
    let text = ran.stderr();
    assert!(
        text.contains("leaked 1 message queue, 1 shared memory segment, 1 semaphore set"),
        "{text}"
    );
    for (reference, key, holds) in [
        ("msg:0", "0x0000beef", "1 message"),
        ("shm:0", "0x0000cafe", "64K"),
        ("sem:0", "0x0000f00d", "3 semaphores"),
    ] {
        let line = text.lines().find(|line| line.contains(reference)).expect(reference);
        assert!([key, holds, "perl -e"].iter().all(|word| line.contains(word)), "{line}");
    }
    assert_eq!(shell.run("ipctool list --json").stdout(), before);
}

#[test]
fn the_report_has_every_field() {
    let Some(shell) = Sandbox::new().filter(can_isolate) else { return };
    let report = report(&shell, &format!("ipctool guard -q --report report.json -- {THREE}"));
    assert_eq!(report["command"][0], "perl");
    assert_eq!((&report["status"], &report["isolated"]), (&Value::from(0), &Value::from(true)));
    assert_eq!(refs(&report["leaks"]), ["msg:0", "shm:0", "sem:0"]);
    for leak in report["leaks"].as_array().unwrap() {
        assert!(leak["pid"].as_i64().unwrap() > 0);
        assert!(leak["command"].as_str().unwrap().starts_with("perl -e"));
        assert!(leak["mode"] == "0600" && leak["cuid"].is_u64() && leak["changed"].is_string());
    }
    assert_eq!(report["leaks"][0]["messages"], 1);
    assert_eq!(report["leaks"][1]["size"], 65_536);
    assert_eq!(report["leaks"][2]["nsems"], 3);
}

#[test]
fn the_leaks_of_installed_programs() {
    let Some(shell) = Sandbox::new().filter(can_isolate) else { return };
    let ran = shell.run("ipctool guard -- sh -c 'ipcmk -Q; ipcmk -M 4096; ipcmk -S 2'").exits(6);
    ran.says("leaked 1 message queue, 1 shared memory segment, 1 semaphore set");
    let three = "leaked 1 message queue, 1 shared memory segment, 1 semaphore set";
    for (module, code, expected) in [
        (
            "sysv_ipc",
            "import sysv_ipc as i; i.MessageQueue(None, i.IPC_CREX); \
             i.Semaphore(None, i.IPC_CREX); i.SharedMemory(None, i.IPC_CREX, size=4096)",
            three,
        ),
        (
            "posix_ipc",
            "import posix_ipc as i; i.MessageQueue(\"/q\", i.O_CREX); \
             i.Semaphore(\"/s\", i.O_CREX); i.SharedMemory(\"/m\", i.O_CREX, size=4096)",
            "leaked 1 POSIX message queue, 1 POSIX shared memory object, 1 POSIX semaphore",
        ),
        (
            "multiprocessing",
            "import multiprocessing as m; p = m.Process(target=print); p.start(); p.join(); \
             m.Lock()",
            "",
        ),
        // What the resource tracker would clean up, if it were there.
        (
            "multiprocessing.shared_memory",
            "import os, signal; from multiprocessing import shared_memory as s, resource_tracker as t; \
             s.SharedMemory(\"left\", True, 4096); \
             os.kill(t._resource_tracker._pid, 9); os.kill(os.getpid(), 9)",
            "pshm:/left",
        ),
    ] {
        if !shell.has_python(module) {
            continue;
        }
        let ran = shell.run(&format!("ipctool guard -- python3 -c '{code}'"));
        match expected {
            "" => drop(ran.ok()),
            _ => drop(ran.says(expected).says("leaked")),
        }
    }
}

#[test]
fn isolated_posix_objects_leak_as_well() {
    let Some(shell) = Sandbox::new().filter(can_isolate) else { return };
    shell
        .run("ipctool create pmsg --name /outside; ipctool create pshm --name /outside --size 4096")
        .exits(0);
    let before = shell.run("ipctool list --json").stdout();
    let make = "ipctool create pmsg --name /q; ipctool create pshm --name /m --size 8K; ipctool create psem --name /s; \
                ipctool send /q hello";
    let report = report(
        &shell,
        &format!("ipctool guard -q --report report.json -- sh -c '({make}) > /dev/null'"),
    );
    assert_eq!(refs(&report["leaks"]), ["pmsg:/q", "pshm:/m", "psem:/s"]);
    assert_eq!(report["leaks"][0]["messages"], 1);
    assert_eq!(report["leaks"][1]["size"], 8192);
    assert_eq!(shell.run("ipctool list --json").stdout(), before);
    shell
        .run(&format!("ipctool guard --ignore /q,/m --ignore /s -- sh -c '({make}) > /dev/null'"))
        .ok();
    let ran = shell
        .run("ipctool guard -- perl -e 'open F, \">\", \"/dev/shm/file\"; print F \"x\" x 5000'");
    ran.exits(6).says("leaked 1 POSIX shared memory object, 8K of memory").says("pshm:/file");

    // Whoever has it open is named.
    let ran = shell.run("ipctool guard -- sh -c 'sleep 50 3> /dev/shm/open & true'").exits(6);
    ran.says("pshm:/open is held by").says("(sleep 50)");
}

#[test]
fn isolated_everything_in_dev_shm_is_a_leak() {
    let Some(shell) = Sandbox::new().filter(can_isolate) else { return };
    let make = "cd /dev/shm && mkdir -p d/e empty && echo x > d/e/f && mkfifo pipe && ln -s /etc link && \
                perl -MSocket -e \"socket S, AF_UNIX, SOCK_STREAM, 0; bind S, pack_sockaddr_un(q(d/socket))\"";
    let ran = shell.run(&format!("ipctool guard -- sh -c '{make}'")).exits(6);
    ran.says("leaked 1 POSIX shared memory object, 4 other files in /dev/shm, 4K of memory")
        .says("pshm:/d/e/f");
    let report =
        report(&shell, &format!("ipctool guard -q --report report.json -- sh -c '{make}'"));
    let leaks = report["leaks"].as_array().unwrap();
    let found: Vec<_> =
        leaks.iter().map(|leak| (leak["ref"].as_str().unwrap(), leak["file"].as_str())).collect();
    let expected = [
        ("pshm:/d/e/f", None),
        ("pshm:/d/socket", Some("socket")),
        ("pshm:/empty", Some("directory")),
        ("pshm:/link", Some("symbolic link")),
        ("pshm:/pipe", Some("named pipe")),
    ];
    assert_eq!(found, expected);
    let ignore = "--ignore /d/e/f,/d/socket,/empty,/link,/pipe";
    shell.run(&format!("ipctool guard {ignore} -- sh -c '{make}'")).ok();
}

#[test]
fn every_exit_status() {
    let Some(shell) = Sandbox::new() else { return };
    let leak = "ipcmk -Q > /dev/null";
    for isolate in ["never", "auto"] {
        let guard = format!("ipctool guard --isolate {isolate}");
        shell.run(&format!("{guard} -- sh -c 'exit 3'")).exits(3);
        shell.run(&format!("{guard} -- sh -c '{leak}; exit 7'")).exits(7);
        for signal in [9, 15, 11, 1, 2, 10] {
            let ran = shell.run(&format!("{guard} -- sh -c 'kill -{signal} $$'; echo $?"));
            ran.prints_last(128 + signal);
        }
        shell.run(&format!("{guard} -- perl -e 'kill 40, $$'; echo $?")).prints_last(168);
        shell.run(&format!("{guard} -- no-such-command")).exits(127).says("(ENOENT)");
        shell.run(&format!("{guard} -- /etc/passwd")).exits(126).says("Permission denied (EACCES)");
        shell.run(&format!("{guard} -- /")).exits(126);
        shell.run(&format!("printf 'exit 5' > script; chmod +x script; {guard} ./script")).exits(5);
    }
    if can_isolate(&shell) {
        shell.run(&format!("ipctool guard -- sh -c '{leak}'")).exits(6);
        shell
            .run(&format!("ipctool guard --allow-leaks -- sh -c '{leak}'"))
            .exits(0)
            .says("leaked");
        shell
            .run(&format!("ipctool guard --max-leaks 1 -- sh -c '{leak}'"))
            .exits(0)
            .says("leaked");
        shell.run(&format!("ipctool guard --max-leaks 1 -- sh -c '{leak}; {leak}'")).exits(6);
        shell
            .run(&format!("ipctool guard -q -- sh -c '{leak}; exit 0' 2>&1"))
            .exits(6)
            .stdout_is("");
    }
}

#[test]
fn what_is_missing_is_explained() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("printf '#!/no/such\\n' > script; chmod +x script").ok();
    shell.run("ipctool guard --isolate never ./script").exits(127).says("hint: the file is there");
    if can_isolate(&shell) {
        shell.run("cp /bin/true /dev/shm/program").ok();
        let hint = "hint: an isolated command has a /dev/shm of its own";
        shell.run("ipctool guard /dev/shm/program").exits(127).says(hint);
        shell.run("ipctool guard --isolate never /dev/shm/program").ok();
        shell.run("cd /dev/shm && ipctool guard true").exits(0).says(hint);
    }
}

#[test]
fn wrong_usage_runs_nothing() {
    let Some(shell) = Sandbox::new() else { return };
    for (arguments, what) in [
        ("", "COMMAND"),
        ("--isolate sometimes -- touch ran", "sometimes"),
        ("--no-such-option touch ran", "--no-such-option"),
        ("--ignore zero -- touch ran", "is not a key"),
        ("--ignore 5 touch ran", "'--' must stand between these and the command"),
        ("--ignore 0x0 -- touch ran", "IPC_PRIVATE"),
        ("--timeout soon -- touch ran", "is not a duration"),
        ("--max-leaks -1 -- touch ran", "unexpected argument '-1' found"),
    ] {
        shell.run(&format!("ipctool guard {arguments}")).exits(2).says(what);
    }
    shell.run("ls").prints("");
    if can_isolate(&shell) {
        let ran = shell.run("ipctool guard --keep -- touch ran").exits(2);
        ran.says("outlives its namespace").says("--isolate never");
        shell.run("ls").prints("");
    }
}

#[test]
fn a_killed_command_leaks_and_is_told_of() {
    let Some(shell) = Sandbox::new() else { return };
    std::fs::write(shell.directory().join("deadly"), format!("{THREE}; kill -9 $$")).unwrap();
    if sees_everybody() {
        let ran = shell.run("ipctool guard --isolate never -- sh deadly; echo $?");
        let all = "leaked 1 message queue, 1 shared memory segment, 1 semaphore set";
        ran.prints_last(137).says(all);
        nothing_is_left(&shell);
    }
    if can_isolate(&shell) {
        let ran = shell.run("ipctool guard -- sh deadly; echo $?");
        ran.prints_last(137).says("leaked 1 message queue");
    }
}

#[test]
fn a_daemon_that_keeps_a_segment_attached_is_named() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("daemon");
    if can_isolate(&shell) {
        let ran = shell.run("ipctool guard -- ./daemon").exits(6);
        let pid = number_before(&ran.stderr(), " (./daemon)");
        ran.says(&format!("shm:0 is held by {pid} (./daemon)"))
            .says("./daemon); now ended")
            .says("leaked 1 shared memory segment, 4K of memory");
        shell.run(&format!("kill -0 {pid} 2>/dev/null; echo $?")).prints("1\n");
    }
    let ran = shell.run("ipctool guard --isolate never -- ./daemon").exits(6);
    let pid = number_before(&ran.stderr(), " (./daemon)");
    ran.says("; left in place")
        .says(&format!("shm:0 is held by {pid} (./daemon)"))
        .says("left running");
    shell.run(&format!("kill {pid}; ipctool list -o ref")).shows("shm:0");
}

#[test]
fn background_processes_end_with_an_isolated_command_or_are_waited_for() {
    let Some(shell) = Sandbox::new().filter(can_isolate) else { return };
    let ran = shell.run("ipctool guard -- sh -c 'sleep 50 & echo $!'").exits(0);
    let pid = ran.stdout();
    let ran = ran.says(&format!("left in the background: {} (sleep 50); now ended", pid.trim()));
    drop(ran);
    shell.run(&format!("kill -0 {} 2>/dev/null; echo $?", pid.trim())).prints("1\n");
    shell.run("ipctool guard --wait -- sh -c '(sleep 0.4; echo late) &'").prints("late\n");
    // Whoever reads the last words of the command is no stray.
    shell.run("ipctool guard -- sh -c '(sleep 0.05; echo soon) &'").prints("soon\n");
    // It takes more than asking.
    let deaf = "ipctool guard --kill-after 0.1 -- sh -c '(trap \"\" TERM; echo ready; while :; do sleep 1; done) & read x' < /dev/null";
    shell.run(deaf).exits(1).says("now ended");
}

/// A background process seemed to have started after it was made, and so to be another one: it was
/// neither listed nor ended.
#[test]
fn background_processes_end_where_the_clock_was_set_back_meanwhile() {
    let Some(shell) = Sandbox::new().filter(can_isolate) else { return };
    // An hour ahead until the command begins, as guard sees it.
    shell.compile_library("clock");
    let ahead = "AHEAD=3600 LD_PRELOAD=$PWD/clock.so";
    let command = "touch begun; sleep 50 > /dev/null 2>&1 & sleep 0.1; echo $!";
    let ran = shell.run(&format!("{ahead} ipctool guard -- sh -c '{command}'"));
    let pid = ran.stdout().trim().to_owned();
    ran.exits(0).says(&format!("left in the background: {pid} (sleep 50); now ended"));
    shell.run(&format!("kill -0 {pid} 2> /dev/null")).exits(1);
}

#[test]
fn a_number_that_was_used_again_blames_nobody() {
    let Some(shell) = Sandbox::new() else { return };
    if !only_root("only root makes process namespaces") {
        return;
    }
    let release = shell.run("uname -r").stdout();
    let version: Vec<u32> = release.split('.').map_while(|word| word.parse().ok()).collect();
    if version < vec![6, 14] {
        // It would be set for the whole machine.
        return skip(Needs::Machine, "process namespaces have no pid_max before Linux 6.14");
    }
    shell.compile("breed");
    let few = "unshare --pid --fork --kill-child --mount --mount-proc sh -c \
               'echo 800 > /proc/sys/kernel/pid_max; sh script'";
    let guard = "ipctool guard -q --isolate never --report r.json -- sh -c";
    for script in [
        // At the same time.
        format!("./breed 300 1 & {guard} './breed 3000; exit 0'; echo $?; wait"),
        // Long after their owners have ended while the watcher slept, and missed it.
        format!(
            "(until test -e bred; do sleep 0.01; done; sleep 1.5; ./breed 500 1; touch made) & \
             {guard} 'kill -STOP $PPID; ./breed 1500; touch bred; kill -CONT $PPID; \
                      until test -e made; do sleep 0.2; done'; echo $?; wait"
        ),
    ] {
        std::fs::write(shell.directory().join("script"), script).unwrap();
        shell.run(few).prints("0\n");
        let report = shell.run("cat r.json").json();
        assert_eq!(report["leaks"], serde_json::json!([]));
        assert!(!refs(&report["appeared"]).is_empty());
        shell.run("ipctool rm --all --yes").exits(0);
    }
}

#[test]
fn a_program_that_may_not_be_watched() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("cp $(readlink -f /bin/sh) closed && chmod 711 closed").ok();
    let leak = "sleep 0.1; perl -e \"shmget(1, 1, 0600 | 01000); sleep 1\"";
    let guard = "ipctool guard --isolate never";
    let Some(ran) = shell.run_as(NOBODY, &format!("{guard} -- ./closed -c '{leak}'")) else {
        return;
    };
    ran.exits(6).says("leaked 1 shared memory segment; now removed");
    // Whoever has seen little claims little.
    let other = "until test -e begun; do sleep 0.01; done; ipcmk -M 1; touch done";
    shell
        .run_as(
            NOBODY,
            &format!(
                "({other}) > /dev/null & {guard} -- ./closed -c 'touch begun; until test -e done; do sleep 0.01; done'"
            ),
        )
        .unwrap()
        .exits(0)
        .says("was not seen to descend from the command");
}

#[test]
fn as_an_ordinary_user() {
    let Some(shell) = Sandbox::new().filter(can_isolate) else { return };
    let uid = if is_root() { NOBODY } else { 0 };
    let run = |line: &str| match is_root() {
        true => shell.run_as(uid, line),
        false => Some(shell.run(line)),
    };
    let Some(ran) = run("id -u; id -g; ipctool guard -- sh -c 'id -u; id -g'") else { return };
    let text = ran.stdout();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines.len() == 4 && lines[..2] == lines[2..], "{text}{}", ran.stderr());
    // No more privilege than before.
    run("ipctool guard -- grep -E 'Cap(Prm|Eff|Amb|Inh)' /proc/self/status").unwrap().stdout_is(
        "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapAmb:\t0000000000000000\n",
    );
    run(&format!("ipctool guard -- {THREE}")).unwrap().exits(6).says("leaked 1 message queue");
    run("ipctool guard --isolate never -- ipcmk -M 1").unwrap().exits(6).says("now removed");
    nothing_is_left(&shell);
}

#[test]
fn where_namespaces_are_forbidden() {
    let Some(shell) = Sandbox::new().and_then(Sandbox::can_forbid) else { return };
    let told = "not isolated: unshare: Operation not permitted (EPERM); objects of others are told apart by process";
    shell.run(&format!("{FORBID} ipctool guard true")).exits(0).says(told);
    shell.run(&format!("{FORBID} ipctool guard -q true")).ok();
    shell
        .run(&format!("{FORBID} ipctool guard -- sh -c 'ipcmk -M 1; sleep 0.1'"))
        .exits(6)
        .says(told)
        .says("now removed");
    nothing_is_left(&shell);
    let always = format!("{FORBID} ipctool guard --isolate always -- touch ran");
    let ran = shell.run(&always).exits(5);
    ran.says("cannot isolate the command: unshare: Operation not permitted (EPERM)")
        .says("--isolate never");
    shell.run("test -e ran").exits(1);

    // The user's share of user namespaces is used up.
    let none = "unshare --user --map-root-user sh -c 'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all --inh-caps=-all \"$@\"' sh";
    if shell.run(&format!("{none} true; echo $?")).stdout() != "0\n" {
        return skip(Needs::Machine, "no user namespace can be made, to limit their number");
    }
    shell
        .run(&format!("{none} ipctool guard true"))
        .exits(0)
        .says("not isolated: unshare: No space left on device (ENOSPC)");
    shell.run(&format!("{none} ipctool guard --isolate always true")).exits(1).says("ENOSPC");
}

#[test]
fn a_time_limit() {
    let Some(shell) = Sandbox::new() else { return };
    for isolate in ["never", "auto"] {
        let guard = format!("ipctool guard --isolate {isolate}");
        shell.run(&format!("{guard} --timeout 0.2 -- sleep 50")).exits(124);
        shell.run(&format!("{guard} --timeout 50 -- true")).exits(0);
        let deaf = "sh -c 'trap \"\" TERM; while :; do sleep 1; done'";
        shell.run(&format!("{guard} --timeout 0.2 --kill-after 0.2 -- {deaf}")).exits(124);
        shell.run(&format!("{guard} --timeout 0.2 -- sh -c 'kill -STOP $$'")).exits(124);
        shell.run(&format!("{guard} --timeout 0 -- sleep 0.1")).exits(0);
        // What it left behind is not in time, but it was.
        let ran = shell
            .run(&format!("{guard} --timeout 0.19 -- sh -c 'sleep 50 > /dev/null 2>&1 & echo $!'"));
        let ran = ran.exits(0).says("(sleep 50)");
        if isolate == "never" {
            shell.run(&format!("kill {}", ran.stdout().trim())).ok();
        }
        // With all that it started.
        let ran = shell
            .run(&format!("{guard} --timeout 0.3 -- sh -c 'sleep 50 & echo $!; wait'"))
            .exits(124);
        shell.run(&format!("kill -0 {} 2>/dev/null; echo $?", ran.stdout().trim())).prints("1\n");
        shell
            .run(&format!(
                "{guard} --timeout 0.3 -- sh -c 'perl -e \"shmget(1, 1, 0600|01000)\"; sleep 50'"
            ))
            .exits(124)
            .says("leaked 1 shared memory segment");
    }
}

#[test]
fn a_time_limit_that_strikes_is_told_of() {
    let Some(shell) = Sandbox::new() else { return };
    for isolate in ["never", "auto"] {
        let guard = format!("ipctool guard --isolate {isolate} --report report.json");
        let said = "ipctool: guard: the command took longer than 300ms and was ended\n";
        shell.run(&format!("{guard} --timeout 0.3 -- sleep 50")).exits(124).says(said);
        assert_eq!(shell.run("cat report.json").json()["timed_out"], true);
        // It can end with that status by itself.
        let ran = shell.run(&format!("{guard} --timeout 10m -- sh -c 'exit 124'")).exits(124);
        assert!(!ran.stderr().contains("took longer"), "{}", ran.stderr());
        assert_eq!(shell.run("cat report.json").json()["timed_out"], false);
    }
}

#[test]
fn signals_reach_the_command_and_it_is_still_reported_on() {
    let Some(shell) = Sandbox::new() else { return };
    // It says which signal it got, ends with 9, and leaves something behind.
    let command = r#"perl -e 'shmget(1, 1, 0600 | 01000);
        $SIG{$_} = sub { syswrite STDOUT, "@_\n"; exit 9 } for qw(INT TERM HUP QUIT USR1 USR2);
        open F, ">", "ready"; sleep 50'"#;
    for signal in ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2"] {
        let guard =
            shell.start(&format!("rm -f ready; exec ipctool guard --isolate never -- {command}"));
        wait_for(&shell, "ready");
        let ran = guard.signal(signal).ends().exits(9).says("leaked 1 shared memory segment");
        assert_eq!(ran.stdout(), format!("{signal}\n"));
        shell.run("rm ready").ok();
    }
    nothing_is_left(&shell);
}

#[test]
fn who_asks_twice_is_obeyed_at_once() {
    let Some(shell) = Sandbox::new() else { return };
    let deaf = "sh -c 'trap \"echo >> got\" INT; echo > ready; while :; do sleep 0.05; done'";
    let guard = shell.start(&format!("exec ipctool guard --isolate never -- {deaf}"));
    wait_for(&shell, "ready");
    let guard = guard.signal("INT");
    wait_for(&shell, "got");
    guard.signal("INT").ends().exits(130).says("interrupted twice");
}

/// What is typed at the keys reaches the command and guard alike: the leak is still told, and the
/// loop of a shell ends as well.
#[test]
fn an_interrupt_at_the_terminal() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run(
            "mkfifo keys; \
             (exec 3> keys; until [ -e started ]; do sleep 0.01; done; printf '\\003' >&3; sleep 1) & \
             script -qec 'for round in 1 2; do \
             ipctool guard -- sh -c \"ipcmk -M 5 > /dev/null; touch started; exec sleep 50\"; \
             echo after round $round; done' /dev/null < keys",
        )
        .exits(130)
        .shows("leaked 1 shared memory segment");
}

#[test]
fn a_signal_to_guard_and_its_group_is_one() {
    let Some(shell) = Sandbox::new() else { return };
    let tidy = r#"perl -e '$SIG{INT} = sub { $SIG{INT} = "IGNORE"; select undef, undef, undef, 0.4; exit 9 };
        open F, ">", "ready"; sleep 50'"#;
    // timeout(1) hands on a signal to what it runs, and then to its whole group.
    let timeout =
        format!("exec timeout --preserve-status 50 ipctool guard --isolate never -- {tidy}");
    let timeout = shell.start(&timeout);
    wait_for(&shell, "ready");
    timeout.signal("INT").ends().exits(9);
    // As the same would be where the first one has been read by the time of the second.
    let twice = r#"$pid = fork // die; exec @ARGV unless $pid;
        select undef, undef, undef, 0.01 until -e "ready";
        for (1, 2) { kill INT => $pid; select undef, undef, undef, 0.03; }
        waitpid $pid, 0; exit $? >> 8"#;
    std::fs::write(shell.directory().join("twice"), twice).unwrap();
    shell.run(&format!("rm -f ready; perl twice ipctool guard --isolate never -- {tidy}")).exits(9);
}

#[test]
fn the_command_gets_what_guard_was_given() {
    let Some(shell) = Sandbox::new() else { return };
    for isolate in ["never", "auto"] {
        let guard = format!("ipctool guard -q --isolate {isolate} --");
        for probe in [
            "grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status",
            "sh -c 'ls /proc/$$/fd' 3< /etc/passwd",
            "sh -c 'ls /proc/$$/fd' <&-",
            "pwd",
            // The session.
            "sh -c 'cut -d \" \" -f 6 /proc/$$/stat'",
            "env",
            "sh -c 'ulimit -a; umask'",
        ] {
            let setting = ["", "trap '' PIPE INT CHLD; "];
            for setting in setting {
                let plain = shell.run(&format!("export A=1; {setting}{probe}")).stdout();
                let guarded = shell.run(&format!("export A=1; {setting}{guard} {probe}"));
                assert_eq!(guarded.stdout(), plain, "{setting}{probe}: {}", guarded.stderr());
            }
        }
    }
    shell.run("echo words | ipctool guard -- cat").prints("words\n");
    shell.run("ipctool guard -- yes | head -1").stdout_is("y\n");
    shell.run("ipctool guard -- sh -c 'head -c 3000000 /dev/zero' | wc -c").stdout_is("3000000\n");
    shell.run("ipctool guard true >&- 2>&-").exits(0);
}

#[test]
fn the_report_is_whole_and_found_where_the_caller_sees_it() {
    let Some(shell) = Sandbox::new() else { return };
    // Known to be bad before the command runs.
    shell.run("ipctool guard --report no/such/file -- touch ran").exits(1).says("ENOENT");
    shell.run("ipctool guard --report . -- touch ran").exits(1).says("EISDIR");
    shell.run("test -e ran").exits(1);
    // Full, at once or when it is written.
    let full = "unshare --mount sh -c 'mount -t tmpfs -o size=8k none /mnt && cd /mnt && echo old > r && \
                ipctool guard --report r -- sh -c \"yes > more 2> /dev/null; true\"; echo $?; cat r; ls -A'";
    if only_root("only root mounts a file system that is full") {
        shell.run(full).stdout_is("1\nold\nmore\nr\n").says("No space left on device (ENOSPC)\n");
    }
    shell.run("ipctool guard --report /dev/full true").exits(1).says("ENOSPC");
    shell.run("ipctool guard --report /dev/full -- sh -c 'exit 3'").exits(3).says("ENOSPC");
    // A pipe, a name that leads elsewhere, a file that everybody may read.
    shell.run("ipctool guard --report - true | grep -c '\"leaks\":\\[\\]'").prints("1\n");
    shell.run("ipctool guard --report /dev/stdout echo first > out; grep -c . out").prints("2\n");
    shell
        .run("echo old > real; chmod 640 real; ln -s real link; ipctool guard --report link true")
        .ok();
    shell.run("stat -c %a real; test -L link; grep -c leaks real").prints("640\n1\n");
    shell.run("ls -A | grep -c ipctool-guard").stdout_is("0\n");
    shell.run("ipctool guard --report r.json nosuch").exits(127);
    assert_eq!(shell.run("cat r.json").json()["status"], 127);
    let name = format!("/dev/shm/ipctool-test-{}.json", std::process::id());
    shell
        .run(&format!("ipctool guard --report {name} true; cat {name} && rm {name}"))
        .shows("\"leaks\":[]");
}

#[test]
fn the_report_leaves_its_file_what_it_was() {
    let Some(shell) = Sandbox::new() else { return };
    let guard = "ipctool guard --isolate never --report";
    // Mode, in spite of a umask, and links.
    shell.run(&format!("umask 77; echo old > r; chmod 664 r; {guard} r true")).ok();
    shell.run("stat -c %a r; grep -c leaks r").prints("664\n1\n");
    let linked =
        |place| format!("cd {place}; echo old > a; ln a b; {guard} a true; grep -c leaks b");
    shell.run("mkdir -m 755 own; mkdir -m 777 common").ok();
    shell.run(&linked("own")).prints("1\n");
    // Where others can give a file another name, that may be a trap.
    shell.run(&linked("common")).stdout_is("0\n");
    shell
        .run(&format!("mkdir d; ln -s d/new link; ln -s link more; {guard} more true; grep -c leaks d/new; test -L more && test -L link"))
        .prints("1\n");
    shell.run(&format!("ln -s loop loop; {guard} loop touch ran")).exits(1).says("ELOOP");
    // A pipe: with a reader, and without one.
    shell.run("mkfifo pipe").ok();
    shell
        .run(&format!("cat pipe > got & {guard} pipe sleep 0.1; wait; grep -c leaks got"))
        .prints("1\n");
    shell.run(&format!("{guard} pipe true")).exits(1).says("nobody reads this pipe (ENXIO)");
    if !only_root("only root can be two users") {
        return;
    }
    // The owner, even if that is another user.
    shell
        .run(&format!("echo old > r; chown {NOBODY}:{NOBODY} r; {guard} r true; stat -c '%u %g' r"))
        .prints("65534 65534\n");
    shell.run("mkdir sticky; chmod 1777 sticky; echo old > sticky/r; chmod 666 sticky/r; echo old > sticky/closed").ok();
    shell.run_as(NOBODY, &format!("{guard} sticky/r true")).unwrap().ok();
    shell.run("stat -c '%u %a' sticky/r; grep -c leaks sticky/r").prints("0 666\n1\n");
    shell
        .run_as(NOBODY, &format!("{guard} sticky/closed touch ran"))
        .unwrap()
        .exits(5)
        .says("EPERM");
    shell.run("test -e ran").exits(1);
}

#[test]
fn guard_under_guard() {
    let Some(shell) = Sandbox::new() else { return };
    let ran = shell.run(&format!("ipctool guard -- ipctool guard -- {THREE}")).exits(6);
    assert_eq!(ran.stderr().matches("leaked").count(), 1, "{}", ran.stderr());
    nothing_is_left(&shell);
}

#[test]
fn children_that_guard_had_before_are_not_the_commands() {
    let Some(shell) = Sandbox::new() else { return };
    for isolate in ["never", "auto"] {
        let ran = shell
            .run(&format!(
                "sleep 50 > /dev/null 2>&1 & exec ipctool guard --isolate {isolate} echo $!"
            ))
            .ok();
        shell.run(&format!("kill {}", ran.stdout().trim())).ok();
    }
}

#[test]
fn orphans_of_others_are_not_the_commands() {
    let Some(shell) = Sandbox::new().and_then(Sandbox::can_forbid) else { return };
    for (prefix, isolate) in [("", "never"), (FORBID, "never"), ("", "auto")] {
        // A service that was there before starts a daemon.
        let service = "until test -e begun; do sleep 0.01; done; \
                       sh -c 'perl -e \"shmget(7, 1, 0600 | 01000); sleep 50\" & echo $! > daemon'";
        let ran = shell.run(&format!(
            "({service}) > /dev/null 2>&1 & exec {prefix} ipctool guard --timeout 1 --isolate {isolate} -- \
             sh -c 'touch begun; sleep 50'"
        ));
        ran.exits(124);
        shell.run("kill $(cat daemon); rm begun daemon").ok();
        shell.run("ipctool list shm --format jsonl -o key").prints("{\"key\":\"0x00000007\"}\n");
        shell.run("ipctool rm shm:0x7").ok();
    }
}

#[test]
fn where_proc_is_that_of_others() {
    let Some(shell) = Sandbox::new().filter(can_isolate) else { return };
    if !only_root("only root makes process namespaces") {
        return;
    }
    let ran = shell.run(
        "unshare --pid --fork --kill-child ipctool guard -- sh -c 'sleep 50 > /dev/null 2>&1 &'",
    );
    ran.exits(0).says("left in the background: ").says("sleep").says("now ended");
}

#[test]
fn the_limits_are_those_of_the_caller() {
    let Some(shell) = Sandbox::new().filter(can_isolate) else { return };
    if !only_root("an ordinary user cannot set limits") {
        return;
    }
    shell.run("ipctool limits --set msgmnb=12345 semmni=77").exits(0);
    shell
        .run("ipctool guard -- ipctool limits --format jsonl | grep -cE '\"limit\":(12345|77),'")
        .prints("2\n");
}

/// The process id in front of these words.
fn number_before(text: &str, words: &str) -> u32 {
    let place = text.find(words).unwrap_or_else(|| panic!("no {words:?} in {text}"));
    text[..place].rsplit(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

#[test]
fn objects_of_a_user_are_meant_to_stay() {
    let Some(shell) = Sandbox::new() else { return };
    let make = "ipctool create msg --key 5 > /dev/null";
    for expected in ["$(id -un)", "$(id -u)", "5"] {
        shell.run(&format!("ipctool guard --ignore {expected} -- {make}")).exits(0);
    }
    shell.run(&format!("ipctool guard --ignore 6 -- {make}")).exits(6);
}
