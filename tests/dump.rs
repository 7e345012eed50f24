//! `ipctool dump` and `restore`.

mod sandbox;

use sandbox::{NOBODY, Ran, Sandbox, only_root};

/// It printed a number below this one.
#[track_caller]
fn less(ran: &Ran, most: u64) {
    let number: u64 = ran.stdout().trim().parse().expect("a number");
    assert!(number < most, "{number}");
}

/// A shell with an object of each kind, with content.
fn with_all() -> Option<Sandbox> {
    let shell = Sandbox::new()?;
    for line in [
        "ipctool create msg --key 0xbeef --mode 640",
        "seq 3 | ipctool send 0xbeef --lines -t 7",
        "printf '\\377\\000x' | ipctool send 0xbeef; ipctool send 0xbeef ''",
        "ipctool limits --queue-bytes 4000 0xbeef",
        "ipctool create shm --key 0xcafe --size 300000 --mode 604",
        "head -c 5000 /dev/urandom | ipctool write 0xcafe --offset 100K",
        "ipctool create sem --key 0xf00d --value 1,0,32767",
        "ipctool create pmsg --name /q --max-messages 3 --message-size 60 --mode 620",
        "for p in 0 9 0; do ipctool send /q --priority $p of-$p; done",
        "ipctool create pshm --name '/two words' --size 200001",
        "printf end | ipctool write '/two words' --offset 199998",
        "ipctool create psem --name /p --value 3 --mode 444",
        "ipctool create shm --size 0; true",
        "ipctool create pshm --name /empty --size 0",
    ] {
        shell.run(line);
    }
    Some(shell)
}

/// What a person sees of all objects, without ids and times.
const ALL: &str = "ipctool list --format csv -o kind,key,name,owner,group,mode,messages,bytes,max_bytes,max_messages,message_size,size,nsems,value; \
    ipctool recv 0xbeef --peek --all --json | sed 's/\"ref\":\"[^\"]*\",//'; \
    ipctool read 0xcafe | cksum; ipctool read '/two words' | cksum; \
    ipctool stat sem:0xf00d --json | grep -o '\"value\":[0-9]*'";

const REMOVE_ALL: &str = "ipctool rm --all --yes 2> /dev/null";

#[test]
fn all_kinds_are_as_they_were() {
    let Some(shell) = with_all() else { return };
    let before = shell.run(ALL).stdout();
    // Whatever is there but the messages of POSIX queues, which would have to be taken.
    shell
        .run("ipctool dump --all > some")
        .exits(1)
        .says("ipctool: dump pmsg:/q: it holds 3 messages, which cannot be read without taking them\nhint: to take them into the dump: --take");
    assert_eq!(shell.run(ALL).stdout(), before, "nothing was taken");
    shell.run("ipctool dump --all --take > all").ok();
    shell.run("ipctool list pmsg --no-headings -o messages").prints("0\n");
    shell.run("ipctool restore --dry-run all").shows("msg:0\n").shows("pshm:/two words\n");
    shell.run(REMOVE_ALL);
    shell.run("ipctool list --no-headings").prints("");
    let made = shell.run("ipctool restore all").exits(0);
    let made = made.shows("msg:0 → msg:1\n").shows("pshm:/two words → pshm:/two words\n");
    assert_eq!(made.stdout().lines().count(), 7);
    assert_eq!(shell.run(ALL).stdout(), before);
    shell.run("ipctool recv /q --all").prints("of-9\nof-0\nof-0\n");
    // Each line is JSON, and messages are what send reads.
    let records = shell.run("cat all").records();
    assert_eq!(records[0]["ipctool"], 1);
    assert_eq!(records[1]["object"], "msg:0");
    shell
        .run("grep '\"type\"' all | sed 's/,\"sum\":\"[^\"]*\"//' | ipctool send 0xbeef --jsonl")
        .ok();
    // Zeros take no room.
    less(&shell.run("wc -c < all"), 20_000);
}

#[test]
fn an_existing_object_is_an_error_unless_it_may_go() {
    let Some(shell) = with_all() else { return };
    let before = shell.run(ALL).stdout();
    shell.run("ipctool dump --kind msg,shm,sem,pshm,psem > all").ok();
    let ran = shell.run("ipctool rm sem:0xf00d; ipctool restore all").exits(1);
    let ran = ran.says("restore msg:0x0000beef: a message queue with this key exists (EEXIST)\nhint: to put this one in its place: --replace\n");
    // The others go on.
    ran.says("restore psem:/p: a POSIX semaphore with this name exists").shows("sem:0 → sem:1\n");
    shell.run("ipctool recv 0xbeef -n 2; printf x | ipctool write /empty").exits(1);
    shell.run("ipctool restore --replace all").exits(0).shows("msg:0 → msg:1\n");
    assert_eq!(shell.run(ALL).stdout(), before);
}

