//! `ipctool stat`

mod sandbox;

use sandbox::{NOBODY, Sandbox, only_root};
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

#[test]
fn a_picture_of_a_queue_before_and_after() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --key 0xbeef").ok();
    let empty = "msg:0  0 messages, 0 of 16384 bytes
         ┌───────┐
  recv ◄ │ empty │ ◄ send
         └───────┘
";
    let ran = shell.run("ipctool stat --picture 0xbeef").exits(0);
    assert_eq!(ran.stdout(), empty);
    shell.run("ipctool send 0xbeef -t 1 'an order'").ok();
    shell.run("printf '\\033[31mred\\n' | ipctool send 0xbeef -t 2").ok();
    let receiver = shell.start("exec ipctool recv 0xbeef -t 7").waits();
    let picture = format!(
        "msg:0  2 messages, 17 of 16384 bytes
         ┌ type 1 ──┐ ┌ type 2 ───────┐
  recv ◄ │ an order │ │ \\x1b[31mred\\n │ ◄ send
         └ 8 B ─────┘ └ 9 B ──────────┘
  waiting to receive type 7: {} (ipctool recv 0xbeef -t 7)
",
        receiver.pid()
    );
    // Twice the same: a look takes nothing.
    for _ in 0..2 {
        assert_eq!(shell.run("ipctool stat --picture msg:0").exits(0).stdout(), picture);
    }
    shell.run("ipctool send 0xbeef -t 7 stop").ok();
    receiver.ends();
    shell.run("ipctool recv 0xbeef --all").exits(0);
    assert_eq!(shell.run("ipctool stat --picture msg:0").exits(0).stdout(), empty);
}

#[test]
fn a_picture_of_a_full_queue_and_who_waits_for_room() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg").ok();
    shell.run("for i in 1 2; do head -c 8192 /dev/zero | ipctool send 0; done").ok();
    let sender = shell.start("exec ipctool send 0 late").waits();
    let ran = shell.run("ipctool stat --picture msg:0").exits(0);
    ran.shows("msg:0  2 messages, 16384 of 16384 bytes, full\n")
        .shows(" └ 8192 B ─")
        .shows(&format!("  waiting to send 4 bytes: {} (ipctool send 0 late)\n", sender.pid()));
    // What nobody receives is not read whole to be cut.
    shell.run("ipctool rm msg:0").ok();
    sender.ends();
    shell.run("ipctool create msg --key 0x7; seq 100 | ipctool send 0x7 --lines").ok();
    let ran = shell.run("ipctool stat --picture 0x7 --trace").exits(0);
    assert_eq!(ran.stderr().matches("MSG_COPY").count(), 16, "{}", ran.stderr());
    ran.shows("│ 1      │ │ 2      │ │ 3      │ │ 4      │ │ 5      │ +95 more ◄ send\n");
}

#[test]
fn a_picture_of_semaphores_with_who_waits() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("posix");
    shell.run("ipctool create sem --nsems 3").ok();
    shell.run("perl -e 'semop(0, pack(\"s3\", 0, 3, 0)) or die $!'").ok();
    let waiter = shell.start("exec ipctool semop sem:0 1:-1").waits();
    let zero = shell.start("exec ipctool semop sem:0 0:0").waits();
    shell
        .run("ipctool stat --picture sem:0")
        .exits(0)
        .shows(&format!(
            "sem:0  3 semaphores\n  0  ●●●  3  ◄ 1 waits for 0: {} (ipctool)  last: ",
            zero.pid()
        ))
        .shows(&format!(" (gone)\n  1  ○    0  ◄ 1 waits for +1: {} (ipctool)\n", waiter.pid()))
        .shows("\n  2  ○    0\n");
    shell.run("ipctool semop sem:0 0:-3 1:+1").ok();
    waiter.ends();
    zero.ends();
    shell.run("./posix /lock sem_open 2").prints("2\n");
    let ran = shell.run("ipctool stat --picture psem:/lock").exits(0);
    assert_eq!(ran.stdout(), "psem:/lock  value 2\n  ●●\n");
    shell.run("ipctool semop psem:/lock -1; ipctool semop psem:/lock -1").ok();
    let waiter = shell.start("exec ipctool semop psem:/lock -1").waits();
    let expected =
        format!("psem:/lock  value 0\n  ○  ◄ 1 waits for +1: {} (ipctool)\n", waiter.pid());
    assert_eq!(shell.run("ipctool stat --picture psem:/lock").exits(0).stdout(), expected);
    shell.run("./posix /lock sem_post").ok();
    waiter.ends();
}

#[test]
fn a_picture_of_memory_with_who_has_it() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("posix");
    shell.compile("use");
    shell.run("ipctool create shm --size 128K").ok();
    let bar = |filled: usize| "█".repeat(filled) + &"░".repeat(32 - filled);
    let draw =
        |reference| shell.run(&format!("ipctool stat --picture {reference}")).exits(0).stdout();
    let expected = |filled, rss| {
        format!("shm:0  131072 bytes, attached 0 times\n  {}  rss {rss} of 128K\n", bar(filled))
    };
    assert_eq!(draw("shm:0"), expected(0, "0B"));
    shell.run("perl -e 'shmwrite(0, \"x\" x 40000, 0, 40000) or die $!'").ok();
    assert_eq!(draw("shm:0"), expected(10, "40K"));
    let holder = shell.start("exec ./use shm 0").ready();
    shell.run("ipctool rm shm:0").exits(0);
    let picture = draw("shm:0");
    assert!(picture.starts_with(
        "shm:0  131072 bytes, attached 1 time, dest: marked for destruction\n  ██████████░"
    ));
    assert!(picture.ends_with(&format!("\n  attached: {} (./use shm 0)\n", holder.pid())));
    shell.run("ipctool create pshm --name /cache --size 128K").ok();
    let mapped = shell.start("exec ./posix /cache mmap").ready();
    let expected = format!(
        "pshm:/cache  131072 bytes\n  {}  rss 0B of 128K\n  mapped: {} (./posix /cache mmap)\n",
        bar(0),
        mapped.pid()
    );
    assert_eq!(draw("pshm:/cache"), expected);
}

