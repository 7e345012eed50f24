//! What the programs that `ipctool` stands in for have in common, and where they differ on purpose
//! from the installed ones.

mod oracle;
mod sandbox;

use oracle::{agree_apart, with_links};
use sandbox::Sandbox;

#[test]
fn what_differs_on_purpose() {
    let Some(shell) = with_links() else { return };
    shell
        .run("ipctool create msg --key 0xbeef && ipctool create sem && ipctool create shm --size 1")
        .exits(0);
    // Numbers of more than 32 bits name nothing, where cutting them would hit msg:0.
    shell
        .run("links/ipcrm -Q 0x10000beef")
        .exits(1)
        .says("ipcrm: failed to parse argument: '0x10000beef': Numerical result out of range\n");
    shell.run("links/ipcrm msg 4294967296").exits(1).says("ipcrm: invalid id: 4294967296\n");
    shell.run("links/ipcrm msg ''").exits(1).says("ipcrm: invalid id: \n");
    shell.run("links/ipcrm -Q ''").exits(1).says("ipcrm: failed to parse argument: ''\n");
    for kind in ["-q", "-m", "-s"] {
        shell.run(&format!("links/ipcs {kind} -i -1")).exits(0).says("ipcs: id -1 not found\n");
    }
    shell.run("ipctool list -o ref --no-headings | tr '\\n' ' '").prints("msg:0 shm:0 sem:0 ");
    // All of it works without /proc.
    let Some(hidden) = Sandbox::privileged() else { return };
    oracle::install(&hidden);
    hidden.run("ipctool create msg").exits(0);
    let hide = "unshare --mount sh -c 'mount -t tmpfs none /proc && exec \"$@\"' sh";
    hidden.run(&format!("{hide} links/ipcs -q")).shows(" 0          ");
    hidden.run("ipctool create shm --size 5; ipctool create sem").exits(0);
    hidden.run(&format!("{hide} links/ipcs -m")).shows(" 0          ");
    hidden.run(&format!("{hide} links/ipcrm -amsg")).ok();
    hidden.run(&format!("{hide} links/ipcrm -a")).ok();
    hidden.run("ipctool list -o ref").prints("");
    hidden.run("ipctool create msg").exits(0);
    let id = hidden.run("ipctool list -o id --no-headings").ok().stdout();
    let id = id.trim();
    hidden
        .run(&format!("{hide} links/ipcs -q -i {id}"))
        .shows(&format!("Message Queue msqid={id}"));
    hidden.run(&format!("{hide} links/ipcrm -q {id}")).ok();
    shell.run("links/ipcmk -M 1,5K").exits(1).says("ipcmk: failed to parse size: '1,5K': Invalid");
    shell.run("links/ipcs --version").shows("ipcs from ipctool ").shows(" util-linux 2.38\n");
}

#[test]
fn the_programs_need_no_link() {
    let Some(shell) = with_links() else { return };
    shell.run("ipctool ipcmk -Q -p 600").prints("Message queue id: 0\n");
    let theirs = shell.run("links/ipcs -q -c").ok().stdout();
    shell.run("ipctool ipcs -q -c").prints(&theirs);
    shell.run("ipctool ipcs -z").exits(1).says("ipcs: invalid option -- 'z'\nTry 'ipcs --help'");
    shell
        .run("links/ipcs -z")
        .exits(1)
        .says("links/ipcs: invalid option -- 'z'\nTry 'ipcs --help' for more information.\n");
    shell.run("ipctool ipcrm msg 0").prints("resource(s) deleted\n");
    shell.run("ipctool ipcrm -q 0").exits(1).says("ipcrm: invalid id (0)\n");
    shell
        .run("ipctool --trace ipcs")
        .exits(2)
        .says("hint: it takes no options of ipctool: put it first\n");
    for name in ["ipcs", "ipcrm", "ipcmk", "msgtool"] {
        shell.run("ipctool --help").shows("\nDrop-in commands:\n").shows(&format!("\n  {name} "));
        shell.run("ipctool -h").shows(&format!("\n  {name} "));
    }
}

#[test]
fn output_that_cannot_be_written_is_told() {
    let many = "perl -e 'msgget(0, 01600) for 1 .. 200'";
    let outputs = ["> /dev/full", ">&-", "2> /dev/full", "2>&-", "> /dev/full 2>&-", ">&- 2>&-"];
    let calls = [
        // More than a block of output, and less.
        "ipcs",
        "ipcs -u",
        "ipcs -h",
        "ipcs -z",
        "ipcs -q -i 99999",
        "ipcrm",
        "ipcrm -v -q 0",
        "ipcrm -q 1",
        "ipcrm -v -q 777",
        "ipcrm -v $(for n in $(seq 300 600); do echo -q $n; done)",
        // Its keys are random, so no list comes after it.
        "ipcmk -Q",
    ];
    let mut lines = Vec::new();
    for call in calls {
        for output in outputs {
            lines.push(format!("{call} {output}"));
        }
        // A reader that has gone away: signal 13, or nothing where that is ignored.
        for traps in ["", "$SIG{PIPE} = q(IGNORE); "] {
            lines.push(format!(
                "perl -e '{traps}pipe R, W; close R; open STDOUT, q(>&W); $s = system q({call}); print STDERR qq($s\\n)'"
            ));
        }
    }
    let script = lines.iter().fold(format!("{many}\n"), |script, line| {
        let name = line.replace(['\'', '$', '"'], "");
        script + &format!("echo \"== {name}\"; echo \"== {name}\" >&2; {line}\necho \"-- $?\"\n")
    });
    agree_apart(&script, 80);
    let Some(shell) = with_links() else { return };
    shell.run(many).ok();
    shell
        .run("links/ipcs -u > /dev/full")
        .exits(1)
        .says("ipcs: write error: No space left on device\n");
    shell.run("links/ipcs | head -1").prints("\n");
}

#[test]
fn messages_come_between_the_same_bytes_of_output() {
    let ids = |count: u32| (0..count).map(|id| format!(" -q {id}")).collect::<String>();
    let lines = [0, 1, 100, 200, 300, 1000].map(|count| {
        let line = format!("ipcrm -v{}", ids(count));
        format!("echo '== {count}'; echo '== {count}' >&2; {line} > both 2>&1; cat both; {line} 2>&1 | cat\n")
    });
    agree_apart(&lines.concat(), 6);
}