#[test]
fn with_the_same_ids() {
    if !only_root("it takes the right to restore checkpoints") {
        return;
    }
    let Some(shell) = with_all() else { return };
    if shell.run("test -e /proc/sys/kernel/msg_next_id").status() != 0 {
        return;
    }
    let next = "cat /proc/sys/kernel/msg_next_id /proc/sys/kernel/shm_next_id /proc/sys/kernel/sem_next_id";
    let ids = "ipctool list msg shm sem -o ref,key --no-headings";
    shell.run("ipctool rm msg:0; ipctool create msg --key 0xbeef; ipctool send 0xbeef a").ok();
    let before = shell.run(ids).stdout();
    shell.run("ipctool dump --kind msg,shm,sem > all").ok();
    shell.run(
        "ipctool rm --kind msg,shm,sem --all --yes; ipctool create sem --key 1; ipctool rm sem:0x1",
    );
    shell.run("ipctool restore --keep-ids all").exits(0).shows("msg:1 → msg:1\n");
    assert_eq!(shell.run(ids).stdout(), before);
    shell.run(next).prints("-1\n-1\n-1\n");
    // What has the slot of an id has nothing to do with it, and stays.
    shell.run("ipctool rm sem:0; echo 32768 > /proc/sys/kernel/sem_next_id; ipctool create sem --key 77").ok();
    shell
        .run("ipctool restore --replace --keep-ids all")
        .exits(1)
        .says("restore sem:0: its id cannot be had: sem:32768 has the slot of it");
    shell
        .run("ipctool rm sem:32768; ipctool restore --replace --keep-ids all")
        .shows("sem:0 → sem:0\n");
    shell
        .run("ipctool restore --keep-ids all")
        .exits(1)
        .says("restore msg:1: its id is taken\nhint: to put it in the place");
    shell.run(next).prints("-1\n-1\n-1\n");
    // A private object has no key that could be in the way, but its id has.
    shell.run("ipctool create msg --key 5; ipctool dump msg:0x5 > one; ipctool create msg > id; ipctool dump $(cat id) > private").ok();
    shell
        .run("ipctool restore --keep-ids private")
        .exits(1)
        .says("its id is taken\nhint: to put it in the place of what has the id: --replace");
    shell.run("ipctool restore --keep-ids --replace private").exits(0).shows(" → msg:");
    shell.run("echo 99 > /proc/sys/kernel/msg_next_id; ipctool restore --replace --keep-ids private; cat /proc/sys/kernel/msg_next_id").shows("99\n");
    let ran = shell.run_as(NOBODY, "ipctool restore --keep-ids private").unwrap();
    ran.exits(5).says("cannot choose ids: Permission denied (EACCES); nothing was made");
}

#[test]
fn damage_is_found_before_anything_is_made() {
    let Some(shell) = with_all() else { return };
    shell
        .run("ipctool dump --kind msg,sem > all && ipctool rm --kind msg,sem --all --yes")
        .exits(0);
    for (damage, why) in [
        ("head -c 300 all", "restore standard input: it is cut off after line 2; nothing was made"),
        ("sed '$d' all", "it is cut off after line 8; nothing was made"),
        (
            "sed 3d all",
            "line 3: it is damaged, or something before it: the sum is wrong; nothing was made",
        ),
        ("sed 's/\"type\":7/\"type\":8/' all", "line 3: it is damaged"),
        ("cat all all", "something follows its end, line 10; nothing was made"),
        ("cat all; echo", "something follows its end, line 10"),
        ("tr -d '\\n' < all", "line 1: it is no dump of ipctool, or damaged; nothing was made"),
        ("echo hello", "line 1: it is no dump of ipctool, or damaged"),
        ("true", "it is empty; nothing was made"),
        ("head -c 300 /dev/urandom", "nothing was made"),
    ] {
        shell.run(&format!("({damage}) | ipctool restore")).exits(1).says(why);
        shell.run(&format!("({damage}) > bad; ipctool restore bad")).exits(1).says("restore bad: ");
    }
    shell.run("ipctool list msg sem --no-headings").prints("");
    shell
        .run("ipctool restore nosuch")
        .exits(1)
        .says("restore nosuch: cannot read it: No such file or directory (ENOENT)");
    shell.run("ipctool restore .").exits(1).says("cannot read it: Is a directory (EISDIR)");
    shell.run("ipctool restore <&-").exits(1).says("(EBADF)");
    // A file that is read from its middle is read from there.
    shell.run("(echo; cat all) > later; (read -r x; ipctool restore) < later").exits(0).shows("→");
}

