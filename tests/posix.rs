//! POSIX queues, shared memory and semaphores, in every verb.

mod sandbox;

use sandbox::{Ran, Sandbox, is_root, sees_everybody};

/// `posix NAME WHAT`: what programs do with POSIX objects.
const POSIX: &str = r#"
    #include <fcntl.h>
    #include <mqueue.h>
    #include <semaphore.h>
    #include <signal.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/mman.h>
    #include <unistd.h>
    static int stay(void) { puts("ready"); fflush(stdout); for (;;) pause(); }
    int main(int argc, char **argv) {
        const char *name = argv[1], *what = argv[2];
        char text[8192];
        unsigned priority;
        if (!strcmp(what, "mq_send"))
            return mq_send(mq_open(name, O_WRONLY), argv[3], strlen(argv[3]), atoi(argv[4]));
        if (!strcmp(what, "mq_receive")) {
            int length = mq_receive(mq_open(name, O_RDONLY), text, sizeof text, &priority);
            return printf("%.*s, priority %u\n", length, text, priority) < 0;
        }
        if (!strcmp(what, "mq_open")) return mq_open(name, O_RDONLY) < 0 || stay();
        if (!strcmp(what, "mq_notify")) {
            struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGCHLD };
            return mq_notify(mq_open(name, O_RDONLY), &event) || stay();
        }
        if (!strcmp(what, "sem_open")) {
            int value;
            sem_t *semaphore = sem_open(name, O_CREAT, 0600, atoi(argv[3]));
            return sem_getvalue(semaphore, &value) || printf("%d\n", value) < 0;
        }
        if (!strcmp(what, "sem_post")) return sem_post(sem_open(name, 0));
        if (!strcmp(what, "sem_wait")) return sem_wait(sem_open(name, 0));
        int file = shm_open(name, O_RDWR | O_CREAT, 0600);
        if (!strcmp(what, "shm_open")) return file < 0 || stay();
        char *memory = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (!strcmp(what, "write")) return strcpy(memory, argv[3]) == 0;
        if (!strcmp(what, "read")) return puts(memory) < 0;
        close(file);
        return memory == MAP_FAILED || stay();
    }
"#;

fn with_programs() -> Option<Sandbox> {
    let shell = Sandbox::new()?;
    shell.compile("posix", POSIX);
    Some(shell)
}

/// Runs `then` while `posix` does things that do not end, once `ready` holds.
fn meanwhile(shell: &Sandbox, doings: &[&str], ready: &str, then: &str) -> Ran {
    let starts: String = doings
        .iter()
        .map(|what| format!("./posix {what} > /dev/null 2>&1 & p=\"$p $!\"; "))
        .collect();
    let ready = format!(
        "n=0; until {ready}; do n=$((n+1)); [ $n -lt 500 ] || {{ kill -9 $p; exit 99; }}; sleep 0.01; done"
    );
    shell.run(&format!("{starts} {ready}; {then}; status=$?; kill -9 $p; wait; exit $status"))
}

/// The roles and commands of all who use this object.
fn users(reference: &str) -> String {
    format!(
        "ipctool stat {reference} --json | jq -r '.[0].users[] | .role + \": \" + .command' | sort"
    )
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
    shell.run("ipctool list mq --format jsonl | jq -c '[.ref, .kind, .mode, .name, .messages, .bytes, .max_messages, .message_size, .reserved_bytes]'")
        .prints("[\"pmsg:/jobs\",\"pmsg\",\"0640\",\"/jobs\",0,0,10,512,6080]\n");
    shell
        .run("ipctool list pshm psem --format jsonl | jq -c '[.ref, .name, .size, .rss, .value]'")
        .prints(
            "[\"pshm:/cache\",\"/cache\",1048576,0,null]\n[\"psem:/lock\",\"/lock\",null,null,3]\n",
        );
    shell.run("ipctool list --json -o modified | jq -r '.[0].modified'").shows("T");
    shell.run("ipctool rm pmsg:/jobs pshm:/cache psem:/lock").prints("");
    shell.run("ipctool list").prints("");
}

