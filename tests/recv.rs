//! `ipctool recv`

mod sandbox;

use std::time::{Duration, Instant};

use sandbox::{NOBODY, Needs, Sandbox, skip};

/// A queue with three messages of the types 1, 5 and 3.
fn queue() -> Option<Sandbox> {
    let shell = Sandbox::new()?;
    shell.run("ipctool create msg --key 0xbeef").prints("msg:0\n");
    shell.run("ipctool send 0 one; ipctool send 0 -t 5 five; ipctool send 0 -t 3 three").ok();
    Some(shell)
}

fn left(shell: &Sandbox) -> String {
    let ran = shell.run("ipctool recv 0 --peek --all 2> /dev/null");
    ran.stdout().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn it_takes_one_message_some_or_all() {
    let Some(shell) = queue() else { return };
    shell.run("ipctool recv 0xbeef").prints("one\n");
    shell.run("ipctool recv msg:0 -n 2").prints("five\nthree\n");
    shell.run("ipctool send 0 a b c; ipctool recv 0 --all").prints("a\nb\nc\n");
    shell.run("ipctool recv 0 --all").prints("");
    shell.run("ipctool recv 0 --nowait").exits(4).says("recv msg:0: no message (ENOMSG)\n");
    shell
        .run("ipctool send 0 a b; ipctool recv 0 --nowait -n 3")
        .exits(4)
        .shows("a\nb\n")
        .says("recv msg:0: no message (ENOMSG); 2 messages taken before\n");
    shell.run("ipctool send 0 a b; ipctool recv 0 --nowait -n 2").prints("a\nb\n");
    shell.run("ipctool send 0 a b; ipctool recv 0 --nowait --all").prints("a\nb\n");
    shell.run("ipctool recv 0 -n 0").exits(2).says("recv: --count: 0 is less than 1\n");
    shell.run("ipctool recv 0 -n 1 --all").exits(2).says("cannot be used with");
}

#[test]
fn by_type() {
    let Some(shell) = queue() else { return };
    shell.run("ipctool send 0 -t 2 two").ok();
    shell.run("ipctool recv 0 -t 5").prints("five\n");
    shell.run("ipctool recv 0 -t -4 --all").prints("one\ntwo\nthree\n");
    shell.run("ipctool send 0 -t 2 two; ipctool send 0 -t 6 six").ok();
    shell.run("ipctool recv 0 -t 2 --except").prints("six\n");
    shell
        .run("ipctool recv 0 -t 9 --nowait")
        .exits(4)
        .says("recv msg:0: no message of type 9 (ENOMSG)\nhint: it holds 1 message, ");
    shell
        .run("ipctool recv 0 --type=-1 --nowait")
        .exits(4)
        .says("no message of a type up to 1 (ENOMSG)");
    shell
        .run("ipctool recv 0 -t 2 --except --nowait")
        .exits(4)
        .says("no message of a type other than 2");
    shell.run("ipctool recv 0 --except").exits(2).says("--except needs -t N with N greater than 0");
    shell.run("ipctool recv 0 -t -2 --except").exits(2).says("--except needs -t N");
    shell.run("ipctool recv 0 -t x").exits(2).says("recv: --type: 'x' is not a number\n");
    assert_eq!(left(&shell), "two");
}

#[test]
fn peeking_takes_nothing() {
    let Some(shell) = queue() else { return };
    shell.run("ipctool recv 0 --peek").prints("one\n");
    shell.run("ipctool recv 0 --peek -n 2").prints("one\nfive\n");
    shell.run("ipctool recv 0 --peek --all").prints("one\nfive\nthree\n");
    shell.run("ipctool recv 0 --peek --all -t -9").prints("one\nthree\nfive\n");
    shell.run("ipctool recv 0 --peek -t -3 -n 1").prints("one\n");
    shell.run("ipctool recv 0 --peek -t 3").prints("three\n");
    shell.run("ipctool recv 0 --peek --all -t 5 --except").prints("one\nthree\n");
    shell.run("ipctool recv 0 --peek -t 9").exits(4).says("no message of type 9");
    shell.run("ipctool recv 0 --peek --all -t 9").prints("");
    shell
        .run("ipctool recv 0 --peek -n 9")
        .exits(4)
        .shows("one\nfive\nthree\n")
        .says("no message (ENOMSG); 3 messages shown before");
    shell.run("ipctool recv 0 --peek --follow").exits(2).says("cannot be used with");
    shell.run("ipctool recv 0 --peek --timeout 1s").exits(2).says("cannot be used with");
    shell.run("ipctool recv 0 --peek --all > /dev/full").exits(1).says("(ENOSPC)");
    shell.run("ipctool recv 0 --peek --all | head -c 1").prints("o");
    shell.run("ipctool list -q -o messages,last_recv --no-headings").prints("       3 -\n");
    shell.run("ipctool recv 0 --all").prints("one\nfive\nthree\n");
    shell.run("ipctool recv 0 --peek").exits(4).says("no message (ENOMSG)");
    shell.run("ipctool recv 0 --peek --all").prints("");
}

#[test]
fn payloads_come_out_byte_for_byte() {
    let Some(shell) = queue() else { return };
    let payload = b"nul \0 newline \n and \xff\xfe";
    shell.run("ipctool recv 0 --all > /dev/null").ok();
    for (options, before, after) in [
        ("", &b""[..], &b"\n"[..]),
        ("--raw", b"", b""),
        ("--null", b"", b"\0"),
        ("-0", b"", b"\0"),
    ] {
        shell.run_with("ipctool send 0", payload).ok();
        let ran = shell.run(&format!("ipctool recv 0 {options}")).ok();
        assert_eq!(ran.bytes(), [before, payload, after].concat(), "{options}");
    }
    shell.run("ipctool send 0 '' && ipctool recv 0").prints("\n");
    shell.run("ipctool send 0 '' && ipctool recv 0 --raw").prints("");
}

#[test]
fn json_tells_type_and_size() {
    let Some(shell) = queue() else { return };
    for options in ["--json", "-J", "--jsonl", "--format jsonl", "--format json"] {
        shell
            .run(&format!("ipctool recv 0xbeef --peek {options}"))
            .prints("{\"ref\":\"msg:0\",\"type\":1,\"size\":3,\"text\":\"one\"}\n");
    }
    shell.run_with("ipctool recv 0 --all > /dev/null; ipctool send 0", b"\xff\0").ok();
    shell
        .run("ipctool recv 0 -J")
        .prints("{\"ref\":\"msg:0\",\"type\":1,\"size\":2,\"base64\":\"/wA=\"}\n");
    shell.run("ipctool recv 0 --json --raw").exits(2).says("cannot be used with");
}

#[test]
fn hex_is_that_of_hexdump() {
    let Some(shell) = queue() else { return };
    shell.run("ipctool recv 0 -n 3 > /dev/null; head -c 8000 /dev/urandom > noise").ok();
    shell.run("(head -c 100 /dev/zero; head -c 37 noise; printf 'text\\n\\377') > mixed; printf 0123456789abcdef > line").ok();
    let has_hexdump = !shell.run("command -v hexdump").stdout().is_empty();
    if !has_hexdump {
        skip(Needs::Machine, "there is no hexdump(1)");
    }
    for file in ["noise", "mixed", "line"] {
        shell.run(&format!("ipctool send 0 < {file}; ipctool recv 0 --hex > ours")).ok();
        if has_hexdump {
            shell.run(&format!("hexdump -C {file} | diff - ours")).prints("");
        }
    }
    // The bytes as od prints them, which every system has.
    shell
        .run(
            "ipctool send 0 < noise; ipctool recv 0 --hex | cut -c 9-58 | tr -d ' \\n' > ours; \
             od -A n -t x1 -v noise | tr -d ' \\n' | cmp - ours && test -s ours",
        )
        .prints("");
    shell
        .run("(head -c 48 /dev/zero; printf 'text\\n\\377') | ipctool send 0; ipctool recv 0 --hex")
        .prints(
            "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n\
         *\n\
         00000030  74 65 78 74 0a ff                                 |text..|\n\
         00000036\n",
        );
    shell.run("ipctool send 0 '' && ipctool recv 0 --hex").prints("00000000\n");
}

#[test]
fn c_strings_and_cuts_are_on_request() {
    let Some(shell) = queue() else { return };
    shell.run("ipctool recv 0 --all > /dev/null; printf 'text\\0garbage' | ipctool send 0").ok();
    shell.run("ipctool recv 0 --peek --until-nul").prints("text\n");
    shell.run("ipctool recv 0 --peek --truncate 2").prints("te\n");
    shell.run("ipctool recv 0 --peek --truncate 2 --json").shows("\"size\":12,\"text\":\"te\"");
    shell.run("ipctool recv 0 --until-nul --raw").prints("text");
}

#[test]
fn verbose_tells_type_and_size_on_standard_error() {
    let Some(shell) = queue() else { return };
    let ran = shell.run("ipctool recv 0 --all -v").exits(0);
    assert_eq!(ran.stdout(), "one\nfive\nthree\n");
    assert_eq!(
        ran.stderr(),
        "ipctool: recv msg:0: type 1, 3 bytes\n\
         ipctool: recv msg:0: type 5, 4 bytes\n\
         ipctool: recv msg:0: type 3, 5 bytes\n"
    );
}

#[test]
fn verbose_comes_before_the_message() {
    let Some(shell) = queue() else { return };
    let both = "ipctool: recv msg:0: type 1, 3 bytes\none\n\
                ipctool: recv msg:0: type 5, 4 bytes\nfive\n";
    shell.run("ipctool recv 0 --peek -n 2 -v 2>&1").prints(both);
    shell.run("ipctool recv 0 -n 2 -v 2>&1").prints(both);
    shell.run("ipctool send 0 -t 2 ''; ipctool send 0 last").ok();
    // By type, and with one that has no text at all.
    shell.run("ipctool recv 0 --peek --all -t -9 --raw -v 2>&1").prints(
        "ipctool: recv msg:0: type 1, 4 bytes\n\
         lastipctool: recv msg:0: type 2, 0 bytes\n\
         ipctool: recv msg:0: type 3, 5 bytes\n\
         three",
    );
}

#[test]
fn a_table_has_a_line_a_message() {
    let Some(shell) = queue() else { return };
    shell.run_with("ipctool send 0 -t 1234567890123", b"two\nlines\t\xff").ok();
    let table = "    TYPE     SIZE  TEXT\n       \
                 1        3  one\n       \
                 5        4  five\n       \
                 3        5  three\n\
                 1234567890123       11  two\\nlines\\t\\xff\n";
    shell.run("ipctool recv 0 --peek --all --format table").prints(table);
    shell
        .run("ipctool recv 0 --peek --all --format table -t -4")
        .prints("    TYPE     SIZE  TEXT\n       1        3  one\n       3        5  three\n");
    shell
        .run("ipctool recv 0 --all --format table > /dev/full")
        .exits(1)
        .says("4 messages went back");
    shell.run("ipctool recv 0 --all --format table").shows("TEXT\n");
    shell.run("ipctool recv 0 --all --format table").prints("");
    shell.run("ipctool recv 0 --nowait --format table").exits(4).lacks("TEXT");
}

#[test]
fn a_terminal_gets_no_control_bytes() {
    let Some(shell) = queue() else { return };
    shell
        .run_with("ipctool recv 0 --all > /dev/null; ipctool send 0", b"\x1b[31mred\x07\nnext\x9b")
        .ok();
    let ran = shell.run("script -qec 'ipctool recv 0 --peek --json' /dev/null");
    ran.shows(r#""base64":"G1sz"#);
    for options in ["", "--raw", "--null"] {
        let ran = shell.run(&format!("script -qec 'ipctool recv 0 --peek {options}' /dev/null"));
        let shown = ran.stdout().replace('\r', "");
        assert!(shown.starts_with("\\x1b[31mred\\x07\nnext\\x9b"), "{options}: {shown:?}");
    }
    assert!(shell.run("ipctool recv 0").bytes().starts_with(b"\x1b[31m"), "a pipe gets them raw");
}

#[test]
fn it_waits_for_a_message() {
    let Some(shell) = queue() else { return };
    let receiver = shell.start("exec ipctool recv 0 -t 7").waits();
    shell.run("ipctool send 0 -t 7 seven").ok();
    receiver.ends().prints("seven\n");
    let receiver = shell.start("exec ipctool recv 0 -t 7 -n 2 --timeout 20s").waits();
    shell.run("ipctool send 0 -t 7 a; sleep 0.1; ipctool send 0 -t 7 b").ok();
    receiver.ends().prints("a\nb\n");
}

#[test]
fn a_timeout_is_kept() {
    let Some(shell) = queue() else { return };
    for (timeout, least) in [("0", 0), ("1ms", 1), ("0.25", 250), ("300ms", 300)] {
        let start = Instant::now();
        shell
            .run(&format!("ipctool recv 0 -t 9 --timeout {timeout}"))
            .exits(4)
            .says("recv msg:0: timed out\nhint: it holds 3 messages");
        assert!(start.elapsed() >= Duration::from_millis(least), "{timeout}: too early");
    }
    // What came before the timeout is not lost.
    let ran = shell.run("ipctool recv 0 -n 9 --timeout 50ms").exits(4);
    assert_eq!(ran.stdout(), "one\nfive\nthree\n");
    shell.run("ipctool recv 0 --all --timeout 1s").exits(2).says("cannot be used with");
}

#[test]
fn following_goes_on_until_it_is_told_to_stop() {
    let Some(shell) = queue() else { return };
    let follower = shell.start("exec ipctool recv 0 --follow").waits();
    shell.run("ipctool send 0 more").ok();
    let follower = follower.waits();
    let ran = follower.signal("INT").ends().exits(130);
    assert_eq!(ran.stdout(), "one\nfive\nthree\nmore\n");
    assert_eq!(ran.stderr(), "");
    shell.run("ipctool send 0 more; ipctool recv 0 -f --timeout 50ms").exits(4).shows("more\n");
}

#[test]
fn a_signal_ends_the_wait_and_takes_nothing_along() {
    let Some(shell) = queue() else { return };
    for (name, status) in [("INT", 130), ("TERM", 143), ("HUP", 129), ("QUIT", 131)] {
        let receiver = shell.start("ulimit -c 0; exec ipctool recv 0 -t 7").waits();
        let ran = receiver.signal(name).ends().exits(status);
        assert_eq!((ran.stdout(), ran.stderr()), Default::default());
    }
    assert_eq!(left(&shell), "one five three");
    let receiver = shell.start("trap '' INT; exec ipctool recv 0 -t 7").waits();
    let receiver = receiver.signal("INT").waits();
    shell.run("ipctool send 0 -t 7 seven").ok();
    receiver.ends().prints("seven\n");
}

#[test]
fn a_queue_that_is_removed_meanwhile() {
    let Some(shell) = queue() else { return };
    let receiver = shell.start("exec ipctool recv 0 -t 7").waits();
    shell.run("ipcrm -q 0").ok();
    receiver
        .ends()
        .exits(3)
        .says("recv msg:0: the message queue was removed during the wait (EIDRM)\nhint: ");
    shell.run("ipctool recv 0").exits(3).says("no such message queue (EINVAL)");
    shell.run("ipctool recv 0xbeef").exits(3).says("no message queue has this key (ENOENT)");
}

#[test]
fn a_full_disk_loses_no_message() {
    let Some(shell) = queue() else { return };
    for options in ["", "--all", "-n 2", "--json", "--all --hex", "-f", "--raw --all"] {
        shell
            .run(&format!("ipctool recv 0 {options} > /dev/full"))
            .exits(1)
            .says("recv msg:0: cannot write to standard output: No space left on device (ENOSPC); ")
            .says(" back on the queue\n");
        let mut messages: Vec<_> = left(&shell).split(' ').map(str::to_owned).collect();
        messages.sort();
        assert_eq!(messages, ["five", "one", "three"], "{options}");
    }
}

#[test]
fn a_closed_pipe_loses_no_message() {
    let Some(shell) = queue() else { return };
    for options in ["", "--all", "--json"] {
        // The reader is gone before anything is taken.
        shell
            .run(&format!(
                "(sleep 0.2; ipctool recv 0 {options}; echo $? > status) | true; cat status >&2"
            ))
            .says("recv msg:0: standard output is closed (EPIPE)\nhint: nothing was taken")
            .says("\n1\n");
        assert_eq!(left(&shell), "one five three", "in their order");
    }
    shell.run("ipctool recv 0 >&-").exits(1).says("(EBADF)");
    assert_eq!(left(&shell), "one five three");
    // The reader goes away while it waits.
    shell
        .run(
            "(ipctool recv 0 -t 7; echo $? >&2) | sleep 0.3 & sleep 0.6; \
             ipctool send 0 -t 7 seven; wait",
        )
        .says("cannot write to standard output: Broken pipe (EPIPE); 1 message went back on the queue\n")
        .says("\n1\n");
    assert_eq!(left(&shell), "one five three seven");
}

#[test]
fn half_a_batch_is_put_back_where_the_disk_fills_up() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg && seq -w 1000 1999 | ipctool send 0 --lines").ok();
    // A file may grow to a block of 512 or 1024 bytes, which ends within a line of 5 bytes.
    shell
        .run("(trap '' XFSZ; ulimit -f 1; ipctool recv 0 --all >> file)")
        .exits(1)
        .says("cannot write to standard output: File too large (EFBIG); ")
        .says(" messages went back on the queue\n");
    let size: usize = shell.run("stat -c %s file").ok().stdout().trim().parse().unwrap();
    assert_eq!(size % 5, 0, "a piece of a message is left in the file");
    assert!(size > 500, "nothing was written");
    shell.run("ipctool recv 0 --all >> file && seq -w 1000 1999 > sent").ok();
    shell.run("sort file | cmp - sent").prints("");
}

#[test]
fn what_has_no_room_on_the_queue_is_saved_in_a_file() {
    let Some(shell) = queue() else { return };
    shell.run("ipctool recv 0 --all > /dev/null; ipctool send 0 -t 4 precious").ok();
    // The queue is gone by the time that the message must go back.
    let ran = shell.run(
        "mkfifo out; exec 3<> out; \
         head -c 65536 /dev/zero > out; \
         ipctool recv 0 > out & sleep 0.3; ipcrm -q 0; kill -TERM $!; wait $!",
    );
    let ran = ran.exits(143).says("interrupted by a signal; 1 message was saved in ");
    let stderr = ran.stderr();
    let file = stderr.split("saved in ").nth(1).unwrap().split(", which 'send --jsonl'").next();
    let saved = shell.run(&format!("cat {}", file.unwrap()));
    saved.prints("{\"type\":4,\"text\":\"precious\"}\n");
    shell.run("cat ipctool-recv-*.jsonl | ipctool send 0xbeef --create --jsonl").ok();
    shell.run("ipctool recv 0xbeef --json").shows("\"type\":4,\"size\":8,\"text\":\"precious\"");
}

#[test]
fn a_signal_while_the_reader_sleeps_puts_the_message_back() {
    let Some(shell) = queue() else { return };
    shell
        .run(
            "mkfifo out; exec 3<> out; head -c 65536 /dev/zero > out; \
             ipctool recv 0 -n 2 > out & sleep 0.3; kill -TERM $!; wait $!",
        )
        .exits(143)
        .says("interrupted by a signal; 1 message went back on the queue\n");
    assert_eq!(left(&shell), "five three one");
}

#[test]
fn messages_larger_than_the_limit_of_today_are_taken_whole() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("echo 300000 > /proc/sys/kernel/msgmax; echo 600000 > /proc/sys/kernel/msgmnb").ok();
    shell
        .run("ipctool create msg; head -c 300000 /dev/urandom > noise; ipctool send 0 < noise")
        .exits(0);
    shell.run("echo 100 > /proc/sys/kernel/msgmax").ok();
    shell.run("ipctool recv 0 --raw | cmp - noise").prints("");
}

