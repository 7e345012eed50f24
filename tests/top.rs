//! `ipctool top`: a live screen, at a real terminal.

mod sandbox;
mod terminal;

use regex_lite::Regex;
use sandbox::{Sandbox, only_root, until};
use serde_json::Value;
use terminal::Terminal;

const SIZE: (u16, u16) = (80, 24);

/// The last line of the screen of the table.
const KEYS: &str = "q quit ? help Enter stat p peek x rm c chmod / filter s sort K kinds d doctor";

/// A namespace with objects of every kind: `msg:0` has three messages.
fn world() -> Option<Sandbox> {
    let shell = Sandbox::with_posix()?;
    shell
        .run(
            "ipctool create msg --key 0xbeef; for text in one two three; do ipctool send 0xbeef $text; done; \
             ipctool create shm --key 0xcafe --size 64K; ipctool create sem --key 0xf00d --nsems 3; \
             ipctool create pmsg --name /jobs --max-messages 4 --message-size 64; ipctool send /jobs one; \
             ipctool create pshm --name /cache --size 4096; ipctool create psem --name /lock --value 1",
        )
        .ok();
    Some(shell)
}

/// The screen of a line of shell that runs `top`, and then shows its status.
fn at(shell: &Sandbox, size: (u16, u16), line: &str) -> Terminal {
    Terminal::run(shell, size, false, &format!("{line}; echo status $?"))
}

fn top(shell: &Sandbox) -> Terminal {
    at(shell, SIZE, "ipctool top -d 100ms").shows(KEYS).shows("psem:/lock")
}

/// Ends it with `q`; the screen is as before then.
#[track_caller]
fn quits(terminal: Terminal) {
    let screen = terminal.types("q").ends();
    assert_eq!(screen.text, "status 0\n");
}

#[test]
fn everything_is_there_and_what_changes_is_seen() {
    let Some(shell) = world() else { return };
    let terminal = top(&shell)
        .shows("ipctool top  6 objects  every 100ms")
        .shows("1 msg  1 shm  1 sem  1 pmsg  1 pshm  1 psem  memory ")
        .shows("3 messages    ")
        .shows("3 semaphores")
        .shows("1 message     ██▌░░░░░░░  25%")
        .shows("── processes of msg:0 ─");
    shell.run("seq 4 | ipctool send 0xbeef --lines").ok();
    let terminal = terminal.shows("7 messages");
    shell.run("ipctool create msg --key 0xabc; ipctool rm shm:0").ok();
    let terminal = terminal.shows("msg:1  ").lacks("shm:0").shows("2 msg  0 shm");
    quits(terminal);
}

#[test]
fn the_users_of_the_selected_object_are_shown() {
    let Some(shell) = world() else { return };
    shell.compile("use");
    let holder = shell.start("exec ./use shm 0").ready();
    let terminal = top(&shell).types("\x1b[B").shows("processes of shm:0").shows("attached");
    holder.signal("KILL").ends();
    quits(terminal.shows("gone"));
}

#[test]
fn details_and_messages_are_shown_and_the_messages_stay() {
    let Some(shell) = world() else { return };
    shell.run(r"printf '\033[31m\007red' | ipctool send 0xbeef").ok();
    let terminal = top(&shell)
        .types("\n")
        .shows("msg:0  message queue")
        .shows("  key          0x0000beef")
        .shows("up down scroll  q back");
    shell.run("ipctool send 0xbeef more").ok();
    let terminal = terminal
        .shows("  messages     5")
        .types("q")
        .shows(KEYS)
        .types("p")
        .shows("msg:0: messages, the next one first")
        .shows("       1        5  three\n       1        9  \\x1b[31m\\x07red\n")
        .types("\x1b")
        .shows(KEYS)
        // A POSIX queue cannot be peeked at, and other objects hold none.
        .types("\x1b[B\x1b[B\x1b[Bp")
        .shows("top pmsg:/jobs: it holds 1 message: the kernel cannot show those of a")
        .types("\x1b[Fp")
        .shows("top psem:/lock: a POSIX semaphore holds no messages");
    quits(terminal);
    shell.run("ipctool stat msg:0 --json | grep -c '\"messages\":5'").exits(0).shows("1\n");
}