#[test]
fn empty_sections_of_posix_stay_away_unless_asked_for() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run("ipctool list --format table")
        .prints("No message queues.\nNo shared memory segments.\nNo semaphore sets.\n");
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
        .says("it was there already, for 3 messages of 1024 bytes");
    shell.run("ipctool create psem --name /s --value 2; ipctool create psem --name /s").ok();
    shell
        .run("ipctool create psem --name /s --value 9")
        .exits(0)
        .says("it was there already, with value 2");
    shell.run("ipctool create pshm --name /m --size 100; printf kept > /dev/shm/m").ok();
    shell.run("ipctool create pshm --name /m --size 4").ok();
    shell.run("cat /dev/shm/m").prints("kept");
    shell
        .run("ipctool create pshm --name /m --size 5")
        .exits(1)
        .says("one with this name exists, and is smaller (EINVAL)");
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
    shell.run("ipctool create pmsg --name /a/b").exits(2).says("just one slash, in front");
    shell.run("ipctool create pshm --name /.. --size 1").exits(2).says("names a directory");
    shell.run("ipctool create psem --name /").exits(2).says("something must follow the slash");
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
            .says(&format!("at most {longest} behind the slash"));
    }
    shell.run("ipctool list -o ref --no-headings | xargs ipctool rm").ok();
    shell.run("ipctool list").prints("");
    shell.run("ipctool stat /x").exits(2).says("write pmsg:/x, pshm:/x or psem:/x");
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
        "pmsg:/\\xff\npmsg:/back\\slash\npmsg:/it's\npmsg:/two words\npmsg:/two\\x0alines\npmsg:/ü\n",
    );
    shell.run("ipctool list psem --json | jq -c '[.[].name] | sort'").prints(
        "[\"/\\\\xff\",\"/back\\\\slash\",\"/it's\",\"/two\\nlines\",\"/two words\",\"/ü\"]\n",
    );
    shell
        .run(
            "ipctool list -o ref --no-headings | while IFS= read -r ref; do \
             ipctool chmod 640 \"$ref\" && ipctool rm \"$ref\" || exit 1; done",
        )
        .ok();
    shell.run("ipctool list").prints("");
}

#[test]
fn messages_are_exchanged_with_programs_by_priority() {
    let Some(shell) = with_programs() else { return };
    shell.run("ipctool create mq --name /q").ok();
    shell.run("ipctool send /q low && ipctool send pmsg:/q --priority 7 urgent 'urgent, too'").ok();
    shell.run("./posix /q mq_receive").prints("urgent, priority 7\n");
    shell.run("./posix /q mq_send from-c 32767").ok();
    shell.run("ipctool recv /q -v").exits(0).shows("from-c\n").says("priority 32767, 6 bytes");
    shell
        .run("ipctool recv /q --json")
        .prints("{\"ref\":\"pmsg:/q\",\"priority\":7,\"size\":11,\"text\":\"urgent, too\"}\n");
    shell.run("ipctool recv /q --hex").shows("6c 6f 77").shows("|low|");
    shell.run("ipctool recv /q --nowait").exits(3).says("no message (EAGAIN)");
    shell.run("ipctool recv /q --all").exits(3);
    shell.run("ipctool send /q --priority 32768 x").exits(2).says("32768 is not in 0..=32767");
}

#[test]
fn streams_go_in_and_come_out() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pmsg --name /q; ipctool create pmsg --name /other").ok();
    shell
        .run("seq 3 | ipctool send /q --lines; ipctool recv /q --all")
        .prints("pmsg:/q\n1\n2\n3\n".strip_prefix("pmsg:/q\n").unwrap());
    shell.run("printf 'a\\0b\\0' | ipctool send /q -0; ipctool recv /q -n 2 --raw").prints("ab");
    shell
        .run(
            "ipctool send /q --priority 5 high; printf '\\377' | ipctool send /q; \
             ipctool recv /q --all --json | ipctool send /other --jsonl; ipctool recv /other --all --json",
        )
        .prints(
            "{\"ref\":\"pmsg:/other\",\"priority\":5,\"size\":4,\"text\":\"high\"}\n\
             {\"ref\":\"pmsg:/other\",\"priority\":0,\"size\":1,\"base64\":\"/w==\"}\n",
        );
    shell
        .run("printf '{\"text\": \"a\"}\\n{\"type\": 5, \"text\": \"b\"}\\n' | ipctool send /q --jsonl")
        .exits(1)
        .says("record 2: it has a \"type\", and a POSIX queue takes a \"priority\"; 1 message was sent");
    shell
        .run("ipctool recv /q --follow --timeout 1ms")
        .exits(4)
        .shows("a\n")
        .says("1 message taken before");
    // More than the queue holds: the sender waits for the receiver.
    shell
        .run("seq 1000 > all; ipctool send /q --lines < all & ipctool recv /q -n 1000 | cmp - all; wait")
        .prints("");
}

