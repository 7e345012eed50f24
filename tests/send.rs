//! `ipctool send`

mod sandbox;

use std::time::{Duration, Instant};

use sandbox::{NOBODY, Sandbox};

fn queue() -> Option<Sandbox> {
    let shell = Sandbox::new()?;
    shell.run("ipctool create msg --key 0xbeef").prints("msg:0\n");
    Some(shell)
}

fn on_queue(shell: &Sandbox) -> String {
    shell.run("ipctool recv 0 --peek --all --format jsonl | cut -d, -f2-").ok().stdout()
}

#[test]
fn each_argument_is_a_message() {
    let Some(shell) = queue() else { return };
    shell.run("ipctool send 0 one 'two words' ''").prints("");
    shell.run("ipctool send 0xbeef -t 7 seven").prints("");
    shell.run("ipctool send msg:0xbeef --type 8 -- -dash").prints("");
    assert_eq!(
        on_queue(&shell),
        r#""type":1,"size":3,"text":"one"}
"type":1,"size":9,"text":"two words"}
"type":1,"size":0,"text":""}
"type":7,"size":5,"text":"seven"}
"type":8,"size":5,"text":"-dash"}
"#
    );
}

#[test]
fn standard_input_is_one_message_byte_for_byte() {
    let Some(shell) = queue() else { return };
    let payload = b"two\nlines\0and \xff\n";
    shell.run_with("ipctool send 0", payload).ok();
    assert_eq!(shell.run("ipctool recv 0 --raw").ok().bytes(), payload);
    shell.run("ipctool send 0 < /dev/null").ok();
    shell
        .run("ipctool recv 0 --json")
        .prints("{\"ref\":\"msg:0\",\"type\":1,\"size\":0,\"text\":\"\"}\n");
}

#[test]
fn streams_of_lines_records_and_json() {
    let Some(shell) = queue() else { return };
    shell.run_with("ipctool send 0 --lines", b"a\n\nc without end").ok();
    shell.run("ipctool recv 0 --all --null | tr '\\0' '|'").prints("a||c without end|");
    shell.run_with("ipctool send 0 -0", b"a\nb\0\0c").ok();
    shell.run("ipctool recv 0 --all --null | tr '\\0' '|'").prints("a\nb||c|");
    let lines =
        b"{\"type\": 5, \"text\": \"\xc3\xa9\"}\n\n{\"base64\": \"AP8=\", \"ref\": \"msg:9\"}\n";
    shell.run_with("ipctool send 0 --jsonl -t 3", lines).ok();
    assert_eq!(
        on_queue(&shell),
        "\"type\":5,\"size\":2,\"text\":\"é\"}\n\"type\":3,\"size\":2,\"base64\":\"AP8=\"}\n"
    );
    shell.run("ipctool send 0 --lines < /dev/null").ok();
    shell.run("ipctool send 0 --lines text").exits(2).says("cannot be used with");
    shell.run("ipctool send 0 --lines --null").exits(2).says("cannot be used with");
}

#[test]
fn whatever_a_variable_holds_is_a_message() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg").ok();
    for text in ["-hello", "-0", "-l", "--", "-e", "--help", "-", "", "--lines", "-5"] {
        shell.run(&format!("M='{text}'; ipctool send 0 -e \"$M\"")).ok();
        shell.run("ipctool recv 0 --nowait").prints(&format!("{text}\n"));
        shell.run(&format!("M='{text}'; ipctool send 0 --message=\"$M\"")).ok();
        shell.run("ipctool recv 0 --nowait").prints(&format!("{text}\n"));
        shell.run(&format!("M='{text}'; ipctool send 0 -- \"$M\"")).ok();
        shell.run("ipctool recv 0 --nowait").prints(&format!("{text}\n"));
    }
    // In the order of the command line.
    shell.run("ipctool send 0 one -e -two three -e-four -- -five").ok();
    shell.run("ipctool recv 0 --all").prints("one\n-two\nthree\n-four\n-five\n");
    shell.run("ipctool send 0 -l -e text").exits(2).says("cannot be used with");
    shell.run("ipctool send 0 -e").exits(2).says("a value is required for '--message <TEXT>'");
}

#[test]
fn a_saved_queue_is_restored() {
    let Some(shell) = queue() else { return };
    shell.run("head -c 5000 /dev/urandom > noise && ipctool send 0 -t 9 < noise").ok();
    shell.run("ipctool send 0 text; ipctool recv 0 --all --json > saved").ok();
    shell.run("ipctool send 0 --jsonl < saved && ipctool recv 0 --all --json | cmp - saved").ok();
}