#[test]
fn a_picture_of_the_slots_of_a_posix_queue() {
    let Some(shell) = Sandbox::with_posix() else { return };
    shell.run("ipctool create pmsg --name /jobs --max-messages 5 --message-size 64").ok();
    shell.run("ipctool send /jobs one; ipctool send /jobs four").ok();
    let open = shell.start("exec ./posix /jobs mq_open").ready();
    let expected = format!(
        "pmsg:/jobs  2 of 5 messages, 7 bytes, each at most 64 bytes
  recv ◄ ■■□□□ ◄ send
  open: {} (./posix /jobs mq_open)
",
        open.pid()
    );
    assert_eq!(shell.run("ipctool stat --picture pmsg:/jobs").exits(0).stdout(), expected);
}

#[test]
fn pictures_fit_the_place_where_they_are_shown() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg; ipctool create sem --nsems 2 --value 12,0").ok();
    shell.run("ipctool create shm --size 8K; ipctool create pmsg --name /jobs").ok();
    let long = "'a message that is longer than a narrow terminal is wide'";
    shell.run(&format!("ipctool send msg:0 {long}; ipctool send msg:0 {long}")).ok();
    let all = "ipctool stat --picture msg:0 sem:0 shm:0 pmsg:/jobs";
    let ran = shell.run(&format!("LC_ALL=C {all}")).exits(0);
    assert!(ran.stdout().is_ascii(), "{}", ran.stdout());
    ran.shows("  recv < | a message that is longe~ | | a message that is longe~ | < send\n")
        .shows("  0  oooooooooo+  12  last: ")
        .shows("\n\nshm:0  8192 bytes")
        .shows("  ................................  rss 0B of 8K\n\npmsg:/jobs  0 of ");
    for columns in [1, 20, 40, 80, 300] {
        let ran = shell.run(&format!("COLUMNS={columns} {all}")).exits(0);
        let widest = ran.stdout().lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(columns.min(100)), "{widest:?}: {}", ran.stdout());
    }
    // By a filter, in colour.
    shell
        .run("ipctool stat --picture --kind msg,shm --owner \"$(id -u)\" --color always")
        .exits(0)
        .shows("\x1b[36m type 1 \x1b[0m")
        .shows("\n\n\x1b[1mshm:0\x1b[0m  8192 bytes");
    shell.run("ipctool stat --picture --json msg:0").exits(2).says("cannot be used with");
    shell.run("ipctool stat --picture msg:7 shm:0").exits(3).says("no such").shows("shm:0");
    shell.run("ipctool stat --picture shm:0 > /dev/full").exits(1).says("(ENOSPC)");
}

#[test]
fn a_picture_says_what_it_cannot_read() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg; ipctool send msg:0 one; ipctool send msg:0 two").ok();
    shell.run("ipctool create sem --nsems 2; ipctool create pmsg --name /jobs").ok();
    shell.run("ipctool create psem --name /lock").ok();
    if let Some(ran) =
        shell.run_as(NOBODY, "ipctool stat --picture msg:0 sem:0 pmsg:/jobs psem:/lock")
    {
        ran.exits(5)
            .shows("msg:0  2 messages, 6 of 16384 bytes\n         ┌───┐ ┌───┐\n  recv ◄ │ ? │ │ ? │ ◄ send\n")
            .shows("sem:0  2 semaphores\n  0  ?  ?\n  1  ?  ?\n")
            .shows("pmsg:/jobs  ? of ? messages\n  recv ◄ ? ◄ send\n")
            .shows("psem:/lock  value ?\n  ?\n")
            .says("stat msg:0: cannot read the messages: no permission (EACCES)\nhint: msg:0 has mode 0600")
            .says("stat sem:0: cannot read the semaphores: no permission (EACCES)\n")
            .says("stat pmsg:/jobs: cannot count the messages: no permission (EACCES)\n")
            .says("stat psem:/lock: cannot read the value: no permission (EACCES)\n");
    }
    let Some(shell) = shell.can_forbid() else { return };
    shell
        .run("./forbid ENOSYS MSG_COPY ipctool stat --picture msg:0")
        .exits(1)
        .shows("│ ? │ │ ? │")
        .says("stat msg:0: cannot read the messages: this kernel cannot show a message without taking it (ENOSYS)\nhint: this kernel was built without CONFIG_CHECKPOINT_RESTORE");
}

#[test]
fn a_picture_of_another_namespace() {
    if !only_root("an ordinary user cannot enter the namespace of another test") {
        return;
    }
    let (Some(shell), Some(other)) = (Sandbox::new(), Sandbox::new()) else { return };
    other.compile("use");
    other.run("ipctool create msg; ipctool send msg:0 there; ipctool create shm --size 4K").ok();
    let holder = other.start("exec ./use shm 0").ready();
    shell
        .run(&format!("ipctool --in {} stat --picture msg:0 shm:0", holder.pid()))
        .exits(0)
        .shows("  recv ◄ │ there  │ ◄ send\n")
        .shows(&format!("  attached: {} (./use shm 0)\n", holder.pid()));
}
