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
            "send: unexpected argument '-x' found\nhint: a message that begins with a dash goes after '--': ipctool send QUEUE -- MESSAGE",
        ),
        (
            "send 0 --lins",
            "send: unexpected argument '--lins' found\nhint: a similar argument exists: '--lines'",
        ),
        (
            "list --format jsn",
            "list: invalid value 'jsn' for '--format <FORMAT>' [possible values: table, plain, json, jsonl, csv, tsv]\nhint: a similar value exists: 'json'",
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
            "chmod: the following required arguments were not provided: <MODE> <REF>...\nhint: see 'ipctool chmod --help'",
        ),
        ("list --sort", "list: a value is required for '--sort <COL>' but none was supplied"),
        (
            "list \"$(printf '\\377')\"",
            "list: invalid UTF-8 was detected in one or more arguments\nhint: see 'ipctool list --help'",
        ),
    ]);
}