#[test]
fn an_object_is_removed_after_a_yes_alone() {
    let Some(shell) = world() else { return };
    let terminal = top(&shell)
        .types("x")
        .shows("remove msg:0 with 3 messages?\ny yes  any other key: no")
        .types("n")
        .shows("nothing was done");
    shell.run("ipctool stat msg:0").exits(0);
    let terminal = terminal.types("x").shows("y yes").types("y").shows("removed msg:0");
    let terminal = terminal.shows("0 msg  ");
    shell.run("ipctool stat msg:0").exits(3);
    // The next one is selected, and goes meanwhile.
    let terminal = terminal.types("x").shows("remove shm:0?");
    shell.run("ipctool rm shm:0").ok();
    let terminal = terminal.types("y").shows("hint: ");
    quits(terminal.types("q").shows(KEYS));
}

#[test]
fn a_name_that_was_given_away_is_spared() {
    let Some(shell) = world() else { return };
    // While the screen is frozen.
    let terminal = top(&shell).types(" ").shows("frozen").types("\x1b[B\x1b[B\x1b[B\x1b[B");
    let terminal = terminal.shows("processes of pshm:/cache");
    shell.run("ipctool rm pshm:/cache; ipctool create pshm --name /cache --size 9").ok();
    let terminal = terminal
        .types("x")
        .shows("y yes")
        .types("y")
        .shows("nothing was done: another object has its name");
    shell.run("ipctool stat pshm:/cache").exits(0).shows("9B");
    quits(terminal);
    // It looks again after that. A mode is refused in the same way.
    let terminal = top(&shell).types(" ").shows("frozen").types("\x1b[B\x1b[B\x1b[B\x1b[B");
    let terminal = terminal.shows("processes of pshm:/cache").types("c600");
    shell.run("ipctool rm pshm:/cache; ipctool create pshm --name /cache --size 9 --mode 640").ok();
    quits(terminal.types("\n").shows("nothing was done: another object has its name"));
    shell.run("ipctool list pshm -o mode --no-headings").prints("rw-r-----\n");
}

#[test]
fn nothing_is_done_to_what_has_changed_since_it_was_shown() {
    let Some(shell) = world() else { return };
    shell.run("ipctool create msg --key 0xabc").ok();
    let terminal = top(&shell).types("/abc\nx").shows("remove msg:1?").shows("y yes");
    shell.run("ipctool send 0xabc precious").ok();
    let terminal = terminal.types("y").shows("nothing was done: it holds messages now");
    let terminal = terminal.types("x").shows("remove msg:1 with 1 message?").shows("y yes");
    shell.run("ipctool chmod 660 msg:1").ok();
    let terminal =
        terminal.types("y").shows("nothing was done: its owner, mode or key has changed");
    // What was typed before the question could be read is no answer.
    let terminal = terminal.shows("q quit").types("xyxyxy").shows("remove msg:1 with");
    quits(terminal.types("n").shows("nothing was done"));
    shell.run("ipctool stat msg:1").exits(0);
}

#[test]
fn what_is_long_is_shown_whole() {
    let Some(shell) = world() else { return };
    let long = "a".repeat(200);
    shell.run(&format!("ipctool create psem --name /{long}; ipctool create sem --mode 0")).ok();
    // It takes no column from the others.
    let terminal = top(&shell).shows("HISTORY").shows("25%");
    let terminal = terminal.types("/aaa\nx").shows("\ny yes  any other key: no");
    let terminal = terminal.until("the whole name", |text| {
        text.replace(['\n', ' '], "").contains(&format!("removepsem:/{long}?"))
    });
    // The end of what is typed is in sight.
    let typed = format!("c{}xyz", "0".repeat(190));
    let terminal = terminal.types("n").types(&typed).shows("000xyz_").types("\x15").shows(": _");
    quits(terminal.types("\x1b").shows(KEYS));
}