#[test]
fn a_nul_for_c_readers() {
    let Some(shell) = queue() else { return };
    shell.run("ipctool send 0 --append-nul hello && printf 'a\\nb\\n' | ipctool send 0 -l --append-nul").ok();
    shell
        .run("ipctool recv 0 --all --raw | od -An -c")
        .shows("h   e   l   l   o  \\0   a  \\0   b  \\0");
}

#[test]
fn types_are_positive() {
    let Some(shell) = queue() else { return };
    for bad in ["0", "-1", "x", "9223372036854775808"] {
        shell.run(&format!("ipctool send 0 -t {bad} x")).exits(2).says("send: --type: ");
    }
    shell.run("ipctool send 0 -t 9223372036854775807 x").ok();
    shell
        .run_with("ipctool send 0 --jsonl", b"{\"text\": \"a\"}\n{\"type\": 0, \"text\": \"b\"}\n")
        .exits(1)
        .says("send msg:0: record 2: type 0 is not greater than 0; 1 message was sent\n");
    shell
        .run_with("ipctool send 0 --jsonl", b"{\"text\": \"a\"}\n{\"text\": \"b\"}\nnonsense\n")
        .exits(1)
        .says("record 3: not a message in JSON: ")
        .says("; 2 messages were sent\n");
    shell.run("ipctool recv 0 --all > /dev/null").ok();
    for (line, why) in [
        (r#"[null,1,null,null,"x",null]"#, "it is not an object, such as {"),
        ("5", "it is not an object, such as {"),
        (r#"{"text": "x", "mtype": 1}"#, "unknown field `mtype`"),
    ] {
        shell
            .run_with("ipctool send 0 --jsonl", format!("{{\"text\": \"a\"}}\n{line}\n").as_bytes())
            .exits(1)
            .says("record 2: not a message in JSON: ")
            .says(why)
            .says("; 1 message was sent\n");
        shell.run("ipctool recv 0 --all").prints("a\n");
    }
}

#[test]
fn what_can_never_fit_is_refused_before_any_wait() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("ipctool create msg").ok();
    shell
        .run("head -c 8193 /dev/zero | ipctool send 0")
        .exits(1)
        .says("send msg:0: a message of 8193 bytes is over msgmax, 8192 bytes (EINVAL)\n");
    shell.run("head -c 8192 /dev/zero | ipctool send 0").ok();
    // A queue smaller than a message.
    shell.run("ipctool limits --queue-bytes 100 msg:0").exits(0);
    shell
        .run("head -c 101 /dev/zero | ipctool send 0")
        .exits(1)
        .says("a message of 101 bytes never fits: the queue holds at most 100 bytes\n");
    shell
        .run("ipctool recv 0 > /dev/null; (echo fits; head -c 101 /dev/zero) | ipctool send 0 --lines")
        .exits(1)
        .says("record 2: a message of 101 bytes never fits: the queue holds at most 100 bytes; 1 message was sent\n");
}

/// Fills the queue: 16,384 bytes by default.
fn fill(shell: &Sandbox) {
    shell.run("for i in 1 2; do head -c 8192 /dev/zero | ipctool send 0; done").ok();
}

#[test]
fn a_full_queue_would_block_or_times_out() {
    let Some(shell) = queue() else { return };
    fill(&shell);
    shell
        .run("ipctool send 0 --nowait x")
        .exits(4)
        .says("send msg:0: the message queue is full (EAGAIN)\n")
        .says("hint: it holds 2 messages, 16384 of 16384 bytes");
    let start = Instant::now();
    shell
        .run("ipctool send 0 --timeout 300ms x")
        .exits(4)
        .says("send msg:0: timed out\nhint: it holds 2 messages");
    assert!(start.elapsed() >= Duration::from_millis(300), "it gave up too early");
    shell.run("ipctool send 0 --timeout 0 x").exits(4).says("timed out");
    shell
        .run("ipctool recv 0 > /dev/null; yes | head -c 100000 | ipctool send 0 --lines --nowait")
        .exits(4)
        .says("record 8193: the message queue is full (EAGAIN); 8192 messages were sent\n");
    shell
        .run("ipctool send 0 --nowait a b")
        .exits(4)
        .says("message 1: ")
        .says("; 0 messages were sent");
    shell.run("ipctool send 0 --nowait --timeout 1s x").exits(2).says("cannot be used with");
    shell.run("ipctool send 0 --timeout soon x").exits(2).says("'soon' is not a duration");
}

#[test]
fn without_a_word_it_waits_for_room() {
    let Some(shell) = queue() else { return };
    fill(&shell);
    let sender = shell.start("exec ipctool send 0 late").waits();
    shell.run("ipctool recv 0 > /dev/null").ok();
    sender.ends().ok();
    shell.run("ipctool recv 0 > /dev/null; ipctool recv 0").prints("late\n");
    fill(&shell);
    let sender = shell.start("exec ipctool send 0 late --timeout 20s").waits();
    shell.run("ipctool recv 0 > /dev/null").ok();
    sender.ends().ok();
}

#[test]
fn a_queue_that_is_removed_meanwhile() {
    let Some(shell) = queue() else { return };
    fill(&shell);
    let sender = shell.start("exec ipctool send 0 late").waits();
    shell.run("ipcrm -q 0").ok();
    sender
        .ends()
        .exits(3)
        .says("send msg:0: the message queue was removed during the wait (EIDRM)\n")
        .says("hint: ");
}

#[test]
fn a_signal_ends_the_wait() {
    let Some(shell) = queue() else { return };
    fill(&shell);
    for (name, status) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let sender = shell.start("exec ipctool send 0 late").waits();
        sender.signal(name).ends().exits(status);
    }
    // Also while it waits for input. The number of sent messages is reported.
    let sender =
        shell.start("mkfifo in; sleep 60 > in 2>&1 & exec ipctool send 0 --lines < in").waits();
    sender.signal("INT").ends().exits(130).says("interrupted by a signal; 0 messages were sent\n");
    // With signals ignored it goes on, as for nohup.
    let sender = shell.start("trap '' INT; exec ipctool send 0 late").waits();
    let sender = sender.signal("INT").waits();
    shell.run("ipctool recv 0 > /dev/null").ok();
    sender.ends().ok();
}

