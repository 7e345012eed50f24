//! What ends a process, or keeps it from writing, while it has messages in hand: signals, memory that
//! runs out, files that may not grow, and a standard error without a reader. No message is lost, and
//! nothing is left half done.

mod sandbox;

use sandbox::{NOBODY, Ran, Sandbox, is_root};

/// Fills the pipe on descriptor 3, which has no reader.
const FULL_PIPE: &str = "mkfifo full; exec 3<> full; head -c 65536 /dev/zero >&3; ";

/// Runs a line as a user who may take messages off the queue with the id 0, but not put them back.
fn run_without_return(shell: &Sandbox, line: &str) -> Option<Ran> {
    match is_root() {
        true => {
            shell.run("ipctool chmod 444 msg:0").ok();
            shell.run_as(NOBODY, line)
        }
        false => {
            shell.run("ipctool chmod 400 msg:0").exits(0);
            Some(shell.run(line))
        }
    }
}

/// 500 messages for each signal, and an output that is not read: what was taken is put back.
#[test]
fn no_deadly_signal_takes_a_message_along() {
    let Some(shell) = Sandbox::new() else { return };
    // All but SIGKILL (9) and those that do nothing, or stop a process (17 to 23, 28): signal(7). SIGPIPE
    // (13) and SIGXFSZ (25) are ignored. A shell ignores SIGINT and SIGQUIT (2, 3) for what it starts in
    // the background, and the C library ignores 32 for what it spawns.
    let signals: Vec<String> = (1..=64)
        .filter(|signal| ![2, 3, 9, 13, 17, 18, 19, 20, 21, 22, 23, 25, 28, 32].contains(signal))
        .map(|signal| signal.to_string())
        .collect();
    let (number, signals) = (signals.len(), signals.join(" "));
    let ran = shell.run(&format!(
        "{FULL_PIPE} ulimit -c 0
         seq 500 > lines
         for signal in {signals}; do
             ipctool send 0x$signal --create --lines < lines
             ipctool recv 0x$signal --all >&3 2> error$signal & eval pid$signal=$!
         done
         while ipctool list -q --no-headings -o messages | grep -q ' 500$'; do sleep 0.02; done
         for signal in {signals}; do
             eval pid=\\$pid$signal
             kill -s $signal $pid; wait $pid
             [ $? = $((128 + signal)) ] || echo signal $signal, status $?
         done 2> /dev/null
         ipctool list -q --no-headings -o messages | sort | uniq -c"
    ));
    let ran = ran.ok();
    let words: Vec<_> = ran.stdout().split_whitespace().map(str::to_owned).collect();
    assert_eq!(words, [number.to_string(), "500".to_owned()]);
}

/// A fault is one only if the kernel says so; `kill` says nothing of the kind.
#[test]
fn a_signal_that_the_caller_ignores_is_ignored() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg").ok();
    let receiver = shell.start("trap '' ABRT USR1 HUP; exec ipctool recv 0").waits();
    let receiver = receiver.signal("ABRT").signal("USR1").signal("HUP").waits();
    shell.run("ipctool send 0 hello").ok();
    receiver.ends().prints("hello\n");
}