#[test]
fn more_users_than_fit_are_counted() {
    let Some(shell) = world() else { return };
    shell.compile("use");
    let holders: Vec<_> = (0..9).map(|_| shell.start("exec ./use shm 0").ready()).collect();
    let terminal = top(&shell).types("\x1b[B").shows("processes of shm:0").shows(" more: Enter");
    let terminal = terminal.types("x").shows("remove shm:0, attached 9 times: it is marked");
    quits(terminal.types("n").shows("nothing was done"));
    drop(holders);
}

#[test]
fn a_frozen_screen_looks_once_when_it_is_asked_for_all() {
    let Some(shell) = world() else { return };
    let terminal = top(&shell).types(" ").shows("frozen").types("A").shows("all namespaces");
    let terminal = terminal.until("objects", |text| !text.contains("  0 objects"));
    quits(terminal.types("A").lacks("all namespaces").shows("psem:/lock"));
    // An interval beyond every clock.
    let line = "ipctool top -d 9999999999999999999";
    quits(at(&shell, SIZE, line).shows(KEYS).shows("psem:/lock"));
}

#[test]
fn it_redraws_after_others_have_used_the_terminal() {
    let Some(shell) = world() else { return };
    let line = "sh -c 'echo $$ > pid; exec ipctool top -d 100ms'";
    let terminal = at(&shell, SIZE, line).shows(KEYS);
    shell.run("kill -STOP $(cat pid); printf '\\rGARBAGE' > /proc/$(cat pid)/fd/1; sleep 1").ok();
    let terminal = terminal.shows("GARBAGE");
    shell.run("kill -CONT $(cat pid)").ok();
    let terminal = terminal.lacks("GARBAGE").shows(KEYS);
    shell.run("printf '\\rGARBAGE' > /proc/$(cat pid)/fd/1").ok();
    quits(terminal.shows("GARBAGE").types("\x0c").lacks("GARBAGE").shows(KEYS));
}

#[test]
fn it_stops_with_the_script_that_runs_it() {
    let Some(shell) = world() else { return };
    let screen = Terminal::run(&shell, SIZE, false, "bash --norc -i")
        .shows("bash")
        .types("PS1='> '; sh -c 'ipctool top -d 100ms; echo after $?'\n")
        .shows(KEYS)
        .types("\x1a")
        .shows("Stopped")
        .types("fg\n")
        .shows(KEYS)
        .types("q")
        .shows("after 0")
        .types("exit\n")
        .ends();
    assert!(screen.text.contains("after 0"));
}

#[test]
fn a_signal_during_a_fix_ends_it() {
    let Some(shell) = Sandbox::with_posix() else { return };
    shell.run("ipctool create sem --mode 0").ok();
    // The fix waits.
    shell
        .run("mkdir bin; printf '#!/bin/sh\nexec sleep 60\n' > bin/ipctool; chmod +x bin/ipctool")
        .ok();
    let line =
        "sh -c 'echo $$ > pid; top=$(command -v ipctool); PATH=$PWD/bin:$PATH exec $top top'";
    let terminal = at(&shell, SIZE, line).shows("sem:0").types("d").shows("fix: ipctool chmod");
    let terminal =
        terminal.types("\n").shows("y yes").types("y").shows("$ ipctool chmod u+rw sem:0");
    shell.run("kill -TERM $(cat pid)").ok();
    assert!(terminal.ends().text.ends_with("status 143\n"));
}

#[test]
fn a_mode_is_changed() {
    let Some(shell) = world() else { return };
    let terminal = top(&shell)
        .types("c")
        .shows("mode (0600) of msg:0: _")
        .types("99\n")
        .shows("'99'")
        .types("\x7f\x7fg+r\n")
        .shows("msg:0: 0600 (rw-------) → 0640 (rw-r-----)");
    quits(terminal);
    shell.run("ipctool list msg -o mode --no-headings").prints("rw-r-----\n");
}