#[test]
fn options_of_the_other_kind_of_queue_are_refused() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pmsg --name /q; ipctool create msg").ok();
    shell.run("ipctool recv /q --peek").exits(2).says("the kernel has no operation");
    shell.run("ipctool recv /q -t 1").exits(2).says("-t goes with System V queues");
    shell.run("ipctool recv /q -t 0").exits(2).says("-t goes with System V queues");
    shell.run("ipctool send /q -t 1 x").exits(2).says("-t goes with System V queues");
    shell.run("ipctool send 0 --priority 0 x").exits(2).says("--priority goes with POSIX queues");
    shell
        .run("ipctool limits --queue-bytes 5 /q")
        .exits(2)
        .says("its size was set when it was made");
    shell
        .run("ipctool send psem:/q x")
        .exits(2)
        .says("is a POSIX semaphore, and a queue is needed");
}

#[test]
fn what_does_not_fit_is_refused_with_both_numbers() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pmsg --name /q --max-messages 2 --message-size 10").ok();
    shell
        .run("ipctool send /q ok 'eleven byte'")
        .exits(1)
        .says("message 2: a message of 11 bytes is over mq_msgsize, 10 bytes (EMSGSIZE); 1 message was sent");
    shell.run("ipctool send /q second").ok();
    shell
        .run("ipctool send /q third --nowait")
        .exits(4)
        .says("the POSIX message queue is full (EAGAIN)")
        .says("hint: it holds 2 messages of 2 (mq_maxmsg)");
    shell.run("ipctool send /q third --timeout 5ms").exits(4).says("timed out").says("mq_maxmsg");
    shell.run("ipctool send /none x").exits(3).says("no such POSIX message queue (ENOENT)");
    shell
        .run("ipctool send /new --create=640 x; ipctool list pmsg -o ref,mode -P")
        .shows("pmsg:/new        0640");
    shell.run("ipctool recv /new").prints("x\n");
    if is_root() {
        return;
    }
    shell.run("ipctool chmod 000 pmsg:/new; ipctool send /new x").exits(5).says("no permission");
}

/// Each wait is over not a moment too early, and is one call to the kernel or a few.
#[test]
fn timeouts_end_in_time() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pmsg --name /q --max-messages 1").ok();
    for (timeout, nanoseconds) in [
        ("0", 0),
        ("1ms", 1_000_000),
        ("999ms", 999_000_000),
        ("1.000000001s", 1_000_000_001u64),
        ("1.000000001", 1_000_000_001),
    ] {
        for (fill, wait) in [
            ("true", format!("ipctool --trace recv /q --timeout {timeout}")),
            ("ipctool send /q x", format!("ipctool --trace send /q y --timeout {timeout}")),
        ] {
            let line = format!(
                "{fill}; start=$(date +%s%N); {wait} 2> trace; status=$?; end=$(date +%s%N); \
                 ipctool recv /q --nowait > /dev/null 2>&1; \
                 [ $((end - start)) -ge {nanoseconds} ] || echo too early; \
                 [ $(grep -c mq_timed trace) -le 4 ] || cat trace; exit $status"
            );
            let ran = shell.run(&line).exits(4);
            assert_eq!(ran.stdout(), "", "{timeout}: {line}");
        }
    }
}