/// SIGKILL comes without warning. Nothing is taken ahead of an output that takes nothing.
#[test]
fn a_kill_costs_one_message_at_most() {
    let Some(shell) = Sandbox::new() else { return };
    for options in ["--all", "-n 400", "--follow", "--all --json", "--all -v"] {
        shell.run(&format!("rm -f full; {FULL_PIPE} ipctool send 0x5 --create one
             ipctool recv 0x5 --all > /dev/null; seq 500 | ipctool send 0x5 --lines
             ipctool recv 0x5 {options} >&3 2> /dev/null & sleep 0.3; kill -KILL $!; wait $! 2> /dev/null
             ipctool list -q --no-headings -o messages")).shows("499\n");
    }
    // A pipe in which there is room for some.
    let ran = shell.run(
        "ipctool recv 0x5 --all > /dev/null; seq 1000 1999 | ipctool send 0x5 --lines
         mkfifo some; exec 4<> some; head -c 65000 /dev/zero >&4
         ipctool recv 0x5 --all >&4 & sleep 0.3; kill -KILL $!; wait $! 2> /dev/null
         exec 5< some; timeout 1 cat <&5 | tr -d '\\0' | grep -cx '....' > written
         cat written; ipctool list -q --no-headings -o messages",
    );
    let numbers: Vec<u32> =
        ran.stdout().split_whitespace().map(|word| word.parse().unwrap()).collect();
    let [written, left] = *numbers.as_slice() else { panic!("{numbers:?}") };
    assert!(written > 0 && left > 0, "{numbers:?}");
    assert_eq!(written + left, 999, "one was in hand: {numbers:?}");
}

#[test]
fn no_memory_is_no_loss() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell
        .run("echo 2000000 > /proc/sys/kernel/msgmax; echo 9000000 > /proc/sys/kernel/msgmnb")
        .ok();
    shell.run("ipctool create msg; seq 1000 1299 > lines; head -c 1000000 /dev/zero | tr '\\0' x > large").exits(0);
    // From too little to start to plenty. The megabyte, as JSON, needs many times its size.
    for (fill, sent, options) in [
        ("ipctool send 0 --lines < lines", 300, ""),
        ("ipctool send 0 --lines < lines", 300, "--hex"),
        ("ipctool send 0 < large; ipctool send 0 < large", 2, "--json"),
    ] {
        let ran = shell.run(&format!(
            "for limit in $(seq 2000 500 24000) 32000; do
                 ipctool recv 0 --all > /dev/null 2>&1
                 {fill}
                 (ulimit -c 0; ulimit -v $limit; ipctool recv 0 --all {options} > out 2> error)
                 status=$?
                 left=$(ipctool list -q --no-headings -o messages)
                 case '{options}' in --hex) taken=$(grep -c '|$' out) ;; *) taken=$(grep -c . out) ;; esac
                 [ $((left + taken)) = {sent} ] || echo $limit: $left + $taken of {sent}, status $status: $(cat error)
                 echo $left > left$limit; cat error >> errors
             done 2> /dev/null; cat left2000 left32000"
        ));
        let words: Vec<_> = ran.stdout().split_whitespace().map(str::to_owned).collect();
        assert_eq!(words, [sent.to_string(), "0".to_owned()], "{options}: {}", ran.stdout());
    }
    shell
        .run("grep -h -A 1 '(ENOMEM)' errors | tail -n 2")
        .shows("recv msg:0: no memory for a message of up to ")
        .shows("\nhint: the message is still on the queue");
}

#[test]
fn files_that_may_not_grow_are_many() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg; seq 1000 1279 | ipctool send 0 --lines").exits(0);
    // A file may have 512 bytes, or 1024 in some shells.
    let line = "ulimit -f 1; ipctool recv 0 --all > out 2> error";
    let Some(ran) = run_without_return(&shell, line) else { return };
    ran.exits(1);
    let said = shell.run("cat error").ok().stdout();
    assert!(said.contains("(EFBIG); "), "{said}");
    assert!(said.contains(" messages were saved in "), "{said}");
    let command = said.split('\'').nth(1).unwrap();
    assert!(command.starts_with("cat /"), "{said}");
    // Each file by itself is what is promised, too.
    for file in shell.run("ls ipctool-recv-*.jsonl").ok().stdout().lines() {
        let text = shell.run(&format!("cat {file}")).ok().stdout();
        let is_json = |line: &str| serde_json::from_str::<serde_json::Value>(line).is_ok();
        assert!(text.ends_with('\n') && text.lines().all(is_json), "{file}: {text}");
    }
    let whole = shell.run("echo $(($(stat -c %s out) / 5))").ok().stdout();
    let sum = format!(
        "({command}) | ipctool send 0xbeef --create --jsonl; \
         (head -n {} out; ipctool recv 0xbeef --all) | sort | uniq > all; seq 1000 1279 | cmp - all",
        whole.trim()
    );
    shell.run(&sum).prints("");
}

#[test]
fn a_message_larger_than_any_file_is_saved_in_pieces() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg; seq 1000 > large; ipctool send 0 < large").exits(0);
    let line = "ulimit -f 1; ipctool recv 0 --raw > /dev/full";
    let Some(ran) = run_without_return(&shell, line) else { return };
    let said = ran.exits(1).says("1 message was saved in ").stderr();
    let command = said.split('\'').nth(1).unwrap();
    shell.run(&format!("{command} | ipctool send 0xbeef --create --jsonl")).ok();
    shell.run("ipctool recv 0xbeef --raw | cmp - large").prints("");
}

#[test]
fn a_standard_error_that_is_full_is_not_the_last_word() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg; ipctool send 0 precious; head -c 4096 /dev/zero > error; chmod 666 error").exits(0);
    let line = "ulimit -f 1; ipctool recv 0 > /dev/full 2>> error";
    let Some(ran) = run_without_return(&shell, line) else { return };
    ran.exits(1);
    shell
        .run("cat ipctool-recv-*.txt")
        .shows("ipctool: recv msg:0: cannot write to standard output: No space left on device (ENOSPC); 1 message was saved in ");
    shell.run("cat ipctool-recv-*.jsonl").prints("{\"type\":1,\"text\":\"precious\"}\n");
}