#[test]
fn a_long_stream_keeps_its_order() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --key 5").ok();
    shell
        .run("seq 100000 | ipctool send 0x5 --lines & ipctool recv 0x5 -n 100000 > got; wait; seq 100000 | cmp - got")
        .prints("");
}

#[test]
fn no_permission_is_explained() {
    let Some(shell) = queue() else { return };
    let Some(ran) = shell.run_as(NOBODY, "ipctool recv 0") else { return };
    ran.exits(5).says("recv msg:0: no permission (EACCES)\nhint: msg:0 has mode 0600");
}

#[test]
fn a_full_disk_by_ulimit_or_a_stray_signal_loses_nothing() {
    let Some(shell) = queue() else { return };
    // A signal that nobody expects, while the reader sleeps.
    for (name, status) in [("USR1", 138), ("ALRM", 142), ("XCPU", 152)] {
        shell
            .run(&format!(
                "rm -f out; mkfifo out; exec 3<> out; head -c 65536 /dev/zero > out; ulimit -c 0; \
                 ipctool recv 0 -n 3 > out & sleep 0.3; kill -s {name} $!; wait $!"
            ))
            .exits(status)
            .says("interrupted by a signal; 1 message went back on the queue\n");
    }
    // SIGXFSZ would end the process before the write could fail.
    shell
        .run("head -c 2000 /dev/zero | ipctool send 0; (ulimit -f 1; ipctool recv 0 --all > file)")
        .exits(1)
        .says("(EFBIG); ")
        .says(" back on the queue\n");
}

