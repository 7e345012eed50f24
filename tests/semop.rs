//! `ipctool semop`, and `create sem --value`.

mod sandbox;

use sandbox::{NOBODY, Sandbox, only_root};

const VALUES: &str =
    "ipctool stat sem:0 --json | grep -o '\"value\":[0-9]*' | tr -dc '0-9\\n' | paste -sd,";

/// A shell with a set of semaphores with these values and the key 0xbeef.
fn with_set(values: &str) -> Option<Sandbox> {
    let shell = Sandbox::new()?;
    shell.run(&format!("ipctool create sem --key 0xbeef --value {values}")).prints("sem:0\n");
    Some(shell)
}

#[test]
fn a_set_is_created_with_values() {
    let Some(shell) = with_set("1,0,5") else { return };
    shell.run(VALUES).prints("1,0,5\n");
    // Perl sees what it has.
    shell
        .run("perl -e 'semctl(0, 0, 13, $v = \"\") or die; print join(q( ), unpack(q(S*), $v))'")
        .prints("1 0 5");
    // What exists keeps what it has.
    shell
        .run("ipctool create sem --key 0xbeef --value 2,0,5")
        .exits(0)
        .says("it already existed, with values 1,0,5");
    shell.run("ipctool create sem --key 0xbeef --value 1,0,5").exits(0).says("");
    shell.run("ipctool create sem --key 0xbeef --value 1 -x").exits(1).says("with this key exists");
    shell.run(VALUES).prints("1,0,5\n");
    shell.run("ipctool create sem --key 0xbeef --value 1,2,3,4").exits(1).says("EINVAL");
    for (arguments, status, why) in [
        ("sem --value 1,2 --nsems 3", 2, "--value has 2 values, but --nsems is 3"),
        ("sem --value 1,32768", 1, "--value 32768 is above semvmx, 32767 (ERANGE)"),
        ("sem --value 1,,2", 2, "'' is not a number"),
        ("sem --value -1", 2, "-1 is not in 0..=2147483647"),
        ("shm --size 1 --value 1", 2, "a shared memory segment has no --value"),
        ("psem --name /x --value 1,2", 2, "a POSIX semaphore has one --value, not 2"),
    ] {
        shell.run(&format!("ipctool create {arguments}")).exits(status).says(why);
    }
    shell.run("ipctool list sem psem --no-headings -o nsems").prints("3\n");
    shell
        .run("ipctool create sem --value 7 --nsems 1 && ipctool stat sem:1 --json")
        .shows("\"value\":7");
}

#[test]
fn all_at_once_or_not_at_all() {
    let Some(shell) = with_set("1,0,5") else { return };
    shell
        .run("ipctool semop 0xbeef 0:-1 2:+2 1:0 -v")
        .exits(0)
        .says("ipctool: semop sem:0x0000beef: semaphore 0: 1 → 0\n")
        .says("ipctool: semop sem:0x0000beef: semaphore 2: 5 → 7\n")
        .says("ipctool: semop sem:0x0000beef: semaphore 1: 0 → 0\n");
    shell
        .run("ipctool semop sem:0 2:-1 0:-1 --nowait")
        .exits(4)
        .says("it would have to wait (EAGAIN)\nhint: semaphore 0 is 0, and -1 waits until it is above 0; process ");
    shell
        .run("ipctool semop sem:0 2:-1 2:0 --timeout 20ms")
        .exits(4)
        .says("timed out\nhint: semaphore 2 is 6, and 0 waits until it is 0; process ");
    shell.run(VALUES).prints("0,0,7\n");
    // A time that is over at once is enough for what needs no wait.
    shell.run("ipctool semop 0 2:-1 --timeout 0").ok();
    shell.run("ipctool semop sem:0 0:=9 1:=32767").ok();
    shell.run(VALUES).prints("9,32767,6\n");
    shell
        .run("ipctool semop sem:0 0:+1 1:+1")
        .exits(1)
        .says("a value would be above semvmx, 32767 (ERANGE)\nhint: semaphore 1 is 32767, and +1 is too much; one that is only ever posted");
    for (arguments, status, why) in [
        (
            "sem:0 3:+1",
            1,
            "the set has no semaphore 3 (EFBIG)\nhint: it has 3 semaphores, numbered from 0 to 2",
        ),
        ("sem:0 0:=1 3:=1", 1, "the set has no semaphore 3"),
        ("sem:0 0:=1 1:=32768", 1, "32768 is above semvmx, 32767 (ERANGE)"),
        ("sem:0 0:-40000", 1, "-40000 is beyond semvmx, 32767 (ERANGE)"),
        ("sem:0 +1", 2, "the set has 3 semaphores: say which one, as in 0:+1"),
        ("sem:0 0:=1 1:+1", 2, "cannot be done at once with other operations"),
        ("sem:0 0:=1 --undo", 2, "=N (SETVAL) cannot be undone"),
        ("sem:0 0:=1 -- true", 2, "=N (SETVAL) cannot be undone"),
        ("sem:0 0:1", 2, "'0:1' is not an operation: write +N, -N, 0 or =N"),
        ("sem:0 0:+99999999999999999999", 2, "99999999999999999999 is not in 1..=2147483647"),
        ("sem:0 65536:+1", 2, "65536 is not in 0..=65535"),
        ("sem:0 0:-1 --nowait --timeout 1s", 2, "cannot be used with"),
        ("sem:0", 2, "OPERATION"),
        ("sem:9 +1", 3, "no such semaphore set (EINVAL)"),
        ("0xabc +1", 3, "no semaphore set has this key (ENOENT)"),
        ("msg:0 +1", 2, "'msg:0' is a message queue, not a semaphore"),
    ] {
        shell.run(&format!("ipctool semop {arguments}")).exits(status).says(why);
    }
    let many = "ipctool semop sem:0 $(for i in $(seq $(($(cut -f3 /proc/sys/kernel/sem) + 1))); do echo 0:+1; done)";
    shell.run(many).exits(1).says(" at once are over semopm, ").says(" (E2BIG)");
    shell.run(VALUES).prints("9,32767,6\n");
}

