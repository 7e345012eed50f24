//! POSIX queues, shared memory and semaphores, in every verb but those for messages.

mod sandbox;

use sandbox::{Sandbox, is_root, sees_everybody};
use serde_json::{Value, json};

/// The roles and commands of all who use this object, sorted.
fn users(shell: &Sandbox, reference: &str) -> Vec<String> {
    let objects = shell.run(&format!("ipctool stat {reference} --json")).exits(0).records();
    let users = objects[0]["users"].as_array().expect("users");
    let text = |user: &Value, field: &str| user[field].as_str().unwrap_or_default().to_owned();
    let mut lines: Vec<_> = users
        .iter()
        .map(|user| format!("{}: {}", text(user, "role"), text(user, "command")))
        .collect();
    lines.sort();
    lines
}

#[test]
fn each_kind_is_made_listed_and_removed() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pmsg --name /jobs --mode 640").prints("pmsg:/jobs\n");
    shell.run("ipctool create pshm --name /cache --size 1M").prints("pshm:/cache\n");
    shell.run("ipctool create psem --name /lock --value 3").prints("psem:/lock\n");
    shell
        .run("ipctool list --no-headings -o ref,mode -P | sort")
        .prints("pmsg:/jobs       0640\npsem:/lock       0600\npshm:/cache      0600\n");
    assert_eq!(
        shell
            .run("ipctool list mq --format jsonl")
            .ok()
            .fields("ref kind mode name messages bytes max_messages message_size reserved_bytes"),
        json!([["pmsg:/jobs", "pmsg", "0640", "/jobs", 0, 0, 10, 512, 6080]])
    );
    assert_eq!(
        shell.run("ipctool list pshm psem --format jsonl").ok().fields("ref name size rss value"),
        json!([
            ["pshm:/cache", "/cache", 1_048_576, 0, null],
            ["psem:/lock", "/lock", null, null, 3]
        ])
    );
    let modified = shell.run("ipctool list --json -o modified").ok().fields("modified");
    assert!(modified[0][0].as_str().expect("a time").contains('T'), "{modified}");
    shell.run("ipctool rm pmsg:/jobs pshm:/cache psem:/lock").prints("");
    shell.run("ipctool list").prints("");
}

#[test]
fn empty_sections_stay_away_unless_asked_for() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool list --format table").prints("");
    shell.run("ipctool list --format table psem").prints("No POSIX semaphores.\n");
}

#[test]
fn the_mode_is_that_which_was_asked_for_whatever_the_umask() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run(
            "umask 077; ipctool create pmsg --name /q --mode 666; \
             ipctool create pshm --name /m --mode 660 --size 1; \
             ipctool create psem --name /s --mode 604",
        )
        .ok();
    shell
        .run("ipctool list --no-headings -o mode -P | sort | tr '\\n' ' '")
        .prints("0604 0660 0666 ");
}

#[test]
fn what_is_there_is_opened_unless_exclusive_and_stays_as_it_is() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pmsg --name /q --max-messages 3 --message-size 1K").ok();
    shell.run("ipctool create pmsg --name /q").prints("pmsg:/q\n");
    shell
        .run("ipctool create pmsg --name /q --max-messages 4")
        .exits(0)
        .says("it already existed, for 3 messages of 1024 bytes");
    shell.run("ipctool create psem --name /s --value 2; ipctool create psem --name /s").ok();
    shell
        .run("ipctool create psem --name /s --value 9")
        .exits(0)
        .says("it already existed, with value 2");
    shell.run("ipctool create pshm --name /m --size 100; printf kept > /dev/shm/m").ok();
    shell.run("ipctool create pshm --name /m --size 4").ok();
    shell.run("cat /dev/shm/m").prints("kept");
    shell
        .run("ipctool create pshm --name /m --size 5")
        .exits(1)
        .says("a POSIX shared memory object with this name exists, and is smaller (EINVAL)");
    for what in ["pmsg --name /q", "pshm --name /m --size 1", "psem --name /s"] {
        shell
            .run(&format!("ipctool create {what} --exclusive"))
            .exits(1)
            .says("with this name exists (EEXIST)");
    }
}

