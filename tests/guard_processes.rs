//! `ipctool guard` and the processes of the command: how long they may run, what becomes of those in the
//! background, and which signals reach them.

mod guarding;
mod sandbox;

use guarding::{Checks, FORBID, can_isolate, nothing_is_left, refs, wait_for};
use sandbox::{NOBODY, Needs, Sandbox, only_root, skip};

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

/// The process id in front of these words.
fn number_before(text: &str, words: &str) -> u32 {
    let place = text.find(words).unwrap_or_else(|| panic!("no {words:?} in {text}"));
    text[..place].rsplit(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
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
