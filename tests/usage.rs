//! What is wrong with a command line, in one line and perhaps a hint.

mod sandbox;

use sandbox::Sandbox;

/// Checks that each of these lines is wrong usage, with exactly this message.
#[track_caller]
fn are_refused(lines: &[(&str, &str)]) {
    let Some(shell) = Sandbox::new() else { return };
    for (line, words) in lines {
        let ran = shell.run(&format!("ipctool {line}")).exits(2);
        assert_eq!(ran.stderr(), format!("ipctool: {words}\n"), "{line}");
    }
}

#[test]
fn a_number_is_in_the_range_of_its_option() {
    are_refused(&[
        ("list --pid 0", "list: --pid: 0 is less than 1"),
        ("list --pid 2147483648", "list: --pid: '2147483648' is too large a number"),
        ("list --pid -1", "list: --pid: -1 is less than 1"),
        ("recv 0 -n -1", "recv: --count: -1 is less than 1"),
        (
            "create shm --size -5",
            "create: --size: '-5' is not a size: write bytes, or 64K, 2M, 1GiB",
        ),
        (
            "recv 0 --timeout -1s",
            "recv: --timeout: '-1s' is not a duration: write 30s, 10m, 2h or 7d",
        ),
        ("limits --check -5", "limits: --check: '-5' is not a percentage from 1 to 100"),
        ("rm -q -1", "rm: --queue-id: '-1' is not an id: an id is a number from 0 to 2147483647"),
        ("list --pid x", "list: --pid: 'x' is not a number"),
        ("list --pid ''", "list: --pid: '' is not a number"),
        (
            "recv 0 -n 18446744073709551616",
            "recv: --count: '18446744073709551616' is too large a number",
        ),
        ("send 0 -t -1", "send: --type: -1 is less than 1"),
        ("send 0 --priority 32768", "send: --priority: 32768 is not in 0..=32767"),
        ("create sem --nsems 4294967297", "create: --nsems: '4294967297' is too large a number"),
        ("create psem --name /s --value=-1", "create: --value: -1 is not in 0..=2147483647"),
        ("guard --max-leaks=-1 -- true", "guard: --max-leaks: -1 is less than 0"),
    ]);
}

#[test]
fn what_may_have_been_meant_is_a_hint() {
    are_refused(&[
        (
            "lst",
            "unrecognized subcommand 'lst'\nhint: some similar subcommands exist: 'stat', 'ls', 'list'",
        ),
        (
            "--colr",
            "unexpected argument '--colr' found\nhint: a similar argument exists: '--color'",
        ),
        ("--who list", "list: unexpected argument '--who' found\nhint: 'list --who' exists"),
        (
            "-- list",
            "list: unexpected argument 'list' found\nhint: subcommand 'list' exists; to use it, remove the '--' before it",
        ),
        (
            "--trace ipcs",
            "unrecognized subcommand 'ipcs'\nhint: it takes no options of ipctool: put it first",
        ),
        ("list -x", "list: unexpected argument '-x' found\nhint: see 'ipctool list --help'"),
        (
            "send 0 -x",
            "send: unexpected argument '-x' found\nhint: a message that begins with a dash goes behind -e or '--': ipctool send 0 -e -x",
        ),
        (
            "send 0 --lins",
            "send: unexpected argument '--lins' found\nhint: a similar argument exists: '--lines'; a message that begins with a dash goes behind -e or '--': ipctool send 0 -e --lins",
        ),
        (
            "list --format jsn",
            "list: invalid value 'jsn' for '--format <FORMAT>' [possible values: table, plain, json, jsonl, csv, tsv, export]\nhint: a similar value exists: 'json'",
        ),
    ]);
}

#[test]
fn what_does_not_go_together_or_is_missing_is_named() {
    are_refused(&[
        (
            "recv 0 -n 1 --all",
            "recv: the argument '--count <N>' cannot be used with '--all'\nhint: see 'ipctool recv --help'",
        ),
        (
            "recv 0 -n 1 --all --follow",
            "recv: the argument '--count <N>' cannot be used with: --all --follow\nhint: see 'ipctool recv --help'",
        ),
        (
            "recv 0 --json=5",
            "recv: unexpected value '5' for '--json' found; no more were expected\nhint: see 'ipctool recv --help'",
        ),
        (
            "chmod",
            "chmod: the following required arguments were not provided: <MODE>\nhint: see 'ipctool chmod --help'",
        ),
        ("list --sort", "list: a value is required for '--sort <COL>' but none was supplied"),
        (
            "list \"$(printf '\\377')\"",
            "list: invalid UTF-8 was detected in one or more arguments\nhint: see 'ipctool list --help'",
        ),
    ]);
}

