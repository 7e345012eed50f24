//! `ipctool limits`

mod sandbox;

use sandbox::{CAP_SYS_RESOURCE, NOBODY, Sandbox, is_root, only_root, only_with};
use serde_json::{Value, json};

/// A field of a limit.
fn field(shell: &Sandbox, name: &str, field: &str) -> Value {
    let limits = shell.run("ipctool limits --json").ok().json();
    let limit = limits.as_array().unwrap().iter().find(|limit| limit["name"] == name);
    limit.unwrap_or_else(|| panic!("no {name}"))[field].clone()
}

fn used(shell: &Sandbox, name: &str) -> Value {
    field(shell, name, "used")
}

#[test]
fn every_limit_with_its_value() {
    let Some(shell) = Sandbox::new() else { return };
    for (name, file, place) in [
        ("msgmni", "kernel/msgmni", 1),
        ("msgmax", "kernel/msgmax", 1),
        ("msgmnb", "kernel/msgmnb", 1),
        ("shmmni", "kernel/shmmni", 1),
        ("shmmax", "kernel/shmmax", 1),
        ("shmall", "kernel/shmall", 1),
        ("shm_rmid_forced", "kernel/shm_rmid_forced", 1),
        ("semmsl", "kernel/sem", 1),
        ("semmns", "kernel/sem", 2),
        ("semopm", "kernel/sem", 3),
        ("semmni", "kernel/sem", 4),
        ("fs.mqueue.queues_max", "fs/mqueue/queues_max", 1),
        ("fs.mqueue.msg_max", "fs/mqueue/msg_max", 1),
        ("fs.mqueue.msgsize_max", "fs/mqueue/msgsize_max", 1),
        ("fs.mqueue.msg_default", "fs/mqueue/msg_default", 1),
        ("fs.mqueue.msgsize_default", "fs/mqueue/msgsize_default", 1),
    ] {
        let value = shell.run(&format!("awk '{{print ${place}}}' /proc/sys/{file}")).ok().stdout();
        assert_eq!(field(&shell, name, "limit").to_string(), value.trim(), "{name}");
    }
    assert_eq!(field(&shell, "shmmin", "limit"), 1);
    assert_eq!(field(&shell, "semvmx", "limit"), 32_767);
    let soft = shell.run("ulimit -S -n 99; ipctool limits --json").ok().json();
    assert!(soft.to_string().contains("\"limit\":99,\"name\":\"RLIMIT_NOFILE\""), "{soft}");
    let bytes = shell.run("cat /proc/self/limits | awk '/msgqueue/ {print $4, $5}'").ok().stdout();
    let words: Vec<_> = bytes.split_whitespace().collect();
    assert_eq!(field(&shell, "RLIMIT_MSGQUEUE", "limit").to_string(), words[0]);
    assert_eq!(field(&shell, "RLIMIT_MSGQUEUE_HARD", "limit").to_string(), words[1]);
    assert_eq!(field(&shell, "semmni", "source"), "kernel.sem (number 4 of 4)");
}

#[test]
fn what_is_used_grows_with_what_is_made() {
    let Some(shell) = Sandbox::new() else { return };
    for name in ["msgmni", "shmmni", "shmall", "semmni", "semmns"] {
        assert_eq!(used(&shell, name), 0, "{name}");
    }
    shell.run("ipctool create msg && ipctool create msg").ok();
    shell.run("ipctool create shm --size 1 && ipctool create shm --size 4097").ok();
    shell.run("ipctool create sem --nsems 3 && ipctool create sem --nsems 4").ok();
    assert_eq!(used(&shell, "msgmni"), 2);
    assert_eq!(used(&shell, "shmmni"), 2);
    assert_eq!(used(&shell, "shmall"), 3, "in pages, each segment rounded up");
    assert_eq!(used(&shell, "semmni"), 2);
    assert_eq!(used(&shell, "semmns"), 7);
    assert_eq!(used(&shell, "msgmax"), json!(null));
    // The installed tools count the same.
    let ipcs = shell.run("ipcs -u").ok();
    ipcs.shows("allocated queues = 2\n")
        .shows("segments allocated 2\n")
        .shows("pages allocated 3\n")
        .shows("used arrays = 2\n")
        .shows("allocated semaphores = 7\n");
    let lsipc = shell.run("lsipc -g --raw --noheadings -o RESOURCE,LIMIT,USED").exits(0).stdout();
    let mut compared = 0;
    for line in lsipc.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let name = words[0].to_lowercase();
        if ["msgmni", "shmmni", "semmni"].contains(&name.as_str()) {
            assert_eq!(field(&shell, &name, "limit").to_string(), words[1], "{line}");
            assert_eq!(used(&shell, &name).to_string(), words[2], "{line}");
            compared += 1;
        }
    }
    assert_eq!(compared, 3, "{lsipc}");
    shell.run("ipctool rm --all --yes").exits(0);
    assert_eq!(used(&shell, "semmns"), 0);
}

