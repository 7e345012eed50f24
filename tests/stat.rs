//! `ipctool stat`

mod sandbox;

use sandbox::{NOBODY, Sandbox};
use serde_json::json;

#[test]
fn a_queue_with_its_sizes_times_and_processes() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --key 0xbeef --mode 660").ok();
    shell.run("ipctool send 0xbeef hello").ok();
    let page = shell.run("ipctool stat msg:0xbeef").exits(0);
    for line in [
        "msg:0  message queue\n",
        "key          0x0000beef\n",
        "rw-rw---- (0660); you may read, write, change and remove\n",
        "messages     1\n",
        "bytes        5 of 16384 (max_bytes), 0 %\n",
        "last recv    never\n",
        "s ago)\n",
        "last sender",
        "gone",
    ] {
        assert!(page.stdout().contains(line), "{line}: {}", page.stdout());
    }
    for line in ["ipctool stat -q 0", "ipctool stat -Q 0xbeef"] {
        shell.run(line).exits(0).shows("msg:0  message queue\n  key          0x0000beef\n");
    }
}

#[test]
fn a_set_with_each_semaphore_and_who_waits() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create sem --nsems 3 --key 5").ok();
    // +4 on semaphore 1; then one waits to take 9 of it, another for it to be zero.
    shell.run("perl -e 'semop(0, pack(\"s3\", 1, 4, 0)) or die $!'").ok();
    let taker =
        shell.start("exec perl -e '$0 = \"ipctool\"; semop(0, pack(\"s3\", 1, -9, 0))'").waits();
    let zero =
        shell.start("exec perl -e '$0 = \"ipctool\"; semop(0, pack(\"s3\", 1, 0, 0))'").waits();
    let stat = shell.run("ipctool stat sem:0 --json").ok().json();
    let semaphore = &stat[0]["semaphores"][1];
    assert_eq!(semaphore["index"], 1);
    assert_eq!(semaphore["value"], 4);
    assert_eq!(semaphore["ncount"], 1);
    assert_eq!(semaphore["zcount"], 1);
    assert!(semaphore["last_pid"].is_i64());
    assert_eq!(stat[0]["semaphores"][0]["last_pid"], json!(null));
    assert_eq!(stat[0]["nsems"], 3);
    assert_eq!(stat[0]["waiting"], 2);
    // Those that wait are in the order of their process ids, which may begin anew between them.
    let mut roles: Vec<_> =
        stat[0]["users"].as_array().unwrap().iter().map(|user| user["role"].as_str()).collect();
    roles[..2].sort();
    assert_eq!(
        roles,
        [
            Some("waiting on semaphore 1 for +9"),
            Some("waiting on semaphore 1 for 0"),
            Some("last operation on semaphore 1"),
        ]
    );
    shell.run("ipctool stat sem:5").exits(3);
    shell.run("ipctool stat sem:0x5").ok().shows("INDEX  VALUE NCOUNT ZCOUNT LAST_PID\n");
    shell.run("ipctool rm sem:0").ok();
    taker.ends();
    zero.ends();
}

#[test]
fn a_recorded_process_is_alive_or_gone() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --key 5").ok();
    shell.compile("use");
    let sender = shell.start("exec ./use msg 0 marked-words").ready();
    shell.run("ipctool stat msg:0 --json").shows("\"state\":\"alive\"").shows("marked-words");
    drop(sender);
    let users = shell.run("ipctool stat msg:0 --json").json()[0]["users"].clone();
    assert_eq!(users[0]["state"], "gone");
    assert_eq!(users[0]["role"], "last sender");
    assert_eq!(users[0]["command"], json!(null));
}