#[test]
fn a_missing_queue_is_made_on_demand() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run("ipctool send 0xbeef hello")
        .exits(3)
        .says("send msg:0x0000beef: no message queue has this key (ENOENT)\n")
        .says("to create it: ipctool create msg --key 0x0000beef");
    shell.run("ipctool send 0xbeef --create hello").ok();
    shell.run("ipctool send 0xbeef --create=660 again").ok();
    shell.run("ipctool send 0xcafe --create=640 new").ok();
    shell
        .run("ipctool list -q --no-headings -o key,mode,messages -P")
        .prints("0x0000beef 0600             2\n0x0000cafe 0640             1\n");
    shell
        .run("ipctool send 5 --create x")
        .exits(2)
        .says("--create needs a key (0x…) or a name (/…), but msg:5 is an id");
    shell.run("ipctool send 0x0 --create x").exits(2).says("IPC_PRIVATE");
    shell.run("ipctool send 0xbeef --create=999 x").exits(2).says("'999' is not a mode");
    shell
        .run("ipctool send 0xffffffff x")
        .exits(3)
        .says("is what ftok returns when its path is missing");
}

#[test]
fn only_a_queue_takes_messages() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool send shm:5 x").exits(2).says("is a shared memory segment, not a queue");
    shell.run("ipctool send hello x").exits(2).says("'hello' is neither an id");
    shell.run("ipctool send").exits(2).says("<QUEUE>");
    shell.run("ipctool send 5 x").exits(3).says("no such message queue (EINVAL)");
}

#[test]
fn no_permission_is_explained() {
    let Some(shell) = queue() else { return };
    let Some(ran) = shell.run_as(NOBODY, "ipctool send 0xbeef hello") else { return };
    ran.exits(5).says("send msg:0x0000beef: no permission (EACCES)\nhint: msg:0 has mode 0600");
}

#[test]
fn an_input_that_cannot_be_read_is_an_error() {
    let Some(shell) = queue() else { return };
    shell
        .run("ipctool send 0 --lines < .")
        .exits(1)
        .says("cannot read standard input: Is a directory (EISDIR)");
    shell.run("ipctool send 0 <&-").exits(1).says("send").says("(EBADF)");
}

#[test]
fn a_queue_without_any_room_never_takes_even_an_empty_message() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("echo 0 > /proc/sys/kernel/msgmnb; ipctool create msg").exits(0);
    shell.run("ipctool send 0 ''").exits(1).says("never fits: the queue holds at most 0 bytes");
}

#[test]
fn a_record_without_end_is_refused_and_never_cut() {
    let Some(shell) = queue() else { return };
    shell
        .run("(echo ok; cat /dev/zero) | ipctool send 0 --lines")
        .exits(1)
        .says("record 2: it is longer than 67108864 bytes")
        .says("1 message was sent\n");
    shell.run("ipctool send 0 < /dev/zero").exits(1).says("it is longer than 67108864 bytes");
    shell.run("ipctool recv 0 --all").prints("ok\n");
}