#[test]
fn nothing_is_lost_when_it_cannot_be_written() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pmsg --name /q; ipctool send /q --priority 4 one two").ok();
    shell
        .run("ipctool recv /q --all > /dev/full")
        .exits(1)
        .says("(ENOSPC); 2 messages went back on the queue");
    shell
        .run("ipctool recv /q --all | head -c 1; ipctool list pmsg -o messages --no-headings")
        .shows("o");
    shell.run("ipctool send /q --priority 4 one two three").ok();
    shell.run("ipctool chmod 400 pmsg:/q").exits(0);
    if !is_root() {
        shell
            .run("ipctool recv /q --all > /dev/full")
            .exits(1)
            .says("saved in")
            .says("as 'send --jsonl' reads it");
        shell
            .run("ipctool chmod 600 pmsg:/q; cat ipctool-recv-*.jsonl | ipctool send /q --jsonl")
            .ok();
    }
    shell
        .run("ipctool recv /q --all --json")
        .ok()
        .shows("\"priority\":4,\"size\":5,\"text\":\"three\"");
}

/// The kernel tells nobody that the name of a queue is gone.
#[test]
fn a_queue_is_removed_while_somebody_works_on_it() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pmsg --name /q").ok();
    let receiver = shell.start("exec ipctool recv /q --follow").waits();
    shell.run("ipctool rm pmsg:/q").ok();
    receiver.ends().exits(3).says("the POSIX message queue was removed while this waited (EIDRM)");

    let messages = |number| {
        format!(
            "until [ $(ipctool list pmsg -o messages --no-headings) = {number} ]; do sleep 0.01; done"
        )
    };
    // Taken, and on its way into a full pipe.
    shell
        .run(&format!(
            "ipctool create pmsg --name /q > /dev/null; ipctool send /q precious; mkfifo pipe; \
             sleep 50 < pipe & reader=$!; exec 3> pipe; head -c 65536 /dev/zero >&3; \
             ipctool recv /q >&3 & {}; ipctool rm pmsg:/q; kill $reader; wait $!",
            messages(0)
        ))
        .exits(1)
        .says("1 message was saved in ");
    shell.run("cat ipctool-recv-*.jsonl").prints("{\"priority\":0,\"text\":\"precious\"}\n");

    shell
        .run(&format!(
            "ipctool create pmsg --name /q > /dev/null; mkfifo lines; \
             ipctool send /q --lines < lines & exec 3> lines; echo one >&3; {}; \
             ipctool rm pmsg:/q; echo two >&3; exec 3>&-; wait $!",
            messages(1)
        ))
        .exits(3)
        .says("the POSIX message queue was removed meanwhile; 2 messages sent");
}

#[test]
fn a_signal_ends_a_wait() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pmsg --name /q").ok();
    for (signal, number) in [("TERM", 15), ("INT", 2)] {
        shell
            .start("exec ipctool recv /q --follow")
            .waits()
            .signal(signal)
            .ends()
            .exits(128 + number);
    }
}

#[test]
fn semaphores_are_read_as_programs_made_them() {
    let Some(shell) = with_programs() else { return };
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
    shell.run("ipctool list psem --json | jq -c '[.[] | [.name, .value]] | sort'").prints(
        "[[\"/huge\",null],[\"/more\",null],[\"/ours\",2147483647],[\"/s\",6],[\"/text\",null]]\n"
            .replace("[\"/more\",null],", "")
            .as_str(),
    );
    shell.run("ipctool stat psem:/text").exits(0).shows("unknown");
}

