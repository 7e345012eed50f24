//! `ipctool trace`: the calls of other programs next to strace(1), the hints, and programs of every kind, none of which
//! hangs, is left stopped, or notices.

mod sandbox;
mod strace;

use regex_lite::Regex;
use sandbox::{NOBODY, Needs, Ran, Running, Sandbox, fields_of, skip};
use serde_json::json;
use strace::{name, path, received, whole};

/// A sandbox in which programs can be traced, with these programs in its directory.
fn with(programs: &[&str]) -> Option<Sandbox> {
    let shell = Sandbox::new()?;
    if shell.run("ipctool trace true").status() != 0 {
        skip(Needs::Machine, "no program may be traced here");
        return None;
    }
    programs.iter().for_each(|program| shell.compile(program));
    Some(shell)
}

/// Runs a program that makes a mistake, and returns what is said about it.
#[track_caller]
fn mistake(which: &str) -> Option<Ran> {
    let shell = with(&["mistakes"])?;
    Some(shell.run(&format!("ipctool trace --slow 200ms ./mistakes {which}")))
}

/// What strace has written, in the words of `trace`: files only of `/dev/shm`, as the C library calls them.
fn theirs(text: &str) -> Vec<String> {
    let lines = whole(text).into_iter().filter_map(|line| {
        let file = path(&line).unwrap_or_default().to_owned();
        let short = file.replace("/dev/shm/", "/");
        match name(&line) {
            "open" | "openat" | "unlink" | "unlinkat" | "truncate" | "link"
                if !file.starts_with("\"/dev/shm/") || file.starts_with("\"/dev/shm/sem.") =>
            {
                None
            }
            "openat" if line.contains("|O_NOFOLLOW|O_CLOEXEC") => {
                let line = line.replace("openat(AT_FDCWD, ", "shm_open(");
                let line = line.replace("|O_NOFOLLOW|O_CLOEXEC", "").replace(&file, &short);
                // The C library always has a mode.
                Some(if line.contains("O_CREAT") { line } else { line.replacen(')', ", 000)", 1) })
            }
            "unlink" => Some(line.replace("unlink(", "shm_unlink(").replace(&file, &short)),
            _ => Some(received(&line).unwrap_or(line)),
        }
    });
    lines.collect()
}

/// The lines of calls that `trace` has written, without the pid in front.
fn ours(text: &str) -> Vec<String> {
    let calls = text.lines().filter(|line| !line.starts_with("    ") && line.contains(") = "));
    let calls = calls.map(|line| match line.strip_prefix("[pid ") {
        Some(rest) => rest.split_once("] ").map_or(rest, |(_, call)| call),
        None => line,
    });
    calls
        .filter(|line| !matches!(name(line), "sem_open" | "sem_unlink" | "stat"))
        .map(str::to_owned)
        .collect()
}

/// Without what differs from run to run: process ids and times.
fn steady(lines: Vec<String>) -> Vec<String> {
    let pids = Regex::new(r"(pid=|GETPID, NULL\) = )[0-9]+").expect("a pattern");
    let times = Regex::new(r"(time=|tv_sec=)[0-9]+").expect("a pattern");
    let keys = Regex::new(r"(get\(|key=)(0x[0-9a-f]{5,8}|[0-9]{7,})").expect("a pattern");
    let mut all = Vec::new();
    for line in lines {
        let line = pids.replace_all(&line, "${1}PID");
        let line = times.replace_all(&line, "${1}TIME");
        all.push(keys.replace_all(&line, "${1}KEY").into_owned());
    }
    all
}

/// Runs a line under both, each in a namespace of its own, and compares call by call.
#[track_caller]
fn compare(programs: &[&str], line: &str) {
    let (Some(one), Some(other)) = (with(programs), with(programs)) else { return };
    if other.run("strace -qq -o tried -e trace=none true").status() != 0 {
        skip(Needs::Machine, "strace(1) is missing, or may trace nothing here");
        return;
    }
    let ran =
        one.run(&format!("setarch -R ipctool trace --no-hints --slow 60s -o lines -- {line}"));
    let status = ran.status();
    let traced = "setarch -R strace -f -qq -a1 -e signal=none -o lines -e trace=%ipc,?mq_open,?mq_unlink,\
        ?mq_timedsend,?mq_timedreceive,?mq_notify,?mq_getsetattr,?open,?openat,?unlink,?unlinkat,?truncate,?ftruncate,?link";
    other.run(&format!("{traced} {line}")).exits(status);
    let ours = steady(ours(&one.run("cat lines").stdout()));
    let theirs = steady(theirs(&other.run("cat lines").stdout()));
    for (place, pair) in ours.iter().zip(&theirs).enumerate() {
        assert_eq!(pair.0, pair.1, "{line}: call {place}, ours and strace's");
    }
    assert_eq!(ours, theirs, "{line}: ours and strace's");
    assert!(!ours.is_empty(), "{line} makes no call");
}