#[test]
fn names_are_checked_before_the_call() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pmsg --name jobs").exits(2).says("write /jobs");
    shell.run("ipctool create pmsg --name /a/b").exits(2).says("one slash, at the start");
    shell.run("ipctool create pshm --name /.. --size 1").exits(2).says("names a directory");
    shell
        .run("ipctool create psem --name /")
        .exits(2)
        .says("a slash followed by at least one character");
    shell.run("ipctool create pmsg").exits(2).says("a POSIX message queue needs --name /NAME");
    shell.run("ipctool create msg --name /x").exits(2).says("a message queue has no --name");
    shell.run("ipctool create psem --name /x --size 5").exits(2).says("has no --size");
    let name = |length: usize| format!("/{}", "n".repeat(length));
    for (kind, longest) in [("pmsg", 255), ("pshm --size 1", 255), ("psem", 251)] {
        let create = |length| shell.run(&format!("ipctool create {kind} --name {}", name(length)));
        create(longest).ok();
        create(longest + 1)
            .exits(2)
            .says(&format!("a name of {} bytes is too long", longest + 1))
            .says(&format!("at most {longest} after the slash"));
    }
    shell.run("ipctool list -o ref --no-headings | xargs ipctool rm").ok();
    shell.run("ipctool list").prints("");
    shell.run("ipctool stat /x").exits(3).says("no object has this name");
    shell.run("ipctool stat msg:/x").exits(2).says("has an id or a key");
}

#[test]
fn odd_names_survive_the_way_through_a_pipe() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run(
            "for name in '/two words' \"/two\nlines\" '/\\xff' '/back\\slash' \"/it's\" '/ü'; do \
             ipctool create pmsg --name \"$name\" && ipctool create pshm --size 1 --name \"$name\" \
             && ipctool create psem --name \"$name\"; done",
        )
        .ok();
    shell.run("ipctool list pmsg -o ref --no-headings | LC_ALL=C sort").prints(
        "'pmsg:/\\xff'\n'pmsg:/back\\slash'\n'pmsg:/it'\\''s'\n'pmsg:/two words'\n'pmsg:/two\\x0alines'\npmsg:/ü\n",
    );
    shell.run("ipctool list pshm -o ref --no-headings | xargs ipctool rm -v | wc -l").prints("6\n");
    let names = shell.run("ipctool list psem --json").ok().fields("name");
    let mut names: Vec<_> = names.as_array().unwrap().iter().map(|name| name[0].clone()).collect();
    names.sort_by_key(|name| name.as_str().map(str::to_owned));
    assert_eq!(names, ["/\\xff", "/back\\slash", "/it's", "/two\nlines", "/two words", "/ü"]);
    shell
        .run(
            "ipctool list -o ref --no-headings | while IFS= read -r ref; do \
             ipctool chmod 640 \"$ref\" && ipctool rm \"$ref\" || exit 1; done",
        )
        .ok();
    shell.run("ipctool list").prints("");
}

#[test]
fn semaphores_are_read_as_programs_made_them() {
    let Some(shell) = Sandbox::with_posix() else { return };
    shell.run("./posix /s sem_open 5").prints("5\n");
    let value = "ipctool list psem --no-headings -o ref,value | tr -s ' '";
    shell.run(value).prints("psem:/s 5\n");
    shell
        .run(&format!("./posix /s sem_post; ./posix /s sem_post; ./posix /s sem_wait; {value}"))
        .prints("psem:/s 6\n");
    shell.run("ipctool create psem --name /ours --value 2147483647").ok();
    shell.run("./posix /ours sem_open 0").prints("2147483647\n");
    shell.run("ipctool create psem --name /more --value 2147483648").exits(2);
    // No semaphore at all, whatever it is called.
    shell
        .run("printf 'not a semaphore' > /dev/shm/sem.text; truncate -s 1G /dev/shm/sem.huge")
        .ok();
    assert_eq!(
        shell.run("ipctool list psem --json --sort name").ok().fields("name value"),
        json!([["/huge", null], ["/ours", 2_147_483_647], ["/s", 6], ["/text", null]])
    );
    shell.run("ipctool stat psem:/text").exits(0).shows("unknown");
}