#[test]
fn help_stands_alone() {
    are_refused(&[
        (
            "send 0 -hello",
            "send: '-h' must stand alone, but here it is in '-hello'\nhint: a message that begins with a dash goes behind -e or '--': ipctool send 0 -e -hello",
        ),
        (
            "send 0 a '-h b'",
            "send: '-h' must stand alone, but here it is in '-h b'\nhint: a message that begins with a dash goes behind -e or '--': ipctool send 0 a -e '-h b'",
        ),
        (
            "list -qh",
            "list: '-h' must stand alone, but here it is in '-qh'\nhint: see 'ipctool list --help'",
        ),
        ("-help", "'-h' must stand alone, but here it is in '-help'\nhint: see 'ipctool --help'"),
        ("-Vx", "'-V' must stand alone, but here it is in '-Vx'\nhint: see 'ipctool --help'"),
    ]);
    let Some(shell) = Sandbox::new() else { return };
    for line in ["send -h", "send 0 a --help", "list -q -h", "-h", "--version"] {
        shell.run(&format!("ipctool {line}")).ok();
    }
}

#[test]
fn help_is_a_command_too() {
    let Some(shell) = Sandbox::new() else { return };
    for verb in ["", "list", "ls", "rm", "help", "ipcs", "msgtool"] {
        let option = shell.run(&format!("ipctool {verb} --help")).ok().stdout();
        shell.run(&format!("ipctool help {verb}")).prints(&option);
    }
    shell
        .run("ipctool help lst")
        .exits(2)
        .says("some similar subcommands exist: 'stat', 'ls', 'list'");
    shell.run("ipctool help list rm").exits(2).says("unexpected argument 'rm' found");
    let full = "ipctool: cannot write to standard output: No space left on device (ENOSPC)\n";
    for line in ["help", "--version", "list --help"] {
        let ran = shell.run(&format!("ipctool {line} > /dev/full")).exits(1);
        assert_eq!(ran.stderr(), full, "{line}");
    }
}

#[test]
fn a_word_of_another_program_leads_to_the_command_that_does_it() {
    are_refused(&[
        (
            "delete msg:0 '/two words'",
            "unrecognized subcommand 'delete'\nhint: to remove objects: ipctool rm msg:0 '/two words'",
        ),
        ("remove", "unrecognized subcommand 'remove'\nhint: to remove objects: ipctool rm REF"),
        (
            "show msg:0",
            "unrecognized subcommand 'show'\nhint: to see everything about an object: ipctool stat msg:0",
        ),
        (
            "info",
            "unrecognized subcommand 'info'\nhint: to see everything about an object: ipctool stat REF",
        ),
        (
            "--color never receive 0xbeef",
            "unrecognized subcommand 'receive'\nhint: to receive a message: ipctool recv 0xbeef",
        ),
        (
            "peek 0",
            "unrecognized subcommand 'peek'\nhint: to see messages without taking them: ipctool recv --peek --all 0",
        ),
        (
            "purge 0",
            "unrecognized subcommand 'purge'\nhint: to take all messages off a queue: ipctool recv --all 0",
        ),
        (
            "ps aux",
            "unrecognized subcommand 'ps'\nhint: to see who uses the objects: ipctool list --who",
        ),
        (
            "free",
            "unrecognized subcommand 'free'\nhint: to see limits and how much of each is used: ipctool limits",
        ),
        (
            "version",
            "unrecognized subcommand 'version'\nhint: to see the version: ipctool --version",
        ),
    ]);
}

#[test]
fn a_habit_from_the_old_programs_leads_to_the_command_that_does_it() {
    const KINDS: &str = "[possible values: msg, shm, sem, pmsg, pshm, psem]";
    are_refused(&[
        (
            "list -l",
            "list: unexpected argument '-l' found\nhint: to see the limits: ipctool limits",
        ),
        ("list -u", "list: unexpected argument '-u' found\nhint: to see how much is used: ipctool"),
        (
            "list -q -i 0",
            "list: unexpected argument '-i' found\nhint: to see everything about one object: ipctool stat KIND:ID",
        ),
        (
            "list msg:0",
            &format!(
                "list: invalid value 'msg:0' for '[KIND]...' {KINDS}\nhint: to see everything about one object: ipctool stat msg:0"
            ),
        ),
        (
            "list /jobs",
            &format!(
                "list: invalid value '/jobs' for '[KIND]...' {KINDS}\nhint: to see everything about one object: ipctool stat /jobs"
            ),
        ),
        (
            "rm msg 0",
            "rm: 'msg' is not a reference: write KIND:ID, KIND:0xKEY or KIND:/NAME, such as msg:32768\nhint: an object is named as KIND:REF: ipctool rm msg:0",
        ),
        (
            "stat sem",
            "stat: 'sem' is not a reference: write KIND:ID, KIND:0xKEY or KIND:/NAME, such as msg:32768\nhint: to list this kind: ipctool list sem",
        ),
        (
            "create -Q",
            "create: unexpected argument '-Q' found\nhint: to create a message queue: ipctool create msg",
        ),
    ]);
}