#[test]
fn every_call_as_strace_shows_it() {
    compare(&["calls"], "./calls");
}

#[test]
fn the_programs_of_others_as_strace_shows_them() {
    compare(&[], "ipcmk -M 4096");
    compare(&[], "sh -c 'ipcmk -Q; ipcs -q -i 0; ipcrm -q 0; ipcrm -q 0; ipcs; ipcs -l; ipcs -u'");
    compare(&["textbook"], "sh -c './textbook hello; ./textbook'");
    compare(
        &[],
        "perl -e '$q = msgget(7, 01600); msgsnd($q, pack(q(l! a*), 3, q(hi)), 0); msgrcv($q, $b, 9, 0, 0);
                  $s = semget(7, 2, 01600); semop($s, pack(q(s!3), 0, 5, 0)); semctl($s, 0, 13, $all);
                  $m = shmget(7, 9, 01600); shmwrite($m, q(x), 0, 1); shmread($m, $b, 0, 1);
                  msgctl($q, 0, 0); semctl($s, 0, 0, 0); shmctl($m, 0, 0)'",
    );
}

#[test]
fn semaphores_of_posix_are_one_call() {
    let Some(shell) = with(&["calls"]) else { return };
    let ran = shell.run("ipctool trace --no-hints --only psem ./calls").exits(0);
    let lines: Vec<_> = ran.stderr().lines().map(str::to_owned).collect();
    assert_eq!(
        lines[..8],
        [
            r#"sem_open("/semaphore", ...) = SEM_FAILED ENOENT (No such file or directory)"#,
            r#"sem_open("/semaphore", O_CREAT, 0600, 3) = 7"#,
            r#"sem_open("/semaphore", O_CREAT|O_EXCL, 0600, 3) = SEM_FAILED EEXIST (File exists)"#,
            r#"sem_open("/other", O_CREAT|O_EXCL, 0640, 7) = 7"#,
            r#"sem_open("/semaphore", ...) = 7"#,
            r#"sem_unlink("/semaphore") = 0"#,
            r#"sem_unlink("/semaphore") = -1 ENOENT (No such file or directory)"#,
            r#"sem_unlink("/other") = 0"#,
        ]
        .map(|line| line.replace("= 7", &lines[1][lines[1].len() - 3..]))
    );
}

#[test]
fn a_key_that_ftok_could_not_make() {
    let Some(ran) = mistake("path") else { return };
    ran.exits(0)
        .says("stat(\"progfile\") = -1 ENOENT (No such file or directory)\nmsgget(0xffffffff, IPC_CREAT|0600) = 0\n")
        .says("    hint: 0xffffffff is what ftok returns for a path that is not there: stat(\"progfile\") failed right before (ENOENT); ")
        .says("stat(\"/\") = 0 /* ftok with project 0x61: 0x61")
        .says("    left: msg:0 (key 0xffffffff) is left, made and not removed; to remove it: ipctool rm msg:0\n");
}

#[test]
fn what_is_removed_is_gone() {
    let Some(ran) = mistake("twice") else { return };
    ran.exits(0)
        .says("msgctl(0, IPC_RMID, NULL) = -1 EINVAL (Invalid argument)\n    hint: msg:0 was removed 0.")
        .says(" (IPC_RMID); the first removal is all that is needed, so leave it to one process\n")
        .denies("left:");
    let Some(ran) = mistake("removed") else { return };
    ran.exits(0)
        .says(
            "64, 0, 0 <unfinished ...>\n    hint: the queue is empty; nobody has sent to it yet\n",
        )
        .says("64, 0, 0) = -1 EIDRM (Identifier removed)\n    hint: msg:0 was removed 0.");
}