#[test]
fn the_table_is_filtered_sorted_and_frozen() {
    let Some(shell) = world() else { return };
    let terminal = top(&shell)
        .types("/CA")
        .shows("2 of 6 objects")
        .types("F")
        .lacks("pshm:/cache")
        .types("\x7f")
        .shows("filter: CA_")
        .shows("pshm:/cache")
        .types("\n")
        .shows("with 'CA'")
        .shows(KEYS)
        .types("\x1b")
        .shows("  6 objects")
        .types("K2q")
        .lacks("shm:0 ")
        .types("s")
        .shows("Sort by")
        .types("\x1b[B\x1b[B\x1b[B\n")
        .shows("sorted by ref")
        .types("r")
        .shows("sorted by ref, descending")
        .until("the last one first", |text| {
            let place = |name| text.find(name).expect("it is shown");
            place("psem:/lock") < place("pmsg:/jobs")
        })
        .types(" ")
        .shows("frozen");
    shell.run("ipctool create msg --key 7").ok();
    quits(terminal.types(" ").lacks("frozen").shows("msg:1"));
}

#[test]
fn what_doctor_finds_is_shown_and_a_fix_runs_after_a_yes() {
    let Some(shell) = Sandbox::with_posix() else { return };
    shell.run("ipctool create sem --mode 0").ok();
    let fix = "fix: ipctool chmod u+rw sem:0";
    let terminal = at(&shell, SIZE, "ipctool top -d 100ms").shows("sem:0").types("d").shows(fix);
    let terminal = terminal
        .shows("What doctor finds (1 of ")
        .types("\n")
        .shows("run this? ipctool chmod u+rw sem:0\ny yes")
        .shows(fix)
        .types("n")
        .shows("nothing was done")
        .shows(fix);
    shell.run("ipctool list sem -o mode --no-headings").prints("---------\n");
    let terminal = terminal.types("\n").shows("y yes").types("y");
    let terminal = terminal.shows("the fix has run; any key goes back").types(" ");
    // What is left is shown.
    let terminal = terminal.shows("the fix has run").shows("note  sem:0  orphan").lacks(fix);
    let screen = terminal.types("q").shows(KEYS).types("q").ends();
    let left = "$ ipctool chmod u+rw sem:0\nthe fix has run; any key goes back\nstatus 0\n";
    assert_eq!(screen.text, left);
    shell.run("ipctool list sem -o mode --no-headings").prints("rw-------\n");
}

#[test]
fn it_fits_every_size_and_follows_it() {
    let Some(shell) = world() else { return };
    for size in [(300, 100), (120, 40), (80, 24), (40, 10), (20, 5), (9, 2), (1, 1)] {
        let terminal = at(&shell, size, "ipctool top -d 50ms");
        let terminal = match size {
            (40.., _) => terminal.shows("msg:0").shows("? help"),
            (9.., _) => terminal.until("something", |text| text.trim().len() > 3),
            _ => terminal,
        };
        // Whatever is shown, it is there again at the usual size.
        let keys = ["\n", "q", "d", "q", "s", "q", "K", "q", "?"];
        let terminal = keys.iter().fold(terminal, |terminal, keys| terminal.types(keys));
        let terminal = terminal.resized((80, 24)).shows("Keys").types("q").shows(KEYS);
        let terminal = terminal.resized((40, 10)).lacks("doctor").shows("msg:0");
        let screen = terminal.resized((100, 30)).shows("doctor").types("q").ends();
        assert!(screen.text.ends_with("status 0\n"), "{size:?}: {}", screen.text);
    }
}