#[test]
fn a_pipe_that_does_not_block_can_be_left() {
    let Some(shell) = queue() else { return };
    shell.compile("nonblocking");
    shell
        .run(
            "mkfifo out; exec 3<> out; head -c 65536 /dev/zero > out; \
             ./nonblocking ipctool recv 0 -n 3 > out & sleep 0.3; kill -TERM $!; wait $!",
        )
        .exits(143)
        .says("; 1 message went back on the queue");
    // And it is waited for where it is read.
    shell
        .run("./nonblocking ipctool recv 0 --all | (sleep 0.2; sort)")
        .prints("five\none\nthree\n");
}

#[test]
fn a_limit_of_zero_is_no_reason_to_spin() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("ipctool create msg; head -c 4000 /dev/zero | ipctool send 0").exits(0);
    shell.run("echo 0 > /proc/sys/kernel/msgmax").ok();
    shell
        .run("ipctool recv 0 --peek")
        .exits(1)
        .says("recv msg:0: the message is over msgmax, 0 bytes (EINVAL)\nhint: msgmax was lowered");
    shell.run("ipctool recv 0 --raw | wc -c").prints("4000\n");
}

#[test]
fn a_trace_that_nobody_reads_loses_nothing() {
    let Some(shell) = queue() else { return };
    shell.run("ipctool recv 0 --trace 2> /dev/full").prints("one\n");
}

#[test]
fn a_blocked_alarm_is_no_reason_to_wait_for_ever() {
    let Some(shell) = queue() else { return };
    let block =
        "perl -MPOSIX -e 'sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGALRM)); exec @ARGV' --";
    shell.run(&format!("{block} ipctool recv 0 -t 9 --timeout 50ms")).exits(4).says("timed out");
    shell.run("perl -e 'alarm 1; exec @ARGV' -- ipctool recv 0 -t 9").exits(142);
}