#[test]
fn the_owner_is_locked_out() {
    let Some(shell) = with(&["mistakes"]) else { return };
    // Root may do it all.
    let line = "ipctool trace ./mistakes locked";
    let ran = match sandbox::is_root() {
        true => shell.run_as(NOBODY, line),
        false => Some(shell.run(line)),
    };
    let Some(ran) = ran else { return };
    let ran = ran.exits(0);
    let stderr = ran.stderr();
    let (_, hint) = stderr.split_once("msgctl(0, IPC_STAT, 0x").expect("it failed");
    assert!(
        hint.contains(
            " = -1 EACCES (Permission denied)\n    hint: msg:0 has mode 0000 (---------), owner "
        ),
        "{hint}"
    );
    assert!(hint.contains("; process "), "{hint}");
    assert!(hint.contains("so the bits for the owner apply (---): they allow no access, but this needs read access (r--); to regain access: ipctool chmod u+rw msg:0\n"), "{hint}");
    assert!(
        hint.contains(
            "msgget(0xbeef, 0600) = -1 EACCES (Permission denied)\n    hint: msg:0 has mode 0000"
        ),
        "{hint}"
    );
}

#[test]
fn bytes_for_queues_are_used_up() {
    let Some(shell) = with(&["mistakes"]) else { return };
    shell
        .run("prlimit --msgqueue=300000 ipctool trace --failed ./mistakes bytes")
        .exits(0)
        .says(" = -1 EMFILE (Too many open files)\n    hint: RLIMIT_MSGQUEUE exceeded: the queue needs 82880 bytes; ")
        .denies("descriptors");
    shell
        .run("ipctool trace --failed sh -c 'ulimit -n 8; exec ./mistakes bytes'")
        .exits(0)
        .says(" = -1 EMFILE (Too many open files)\n    hint: out of file descriptors: all 8 (RLIMIT_NOFILE) are open; ");
}

#[test]
fn times_of_the_wrong_kind() {
    let Some(ran) = mistake("times") else { return };
    ran.exits(0)
        .says("tv_nsec=1000000000}) = -1 EINVAL (Invalid argument)\n    hint: tv_nsec is 1000000000, but must be from 0 to 999999999: carry a second over to tv_sec, also when the sum is exactly 1000000000\n")
        .says("{tv_sec=5, tv_nsec=0}) = -1 ETIMEDOUT (Connection timed out)\n    hint: the timeout is a point in time (CLOCK_REALTIME), and tv_sec=5 was ")
        .says(" years ago: add the length of the wait to what clock_gettime returns\n")
        .says("tv_nsec=0} <unfinished ...>\n    hint: the timeout of semtimedop is the length of the wait, and tv_sec=");
}

#[test]
fn two_segments_where_one_is_meant() {
    let Some(ran) = mistake("marked") else { return };
    ran.exits(0)
        .says("shmget(0xbeef, 4096, IPC_CREAT|IPC_EXCL|0600) = 1\n    hint: this is a new segment: shm:0, which had this key, is marked for destruction and still attached, so there are two\n")
        .says("    attached: shm:0, attached at 0x");
}

#[test]
fn another_process_has_the_old_segment() {
    let Some(shell) = with(&[]) else { return };
    shell.run("ipctool create shm --key 0xbeef --size 4K").prints("shm:0\n");
    shell.run_while_attached(
        0,
        "ipcrm -m 0; ipctool trace -o calls -- sh -c 'ipcmk --help > /dev/null; perl -e \"shmget(0xbeef, 4096, 01600)\"'",
    );
    shell
        .run("cat calls")
        .shows("hint: this is a new segment: shm:0, which had this key, is marked");
}

#[test]
fn sizes_and_types_of_messages() {
    let Some(ran) = mistake("size") else { return };
    ran.exits(0)
        .says(", 72, 0) = 0\n    hint: if 72 is the size of the whole structure, it counts mtype, too: the text has 64 bytes, and 8 stray ones behind it are sent\n")
        .says(", 64, 0, 0) = -1 E2BIG (Argument list too long)\n    hint: the message has 72 bytes, 8 more than the 64 asked for; it stays on the queue; 8 is the size of mtype, so perhaps the sender passed the size of the whole structure");
    let Some(ran) = mistake("type") else { return };
    ran.exits(0)
        .says(", 64, 5, IPC_NOWAIT) = -1 ENOMSG (No message of desired type)\n    hint: it wants type 5, and the queue holds 2 messages of types 1 and 2\n")
        .says(", 64, 5, 0 <unfinished ...>\n    hint: it wants type 5, and the queue holds 2 messages of types 1 and 2; the process itself sent the last message\n");
    let Some(ran) = mistake("fit") else { return };
    ran.exits(0)
        .says("65, 0, NULL) = -1 EMSGSIZE (Message too long)\n    hint: the message has 65 bytes, over mq_msgsize of the queue, 64\n")
        .says("    hint: the queue was opened for sending only (O_WRONLY)\n")
        .says("    hint: the descriptor is no message queue: it is ")
        .says("    hint: the descriptor is not open\n")
        .says("    hint: the buffer has 10 bytes, but must have room for mq_msgsize of the queue, 64, whatever the size of the message\n")
        .says("    hint: mtype is 0, but must be above 0; it is the long that the message begins with\n")
        .says("    hint: the message has 9000 bytes, over kernel.msgmax, 8192\n")
        .says(" = -1 EEXIST (File exists)\n    hint: msg:1 has this key already, which IPC_EXCL forbids\n")
        .says(" = -1 EINVAL (Invalid argument)\n    hint: no segment is attached at this address\n");
}

