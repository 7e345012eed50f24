//! `ipctool limits`

mod sandbox;

use sandbox::{CAP_SYS_RESOURCE, NOBODY, Sandbox, is_root, only_root, only_with};
use serde_json::{Value, json};

/// A field of a limit.
fn field(shell: &Sandbox, name: &str, field: &str) -> Value {
    // Not every user can list POSIX queues where /dev/shm is another file system.
    let limits = shell.run("ipctool limits --json").exits(0).json();
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
    // A kernel without huge pages has one less.
    let count = plain.lines().count() - 1;
    assert!([23, 24].contains(&count), "{plain}");
    shell.run("ipctool limits --format table").ok().shows("8K").shows("msgmax");
    shell.run("ipctool limits --format table --bytes").ok().shows("8192");
    shell.run("ipctool limits --format jsonl | wc -l").prints(&format!("{count}\n"));
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
    assert!(found.contains("queues") && found.contains("message queues"), "{found}");
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
    // As manuals print them.
    shell.run("ipctool limits --set SHMMAX=64G").ok().shows("shmmax: ").shows(" → 68719476736\n");
    shell
        .run("ipctool limits --set kernel.sem='250 32000 100 128' --persist")
        .prints("kernel.sem: 7 8 3 99 → 250 32000 100 128\nkernel.sem = 250 32000 100 128\n");
    shell
        .run("ipctool limits --set SEM=250,32000,100,129 Fs.Mqueue.Msg_Max=11")
        .prints("kernel.sem: 250 32000 100 128 → 250 32000 100 129\nfs.mqueue.msg_max: 10 → 11\n");
    shell.run("cat /proc/sys/kernel/sem | tr '\t' ' '").prints("250 32000 100 129\n");
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
    for bad in ["5", "1 2 3", "1 2 3 4 5", "1,2,,3", ""] {
        shell.run(&format!("ipctool limits --set kernel.sem='{bad}'")).exits(2).lacks("→");
    }
    shell
        .run("ipctool limits --set kernel.sem='1 2 3'")
        .exits(2)
        .says("kernel.sem takes 4 numbers (semmsl semmns semopm semmni), not '1 2 3'");
    shell
        .run("ipctool limits --set kernel.sem='1 2 3 99999'")
        .exits(2)
        .says("semmni takes a number from 0 to 32768, not '99999'");
    shell
        .run("ipctool limits --set SHMALL=64G")
        .exits(2)
        .says("shmall takes a number")
        .says("hint: it counts pages of ");
    shell
        .run("ipctool limits --set /dev/shm=2G")
        .exits(2)
        .says("hint: as root: mount -o remount,size=N /dev/shm");
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
    // The queues of other namespaces that one may enter count as well; root sees their processes unless it is
    // in a process namespace.
    let alone = if is_root() { "unshare --pid --fork --mount-proc" } else { "" };
    let limits = shell.run(&format!("{alone} ipctool limits pmsg --json")).exits(0).records();
    let limit = limits.iter().find(|limit| limit["name"] == "RLIMIT_MSGQUEUE").unwrap();
    // maxmsg × 48 + maxmsg × 48 + maxmsg × msgsize on 64 bits, mq_overview(7).
    assert_eq!(limit["used"], 7 * 48 + 7 * 48 + 7 * 100);
}

#[test]
fn the_limits_of_a_kind() {
    let Some(shell) = Sandbox::new() else { return };
    let names = |line: &str| {
        let all =
            shell.run(&format!("ipctool limits {line} --format tsv --no-headings | cut -f 1"));
        all.ok().stdout().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("msg"), "msgmni msgmax msgmnb");
    assert_eq!(names("queue,sem"), "msgmni msgmax msgmnb semmni semmns semmsl semopm semvmx");
    assert_eq!(names("msg sem"), names("msg,sem"));
    assert_eq!(names("psem"), "/dev/shm /dev/shm:inodes");
    assert!(names("pmsg").ends_with("RLIMIT_MSGQUEUE RLIMIT_MSGQUEUE_HARD RLIMIT_NOFILE"));
    shell.run("ipctool limits pizza").exits(2).says("'pizza' is not a kind of IPC object");
    shell
        .run("ipctool limits msg:0")
        .exits(2)
        .says("hint: to see how full it is: ipctool stat msg:0");
    shell.run("ipctool limits --queue-bytes 5 msg").exits(2).says("needs one queue of System V");
    let msgmni = shell.run("ipctool limits msg --json").ok().json()[0].clone();
    assert_eq!(
        msgmni,
        json!({
            "name": "msgmni", "limit": 32000, "used": 0, "percent": 0.0, "unit": "queues",
            "description": "message queues", "source": "kernel.msgmni", "ref": null, "user": null,
        })
    );
}

