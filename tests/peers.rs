//! Together with programs that nobody here wrote: util-linux, Perl, and C as the textbooks have it.

mod sandbox;

use sandbox::Sandbox;

#[test]
fn messages_go_both_ways_with_a_textbook_program() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("textbook");
    shell.run("./textbook 'from the book'").ok();
    shell
        .run("ipctool recv 0xbeef --peek --json | cut -d, -f2-3")
        .prints("\"type\":1,\"size\":100\n");
    shell.run("ipctool recv 0xbeef --until-nul").prints("from the book\n");
    shell.run("ipctool send 0xbeef --append-nul 'to the book'").ok();
    shell.run("./textbook").prints("Data Received is : to the book\n");
}

#[test]
fn messages_go_both_ways_with_perl() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --key 0xbeef").ok();
    shell
        .run("perl -e 'msgsnd(msgget(0xbeef, 0), pack(\"l! a*\", 42, \"a\\0b\\n\"), 0) or die $!'")
        .ok();
    shell
        .run("ipctool recv 0xbeef -t 42 --json")
        .prints("{\"ref\":\"msg:0\",\"type\":42,\"size\":4,\"text\":\"a\\u0000b\\n\"}\n");
    shell.run("printf 'a\\0b' | ipctool send 0xbeef -t 7").ok();
    shell
        .run(
            "perl -e 'msgrcv(msgget(0xbeef, 0), $m, 100, 7, 0) // die $!; \
             ($t, $x) = unpack(\"l! a*\", $m); print \"$t \", length $x, \" $x\"'",
        )
        .prints("7 3 a\0b");
}

#[test]
fn the_installed_tools_agree_on_what_there_is() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run("ipcmk -Q -p 640 && ipcmk -M 12345 -p 604 && ipcmk -S 7 && ipctool send 0 abc def")
        .exits(0);
    let fields = "awk '{print $1, $2, $4, $5, $6}'";
    let ours = shell.run(
        "(ipctool list -P -q -o key,id,mode,bytes,messages --no-headings; \
          ipctool list -P -m -o key,id,mode,size,attached --no-headings; \
          ipctool list -P -s -o key,id,mode,nsems --no-headings) | sed 's/ 0\\([0-7][0-7][0-7]\\) / \\1 /' | tr -s ' ' | sed 's/ *$//'"
    );
    let theirs = shell.run(&format!("ipcs | grep ^0x | {fields} | sed 's/ *$//'"));
    assert_eq!(ours.ok().stdout(), theirs.ok().stdout());
    let ours = shell.run("ipctool list -q -o id,messages --no-headings");
    let theirs = shell.run("lsipc -q --raw --noheadings -o ID,MSGS").ok();
    let words = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words(ours.ok().stdout()), words(theirs.stdout()));
}

#[test]
fn each_removes_what_the_other_made() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipcmk -Q && ipcmk -M 1 && ipcmk -S 1").exits(0);
    shell.run("ipctool rm -q 0 -m 0 -s 0").ok();
    shell.run("ipcs | grep -c ^0x").exits(1);
    shell.run("ipctool create msg && ipctool create shm --size 1 && ipctool create sem").ok();
    shell.run("ipcrm -a").ok();
    shell.run("ipctool list").prints("");
}

#[test]
fn a_trace_shows_the_system_calls_that_strace_would() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run("ipctool --trace create msg --key 0xbeef")
        .exits(0)
        .says("msgget(0xbeef, IPC_CREAT|0600) = 0\n");
    shell
        .run("ipctool send 0 x --trace")
        .exits(0)
        .says("msgsnd(0, {mtype=1, mtext=\"x\"}, 1, IPC_NOWAIT) = 0\n");
    shell
        .run("ipctool rm msg:9 --trace")
        .exits(3)
        .says("msgctl(9, IPC_RMID, NULL) = -1 EINVAL (Invalid argument)\n");
}