#[test]
fn semaphores_that_are_not_given_back() {
    let Some(ran) = mistake("undo") else { return };
    ran.exits(142)
        .says("    taken: semaphore 0 of sem:0: process ")
        .says(" took 1 more than it gave back, without SEM_UNDO; its value is 0\n")
        .says(" <unfinished ...>\n    hint: semaphore 0 is 0, and -1 waits until it is above 0; process ")
        .says(", which operated on it last, is gone\n")
        .says("+++ killed by SIGALRM +++\n");
    let Some(ran) = mistake("posts") else { return };
    ran.exits(0).says(" = -1 ERANGE (Numerical result out of range)\n    hint: semaphore 0 is 32767, and +1 is too much; ");
    let Some(ran) = mistake("deadlock") else { return };
    ran.exits(0).says(" is itself waiting on semaphore 0 for +1 of sem:");
}

#[test]
fn a_hint_is_given_once_for_what_it_is_about() {
    let Some(shell) = with(&[]) else { return };
    let poll = "perl -e 'for (1..5) { msgget(0xbeef, 0) } msgget(0xcafe, 0)'";
    let ran = shell.run(&format!("ipctool trace {poll}")).exits(0);
    let stderr = ran.stderr();
    assert_eq!(stderr.matches("msgget(0xbeef, 000) = -1 ENOENT").count(), 5, "{stderr}");
    assert_eq!(stderr.matches("hint: no message queue has this key; ").count(), 2, "{stderr}");
    // Each record stands for itself.
    let records = shell.run(&format!("ipctool trace --json {poll} 2>&1")).exits(0).records();
    assert_eq!(records.len(), 6);
    assert!(records.iter().all(|record| record["hint"].is_string()), "{records:?}");
    shell.run(&format!("ipctool trace --no-hints {poll}")).exits(0).denies("hint:");
}

#[test]
fn json_has_a_line_for_each_call() {
    let Some(shell) = with(&["mistakes"]) else { return };
    let ran = shell.run("ipctool trace --json -o calls.jsonl ./mistakes undo").exits(142);
    assert_eq!(ran.stderr(), "");
    let records = shell.run("cat calls.jsonl").records();
    assert_eq!(
        fields_of(&records[0], "call args result errno hint"),
        json!(["semget", ["0xbeef", "1", "IPC_CREAT|0600"], 0, null, null])
    );
    let time = records[0]["time"].as_str().expect("a time");
    assert!(time.ends_with('Z') && time.contains('T'), "{time}");
    assert!(records[0]["pid"] == records[0]["tid"] && records[0]["duration"].is_number());
    let last = records.last().expect("the end");
    assert_eq!(fields_of(last, "exited signal"), json!([null, "SIGALRM"]));
    assert!(last["left"].as_array().expect("a list").iter().any(|one| one["ref"] == "sem:0"));
    let waits: Vec<_> = records.iter().filter(|record| record["ended"] == false).collect();
    assert!(waits.iter().all(|record| record["result"].is_null()), "{waits:?}");
    let held = records.iter().find(|record| record["left"][0]["what"] == "taken").expect("taken");
    assert_eq!(held["exited"], 0);
}