#[test]
fn memory_is_shared_with_programs() {
    let Some(shell) = Sandbox::with_posix() else { return };
    shell.run("ipctool create pshm --name /m --size 4096").ok();
    shell.run("./posix /m write hello; ./posix /m read").prints("hello\n");
    shell.run("ipctool list pshm --no-headings -o size,rss | tr -s ' '").prints(" 4096 4096\n");
    // Directories and links are no objects.
    shell
        .run("mkdir /dev/shm/directory; ln -s /etc/passwd /dev/shm/link; mkfifo /dev/shm/pipe")
        .ok();
    shell.run("ipctool list pshm --no-headings -o ref").prints("pshm:/m\n");
    shell.run("ipctool stat pshm:/link").exits(3).says("no such POSIX shared memory object");
    shell.run("ipctool chmod 666 pshm:/link").exits(3);
    shell.run("ipctool rm pshm:/link pshm:/pipe pshm:/directory").exits(3);
    shell
        .run("ipctool create pshm --name /pipe --size 5")
        .exits(1)
        .says("this name belongs to something that is not a regular file");
    shell.run("ipctool create pshm --name /sem.x --size 5").exits(2).says("semaphore psem:/x");
    shell
        .run("ipctool rm pshm:/sem.x")
        .exits(2)
        .says("'/sem.x' is the file of the semaphore psem:/x");
    shell.run("ipctool create pshm --name /huge --size 8E").exits(2).says("at most");
    shell.run("stat -c %a /etc/passwd").prints("644\n");
}

#[test]
fn who_holds_maps_and_waits() {
    let Some(shell) = Sandbox::with_posix() else { return };
    shell
        .run("ipctool create pmsg --name /q; ipctool create pmsg --name /full --max-messages 1")
        .ok();
    shell.run("ipctool send /full x; ipctool create psem --name /s; ipctool create pshm --name /m --size 4096").ok();
    let doings = [
        "/q mq_open",
        "/q mq_notify",
        "/q mq_receive",
        "/full mq_send more 3",
        "/s sem_wait",
        "/m shm_open",
        "/m mmap",
    ];
    let running = doings.map(|doing| shell.start(&format!("exec ./posix {doing}")));
    shell.until("ipctool list --json -o waiting,users", |ran| {
        ran.records().iter().filter_map(|object| object["waiting"].as_u64()).sum::<u64>() == 3
    });
    shell.until("ipctool list pshm pmsg --json -o users", |ran| {
        let of_object = |object: &Value| object["users"].as_array().map_or(0, Vec::len);
        ran.records().iter().map(of_object).sum::<usize>() >= 6
    });
    assert_eq!(
        users(&shell, "pmsg:/q"),
        [
            "open: ./posix /q mq_notify",
            "open: ./posix /q mq_open",
            "registered for notification: ./posix /q mq_notify",
            "waiting to receive: ./posix /q mq_receive",
        ]
    );
    assert_eq!(users(&shell, "pmsg:/full"), ["waiting to send: ./posix /full mq_send more 3"]);
    assert_eq!(users(&shell, "psem:/s"), ["waiting for it to increase: ./posix /s sem_wait"]);
    assert_eq!(users(&shell, "pshm:/m"), ["mapped: ./posix /m mmap", "open: ./posix /m shm_open"]);
    shell
        .run("ipctool rm --orphan --yes --json")
        .exits(0)
        .shows("{\"removed\":[],\"marked\":[],\"failed\":[]}\n");
    shell.run("ipctool list psem -o waiters --no-headings").prints("1\n");
    drop(running);
    // All of them are gone now.
    if sees_everybody() {
        shell
            .run("ipctool list pmsg pshm psem --orphan --no-headings -o ref | sort | tr '\\n' ' '")
            .prints("pmsg:/full pmsg:/q psem:/s pshm:/m ");
        shell
            .run("ipctool rm --orphan --kind psem --yes")
            .exits(0)
            .says("removed 1 POSIX semaphore");
        shell.run("ipctool list --unused psem").prints("");
    }
}

/// A process that opened an object holds it, whatever its name is now.
#[test]
fn a_holder_is_known_by_the_file_and_not_by_its_name() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run(
            "exec 9<> /dev/shm/first; ln /dev/shm/first /dev/shm/second; rm /dev/shm/first; \
             ipctool list pshm --who --no-headings -o ref; ipctool rm --orphan --yes; ls /dev/shm",
        )
        .exits(0)
        .shows("(sh)")
        .shows("second\n");
}