#[test]
fn what_cannot_be_saved_is_said_and_the_rest_is_whole() {
    let Some(shell) = with_all() else { return };
    shell.run("ipctool dump").exits(2).says("nothing to save: give a REF, a filter or --all");
    shell
        .run("ipctool dump msg:0 --all")
        .exits(2)
        .says("references cannot be combined with a filter");
    shell.run("ipctool dump msg:77 > d").exits(3).says("no such message queue");
    shell.run("ipctool dump msg:77 sem:0 > d; ipctool restore -n d").shows("sem:0\n");
    shell
        .run("ipctool dump --all > /dev/full")
        .exits(1)
        .says("cannot write to standard output: No space left on device (ENOSPC)");
    shell.run("ipctool dump sem:0 sem:0xf00d 0xf00d | grep -c object").prints("1\n");
    shell.run("ipctool dump sem:0 >&-").exits(1).says("EBADF");
    shell
        .run("head -c 9 /dev/zero > /dev/shm/sem.x; ipctool dump psem:/x > d")
        .exits(1)
        .says("it holds no semaphore that can be read");
    // Nothing is taken if nothing can be written, and goes back if there is no room for it.
    shell.run("ipctool dump pmsg:/q --take > /dev/full").exits(1).says("ENOSPC");
    shell.run("ipctool recv /q --all").prints("of-9\nof-0\nof-0\n");
    shell
        .run(
            "ipctool rm pmsg:/q; ipctool create pmsg --name /q --max-messages 3 --message-size 600",
        )
        .ok();
    shell.run("for i in 1 2 3; do yes $i | head -c 600 | ipctool send /q; done").ok();
    shell
        .run("ulimit -f 1; ipctool dump pmsg:/q --take > small")
        .exits(1)
        .says("dump pmsg:/q: a message cannot be written; 1 message went back on the queue");
    // What is in the file is not lost, although that is cut off.
    shell.run("grep '^{\"ref\".*}$' small | ipctool send /q --jsonl").ok();
    shell.run("ipctool recv /q --all | sort -u").prints("\n1\n2\n3\n");
    // Nobody has read it all.
    shell.run("(sleep 0.3; ipctool dump shm:0xcafe; echo $? >&2) | true").says("EPIPE").says("1\n");
    shell.run("ulimit -f 1; ipctool dump shm:0xcafe > small").exits(1).says("EFBIG");
    shell.run("ipctool restore -n small").exits(1).says("nothing was made");
}

#[test]
fn a_queue_in_use() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --mode 622; seq 3000 | ipctool send 0 --lines").exits(0);
    shell.run("mkfifo out").ok();
    // It waits in the middle, as the pipe is full.
    let dump = shell.start("exec ipctool dump msg:0 > out");
    shell.run("exec 3< out; head -c 100000 <&3 > d; ipctool recv 0 -n 5 > /dev/null; ipctool send 0 a b; cat <&3 >> d").ok();
    dump.ends()
        .exits(0)
        .says("dump msg:0: ")
        .says(" came or went meanwhile, and some may be missing; --lock keeps others away\n");
    shell.run("ipctool restore -n d").prints("msg:0\n");
    // Nobody else can use it meanwhile, and then again; so after a signal.
    for signal in ["none", "TERM"] {
        let dump = shell.start("exec ipctool dump msg:0 --lock > out");
        let mode = shell.run("exec 3< out; head -c 1 <&3 > /dev/null; ipctool list msg -o mode --no-headings; cat <&3 > rest & sleep 0.01");
        let expected = if sandbox::is_root() { "---------\n" } else { "r--------\n" };
        assert_eq!(mode.stdout(), expected);
        match signal {
            "none" => drop(dump.ends().ok()),
            signal => drop(dump.signal(signal).ends()),
        }
        shell.run("ipctool list msg -o mode --no-headings").prints("rw--w--w-\n");
    }
}