#[test]
fn it_waits_with_programs_that_others_wrote() {
    let Some(shell) = with_set("0") else { return };
    let waiter = shell.start("exec ipctool semop 0xbeef -2").waits();
    shell.run("perl -e 'semop(0, pack(\"s3\", 0, 1, 0)) or die'").ok();
    let waiter = waiter.waits();
    shell.run("perl -e 'semop(0, pack(\"s3\", 0, 1, 0)) or die'").ok();
    waiter.ends().ok();
    let perl =
        shell.start("exec perl -e '$0 = \"ipctool\"; semop(0, pack(\"s3\", 0, -3, 0)) or die'");
    let perl = perl.waits();
    shell.run("ipctool semop 0 +3").ok();
    perl.ends().ok();
    shell.run(VALUES).prints("0\n");
    // Zero is waited for, too.
    shell.run("ipctool semop 0 +1").ok();
    let waiter = shell.start("exec ipctool semop sem:0 0").waits();
    shell.run("ipctool semop 0 =0").ok();
    waiter.ends().ok();
    // Removed, or interrupted.
    let waiter = shell.start("exec ipctool semop sem:0 -1").waits();
    waiter.signal("TERM").ends().exits(143);
    let waiter = shell.start("exec ipctool semop sem:0 -1").waits();
    shell.run("ipctool rm sem:0").ok();
    waiter.ends().exits(3).says("the semaphore set was removed during the wait (EIDRM)");
}

#[test]
fn what_is_undone_when_the_command_ends() {
    let Some(shell) = with_set("1,3") else { return };
    shell.run("ipctool semop 0xbeef 0:-1 --undo").ok();
    shell.run(VALUES).prints("1,3\n");
    // Its status, and the values meanwhile.
    shell
        .run(&format!(
            "ipctool semop 0xbeef 0:-1 1:+4 -- sh -c '{}; exit 7'",
            VALUES.replace('\'', "'\\''")
        ))
        .exits(7)
        .shows("0,7\n");
    shell.run(VALUES).prints("1,3\n");
    shell.run("ipctool semop 0 0:-1 -- sh -c 'kill -KILL $$'").exits(137);
    shell.run("ipctool semop 0 0:-1 -- nosuch").exits(127).says("semop nosuch: ").says("(ENOENT)");
    shell.run("ipctool semop 0 0:-1 -- /").exits(126).says("semop /: Permission denied");
    shell.run("ipctool semop 0 0:-1 -- 'echo hi'").exits(127).says("sh -c 'LINE'");
    shell.run("ipctool semop 0 0:-1 -- sleep 0.01 --nowait").exits(1);
    shell.run(VALUES).prints("1,3\n");
    // Whatever kills it, and what it leaves behind holds nothing.
    for (name, status) in [("TERM", 143), ("KILL", 137), ("INT", 130)] {
        let holder =
            shell.start("exec ipctool semop sem:0 0:-1 -- sh -c 'sleep 1 & touch held; wait'");
        shell.wait_until("rm held");
        shell.run("ipctool semop sem:0 0:-1 --nowait").exits(4);
        assert_eq!(holder.signal(name).ends().status(), status);
        shell.run(VALUES).prints("1,3\n");
    }
    // It has what its caller gave it.
    shell.run("echo in | A=b ipctool semop 0 0:-1 -- sh -c 'cat; echo $A'").prints("in\nb\n");
    shell.run("yes | ipctool semop 0 0:-1 -- head -n 1").prints("y\n");
    let ignored = |command: &str| {
        let line = format!("sh -c 'trap \"\" INT; exec {command} grep Sig[BI] /proc/self/status'");
        shell.run(&line).exits(0).stdout()
    };
    assert_eq!(ignored("ipctool semop 0 0:-1 --"), ignored("env"));
}