#[test]
fn numbers_beyond_63_bits_are_exact() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("echo 18446744073692774399 > /proc/sys/kernel/shmall").ok();
    shell.run("ipctool limits --json").ok().shows("\"limit\":18446744073692774399,");
    shell.run("ipctool limits").ok().shows(" 18446744073692774399 ");
    shell.run("ipctool limits --format csv").ok().shows("shmall,18446744073692774399,0,0.0,");
    shell
        .run("ipctool limits --set shmall=18446744073709551615")
        .prints("shmall: 18446744073692774399 → 18446744073709551615\n");
}

/// The four numbers of kernel.sem are longer than what a careless reader takes at once.
#[test]
fn long_numbers_survive_their_neighbours() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("echo '32000 1024000000 2147483647 31999' > /proc/sys/kernel/sem").ok();
    shell
        .run("ipctool limits --no-headings --format tsv | grep -e semmni -e semopm | cut -f 1-2")
        .prints("semmni\t31999\nsemopm\t2147483647\n");
    shell.run("ipctool limits --set semmsl=31000").ok();
    shell.run("cat /proc/sys/kernel/sem").prints("31000\t1024000000\t2147483647\t31999\n");
}

#[test]
fn in_every_format() {
    let Some(shell) = Sandbox::new() else { return };
    let plain = shell.run("ipctool limits").ok().stdout();
    assert!(plain.starts_with("NAME "), "{plain}");
    assert_eq!(plain.lines().count(), 22);
    shell.run("ipctool limits --format table").ok().shows("8K").shows("msgmax");
    shell.run("ipctool limits --format table --bytes").ok().shows("8192");
    shell.run("ipctool limits --format jsonl | wc -l").prints("21\n");
    shell
        .run("ipctool limits --no-headings --format tsv | head -n 1 | cut -f 1-3")
        .prints("msgmni\t32000\t0\n");
    shell.run("ipctool limits > /dev/full").exits(1).says("(ENOSPC)");
}

#[test]
fn a_check_is_silent_until_the_mark_is_reached() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell
        .run("echo 10 > /proc/sys/kernel/msgmni; echo 32000 32 500 32000 > /proc/sys/kernel/sem")
        .ok();
    shell.run("for i in 1 2 3 4 5 6 7; do ipctool create msg; done").exits(0);
    shell.run("ipctool limits --check 80").prints("");
    shell.run("ipctool limits --check 80 --json").prints("[]\n");
    shell.run("ipctool create msg").ok();
    let found = shell.run("ipctool limits --check 80% --no-headings").exits(6).stdout();
    assert_eq!(found.split_whitespace().take(4).collect::<Vec<_>>(), ["msgmni", "10", "8", "80.0"]);
    shell.run("ipctool create sem --nsems 32").ok();
    assert_eq!(
        shell.run("ipctool limits --check 80 --json").fields("name"),
        json!([["msgmni"], ["semmns"]])
    );
    for bad in ["0", "101", "x", "-1"] {
        shell.run(&format!("ipctool limits --check={bad}")).exits(2).says("is not a percentage");
    }
}

#[test]
fn setting_prints_old_and_new_and_leaves_the_host_alone() {
    let Some(shell) = Sandbox::privileged() else { return };
    let host = std::fs::read_to_string("/proc/sys/kernel/sem").unwrap();
    shell.run("echo 1 2 3 4 > /proc/sys/kernel/sem").ok();
    shell
        .run("ipctool limits --set semmni=99 kernel.msgmax=64K")
        .prints("semmni: 4 → 99\nmsgmax: 8192 → 65536\n");
    shell.run("cat /proc/sys/kernel/sem | tr '\\t' ' '").prints("1 2 3 99\n");
    shell
        .run("ipctool limits --set semmsl=7 semmns=8 --persist")
        .prints("semmsl: 1 → 7\nkernel.sem = 7 2 3 99\nsemmns: 2 → 8\nkernel.sem = 7 8 3 99\n");
    shell.run("ipctool limits --set shm_rmid_forced=1").prints("shm_rmid_forced: 0 → 1\n");
    assert_eq!(std::fs::read_to_string("/proc/sys/kernel/sem").unwrap(), host);
}