#[test]
fn whose_they_are() {
    if !only_root("only root can be two users") {
        return;
    }
    let Some(shell) = with_all() else { return };
    shell.run("ipctool rm pmsg:/q; ipctool chown nobody:nogroup msg:0 pshm:'/two words'").ok();
    shell.run("ipctool dump --kind msg,sem,pshm > all; chmod 644 all").ok();
    let as_nobody = |line: &str| shell.run_as(NOBODY, line).unwrap();
    as_nobody("ipctool dump sem:0 | grep -c object")
        .exits(1)
        .says("no permission (EACCES)")
        .says("needs read access");
    shell.run(REMOVE_ALL);
    let ran = as_nobody("ipctool restore all").exits(0);
    ran.says("restore pshm:/empty: it stays yours: it cannot be given to root:root (EPERM)");
    shell.run("ipctool list pshm -o owner --no-headings | sort -u").prints("nobody\n");
    // A System V object may be given away.
    shell
        .run("ipctool list sem -o owner,creator,mode --no-headings | tr -s ' '")
        .prints("root nobody rw-------\n");
    shell
        .run("ipctool list msg -o owner,creator,mode --no-headings | tr -s ' '")
        .prints("nobody nobody rw-r-----\n");
}

#[test]
fn a_signal_leaves_nothing_half_made() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create shm --size 40M; head -c 40M /dev/urandom > r; ipctool write shm:0 < r; ipctool dump shm:0 > d; ipctool rm shm:0").exits(0);
    let restore = shell.start("exec ipctool restore d");
    shell.wait_until("test -n \"$(ipctool list shm --no-headings)\"");
    let ended = restore.signal("TERM").ends();
    // It may have been faster.
    if ended.status() == 143 {
        shell.run("ipctool list shm --no-headings").prints("");
    }
}

#[test]
fn sparse_memory_stays_sparse() {
    let Some(shell) = Sandbox::new() else { return };
    if shell.run("ipctool create shm --key 0xbeef --size 8G --noreserve").status() != 0 {
        return;
    }
    shell.run("ipctool create pshm --name /m --size 8G").ok();
    shell.run("for m in 0xbeef /m; do printf end | ipctool write $m --offset 7G; done").ok();
    less(&shell.run("ipctool dump shm:0 pshm:/m > d; wc -c < d"), 9_000);
    shell.run("ipctool restore --replace d").exits(0);
    for memory in ["0xbeef", "/m"] {
        shell.run(&format!("ipctool read {memory} --offset 7G --length 3")).prints("end");
    }
    less(
        &shell.run(
            "ipctool list shm pshm -o rss --no-headings | tr -dc '0-9\\n' | sort -un | tail -n 1",
        ),
        4_194_305,
    );
}

/// A dump with right sums, from the lines that make one.
const MAKE: &str = r#"import sys, zlib
text = b""
lines = sys.stdin.buffer.read().splitlines()
head = b'{"ipctool":1,"host":"h","ns":null,"time":"t"}'
common = b',"owner":"o","group":"g","uid":0,"gid":0,"mode":"0600"'
lines = [head] + [line.replace(b'@', common) for line in lines]
lines.append(b'{"end":%d,"lines":%d}' % (sum(line.startswith(b'{"object"') for line in lines), len(lines)))
for line in lines:
    text += line[:-1]
    text += b',"sum":"%08x"}\n' % zlib.crc32(text)
sys.stdout.buffer.write(text)"#;