#[test]
fn a_lock_for_two_hundred_shells() {
    let Some(shell) = with_set("1") else { return };
    shell.run("echo 0 > f").ok();
    let count = "ipctool semop sem:0 -1 -- sh -c 'read n < f; echo $((n + 1)) > f'";
    shell.run(&format!("for i in $(seq 200); do {count} & done; wait")).ok();
    shell.run("cat f").prints("200\n");
    // A third of them is killed, in any state; nobody waits for ever, and nobody is let in twice.
    let line = format!(
        "for i in $(seq 200); do {count} & \
         case $((i % 3)) in 0) pids=\"$pids $!\";; esac; done; \
         for pid in $pids; do kill -KILL $pid; done 2> /dev/null; wait"
    );
    shell.run(&line).exits(0);
    shell.run("ipctool semop sem:0 -1 --timeout 10s && ipctool semop sem:0 +1").ok();
    shell.run(VALUES).prints("1\n");
    shell.run("n=$(cat f); [ ${n:-0} -le 400 ]").ok();
}

#[test]
fn posix_semaphores() {
    let Some(shell) = Sandbox::with_posix() else { return };
    let value = "ipctool list psem -o value --no-headings";
    shell.run("ipctool create psem --name /lock --value 1").ok();
    shell.run("ipctool semop /lock -1 -v").says("ipctool: semop psem:/lock: 1 → 0\n");
    shell
        .run("ipctool semop psem:/lock -1 --nowait")
        .exits(4)
        .says("it would have to wait (EAGAIN)\nhint: its value is 0; to see who has it open: ipctool stat psem:/lock");
    shell
        .run("ipctool semop /lock -1 --timeout 30ms")
        .exits(4)
        .says("timed out\nhint: its value is 0");
    // With a program of the C library.
    let waiter = shell.start("exec ./posix /lock sem_wait");
    shell.wait_until("ipctool list psem -o waiters --no-headings | grep -q 1");
    shell.run("ipctool semop /lock +1").ok();
    waiter.ends().ok();
    let waiter = shell.start("exec ipctool semop /lock -1 --timeout 1h");
    shell.wait_until("ipctool list psem -o waiters --no-headings | grep -q 1");
    shell.run("./posix /lock sem_post").ok();
    waiter.ends().ok();
    // Several times, all or nothing.
    shell.run("ipctool semop /lock +3").ok();
    shell.run("ipctool semop /lock -5 --nowait").exits(4);
    shell.run(value).prints("3\n");
    shell.run("ipctool semop /lock -2").ok();
    // Those who wait for several do not keep each other from them.
    shell.run("ipctool semop /lock +1").ok();
    shell
        .run("for i in $(seq 20); do ipctool semop /lock -2 --timeout 15s -- true & pids=\"$pids $!\"; done; for pid in $pids; do wait $pid || echo $?; done")
        .prints("");
    shell.run("ipctool semop /lock -1").ok();
    // Held while a command runs.
    shell.run(&format!("ipctool semop /lock -1 -- sh -c '{value}; exit 7'")).exits(7).shows("0\n");
    shell.run("ipctool semop /lock -1 -- sh -c 'kill -KILL $$'").exits(137);
    shell
        .run("ipctool semop /lock -1 -- nosuch")
        .exits(127)
        .says("semop nosuch: ")
        .says("(ENOENT)");
    shell.run(value).prints("1\n");
    for (name, status) in [("TERM", 143), ("HUP", 129)] {
        let holder =
            shell.start("exec ipctool semop /lock -1 -- sh -c 'touch held; exec sleep 60'");
        shell.wait_until("rm held");
        shell.run("ipctool semop /lock -1 --nowait").exits(4);
        assert_eq!(holder.signal(name).ends().status(), status);
        shell.run(value).prints("1\n");
    }
    // Removed during the wait.
    shell.run("ipctool semop /lock -1").ok();
    let waiter = shell.start("exec ipctool semop /lock -1");
    shell.wait_until("ipctool list psem -o waiters --no-headings | grep -q 1");
    shell.run("ipctool rm psem:/lock").ok();
    waiter.ends().exits(3).says("the POSIX semaphore was removed during the wait (EIDRM)");
    // As many as there can be.
    shell.run("ipctool create psem --name /full --value 2147483646").ok();
    shell
        .run("ipctool semop /full +2")
        .exits(1)
        .says("its value would be above SEM_VALUE_MAX, 2147483647 (EOVERFLOW)");
    shell.run(value).prints("2147483646\n");
    // So many take their time, which has an end.
    shell.run("ipctool semop /full -2000000000 --timeout 50ms").exits(4).says("timed out");
    shell.run(value).prints("2147483646\n");
    let busy = shell.start("exec ipctool semop /full -2000000000");
    shell.wait_until("[ $(ipctool list psem -o value --no-headings) -lt 2147480000 ]");
    assert_eq!(busy.signal("INT").ends().status(), 130);
    shell.run(value).prints("2147483646\n");
    for (arguments, status, why) in [
        ("/none -1", 3, "no such POSIX semaphore (ENOENT)"),
        ("/full 0", 2, "can only be posted, +N, and waited for, -N"),
        ("/full =0", 2, "can only be posted"),
        ("/full 1:+1", 2, "a POSIX semaphore is one"),
        ("/full +1 -1", 2, "takes one operation"),
        ("/full -1 --undo", 2, "--undo is for sets"),
    ] {
        shell.run(&format!("ipctool semop {arguments}")).exits(status).says(why);
    }
    // A file that is cut while it is used.
    shell.run("ipctool create psem --name /cut").ok();
    let waiter = shell.start("exec ipctool semop /cut -1").waits();
    shell.run("> /dev/shm/sem.cut").ok();
    waiter
        .ends()
        .exits(1)
        .says("ipctool: semop psem:/cut: its file was truncated meanwhile (SIGBUS)\n");
    // What is none must not be used as one: the C library would.
    shell.run("ipctool create pshm --name /x --size 1 && mv /dev/shm/x /dev/shm/sem.x").ok();
    shell.run("head -c 32 /dev/zero > /dev/shm/sem.z; head -c 99 /dev/zero > /dev/shm/sem.y").ok();
    for name in ["/x", "/y", "/z"] {
        let ran = shell.run(&format!("ipctool semop {name} +1"));
        ran.exits(1).says("it holds no semaphore that this program can operate on");
    }
}

#[test]
fn what_others_own() {
    if !only_root("only root can be two users") {
        return;
    }
    let Some(shell) = with_set("1") else { return };
    let as_nobody = |line: &str| shell.run_as(NOBODY, line).unwrap();
    as_nobody("ipctool semop sem:0 -1")
        .exits(5)
        .says("no permission (EACCES)")
        .says("but this needs write access (-w-)");
    as_nobody("ipctool semop sem:0 =1").exits(5).says("EACCES").says("but this needs write access");
    shell.run("ipctool chmod 644 sem:0").ok();
    as_nobody("ipctool semop sem:0 -1").exits(5).says("EACCES");
    as_nobody("ipctool semop sem:0 0 --nowait")
        .exits(4)
        .says("semaphore 0 is 1, and 0 waits until it is 0");
    // To alter is enough, and what cannot be seen is not guessed.
    shell.run("ipctool chmod 622 sem:0").ok();
    as_nobody("ipctool semop sem:0 -1 -v").exits(0).says("the values cannot be read");
    as_nobody("ipctool semop sem:0 -1 --nowait").exits(4).denies("hint");
    shell.run("ipctool create psem --name /p --value 1").ok();
    as_nobody("ipctool semop /p -1").exits(5).says("EACCES");
}