#[test]
fn only_some_calls() {
    let Some(shell) = with(&["calls"]) else { return };
    let names = |ran: Ran| -> Vec<String> {
        let mut names: Vec<_> =
            ours(&ran.stderr()).iter().map(|line| name(line).to_owned()).collect();
        names.sort();
        names.dedup();
        names
    };
    let run =
        |options: &str| shell.run(&format!("ipctool trace --no-hints {options} ./calls")).exits(0);
    assert_eq!(names(run("--only msgget,msgrcv")), ["msgget", "msgrcv"]);
    assert_eq!(
        names(run("--only shm --only mq_receive")),
        ["mq_timedreceive", "shmat", "shmctl", "shmdt", "shmget"]
    );
    let failed = ours(&run("--failed --only sem").stderr());
    assert!(failed.len() > 5 && failed.iter().all(|line| line.contains(" = -1 E")), "{failed:?}");
    run("--only msgsnd -s 3").says(r#"mtext="hel"...}, 10, 0) = 0"#);
    run("--only msgsnd -s 0").says(r#"mtext=""...}, 10, 0) = 0"#);
    run("--only msgsnd -s 200")
        .says(r"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    run("--only msgget -tT")
        .says(":")
        .says(" msgget(0xdead, 000) = -1 ENOENT (No such file or directory) <0.0");
    let table = run("-c").stderr();
    let rows: Vec<Vec<&str>> =
        table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["CALL", "CALLS", "ERRORS", "TIME", "MEAN", "LONGEST"]);
    let row = rows.iter().find(|row| row[0] == "msgget").expect("a row");
    assert_eq!(row[1..3], ["4", "3"]);
    assert!(rows.iter().any(|row| row[0] == "total"), "{table}");
    let counts = shell.run("ipctool trace -c --json ./calls 2>&1").records();
    let row = counts.iter().find(|row| row["call"] == "msgget").expect("a row");
    assert_eq!(fields_of(row, "calls errors"), json!([4, 3]));
}

#[test]
fn threads_and_processes_of_every_kind() {
    let Some(shell) = with(&["starts"]) else { return };
    let trace =
        |how: &str| shell.run(&format!("ipctool trace --no-hints --slow 60s ./starts {how}"));
    let ran = trace("threads").exits(7);
    assert_eq!(ran.stderr().matches("msgsnd(0, ").count(), 2000);
    assert_eq!(ran.stderr().matches("msgrcv(0, {mtype=").count(), 2000);
    for how in ["execute", "vfork", "spawn"] {
        trace(how).exits(7).says("msgget(0xe8ec, 000) = -1 ENOENT");
    }
    trace("clone").exits(7).says("msgget(0xc10e, 000) = -1 ENOENT");
    let ran = trace("many").exits(7);
    assert_eq!(ran.stderr().matches("msgget(0xf0f0, 000) = -1 ENOENT").count(), 500);
    trace("itself").exits(7).shows("-1\n").says("msgget(0x5e1f, 000) = -1 ENOENT");
    trace("nothing").exits(2);
}

#[test]
fn a_program_that_is_stopped_stays_so_until_it_is_continued() {
    let Some(shell) = with(&["starts"]) else { return };
    let tracer = shell.start("exec ipctool trace --no-hints ./starts stop");
    let child = format!("$(tr -d ' ' < /proc/{0}/task/{0}/children)", tracer.pid());
    shell.wait_until(&format!(
        "grep -q 'State:.*[tT] ' /proc/{child}/status && grep -q 'SigQ' /proc/{child}/status"
    ));
    // It was not continued by the tracer.
    std::thread::sleep(std::time::Duration::from_millis(200));
    shell.run(&format!("grep -q 'State:.*[tT] ' /proc/{child}/status")).ok();
    shell.run(&format!("kill -CONT {child}")).ok();
    tracer.ends().exits(4).says("msgget(0x5709, 000) = -1 ENOENT");
}

#[test]
fn a_program_that_is_killed_in_a_call() {
    let Some(shell) = with(&[]) else { return };
    shell.run("ipctool create msg").prints("msg:0\n");
    let receive = "perl -e 'msgrcv(0, $b, 9, 0, 0)'";
    let tracer = shell.start(&format!("exec ipctool trace {receive}"));
    let child = format!("$(tr -d ' ' < /proc/{0}/task/{0}/children)", tracer.pid());
    shell.wait_until(&format!(
        "grep -q ^70 /proc/{child}/syscall || grep -q do_msgrcv /proc/{child}/wchan"
    ));
    shell.run(&format!("kill -KILL {child}")).ok();
    tracer
        .ends()
        .exits(137)
        .says("msgrcv(0, 0x")
        .says(", 9, 0, 0) = ?\n+++ killed by SIGKILL +++\n");
}

#[test]
fn signals_go_to_the_command() {
    let Some(shell) = with(&[]) else { return };
    let line = "exec ipctool trace --only msg perl -e '$| = 1; $SIG{USR1} = sub { exit 9 }; print qq(ready\\n); sleep 20'";
    shell.start(line).ready().signal("USR1").ends().exits(9);
    let line = "exec ipctool trace --only msg perl -e '$| = 1; print qq(ready\\n); sleep 20'";
    shell.start(line).ready().signal("TERM").ends().exits(143);
    // Without its tracer, the calls of the command would fail.
    let tracer = shell.start(line).ready();
    let child = shell.run(&format!("cat /proc/{0}/task/{0}/children", tracer.pid())).stdout();
    tracer.signal("KILL").ends().exits(137);
    shell.wait_until(&format!("! grep -q 'State:.*[RSDTt] ' /proc/{}/status", child.trim()));
}

/// The kernel wakes a traced thread for signals that it would not wake for otherwise.
#[test]
fn a_signal_that_is_ignored_interrupts_nothing() {
    let Some(shell) = with(&[]) else { return };
    let operate = "perl -e '$s = semget(0, 1, 01600); $SIG{USR1} = q(IGNORE);
        if (!fork) { select(undef, undef, undef, .2); kill q(USR1), getppid; exit }
        if (!fork) { select(undef, undef, undef, .5); semop($s, pack(q(s3), 0, 1, 0)); exit }
        print semop($s, pack(q(s3), 0, -1, 0)) ? qq(done\n) : qq($!\n)'";
    shell.run(operate).prints("done\n");
    let ran = shell.run(&format!("ipctool trace --slow 9s {operate}")).exits(0).shows("done\n");
    let stderr = ran.stderr();
    assert_eq!(stderr.matches("sem_op=-1, sem_flg=0}], 1, NULL) = 0\n").count(), 1, "{stderr}");
    assert!(!stderr.contains("EINTR") && !stderr.contains("ERESTART"), "{stderr}");
    // Neither if another thread or the time has to do with it.
    shell.compile("ignored");
    for how in ["thread", "timeout"] {
        shell.run(&format!("./ignored {how}")).ok();
        shell.run(&format!("ipctool trace -o calls ./ignored {how}")).exits(0);
        let attached = format!("./ignored {how} & ipctool trace -o calls -p $!; wait $!");
        shell.run(&attached).exits(0);
    }
    // A process that is stopped and continued gets EINTR as ever.
    shell.run("./ignored stop").prints("Interrupted system call\n");
    shell.run("ipctool trace -o calls ./ignored stop").prints("Interrupted system call\n");
    // One that is handled does.
    let receive = "perl -e '$q = msgget(0, 01600); $SIG{ALRM} = sub {}; alarm 1; msgrcv($q, $t, 9, 0, 0); print qq($!\n)'";
    shell
        .run(&format!("ipctool trace --slow 9s {receive}"))
        .exits(0)
        .shows("Interrupted system call\n")
        .says(", 9, 0, 0) = -1 EINTR (Interrupted system call)\n    hint: a signal came; this call is not repeated, not even with SA_RESTART");
}

#[test]
fn an_object_that_is_there_is_never_said_to_be_missing() {
    let Some(shell) = with(&[]) else { return };
    let hints = |program: &str| shell.run(&format!("ipctool trace perl -e '{program}'")).exits(0);
    hints("$s = semget(0, 2, 01600); semctl($s, 2, 12, 0)")
        .says("    hint: the set has no semaphore 2: it has 2 semaphores, numbered from 0\n");
    hints("$q = msgget(0, 01600); msgctl($q, 99, 0); msgrcv($q, $t, 9, 0, 040000)")
        .says("    hint: MSG_COPY takes IPC_NOWAIT as well\n")
        .denies("no such");
    hints("$q = msgget(0, 01600); $d = qq(\\0) x 200; msgctl($q, 2, $d); msgsnd($q, pack(q(l! a*), 1, q(x) x 8000), 0) for 1 .. 2; msgsnd($q, pack(q(l! a*), 1, q(x) x 8000), 04000)")
        .says("    hint: the queue is full: it holds 2 messages, 16000 of 16384 bytes, and this one has 8000\n");
    shell.run("ipctool create shm --key 0xbeef --size 4K").ok();
    shell
        .run_while_attached(0, "ipcrm -m 0; ipctool trace -o calls perl -e 'shmget(0xbeef, 1, 0)'");
    shell.run("cat calls").shows("hint: shm:0 had this key until it was marked for destruction (IPC_RMID); it is still attached, but has no key any more\n");
}

#[test]
fn what_a_process_leaves_to_others_is_not_left_behind() {
    let Some(shell) = with(&[]) else { return };
    shell.run("ipctool trace sh -c 'ipcmk -Q > /dev/null; ipcrm -q 0'").exits(0).denies("left:");
    shell
        .run("ipctool trace sh -c 'ipcmk -Q > /dev/null'; :")
        .exits(0)
        .says("    left: msg:1 (key 0x");
    shell.run("ipctool trace perl -e 'semget(0, 1, 0600)'").exits(0).says("left: sem:0 is left");
    // One gives, the other takes: nobody holds anything.
    let pair = "perl -e '$s = semget(0, 1, 01600); if (!fork) { semop($s, pack(q(s3), 0, -1, 0)) for 1 .. 3; exit }
        semop($s, pack(q(s3), 0, 1, 0)) for 1 .. 3; wait; semctl($s, 0, 0, 0)'";
    shell.run(&format!("ipctool trace {pair}")).exits(0).denies("taken:");
}

#[test]
fn what_others_made_is_theirs() {
    let Some(shell) = with(&["calls"]) else { return };
    shell.compile("ignored");
    // O_EXCL fails, and then it is opened.
    shell.run("ipctool create pshm --name /theirs --size 1; ipctool create msg --key 0xbeef").ok();
    let open = "perl -e 'msgget(0xbeef, 03600); msgget(0xbeef, 01600)'";
    shell.run(&format!("ipctool trace {open}")).exits(0).denies("left:");
    // The namespace of the process goes with it.
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("ipctool trace unshare --ipc ipcmk -Q").exits(0).says("msgget(0x").denies("left:");
}

/// A tracer whose programs never pause is still asked to end.
#[test]
fn a_busy_program_is_left_at_once() {
    let Some(shell) = with(&["blocked"]) else { return };
    let blocked = shell.start("exec ./blocked").ready();
    let line = format!(
        "ipctool trace -p $(tr ' ' , < /proc/{0}/task/{0}/children){0} > calls & sleep 0.5; kill -TERM $!;
         for wait in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
             kill -0 $! || break; sleep 0.1
         done; [ $wait -lt 20 ]",
        blocked.pid()
    );
    shell.run(&format!("({line}) 2> /dev/null")).exits(0);
    blocked.signal("TERM").ends().exits(0);
}

#[test]
fn a_file_keeps_its_lines_until_there_are_new_ones() {
    let Some(shell) = with(&[]) else { return };
    shell.run("echo before > lines; ipctool trace -o lines ./missing").exits(127);
    shell.run("cat lines").prints("before\n");
    shell.run("ipctool trace -o lines sh -c 'ipcmk -Q > /dev/null; echo out' >> lines").exits(0);
    shell.run("cat lines").shows("out\n").shows("msgget(").lacks("before");
    shell.run("ipctool trace -o lines true").exits(0);
    shell.run("cat lines").prints("");
}

#[test]
fn the_c_library_may_call_otherwise() {
    let Some(shell) = with(&[]) else { return };
    let operate = "perl -e 'semop(semget(0, 1, 01600), pack(q(s3), 0, 1, 0))'";
    shell
        .run(&format!("ipctool trace --only semop {operate}"))
        .exits(0)
        .says("op(0, [{sem_num=0, sem_op=1, ");
}

/// Attaches to the programs of `blocked`, again and again.
#[test]
fn a_process_does_not_notice_that_it_is_traced_for_a_while() {
    let Some(shell) = with(&["blocked"]) else { return };
    let blocked = shell.start("exec ./blocked").ready();
    let pid = blocked.pid();
    shell.wait_until(&format!("[ $(wc -w < /proc/{pid}/task/{pid}/children) = 2 ]"));
    let attach = format!(
        "(all=\"{pid} $(cat /proc/{pid}/task/{pid}/children)\"
         for pause in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
             ipctool trace -o calls -p \"$all\" & sleep 0.0$pause; kill -TERM $!; wait $!
             [ $? = 143 ] || exit 1
             [ -s calls ] && seen=yes
         done
         for process in $all; do
             grep -q 'TracerPid:[[:space:]]0$' /proc/$process/status || exit 2
             ! grep -q 'State:.*[tT] ' /proc/$process/status || exit 3
         done
         echo $seen) 2> /dev/null"
    );
    for _ in 0..3 {
        shell.run(&attach).prints("yes\n");
    }
    blocked.signal("TERM").ends().exits(0);
}

#[test]
fn a_process_that_waits_is_explained_when_it_is_attached_to() {
    let Some(shell) = with(&[]) else { return };
    shell.run("ipctool create sem --value 0").prints("sem:0\n");
    let waiting = shell.start("exec ipctool semop sem:0 -1").waits();
    let trace = format!("timeout -s INT 1 ipctool trace --slow 100ms -p {}", waiting.pid());
    shell
        .run(&trace)
        .exits(124)
        .shows("semtimedop(0, [{sem_num=0, sem_op=-1, sem_flg=0}], 1, NULL <unfinished ...>\n    hint: semaphore 0 is 0, and -1 waits until it is above 0");
    shell.run("ipctool semop sem:0 +1").ok();
    waiting.ends().exits(0);
}

#[test]
fn a_program_in_another_namespace_is_explained_there() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell
        .run("ipctool trace unshare --ipc sh -c 'ipcmk -Q > /dev/null; ipcrm -q 7'")
        .exits(1)
        .says("    hint: no such message queue; it was removed, or never existed; to see what exists: ipctool --in ");
}