#[test]
fn a_value_is_checked_before_anything_is_written() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell
        .run("ipctool limits --set msgmni=5 pizza=3")
        .exits(2)
        .says("there is no limit 'pizza'")
        .says("hint: limits: msgmni ");
    shell
        .run("ipctool limits --set msgmni=5 msgmax=-1")
        .exits(2)
        .says("takes a number from 0 to 2147483647, not '-1'");
    shell.run("ipctool limits --set msgmni=32769").exits(2).says("takes a number from 0 to 32768");
    shell.run("ipctool limits --set shm_rmid_forced=2").exits(2).says("from 0 to 1");
    shell
        .run("ipctool limits --set msgmni=+5")
        .exits(2)
        .says("takes a number from 0 to 32768, not '+5'");
    shell.run("ipctool limits --set fs.mqueue.msg_max=0").exits(2).says("from 1 to 65536");
    shell.run("ipctool limits --set semvmx=5").exits(2).says("semvmx is 32767 in every kernel");
    shell.run("ipctool limits --set RLIMIT_MSGQUEUE=5").exits(2).says("is a limit of each process");
    shell.run("ipctool limits --set kernel.sem=5").exits(2).says("there is no limit 'kernel.sem'");
    shell
        .run("ipctool limits --set msgmni")
        .exits(2)
        .says("'msgmni' is not of the form NAME=VALUE");
    shell.run("ipctool limits --persist").exits(2);
    assert_eq!(field(&shell, "msgmni", "limit"), 32_000);
}

#[test]
fn without_privilege_the_command_for_root_is_told() {
    let Some(shell) = Sandbox::new() else { return };
    let ran = match is_root() {
        true => shell.run_as(NOBODY, "ipctool limits --set semmni=99").unwrap(),
        // Whoever made the namespace of the shell may.
        false => {
            shell.run("unshare --user --map-current-user --ipc ipctool limits --set semmni=99")
        }
    };
    let sem = std::fs::read_to_string("/proc/sys/kernel/sem").unwrap();
    let numbers: Vec<_> = sem.split_whitespace().collect();
    ran.exits(5).says("limits semmni: cannot set 99: Permission denied (EACCES)\n").says(&format!(
        "hint: as root: sysctl -w kernel.sem='{} {} {} 99'\n",
        numbers[0], numbers[1], numbers[2]
    ));
}

#[test]
fn the_size_of_one_queue() {
    let Some(shell) = Sandbox::new() else { return };
    let me = |line: &str| match is_root() {
        true => shell.run_as(NOBODY, line).unwrap(),
        false => shell.run(line),
    };
    me("ipctool create msg --key 0xbeef").prints("msg:0\n");
    me("ipctool chmod --force 0 msg:0").ok();
    me("ipctool limits --queue-bytes 4K 0xbeef").prints("msg:0: 16384 → 4096\n");
    shell.run("ipctool list -q --format csv --no-headings -o max_bytes,mode").prints("4096,0000\n");
    me("ipctool limits --queue-bytes 1M msg:0")
        .exits(5)
        .says("limits msg:0: 1048576 bytes are over msgmnb, 16384 bytes (EPERM)\n")
        .says("hint: only a process with CAP_SYS_RESOURCE may exceed msgmnb; to raise msgmnb, as root: ipctool limits --set msgmnb=1048576\n");
    if only_root("only root can be two users") {
        shell.run("ipctool create msg").ok();
        me("ipctool limits --queue-bytes 1M msg:1")
            .exits(5)
            .says("only its owner, its creator or a privileged");
    }
    me("ipctool limits --queue-bytes 5 msg:9").exits(3).says("no such message queue (EINVAL)");
    me("ipctool limits --queue-bytes 5").exits(2);
    me("ipctool limits msg:0").exits(2);
    if only_with(CAP_SYS_RESOURCE, "only CAP_SYS_RESOURCE raises a queue over msgmnb") {
        shell.run("ipctool limits --queue-bytes 1M msg:0").prints("msg:0: 4096 → 1048576\n");
    }
}

#[test]
fn posix_queues_are_charged_for_their_capacity() {
    let Some(shell) = Sandbox::new() else { return };
    assert_eq!(used(&shell, "fs.mqueue.queues_max"), 0);
    shell.compile("queues");
    shell.run("./queues 7 100 1").prints("1\n");
    assert_eq!(used(&shell, "fs.mqueue.queues_max"), 1);
    // maxmsg × 48 + maxmsg × 48 + maxmsg × msgsize on 64 bits, mq_overview(7).
    assert_eq!(used(&shell, "RLIMIT_MSGQUEUE"), 7 * 48 + 7 * 48 + 7 * 100);
}