#[test]
fn memory_is_shared_with_programs() {
    let Some(shell) = with_programs() else { return };
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
        .says("what has this name is no regular file");
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
    let Some(shell) = with_programs() else { return };
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
    let ready = "[ \"$(ipctool list --json -o waiting,users | jq -c '[.[].waiting // 0] | add')\" = 3 ] \
         && [ \"$(ipctool list pshm pmsg --json -o users | jq -c '[.[].users | length] | add')\" -ge 6 ]";
    let all = ["pmsg:/q", "pmsg:/full", "psem:/s", "pshm:/m"].map(users).join("; ");
    let ran = meanwhile(
        &shell,
        &doings,
        ready,
        &format!(
            "{all}; ipctool rm --orphan --yes --json 2>/dev/null; ipctool list psem -o waiters --no-headings"
        ),
    );
    assert_eq!(
        ran.stdout(),
        "open: ./posix /q mq_notify\n\
         open: ./posix /q mq_open\n\
         registered for notification: ./posix /q mq_notify\n\
         waiting to receive: ./posix /q mq_receive\n\
         waiting to send: ./posix /full mq_send more 3\n\
         waiting for it to grow: ./posix /s sem_wait\n\
         mapped: ./posix /m mmap\n\
         open: ./posix /m shm_open\n\
         {\"removed\":[],\"marked\":[],\"failed\":[]}\n      1\n",
    );
    // All of them are gone now.
    if sees_everybody() {
        shell
            .run("ipctool list --orphan --no-headings -o ref | sort | tr '\\n' ' '")
            .prints("pmsg:/full pmsg:/q psem:/s pshm:/m ");
        shell
            .run("ipctool rm --orphan --kind psem --yes")
            .exits(0)
            .says("removed 1 POSIX semaphore");
        shell.run("ipctool list --unused psem").prints("");
    }
}

/// Whoever opened an object holds it, by whatever name.
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
    assert_eq!(
        listed("--owner \"$(id -u)\" --sort -ref"),
        "psem:/s pmsg:/q pmsg:/full msg:0 "
            .replace("psem:/s pmsg:/q pmsg:/full msg:0 ", &listed("--sort -ref"))
    );
    assert_eq!(listed("pmsg --sort ref"), "pmsg:/full pmsg:/q ");
    assert_eq!(listed("--marked"), "");
}

#[test]
fn who_locked_himself_out_gets_back_in() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pmsg --name /q; ipctool create psem --name /s").ok();
    let expected = if is_root() { "" } else { "warning: you can no longer read, write it" };
    shell.run("ipctool chmod 000 pmsg:/q psem:/s").exits(0).says(expected);
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
    as_nobody("ipctool list psem --json | jq -c '.[0].value'").prints("null\n");
}

#[test]
fn doctor_finds_what_nobody_holds() {
    let Some(shell) = with_programs() else { return };
    if !sees_everybody() {
        return;
    }
    shell.run("./posix /mp-x1b2c3 sem_open 1; ipctool create pshm --name '/a b' --size 1; ipctool create pmsg --name /q; ipctool send /q x").ok();
    shell
        .run("ipctool doctor --only orphan --json | jq -r '.[] | .ref + \" \" + .severity + \" \" + .fix' | sort")
        .prints(
            "pmsg:/q warning ipctool recv pmsg:/q --all --json >> pmsg--q.jsonl && ipctool rm pmsg:/q\n\
             pshm:/a b warning ipctool rm 'pshm:/a b'\n\
             psem:/mp-x1b2c3 warning ipctool rm psem:/mp-x1b2c3\n"
                .split_inclusive('\n')
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect::<String>()
                .as_str(),
        );
    shell.run("ipctool doctor --json | jq -r '.[].fix' | sort | sh").ok();
    shell.run("ipctool list; ipctool doctor").prints("");
    shell.run("cat pmsg--q.jsonl").shows("\"text\":\"x\"");
    shell.run("ipctool create pmsg --name /full --max-messages 1; ipctool send /full x").ok();
    shell.run("ipctool doctor --only queue-full").exits(6).shows("it holds all of 1 messages");
}