#[test]
fn a_segment_with_what_it_holds() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create shm --size 10000 --mode 604").ok();
    shell.run("perl -e 'shmwrite(0, \"x\" x 5000, 0, 5000) or die $!'").ok();
    shell
        .run("ipctool stat shm:0")
        .ok()
        .shows("key          none (IPC_PRIVATE)\n")
        .shows("size         9.7K: 10000 of ")
        .shows("in memory    8192 bytes, and 0 swapped out\n")
        .shows("attached     0 times\n")
        .shows("creator");
}

#[test]
fn what_the_caller_may_do_is_what_the_kernel_grants() {
    let Some(shell) = Sandbox::new() else { return };
    for (mode, words) in [
        ("600", "you have no access"),
        ("604", "you may read"),
        ("602", "you may write"),
        ("606", "you may read, write"),
    ] {
        let queue = shell.run(&format!("ipctool create msg --mode {mode}")).ok().stdout();
        let queue = queue.trim();
        let Some(ran) = shell.run_as(NOBODY, &format!("ipctool stat {queue}")) else { return };
        ran.exits(0).shows(&format!("; {words}\n"));
        let reads = shell.run_as(NOBODY, &format!("ipctool recv {queue} --nowait")).unwrap();
        reads.exits(if words.contains("read") { 4 } else { 5 });
        let writes = shell.run_as(NOBODY, &format!("ipctool send {queue} x")).unwrap();
        writes.exits(if words.contains("write") { 0 } else { 5 });
    }
}

#[test]
fn semaphores_that_may_not_be_read_are_said_to_be() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create sem --nsems 2").ok();
    let Some(ran) = shell.run_as(NOBODY, "ipctool stat sem:0") else { return };
    ran.exits(5)
        .shows("semaphores   2 of 32000 (semmsl), 0 %\n")
        .says("ipctool: stat sem:0: cannot read the semaphores: no permission (EACCES)\n")
        .says(
            "hint: sem:0 has mode 0600 (rw-------), owner root:root, creator root; you are nobody (uid 65534) without CAP_",
        );
}

#[test]
fn several_at_once_with_each_failure_reported() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg; ipctool create msg").ok();
    let stat =
        shell.run("ipctool stat msg:0 msg:9 msg:1 --json").exits(3).says("stat msg:9: no such");
    assert_eq!(stat.json().as_array().unwrap().len(), 2);
    shell.run("ipctool stat").exits(2).says("nothing to show: give a REF");
    shell.run("ipctool stat nonsense").exits(2).says("'nonsense' is not a reference");
    shell.run("ipctool stat msg:0 > /dev/full").exits(1).says("(ENOSPC)");
}

#[test]
fn the_values_of_a_set_are_those_of_one_moment() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create sem --nsems 3000").ok();
    shell.run("perl -e 'semctl(0, $_ - 1, 16, $_ * 10) or die for 1, 2048, 3000'").ok();
    let stat = shell.run("ipctool stat sem:0 --json --trace").exits(0);
    for (index, value) in [(0, 10), (1, 0), (2047, 20480), (2998, 0), (2999, 30000)] {
        assert_eq!(stat.json()[0]["semaphores"][index]["value"], value, "{index}");
    }
    let calls = |what: &str| stat.stderr().matches(what).count();
    assert_eq!((calls("semctl(0, 0, GETALL, 0x"), calls("GETVAL")), (1, 0));
    assert_eq!((calls("GETPID"), calls("GETNCNT"), calls("GETZCNT")), (3000, 3000, 3000));
}

#[test]
fn every_segment_that_the_table_does_not_show_says_so() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell
        .run("ipctool create shm --size 1; ipctool create shm --size 1; ipctool create msg")
        .exits(0);
    let hide = "unshare --mount sh -c 'mount -t tmpfs none /proc/sysvipc && exec \"$@\"' sh";
    let ran = shell.run(&format!("{hide} ipctool stat shm:0 msg:0 shm:1")).exits(1);
    ran.says("stat shm:0: cannot read /proc/sysvipc/shm")
        .says("stat shm:1: cannot read /proc/sysvipc/shm")
        .shows("msg:0  message queue");
}
