//! `ipcmk` beside the installed one: what it says, and what it makes.

mod oracle;
mod sandbox;

use oracle::{agree_apart, with_links};

#[test]
fn ipcmk_makes_the_same() {
    let mut lines = Vec::new();
    for size in [
        "1",
        "4096",
        "0x10",
        "010",
        "1K",
        "1k",
        "1KiB",
        "1Kib",
        "1KB",
        "1Kb",
        "3M",
        "1.5K",
        "1.5KiB",
        "1.5KB",
        "0.5M",
        "1.25M",
        "1.05K",
        "1.005K",
        "1.3K",
        "1.10K",
        "1.99K",
        "2.625K",
        "0.001M",
        "1.999999999999K",
        "0.75MB",
        "' 5'",
        "+5",
        "0",
        "-1",
        "abc",
        "''",
        "1.5",
        "1X",
        "1KBB",
        "1Ki",
        "'1 K'",
        "8E",
        "16E",
        "1Z",
        "1Y",
        "99999999999999999999",
        "99999999999999999999K",
        "1,5K",
        "1.99999999999999999999K",
        "0K",
        ".5K",
        "1.K",
        "K",
        "1B",
        "1b",
        "0.5Z",
        "0.5ZiB",
        "0.5Y",
        "0.05YB",
        "0.5ZB",
        "0Z",
        "1.5Z",
        "3..5G",
        "0..5Kib",
        "0...5K",
        "1.0.5K",
        "1.00.05K",
        "1.5.5K",
        "1.0.0K",
        "1..",
        "1..K",
        "1.B",
        "1.iB",
        "2.99999999999999999999999",
        "2.0.99999999999999999999999X",
        "1.0000000000000000000000001K",
    ] {
        lines.push(format!("-M {size}"));
    }
    for number in ["1", "250", "0", "-1", "abc", "''", "32001", "99999999999", "1x", "0x1", "010"] {
        lines.push(format!("-S {number}"));
    }
    for mode in [
        "0",
        "600",
        "0600",
        "777",
        "1000",
        "2600",
        "4600",
        "7777",
        "10600",
        "abc",
        "''",
        "8",
        "0x1",
        "-1",
        "660x",
        "' 66'",
        "+66",
        "7777777777777777777777777",
    ] {
        lines.push(format!("-Q -p {mode}"));
    }
    let others = [
        "",
        "-Q",
        "--queue",
        "-p 600",
        "-Q foo",
        "foo",
        "-M 1 -Q -S 2",
        "-S 2 -Q -M 1 -p 640",
        "-M 1 -M 2",
        "-QQ",
        "-Q -p 600 -p 640",
        "--shmem 5",
        "--shmem=5 --mode=600",
        "--semaphore 3",
        "--sem 3",
        "--s 3",
        "--sh 3",
        "--q",
        "-M",
        "-S",
        "-p",
        "-x",
        "--foo",
        "--=",
        "--=x",
        "--s",
        "--queue=1",
        "-h",
        "--help",
        "-Qh",
        "-M abc -Q",
        "-Q -M abc",
        "-S 0 -Q",
        "-Q -S 0",
        "-M 10 -p 10600",
        "-Q -- -x",
        "-M 4096 -p 14600",
    ];
    lines.extend(others.map(str::to_owned));
    let list = "ipctool list -P -o kind,mode,messages,size,nsems --no-headings; \
                ipctool list -m -o status --no-headings; ipctool rm --all --yes 2> /dev/null";
    let script = lines.iter().fold(String::new(), |script, line| {
        let name = line.replace('\'', "\"");
        script
            + &format!(
                "echo '== {name}'; echo '== {name}' >&2; ipcmk {line}; echo \"-- $?\"\n{list}\n"
            )
    });
    agree_apart(&script, 100);
}

#[test]
fn keys_of_ipcmk_are_random() {
    let Some(shell) = with_links() else { return };
    shell
        .run("for n in $(seq 20); do links/ipcmk -Q; done | tail -1")
        .prints("Message queue id: 19\n");
    shell
        .run("ipctool list -q -o key --no-headings | grep -v '^-' | sort -u | wc -l")
        .prints("20\n");
}