#[test]
fn what_has_no_limit_is_unlimited() {
    let Some(shell) = Sandbox::new() else { return };
    // The default of the kernel is a number that nobody reaches.
    let table = shell.run("ipctool limits shm --format table").ok().stdout();
    assert_eq!(table.matches(" unlimited ").count(), 2, "{table}");
    assert!(field(&shell, "shmall", "limit").is_u64());
    if only_with(CAP_SYS_RESOURCE, "only CAP_SYS_RESOURCE raises a hard limit") {
        let line = "prlimit --msgqueue=unlimited ipctool limits pmsg";
        for format in ["plain", "table"] {
            let rows = shell.run(&format!("{line} --format {format}")).ok().stdout();
            assert_eq!(rows.matches(" unlimited ").count(), 2, "{rows}");
        }
        let row = shell.run(&format!("{line} --json")).ok().json();
        let row = row.as_array().unwrap().iter().find(|row| row["name"] == "RLIMIT_MSGQUEUE");
        assert_eq!(row.unwrap()["limit"], Value::Null);
        assert_eq!(row.unwrap()["percent"], Value::Null);
    }
}

#[test]
fn dev_shm_is_a_file_system_with_a_size() {
    let Some(shell) = Sandbox::prepared("mount -n -t tmpfs -o size=1M,nr_inodes=10 tmpfs /dev/shm")
    else {
        return;
    };
    assert_eq!(field(&shell, "/dev/shm", "limit"), 1 << 20);
    assert_eq!(field(&shell, "/dev/shm:inodes", "limit"), 10);
    let files = used(&shell, "/dev/shm:inodes").as_u64().unwrap();
    shell.run("head -c 921600 /dev/zero > /dev/shm/most").ok();
    assert_eq!(used(&shell, "/dev/shm"), 921_600);
    assert_eq!(used(&shell, "/dev/shm:inodes"), files + 1);
    let full = shell.run("ipctool limits --check 80 --json").exits(6).json();
    assert_eq!(full[0]["name"], "/dev/shm");
    shell.run("ipctool limits --check 80 msg").prints("");
}

#[test]
fn a_check_looks_at_each_queue() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg && ipctool create msg && ipctool create msg").ok();
    shell.run("head -c 8000 /dev/zero > half; ipctool send 1 < half; ipctool send 1 < half").ok();
    shell.run("ipctool limits --check 98").prints("");
    let full = "ipctool limits --check 97 --json";
    assert_eq!(
        shell.run(full).exits(6).json(),
        json!([{
            "name": "max_bytes", "limit": 16384, "used": 16000, "percent": 97.6, "unit": "bytes",
            "ref": "msg:1", "user": null, "source": "msg_qbytes", "description": "bytes on the queue",
        }])
    );
    shell.run("ipctool limits --check 97 --no-headings").exits(6).shows(" msg:1 ");
    shell.run("ipctool limits --check 97 --no-objects").prints("");
    shell.run("ipctool limits --check 97 sem pmsg").prints("");
    shell.run("ipctool limits --no-objects").exits(2).says("--check");
    // Empty messages fill a queue by their number.
    shell
        .run("ipctool limits --queue-bytes 3 msg:2; for i in 1 2 3; do ipctool send 2 ''; done")
        .exits(0);
    assert_eq!(
        shell.run(full).exits(6).fields("ref unit percent"),
        json!([["msg:1", "bytes", 97.6], ["msg:2", "messages", 100.0]])
    );
    shell.run("ipctool create pmsg --name /q --max-messages 2; ipctool send /q a b").exits(0);
    assert_eq!(
        shell.run("ipctool limits --check 97 pmsg --json").exits(6).fields("name ref used limit"),
        json!([["max_messages", "pmsg:/q", 2, 2]])
    );
}

#[test]
fn a_pool_of_huge_pages_is_made_to_be_used() {
    let Some(shell) = Sandbox::new() else { return };
    if !std::fs::exists("/proc/sys/vm/nr_hugepages").unwrap() {
        shell.run("ipctool limits shm").ok().lacks("vm.nr_hugepages");
        return;
    }
    let pool = shell.run("cat /proc/sys/vm/nr_hugepages").ok().stdout();
    assert_eq!(field(&shell, "vm.nr_hugepages", "limit").to_string(), pool.trim());
    let free = shell
        .run("awk '/HugePages_Total/ {t=$2} /HugePages_Free/ {f=$2} /HugePages_Rsvd/ {r=$2} END {print t-f+r}' /proc/meminfo")
        .ok()
        .stdout();
    assert_eq!(used(&shell, "vm.nr_hugepages").to_string(), free.trim());
    shell.run("ipctool limits --check 1 shm").prints("");
}