#[test]
fn it_draws_what_the_terminal_can_show() {
    let Some(shell) = world() else { return };
    quits(at(&shell, SIZE, "LC_ALL=C ipctool top").shows("1 message     ##"));
    shell.run("ipctool create pmsg --name /full --max-messages 1; ipctool send /full x").ok();
    let colored = Terminal::run(&shell, SIZE, true, "ipctool top").shows("100%").types("x");
    colored.shows("remove").types("nq").ends();
}

#[test]
fn it_stops_and_goes_on() {
    let Some(shell) = world() else { return };
    let screen = Terminal::run(&shell, SIZE, false, "bash --norc -i")
        .shows("bash")
        .types("PS1='> '; ipctool top -d 100ms\n")
        .shows(KEYS)
        .types("\x1a")
        .shows("Stopped")
        .types("fg\n")
        .shows(KEYS)
        .shows("psem:/lock")
        .types("q")
        .shows("> ")
        .types("stty -a | tr ' ' '\\n' | grep -cx -e icanon -e echo\n")
        .shows("\n2\n")
        .types("exit\n")
        .ends();
    assert!(!screen.text.contains("psem:/lock"), "{}", screen.text);
}

#[test]
fn a_session_is_recorded() {
    let Some(shell) = world() else { return };
    let terminal = at(&shell, SIZE, "ipctool top -d 50ms --record it.cast").shows(KEYS).types("p");
    let terminal = terminal.shows("three").resized((100, 30)).types("q").shows("psem:/lock");
    let screen = terminal.types("q").ends();
    assert!(screen.text.ends_with("status 0\n"), "{}", screen.text);
    let cast = shell.run("cat it.cast").ok().stdout();
    let mut lines = cast.lines().map(|line| serde_json::from_str::<Value>(line).expect(line));
    let head = lines.next().expect("a head");
    assert_eq!(
        (&head["version"], &head["width"], &head["height"]),
        (&2.into(), &80.into(), &24.into())
    );
    let events: Vec<Value> = lines.collect();
    let times: Vec<f64> = events.iter().map(|event| event[0].as_f64().expect("a time")).collect();
    assert!(times.is_sorted());
    assert!(events.iter().any(|event| event[1] == "r" && event[2] == "100x30"));
    // A player sees what was on the screen.
    let mut parser = vt100::Parser::new(24.try_into().unwrap(), 80.try_into().unwrap(), 0);
    let mut has_shown = false;
    for event in events.iter().filter(|event| event[1] == "o") {
        parser.process(event[2].as_str().expect("a text").as_bytes());
        has_shown |= parser.screen().contents().contains("three");
    }
    assert!(has_shown);
    // Nothing is written over.
    let screen = at(&shell, SIZE, "ipctool top --record it.cast").ends();
    assert!(screen.text.contains("--record it.cast: the file exists already"), "{}", screen.text);
    assert_eq!(shell.run("cat it.cast").stdout(), cast);
}

#[test]
fn a_full_disk_ends_the_recording_and_not_the_screen() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("mkdir full; mount -t tmpfs -o size=4k none full").ok();
    let line = "ipctool top -d 50ms --record full/it.cast";
    let terminal = at(&shell, SIZE, line).shows("no objects").types("sqsqsqsqsqsqKqKqKq??");
    let screen = terminal.shows("the recording has ended").types("qq").ends();
    assert!(screen.text.contains("the recording ended early: No space"), "{}", screen.text);
    // What is there can be played.
    let cast = shell.run("cat full/it.cast").stdout();
    assert!(cast.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{cast}");
    assert!(screen.text.contains("status 1"), "{}", screen.text);
}