#[test]
fn a_path_that_is_no_text_can_be_pasted() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg; ipctool send 0 precious; d=$(printf 'a b\\377%%'); mkdir \"$d\"; chmod 777 \"$d\"").exits(0);
    let line = "cd a*; ipctool recv 0 > /dev/full";
    let Some(ran) = run_without_return(&shell, line) else { return };
    let said = ran.exits(1).stderr();
    let path = said.split("saved in ").nth(1).unwrap().split(", which 'send").next().unwrap();
    assert!(path.starts_with("\"$(printf '/"), "{path}");
    for interpreter in ["sh", "bash"] {
        let line = format!("{interpreter} -s");
        let ran = shell.run_with(&line, format!("cat {path}\n").as_bytes());
        ran.prints("{\"type\":1,\"text\":\"precious\"}\n");
    }
}

#[test]
fn a_blocked_standard_error_makes_nobody_deaf() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg").ok();
    for (verb, input, taken) in [
        ("recv 0 --all -v", "/dev/null", true),
        ("recv 0 --all --trace", "/dev/null", true),
        ("--trace send 0 --lines", "lines", false),
        ("--trace send 0 a b c", "/dev/null", false),
        ("guard --isolate never -- ipctool send 0x99 --create x", "/dev/null", false),
        ("guard --isolate never -- sh -c 'exit 3'", "/dev/null", false),
    ] {
        for (signal, status) in [("TERM", 143), ("HUP", 129), ("RTMIN", 162), ("ABRT", 134)] {
            // A command that leaks nothing gives no cause to tell anything.
            let is_silent = verb.ends_with("'exit 3'");
            let expected = if is_silent { 3 } else { status };
            let ran = shell.run(&format!(
                "rm -f full; {FULL_PIPE} ulimit -c 0; seq 50 > lines
                 ipctool rm --force msg:0x99; ipctool recv 0 --all > /dev/null 2>&1
                 ipctool send 0 --lines < lines
                 (exec env -- ipctool {verb} < {input} > out 2>&3) & sleep 0.3
                 kill -s {signal} $! 2> /dev/null; wait $!; status=$?
                 ipctool list -q --no-headings -o messages; grep -c . out; exit $status"
            ));
            let ran = ran.exits(expected);
            let numbers: Vec<u64> =
                ran.stdout().split_whitespace().map(|word| word.parse().unwrap()).collect();
            match taken {
                true => assert_eq!(numbers.iter().sum::<u64>(), 50, "{verb}: {numbers:?}"),
                false => assert!(numbers[0] >= 50, "{verb}: {numbers:?}"),
            }
        }
    }
    // What guard was about to report was removed nevertheless.
    shell.run("ipctool list -q --no-headings -o ref").prints("msg:0\n");
}

#[test]
fn a_standard_error_that_is_read_late_is_told_all() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg; seq 5000 9999 | head -n 4000 | ipctool send 0 --lines").exits(0);
    shell
        .run("ipctool recv 0 --all -v 2>&1 > /dev/null | (sleep 0.3; grep -c 'type 1, 4 bytes')")
        .prints("4000\n");
}

#[test]
fn a_limit_of_files_leaves_nothing_half_made() {
    let Some(shell) = Sandbox::new() else { return };
    for create in ["psem --name /s", "pshm --name /m --size 1M"] {
        shell
            .run(&format!("(ulimit -c 0; ulimit -f 0; ipctool create {create})"))
            .exits(1)
            .says("(EFBIG)");
        shell.run("ls -A /dev/shm").prints("");
    }
    shell
        .run("(ulimit -c 0; ulimit -f 0; ipctool guard --report report -- true)")
        .exits(1)
        .says("guard --report report: cannot write: File too large (EFBIG)\n");
    shell
        .run("(ulimit -c 0; ipctool create sem > /dev/null; ulimit -f 0; ipctool list > out)")
        .exits(1)
        .says("cannot write to standard output: File too large (EFBIG)\n");
    // What it starts, and what it stands in for, is as ever.
    shell.run("(ulimit -c 0; ulimit -f 0; ipctool guard -- dd if=/dev/zero of=out count=1 2> /dev/null)").exits(153);
    shell.run("(ulimit -c 0; ulimit -f 0; trap '' XFSZ; ipctool guard -- dd if=/dev/zero of=out count=1 2> /dev/null)").exits(1);
    shell.run("(ulimit -c 0; ulimit -f 0; ipctool ipcs > out)").exits(153);
}

/// What is done is done: only the report is missing.
#[test]
fn a_guard_whose_report_nobody_reads_can_be_ended() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run(
            "mkfifo pipe; exec 3<> pipe; head -c 65536 /dev/zero >&3
             ipctool guard --report pipe touch ran & sleep 0.5; kill -s TERM $!; wait $!",
        )
        .exits(143);
    shell.run("test -e ran").ok();
}