#[test]
fn filters_know_what_posix_objects_have_and_what_not() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run(
            "ipctool create pmsg --name /q; ipctool create pmsg --name /full; ipctool send /full x",
        )
        .ok();
    shell.run("ipctool create psem --name /s; ipctool create msg --key 5; touch -d '2 hours ago' /dev/shm/sem.s").ok();
    let listed = |filter: &str| {
        shell
            .run(&format!("ipctool list {filter} -o ref --no-headings"))
            .ok()
            .stdout()
            .replace('\n', " ")
    };
    assert_eq!(listed("--empty"), "msg:0 pmsg:/q ");
    assert_eq!(listed("--idle 1h"), "psem:/s ");
    assert_eq!(listed("--key 5"), "msg:0 ");
    assert_eq!(listed("--creator \"$(id -u)\""), "msg:0 ");
    // By kind, and each kind as asked for.
    let mine = "msg:0 pmsg:/q pmsg:/full psem:/s ";
    assert_eq!(listed("--owner \"$(id -u)\" --sort -ref"), mine);
    assert_eq!(listed("--owner 4711"), "");
    if let Some(ran) = shell.run_as(sandbox::NOBODY, "ipctool create psem --name /theirs") {
        ran.ok();
        assert_eq!(listed("--owner \"$(id -u)\" --sort -ref"), mine);
        assert_eq!(listed("--owner nobody"), "psem:/theirs ");
        shell.run("ipctool rm psem:/theirs").ok();
    }
    assert_eq!(listed("pmsg --sort ref"), "pmsg:/full pmsg:/q ");
    assert_eq!(listed("--marked"), "");
}

#[test]
fn who_locked_himself_out_gets_back_in() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pmsg --name /q; ipctool create psem --name /s").ok();
    let locked_out = shell.run("ipctool chmod 000 pmsg:/q psem:/s");
    match is_root() {
        // Root never is.
        true => locked_out.prints(""),
        false => locked_out.exits(0).says("warning: you can no longer read or write it"),
    };
    shell.run("ipctool chmod -v u+rw pmsg:/q psem:/s").prints(
        "pmsg:/q: 0000 (---------) → 0600 (rw-------)\npsem:/s: 0000 (---------) → 0600 (rw-------)\n",
    );
    if !is_root() {
        shell.run("ipctool chown 0 psem:/s").exits(1).says("not mapped in your user namespace");
        return;
    }
    shell
        .run("ipctool chown -v nobody:nogroup pmsg:/q psem:/s")
        .ok()
        .shows("root:root → nobody:nogroup");
    let as_nobody = |line: &str| shell.run_as(sandbox::NOBODY, line).expect("root can");
    as_nobody("ipctool chmod 640 psem:/s pmsg:/q && ipctool rm psem:/s").ok();
    shell.run("ipctool create psem --name /roots").ok();
    as_nobody("ipctool rm psem:/roots").exits(5).says("only its owner or a privileged process");
    as_nobody("ipctool chmod 666 psem:/roots").exits(5).says("owner root:root; you are nobody");
    assert_eq!(as_nobody("ipctool list psem --json").fields("value"), json!([[null]]));
}

#[test]
fn python_programs_meet_here() {
    let Some(shell) = Sandbox::new() else { return };
    if !shell.has_python("posix_ipc") {
        return;
    }
    shell
        .run_with(
            "python3 -",
            b"import posix_ipc\n\
              queue = posix_ipc.MessageQueue('/py', posix_ipc.O_CREX, max_messages=5, max_message_size=64)\n\
              queue.send(b'from python', priority=9)\n\
              posix_ipc.Semaphore('/pysem', posix_ipc.O_CREX, initial_value=7)\n\
              posix_ipc.SharedMemory('/pymem', posix_ipc.O_CREX, size=12345)\n",
        )
        .ok();
    shell.run("ipctool recv /py --json").shows("\"priority\":9").shows("from python");
    shell
        .run("ipctool list psem -o ref,value --format tsv --no-headings")
        .prints("psem:/pysem\t7\n");
    shell
        .run("ipctool list pshm -o ref,size --format tsv --no-headings")
        .prints("pshm:/pymem\t12345\n");
    shell.run("ipctool send /py --priority 3 back").ok();
    shell
        .run_with(
            "python3 -",
            b"import posix_ipc\nprint(posix_ipc.MessageQueue('/py').receive())\n",
        )
        .prints("(b'back', 3)\n");
}
