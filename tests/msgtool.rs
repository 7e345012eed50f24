//! `msgtool` of the Linux Programmer's Guide, with a C program as in the book on the other side.

mod sandbox;

use sandbox::Sandbox;

fn with_link() -> Option<Sandbox> {
    let shell = Sandbox::new()?;
    shell
        .run("mkdir links && ipctool install-links links 2> notes; ln -s links/msgtool .")
        .exits(0);
    Some(shell)
}

#[test]
fn messages_go_both_ways_with_a_program_of_the_book() {
    let Some(shell) = with_link() else { return };
    shell.compile("guide");
    shell.run("./msgtool s 1 'hello from the tool'").prints("Sending a message ...\n");
    shell.run("./guide 0").prints("Type: 1 Text: hello from the tool\n");
    shell.run("./guide 5 'hello from the book'").ok();
    shell.run("./msgtool r 5").prints("Reading a message ...\nType: 5 Text: hello from the book\n");
    // The longest text that the struct has room for.
    shell.run("./msgtool send 7 $(printf '%079d' 7)").ok();
    shell.run("./guide 7 | wc -c").prints("94\n");
    shell.run("./guide 7 $(printf '%079d' 7)").ok();
    shell.run("./msgtool recv 7 | wc -c").prints("116\n");
    shell.run("./msgtool s 1 ''").ok();
    shell.run("./guide 1").prints("Type: 1 Text: \n");
}

#[test]
fn the_queue_is_that_of_the_directory() {
    let Some(shell) = with_link() else { return };
    shell.run("./msgtool s 1 x").ok();
    let key = shell.run("ipctool key . m").ok().stdout();
    shell
        .run("ipctool list -P -o key,mode,messages,bytes --no-headings | tr -s ' '")
        .prints(&format!("{} 0660 1 2\n", key.trim()));
    shell
        .run("mkdir other && cd other && ../msgtool s 1 y && ipctool list -q --no-headings | wc -l")
        .prints("Sending a message ...\n2\n");
}

#[test]
fn verbs_are_words_or_letters() {
    let Some(shell) = with_link() else { return };
    for verb in ["s", "S", "send", "SEND"] {
        shell.run(&format!("./msgtool {verb} 3 text")).prints("Sending a message ...\n");
    }
    for verb in ["r", "R", "recv", "receive"] {
        shell
            .run(&format!("./msgtool {verb} 3"))
            .prints("Reading a message ...\nType: 3 Text: text\n");
    }
    for (verb, mode) in [("m", "600"), ("mode", "0640"), ("MODE", "0")] {
        shell.run(&format!("./msgtool {verb} {mode}")).prints("");
        let shown = format!("{:04o}\n", u32::from_str_radix(mode, 8).unwrap());
        shell.run("ipctool list -P -q -o mode --no-headings | tr -d ' '").prints(&shown);
    }
    for verb in ["d", "D", "delete"] {
        // What is not there need not go.
        shell.run(&format!("./msgtool {verb}")).prints("");
        shell.run("ipctool list").prints("");
        shell.run("ipctool create msg --key $(ipctool key . m)").ok();
    }
}

#[test]
fn types_choose_as_in_msgrcv() {
    let Some(shell) = with_link() else { return };
    shell.run("for type in 3 1 2; do ./msgtool s $type no-$type; done").exits(0);
    shell.run("./msgtool r 2 | tail -1").prints("Type: 2 Text: no-2\n");
    shell.run("./msgtool r -9 | tail -1").prints("Type: 1 Text: no-1\n");
    shell.run("./msgtool r 0 | tail -1").prints("Type: 3 Text: no-3\n");
}

#[test]
fn whatever_is_wrong_makes_no_queue() {
    let Some(shell) = with_link() else { return };
    for line in [
        "", "s", "s 1", "send", "r", "recv", "m", "mode", "x", "''", "-z", "dump", "deleted",
        "rm 1", "d 5", "r 1 2", "m 600 x",
    ] {
        shell
            .run(&format!("./msgtool {line}"))
            .exits(1)
            .says("msgtool - A utility for tinkering with msg queues\n")
            .says("USAGE: msgtool (s)end <type> <messagetext>\n");
    }
    shell.run("./msgtool s 1 two words").exits(1).says("put it in quotes");
    shell.run("./msgtool s abc x").exits(1).says("msgtool: 'abc' is not the type of a message\n");
    shell.run("./msgtool s '' x").exits(1).says("msgtool: '' is not the type");
    shell.run("./msgtool s 0 x").exits(1).says("greater than 0");
    shell.run("./msgtool s -1 x").exits(1).says("greater than 0");
    shell.run("./msgtool r 99999999999999999999").exits(1).says("is not the type");
    shell.run("./msgtool m 8").exits(1).says("'8' is not a mode");
    shell.run("./msgtool s 1 $(printf '%080d' 1)").exits(1).says(
        "msgtool: the text has 80 bytes: a message has room for 79 and the NUL that ends it\n",
    );
    shell.run("ipctool list").prints("");
    shell.run("./msgtool --help").shows("USAGE: msgtool (s)end");
}

#[test]
fn longer_messages_of_others_are_shown_whole() {
    let Some(shell) = with_link() else { return };
    shell.run("./msgtool m 660; ipctool send $(ipctool key . m) $(printf '%05000d' 4)").ok();
    shell.run("./msgtool r 0 | tail -1 | wc -c").prints("5015\n");
    // What stands behind the text is not lost either.
    shell.run("printf 'text\\0more\\1' | ipctool send $(ipctool key . m)").ok();
    shell
        .run("./msgtool r 0")
        .exits(0)
        .shows("Text: text\n")
        .says("msgtool: the message has 6 bytes after the text: \\x00more\\x01\n");
    // A struct filled up with NULs has nothing behind its text.
    shell.run("printf 'text\\0\\0\\0' | ipctool send $(ipctool key . m)").ok();
    shell.run("./msgtool r 0 | tail -1").prints("Type: 1 Text: text\n");
}

#[test]
fn what_cannot_be_written_goes_back() {
    let Some(shell) = with_link() else { return };
    shell.run("./msgtool s 4 keep").ok();
    for sink in ["> /dev/full", ">&-"] {
        shell
            .run(&format!("./msgtool r 0 {sink}"))
            .exits(1)
            .says("msgtool: cannot write to standard output: ")
            .says("1 message went back on the queue\n");
    }
    shell
        .run("perl -e 'pipe R, W; close R; open STDOUT, \">&W\"; exec \"./msgtool\", \"r\", 0'")
        .exits(1)
        .says("went back on the queue");
    shell.run("./msgtool r 4 | tail -1").prints("Type: 4 Text: keep\n");
}

#[test]
fn a_signal_ends_the_wait() {
    let Some(shell) = with_link() else { return };
    shell.start("exec ipctool msgtool r 1").waits().signal("TERM").ends().exits(128 + 15);
    shell.run("./msgtool s 1 later").ok();
    shell.run("./msgtool r 1 | tail -1").prints("Type: 1 Text: later\n");
}

#[test]
fn who_locked_himself_out_gets_back_in() {
    let Some(shell) = with_link() else { return };
    shell.run("./msgtool m 0 && ./msgtool m 660 && ./msgtool s 1 x").ok();
    shell.run("./msgtool m 0 && ./msgtool d && ipctool list").prints("");
}