#[test]
fn all_namespaces_are_one_table() {
    let Some(shell) = world() else { return };
    if !only_root("an ordinary user cannot make a namespace beside its own") {
        return;
    }
    let other = shell.start(
        "exec unshare --ipc sh -c 'ipctool create msg --key 0x123 > id; echo ready; exec sleep 60'",
    );
    let other = other.ready();
    let terminal = top(&shell).types("A").shows("all namespaces").shows("CONTAINER");
    let terminal = terminal
        .types("/00000123")
        .until("the other one", |text| text.contains("1 of ") && text.contains("msg:0"));
    // It is removed where it lives.
    let terminal = terminal.types("\nx").shows("y yes").types("y").shows("removed msg:0");
    shell.run("ipctool stat msg:0x0000beef").ok();
    let terminal = terminal.types("\x1b").lacks("with '").types("A").shows("  6 objects");
    quits(terminal);
    other.signal("KILL").ends();
}

#[test]
fn it_needs_a_terminal_of_its_own() {
    let Some(shell) = Sandbox::new() else { return };
    for line in ["ipctool top", "ipctool top < /dev/null", "ipctool top -A msg --owner root"] {
        shell
            .run(line)
            .exits(2)
            .says("ipctool: top: it needs a terminal\nhint: for a pipe or a file: ipctool watch\n");
    }
    for (line, what) in [
        ("ipctool top -d 10ms", "'10ms' is too short: the shortest interval is 50ms"),
        ("ipctool top -d fast", "'fast' is not a duration"),
        ("ipctool top queue:1", "queue:1"),
    ] {
        shell.run(line).exits(2).says(what);
    }
    let screen = Terminal::run(&shell, SIZE, false, "ipctool top --trace; echo status $?").ends();
    assert!(screen.text.contains("--trace would write on the screen"), "{}", screen.text);
    assert!(screen.text.contains("status 2"), "{}", screen.text);
}

#[test]
fn it_ends_with_the_terminal_and_by_signals() {
    let Some(shell) = world() else { return };
    for (signal, status) in [("INT", 0), ("TERM", 143), ("HUP", 129)] {
        let line = "sh -c 'echo $$ > pid; exec ipctool top -d 50ms'";
        let terminal = at(&shell, SIZE, line).shows(KEYS);
        shell.run(&format!("kill -{signal} $(cat pid)")).ok();
        let screen = terminal.ends();
        assert!(screen.text.ends_with(&format!("status {status}\n")), "{signal}: {}", screen.text);
    }
    let terminal = at(&shell, SIZE, "sh -c 'echo $$ > pid; exec ipctool top -d 50ms'").shows(KEYS);
    drop(terminal);
    until("the end of top", || shell.run("kill -0 $(cat pid)").status() != 0);
}

/// The screen in the handbook is that of this world. `RENEW=1 cargo test --test top` renews it.
#[test]
fn the_handbook_shows_a_real_screen() {
    let Some(shell) = world() else { return };
    if !only_root("names are as wide as those of root") {
        return;
    }
    shell.run("head -c 7000 /dev/zero > some; ipctool send 0xbeef < some").ok();
    shell
        .run("ipctool create msg --key 0xdead; ipctool send 0xdead < some; ipctool send 0xdead < some")
        .ok();
    let reader = shell.start("exec ipctool recv 0xbeef -t 9").waits();
    let screen = at(&shell, SIZE, "ipctool top").shows(KEYS).shows("receive").text();
    reader.signal("TERM").ends();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/monitoring.md");
    let page = std::fs::read_to_string(path).expect("the handbook is there");
    let start = page.find("```text\nipctool top").expect("the screen") + "```text\n".len();
    let end = start + page[start..].find("```").expect("its end");
    // Process ids, times, the size of the machine's memory and the number of looks differ.
    let steady = |text: &str| {
        let numbers = Regex::new(r"\d{2}:\d{2}|\d{3,}|[\d.]+G").expect("a pattern");
        let text = numbers.replace_all(text, "#");
        text.lines()
            .map(|line| line.trim_end_matches('█').split_whitespace().collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
    };
    if std::env::var("RENEW").is_ok_and(|value| value == "1") {
        let page = [&page[..start], &screen, &page[end..]].concat();
        return std::fs::write(path, page).expect("the handbook can be written");
    }
    assert_eq!(steady(&page[start..end]), steady(&screen));
}