#[test]
fn what_is_replaced_stays_until_the_new_one_is_there() {
    let Some(shell) = Sandbox::prepared("mount -t tmpfs -o size=1M tmpfs /dev/shm") else { return };
    if shell.run("python3 -c ''").status() != 0 {
        return;
    }
    std::fs::write(shell.directory().join("make.py"), MAKE).unwrap();
    let restore = |options: &str, lines: &str| {
        std::fs::write(shell.directory().join("lines"), lines).unwrap();
        shell.run(&format!("python3 make.py < lines > made; ipctool restore {options} made"))
    };
    // There is no room for the new one.
    shell.run("ipctool create pshm --name /m --size 9; printf precious | ipctool write /m").ok();
    shell.run("ipctool create pshm --name /full --size 900K; head -c 900K /dev/zero | tr '\\0' x | ipctool write /full").ok();
    let piece = "QUFB".repeat(12_000);
    let mut lines = "{\"object\":\"pshm:/m\"@,\"size\":360000}\n".to_owned();
    for number in 0..10 {
        lines += &format!("{{\"offset\":{},\"base64\":\"{piece}\"}}\n", number * 36_000);
    }
    restore("--replace", &lines)
        .exits(1)
        .says("restore pshm:/m: cannot write its memory: No space left on device (ENOSPC)");
    shell.run("ipctool read /m | tr -d '\\0'").prints("precious");
    shell.run("ls -A /dev/shm").prints("full\nm\n");
    // A key cannot be moved, so what had it is gone; that is said.
    shell.run("ipctool create shm --key 7 --size 1").ok();
    restore(
        "--replace",
        "{\"object\":\"shm:9\",\"key\":\"0x00000007\"@,\"size\":1125899906842624}\n",
    )
    .exits(1)
    .says("; what was there before is removed");
    if sandbox::is_root() {
        // What is attached keeps its id, and its key.
        shell.run("ipctool create shm --key 8 --size 1; ipctool dump shm:0x8 > held").ok();
        let holder = shell.start("exec ipctool attach 0x8").waits();
        shell.run("ipctool restore --keep-ids --replace held").exits(1).denies("→");
        shell.run("ipctool list shm -o key --no-headings").prints("0x00000008\n");
        holder.signal("TERM").ends();
    }
    // Text from a dump does not reach the terminal as it is, and no file of another type is touched.
    shell.run("mkfifo /dev/shm/p; ln -s m /dev/shm/l").ok();
    restore("-n", "{\"object\":\"pshm:/a\\\\x1bb\"@,\"size\":1}\n").prints("pshm:/a\\x1bb\n");
    for name in ["p", "l"] {
        restore("--replace", &format!("{{\"object\":\"pshm:/{name}\"@,\"size\":1}}\n"))
            .exits(1)
            .says("a file that is no object has its name");
    }
    shell.run("rm /dev/shm/p /dev/shm/l; ipctool rm pshm:/full").ok();
    // A dump in /dev/shm is not in itself.
    shell
        .run("ipctool dump --kind pshm --all > /dev/shm/dump")
        .exits(1)
        .says("dump pshm:/dump: it is the dump itself");
    restore("-n", "").prints("");
    shell
        .run("cp /dev/shm/dump x; ipctool restore --replace /dev/shm/dump")
        .exits(0)
        .shows("pshm:/m → pshm:/m\n");
}

#[test]
fn an_interrupted_dump_is_whole() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pmsg --name /q --max-messages 10 --message-size 512").ok();
    shell.run("ipctool create shm --size 80M").ok();
    shell.run("head -c 80M /dev/urandom > r; ipctool write shm:0 < r").ok();
    shell.run("for i in 1 2 3; do head -c 500 /dev/urandom | ipctool send /q; done").ok();
    let dump = shell.start("exec ipctool dump pmsg:/q shm:0 --take > d");
    shell.wait_until("[ $(wc -c < d) -gt 200000 ]");
    let ended = dump.signal("TERM").ends();
    // It may have been faster.
    if ended.status() != 143 {
        return;
    }
    ended.says("dump: interrupted by a signal; 1 object not saved, or not to the end");
    shell.run("ipctool restore -n d").exits(0).shows("shm:0, not complete");
    let ran = shell.run("ipctool restore --replace d").exits(1);
    let ran = ran.shows("pmsg:/q → pmsg:/q\n");
    ran.says("restore shm:0: it is not complete in the dump, and was left out");
    shell.run("ipctool list pmsg --no-headings -o messages").prints("3\n");
}

#[test]
fn two_locks_do_not_meet() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run("mkfifo out; ipctool create msg --mode 640; seq 2000 | ipctool send 0 --lines")
        .exits(0);
    let first = shell.start("exec ipctool dump msg:0 --lock > out");
    shell.run("exec 3< out; head -c 1 <&3 > /dev/null; ipctool dump msg:0 --lock > other; echo $? > status; cat <&3 > /dev/null").says("already: another --lock has it, or was killed");
    first.ends().ok();
    shell.run("cat status; ipctool list msg -o mode --no-headings").prints("1\nrw-r-----\n");
    // A mode that somebody gives it meanwhile stays.
    let dump = shell.start("exec ipctool dump msg:0 --lock > out");
    shell
        .run("exec 3< out; head -c 1 <&3 > /dev/null; ipctool chmod 600 msg:0; cat <&3 > /dev/null")
        .ok();
    dump.ends().ok();
    shell.run("ipctool list msg -o mode --no-headings").prints("rw-------\n");
}