/// Where the file system is not mounted: whoever may mount it sees the queues, and the others are
/// told once, and work with what they know by name.
#[test]
fn without_the_mount() {
    let Some(shell) = Sandbox::prepared("") else {
        return;
    };
    let before = shell.run("cat /proc/self/mounts").stdout();
    let work = "ipctool create pmsg --name /q && ipctool send /q hello && ipctool stat pmsg:/q | grep messages && ipctool recv /q && ipctool rm pmsg:/q";
    if is_root() {
        shell
            .run(&work.replace("stat", "list pmsg -o ref,messages; ipctool stat"))
            .ok()
            .shows("pmsg:/q                 1");
        assert_eq!(
            shell.run("cat /proc/self/mounts").stdout(),
            before,
            "nothing visible is mounted"
        );
    }
    let somebody = |line: &str| match is_root() {
        true => shell.run_as(sandbox::NOBODY, line).expect("root can"),
        false => shell.run(line),
    };
    somebody("ipctool create psem --name /s").ok();
    somebody("ipctool list -o ref --no-headings")
        .exits(0)
        .shows("psem:/s\n")
        .says("cannot list POSIX message queues")
        .says("mount -t mqueue none /dev/mqueue");
    somebody("ipctool list pmsg").exits(5).says("(EPERM)");
    somebody("ipctool rm --all --yes --json")
        .exits(5)
        .shows("\"removed\":[\"psem:/s\"]")
        .shows("{\"ref\":\"pmsg\",\"error\":\"POSIX message queues cannot be listed\"}");
    somebody("ipctool list psem").ok();
    somebody(work).exits(0).shows("hello");
    somebody("ipctool limits --json | jq '[.[] | select(.name == \"RLIMIT_MSGQUEUE\")][0].used'")
        .exits(0)
        .shows("null\n")
        .says("RLIMIT_MSGQUEUE: its use is not known");
}

#[test]
fn mounted_elsewhere() {
    let elsewhere = "\
        mount -t tmpfs tmpfs /mnt; mkdir '/mnt/two words'; mount -t mqueue mqueue '/mnt/two words'";
    let Some(shell) = Sandbox::prepared(elsewhere) else { return };
    let work = "ipctool create pmsg --name /q > /dev/null && ipctool list pmsg --no-headings -o ref,messages && ipctool rm --kind pmsg --yes 2> /dev/null";
    shell.run(work).prints("pmsg:/q                 0\n");
    if let Some(ran) = shell.run_as(sandbox::NOBODY, work) {
        ran.prints("pmsg:/q                 0\n");
    }
}

/// A mount that is visible may be that of another IPC namespace.
#[test]
fn the_queues_of_another_namespace_are_none_of_ours() {
    let Some(shell) = Sandbox::new() else { return };
    if !shell.run("grep -q ' /dev/mqueue mqueue ' /proc/mounts && ipctool create pmsg --name /theirs --mode 666").stdout().starts_with("pmsg") {
        eprintln!("skipped: there is no place for /dev/mqueue here");
        return;
    }
    if is_root() {
        shell.run("ipctool rm pmsg:/theirs").ok();
        shell
            .run(
                "unshare --ipc setpriv --reuid 65534 --clear-groups --inh-caps=-all sh -c \
                 'ipctool create pmsg --name /mine && ipctool stat pmsg:/mine && \
                 ipctool chmod -v 640 pmsg:/mine'",
            )
            .exits(0)
            .shows("pmsg:/mine  POSIX message queue")
            .shows("→ 0640");
        shell.run("ipctool create pmsg --name /theirs --mode 666").ok();
        shell.run("unshare --ipc ipctool list pmsg").prints("");
        shell.run("unshare --ipc setpriv --reuid 65534 --clear-groups --inh-caps=-all sh -c 'ls /dev/mqueue'").prints("theirs\n");
    }
    let mapped = "unshare --user --map-current-user --ipc ipctool list pmsg";
    shell.run(mapped).exits(5).says("cannot list POSIX message queues");
    shell.run("ipctool list pmsg -o ref --no-headings").prints("pmsg:/theirs\n");
}

#[test]
fn python_programs_meet_here() {
    let Some(shell) = Sandbox::new() else { return };
    if shell.run("python3 -c 'import posix_ipc'").stderr().contains("rror") {
        eprintln!("skipped: Python has no posix_ipc");
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
        .run("ipctool list psem pshm --no-headings -o value,size | tr -s ' '")
        .shows("12345")
        .shows("7");
    shell.run("ipctool send /py --priority 3 back").ok();
    shell
        .run_with(
            "python3 -",
            b"import posix_ipc\nprint(posix_ipc.MessageQueue('/py').receive())\n",
        )
        .prints("(b'back', 3)\n");
}