#[test]
fn wrong_arguments_and_what_cannot_be_traced() {
    let Some(shell) = with(&[]) else { return };
    shell.run("ipctool trace").exits(2).says("a command to run is missing, or -p PID");
    shell.run("ipctool trace -p 1 true").exits(2).says("cannot be used with");
    shell.run("ipctool trace -p 0").exits(2);
    shell.run("ipctool trace -p x").exits(2);
    shell
        .run("ipctool trace --only pizza true")
        .exits(2)
        .says("there is no call 'pizza'; a call is msgget, ");
    shell.run("ipctool trace --slow soon true").exits(2);
    shell.run("ipctool trace -s -1 true").exits(2);
    shell
        .run("ipctool --in 1 trace true")
        .exits(2)
        .says("--in is for commands that look at objects");
    shell
        .run("ipctool trace ./missing")
        .exits(127)
        .says("ipctool: trace ./missing: ")
        .says("(ENOENT)");
    shell.run("ipctool trace .").exits(126).says("(EACCES)");
    shell.run("ipctool trace -p 4194303").exits(3).says("trace 4194303: no such process (ESRCH)");
    shell.run("exec ipctool trace -p $$").exits(5).says("hint: a process cannot trace itself");
    shell
        .run("ipctool trace -o . true")
        .exits(1)
        .says("trace -o .: cannot write: Is a directory (EISDIR)");
    shell
        .run("ipctool trace -o /dev/full ipcmk -Q")
        .exits(1)
        .says("cannot write: No space left on device (ENOSPC)");
    shell.run("ipctool trace -o /dev/full sh -c 'ipcmk -Q; exit 4'").exits(4).says("(ENOSPC)");
    shell.run("ipctool trace -o - ipcmk -Q | head -1").shows("msgget(");
    shell.run("ipctool trace sh -c 'exit 3'").exits(3);
    shell.run("ipctool trace sh -c 'kill -QUIT $$'").exits(131);
    shell.run("ipctool trace cat <&- >&- 2>&-").exits(1);
    let traced = shell.start("exec sleep 20");
    let line = format!(
        "ipctool trace -p {0} & sleep 0.3; ipctool trace -p {0}; status=$?; kill -TERM $!; wait; exit $status",
        traced.pid()
    );
    shell.run(&line).exits(5).says(" traces it already, and a process can have one tracer\n");
    let dead = "perl -e 'if (!fork) { exit } sleep 9' & sleep 0.3";
    let line = format!("{dead}; ipctool trace -p $(cat /proc/$!/task/$!/children); kill $!");
    shell.run(&line).says("hint: it has ended already");
    if let Some(ran) = shell.run_as(NOBODY, "ipctool trace -p 1") {
        ran.exits(5).says("trace 1: cannot trace: Operation not permitted (EPERM)\nhint: ");
    }
    traced.signal("KILL").ends().exits(137);
}

/// Also without a filter, and as an ordinary user.
#[test]
fn nobody_may_trace_their_own_programs() {
    let Some(shell) = with(&[]) else { return };
    let line = "ipctool trace ipcmk -Q > /dev/null";
    if let Some(ran) = shell.run_as(NOBODY, line) {
        ran.exits(0).says("msgget(0x").says("left: msg:0 (key 0x");
    }
    let _: fn(Running) -> Ran = Running::ends;
}
