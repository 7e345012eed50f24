//! Messages of POSIX queues: `send` and `recv`.

mod sandbox;

use sandbox::{Sandbox, only_ordinary_user};

#[test]
fn messages_are_exchanged_with_programs_by_priority() {
    let Some(shell) = Sandbox::with_posix() else { return };
    shell.run("ipctool create mq --name /q").ok();
    shell.run("ipctool send /q low && ipctool send pmsg:/q --priority 7 urgent 'urgent, too'").ok();
    shell.run("./posix /q mq_receive").prints("urgent, priority 7\n");
    shell.run("./posix /q mq_send from-c 32767").ok();
    shell.run("ipctool recv /q -v").exits(0).shows("from-c\n").says("priority 32767, 6 bytes");
    shell
        .run("ipctool recv /q --json")
        .prints("{\"ref\":\"pmsg:/q\",\"priority\":7,\"size\":11,\"text\":\"urgent, too\"}\n");
    shell.run("ipctool recv /q --hex").shows("6c 6f 77").shows("|low|");
    shell
        .run("ipctool send /q --priority 7 text; ipctool recv /q --format table")
        .prints("PRIORITY     SIZE  TEXT\n       7        4  text\n");
    shell.run("ipctool recv /q --nowait").exits(4).says("no message (EAGAIN)");
    shell.run("ipctool recv /q --all").prints("");
    shell.run("ipctool send /q --priority 32768 x").exits(2).says("32768 is not in 0..=32767");
}

#[test]
fn streams_go_in_and_come_out() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pmsg --name /q; ipctool create pmsg --name /other").ok();
    shell.run("seq 3 | ipctool send /q --lines; ipctool recv /q --all").prints("1\n2\n3\n");
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
        .says("record 2: it has a \"type\", but a POSIX queue takes a \"priority\"; 1 message was sent");
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
    shell
        .run("ipctool recv /q --peek")
        .exits(2)
        .says("the kernel cannot show a message of a POSIX queue without taking it");
    shell.run("ipctool recv /q -t 1").exits(2).says("-t is for System V queues");
    shell.run("ipctool recv /q -t 0").exits(2).says("-t is for System V queues");
    shell.run("ipctool send /q -t 1 x").exits(2).says("-t is for System V queues");
    shell.run("ipctool send 0 --priority 0 x").exits(2).says("--priority is for POSIX queues");
    shell
        .run("ipctool limits --queue-bytes 5 /q")
        .exits(2)
        .says("its size was set when it was created");
    shell.run("ipctool send psem:/q x").exits(2).says("is a POSIX semaphore, not a queue");
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
        .says("hint: it holds 2 messages of at most 2 (mq_maxmsg)");
    shell.run("ipctool send /q third --timeout 5ms").exits(4).says("timed out").says("mq_maxmsg");
    shell.run("ipctool send /none x").exits(3).says("no such POSIX message queue (ENOENT)");
    shell
        .run("ipctool send /new --create=640 x; ipctool list pmsg -o ref,mode -P")
        .shows("pmsg:/new        0640");
    shell.run("ipctool recv /new").prints("x\n");
    if !only_ordinary_user("root is permitted everything") {
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
    // The reader is gone before anything is taken.
    shell
        .run("(sleep 0.2; ipctool recv /q --all; echo $? > status) | true; cat status")
        .says("recv pmsg:/q: standard output is closed (EPIPE)\nhint: nothing was taken")
        .shows("1\n");
    shell.run("ipctool recv /q --all").prints("one\ntwo\n");
    shell.run("ipctool send /q --priority 4 one two three").ok();
    shell.run("ipctool chmod 400 pmsg:/q").exits(0);
    if only_ordinary_user("root is permitted everything") {
        shell
            .run("ipctool recv /q --all > /dev/full")
            .exits(1)
            .says("saved in")
            .says(", which 'send --jsonl' reads");
        shell
            .run("ipctool chmod 600 pmsg:/q; cat ipctool-recv-*.jsonl | ipctool send /q --jsonl")
            .ok();
    }
    shell
        .run("ipctool recv /q --all --json")
        .ok()
        .shows("\"priority\":4,\"size\":5,\"text\":\"three\"");
}

/// The kernel does not report to its users that the name of a queue is gone.
#[test]
fn a_queue_is_removed_while_somebody_works_on_it() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pmsg --name /q").ok();
    let receiver = shell.start("exec ipctool recv /q --follow").waits();
    shell.run("ipctool rm pmsg:/q").ok();
    receiver.ends().exits(3).says("the POSIX message queue was removed during the wait (EIDRM)");

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
