//! `ipctool learn`: lessons, live in the terminal.

mod sandbox;
mod terminal;

use std::sync::atomic::{AtomicUsize, Ordering};

use sandbox::{NOBODY, Needs, Sandbox, is_root, only_ordinary_user, skip, until};
use serde_json::Value;
use terminal::Terminal;

const SIZE: (u16, u16) = (80, 24);

/// A lesson of the tests' own, with everything that a screen can have.
const SHORT: &str = "---
about: everything
---

# Everything

A start.

## A queue

```sh calls=msgget
ipctool create msg --key 0xbeef
```

It is there.

```picture
msg:0xbeef
```

```check
# The queue exists
ipctool stat msg:0xbeef
```

## A question

How many?

- [ ] None

  There is one.

- [x] One

  Just so.

- [ ] Two

  That is too many.

## A task

Send it two messages.

```sh solution
ipctool send 0xbeef one
ipctool send 0xbeef two
```

```check
# Two messages are there
test \"$(ipctool list msg -o messages --no-headings)\" = 2
```

## The end

Both are still there.

```sh calls=none
ipctool recv 0xbeef --all
```

```check
# They came in order
test \"$OUTPUT\" = \"$(printf 'one\\ntwo')\"
# None is left
test \"$(ipctool list msg -o messages --no-headings)\" = 0
```
";

/// Where lessons can be played, with the short one in `short.md`, and a place for what was done.
fn school() -> Option<Sandbox> {
    let shell = Sandbox::new()?;
    shell.run("mkdir state tmp").ok();
    write(&shell, "short", SHORT);
    let ran = shell.run("TMPDIR=$PWD/tmp ipctool learn --auto ./short.md");
    if ran.status() != 5 {
        ran.ok();
        return Some(shell);
    }
    skip(Needs::Machine, "no namespace is to be had here");
    None
}

fn write(shell: &Sandbox, name: &str, text: &str) {
    std::fs::write(shell.directory().join(format!("{name}.md")), text).unwrap();
}

/// A lesson that consists of this.
fn lesson(shell: &Sandbox, name: &str, text: &str) {
    write(shell, name, &format!("---\nabout: it\n---\n\n# Title\n\nText.\n\n{text}"));
}

fn learn(shell: &Sandbox, line: &str) -> Terminal {
    // Ctrl-C is for the shell as well.
    let line =
        format!("trap : INT; TMPDIR=$PWD/tmp XDG_STATE_HOME=$PWD/state ipctool learn {line}");
    Terminal::run(shell, SIZE, false, &line)
}

/// Nothing of a lesson is left: no process, no directory, no object.
#[track_caller]
fn nothing_is_left(shell: &Sandbox) {
    until("the directory is gone", || shell.run("ls tmp").stdout().is_empty());
    shell.run("ipctool list").prints("");
    let here = shell.directory().to_string_lossy().into_owned();
    let processes = || {
        let is_of_lesson = |entry: std::fs::DirEntry| {
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            let environment = String::from_utf8_lossy(&environment).into_owned();
            let is_inside = format!("IPCTOOL_LESSON_CALLS={here}");
            let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let is_keeper = String::from_utf8_lossy(&words).contains("learn\0--world");
            environment.contains(&is_inside) || is_keeper && environment.contains(&here)
        };
        std::fs::read_dir("/proc").unwrap().flatten().any(is_of_lesson)
    };
    until("its processes are gone", || !processes());
}

/// These use up what a user may have, or measure the memory of the machine, so they are played elsewhere, with nothing
/// beside them.
const ALONE: [&str; 2] = ["emfile", "memory"];

/// Does this with every lesson of the course, several at a time.
fn with_each_lesson(shell: &Sandbox, what: impl Fn(&Sandbox, &Value) + Sync) {
    let lessons = shell.run("ipctool learn --json").ok().json();
    let lessons = lessons.as_array().unwrap();
    assert!(lessons.len() >= 18, "{}", lessons.len());
    let is_alone = |lesson: &&Value| ALONE.iter().any(|name| lesson["lesson"] == *name);
    let lessons: Vec<_> = lessons.iter().filter(|lesson| !is_alone(lesson)).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(lesson) = lessons.get(next.fetch_add(1, Ordering::Relaxed)) {
                    what(shell, lesson);
                }
            });
        }
    });
}

fn needs(lesson: &Value, need: &str) -> bool {
    lesson["needs"].as_array().unwrap().iter().any(|one| one == need)
}

/// What a lesson says about the kernel is true, its screens fit a terminal, and each of its checks fails without its
/// step.
#[test]
fn every_lesson_is_right() {
    let Some(shell) = school() else { return };
    with_each_lesson(&shell, |shell, lesson| {
        let name = lesson["lesson"].as_str().unwrap();
        let ran = shell.run(&format!("TMPDIR=$PWD/tmp ipctool learn --check {name}"));
        match needs(lesson, "root") && !is_root() {
            true => {
                drop(ran.exits(5).says(&format!("ipctool: learn {name}: the lesson needs root")))
            }
            false => drop(ran.ok().shows("all good")),
        }
    });
    nothing_is_left(&shell);
}

/// With Enter alone, everything fits on its screen, and the lesson ends by itself.
#[test]
fn every_lesson_is_turned_page_by_page() {
    let Some(shell) = school() else { return };
    with_each_lesson(&shell, |shell, lesson| {
        if needs(lesson, "root") && !is_root() {
            return;
        }
        let name = lesson["lesson"].as_str().unwrap();
        let title = lesson["title"].as_str().unwrap();
        // Not the title itself, which may be as long as a line.
        let start: String = title.chars().take(40).collect();
        // So many that it ends in any case. They are typed ahead, as by somebody in a hurry.
        let screen = learn(shell, name).shows(&start).types(&"\n".repeat(120)).ends();
        assert_eq!(screen.text, "\n", "{name}");
    });
    let lessons = shell.run("XDG_STATE_HOME=$PWD/state ipctool learn --json").ok().json();
    for lesson in lessons.as_array().unwrap() {
        let is_alone = ALONE.iter().any(|name| lesson["lesson"] == *name);
        let is_played = !is_alone && (is_root() || !needs(lesson, "root"));
        assert_eq!(lesson["state"] == "done", is_played, "{lesson}");
    }
    nothing_is_left(&shell);
}

#[test]
fn a_lesson_shows_commands_calls_output_pictures_and_checks() {
    let Some(shell) = school() else { return };
    let text = shell.run("ipctool learn --auto ./short.md").ok().stdout();
    for part in [
        "1/5  Everything\n\nA start.\n\n2/5  A queue\n\n$ ipctool create msg --key 0xbeef\n│ msgget(0xbeef, IPC_CREAT|0600) = 0\nmsg:0\n\nIt is there.\n\nmsg:0  0 messages",
        "\n\n✓ The queue exists\n\n3/5  A question\n\nHow many?\n\n  1) None\n  2) One\n  3) Two\n\n2) Right. Just so.\n",
        "$ ipctool recv 0xbeef --all\none\ntwo\n\n✓ They came in order\n✓ None is left\n",
    ] {
        assert!(text.contains(part), "{text}");
    }
    // Where there is no UTF-8, in ASCII.
    let text = shell.run("LC_ALL=C ipctool learn --auto ./short.md").ok().stdout();
    assert!(text.is_ascii() && text.contains("\n+ The queue exists\n"), "{text}");
}

#[test]
fn keys_turn_the_pages() {
    let Some(shell) = school() else { return };
    let screen = learn(&shell, "./short.md")
        .shows("1/5  Everything")
        .types("\n")
        .shows("Enter run it")
        .types("\n")
        .shows("✓ The queue exists")
        .types("r")
        .shows("Enter run it")
        .types("\n")
        .shows("│ msgget(0xbeef, IPC_CREAT|0600) = 0")
        .types("\x1b[C")
        .shows("3) Two")
        .types("9b")
        .shows("2/5  A queue")
        .types("\n\n")
        .shows("1-3 choose")
        .types("3")
        .shows("3) No. That is too many.")
        .types("1")
        .shows("1) No. There is one.")
        .types("2")
        .shows("2) Right. Just so.")
        .types("q")
        .ends();
    // The terminal shows what it showed before.
    assert_eq!(screen.text, "\n");
    nothing_is_left(&shell);
}

#[test]
fn a_student_tries_it_and_hears_what_is_missing() {
    let Some(shell) = school() else { return };
    let screen = learn(&shell, "./short.md")
        .shows("1/5")
        .types("\n\n\n\n\n")
        .shows("t do it yourself")
        .types("t")
        .shows("lesson$")
        .types("ipctool send 0xbeef mine\nexit\n")
        .shows("still missing: Two messages are there")
        .types("t")
        .shows("lesson$")
        // The world is as it was left.
        .types("ipctool send 0xbeef \"after $(ipctool recv 0xbeef --peek)\"; exit\n")
        .shows("Well done.")
        .shows("✓ Two messages are there")
        .types("\n\n")
        // The lesson goes on with its own messages.
        .shows("✓ They came in order")
        .types("\n")
        .ends();
    // The session at the shell stays on the terminal.
    assert!(screen.text.contains("Send it two messages.\n"), "{}", screen.text);
    nothing_is_left(&shell);
}

#[test]
fn a_broken_world_is_made_again() {
    let Some(shell) = school() else { return };
    let break_it =
        "ipctool rm msg:0; ipctool create shm; rm -rf \"${PWD%/*}\"; kill -KILL -1; exit\n";
    learn(&shell, "./short.md")
        .shows("1/5")
        .types("\n\n")
        .shows("✓ The queue exists")
        .types("t")
        .shows("lesson$")
        .types(break_it)
        .shows("Enter on")
        .types("b")
        .shows("1/5")
        .types("\n\n")
        .shows("✓ The queue exists")
        .types("\n\n\n")
        .shows("t do it yourself")
        .types("t")
        .shows("lesson$")
        .types(break_it)
        .shows("still missing: Two messages are there")
        .types("\n")
        .shows("✓ Two messages are there")
        .types("\n\n")
        .shows("✓ None is left")
        .types("\n")
        .ends();
    nothing_is_left(&shell);
}

#[test]
fn a_lesson_reaches_nothing_of_the_machine() {
    let Some(shell) = school() else { return };
    shell.run("ipctool create msg --key 0xbeef; ipctool create pshm --name /x --size 1").exits(0);
    let before = shell.run("ipctool list --json").stdout();
    let step = "## Step\n\n```sh calls=none\nipctool list; ls /dev/shm; grep CapEff /proc/self/status\nipctool create pmsg --name /y; ipctool list pmsg -o ref --no-headings\nps ax 2> /dev/null | grep -c '[l]earn'\n```\n";
    lesson(&shell, "look", step);
    shell
        .run("ipctool learn --auto ./look.md")
        .ok()
        // CAP_SYS_PTRACE alone, where it reaches nothing outside.
        .shows("CapEff: 0000000000080000\n")
        .shows("--no-headings\npmsg:/y\npmsg:/y\n")
        .shows("| grep -c '[l]earn'\n0\n");
    assert_eq!(shell.run("ipctool list --json").stdout(), before);
}

#[test]
fn a_lesson_ends_with_learn_however_that_ends() {
    let Some(shell) = school() else { return };
    let step = "## Step\n\n```sh calls=none\nipctool create msg; (trap '' HUP INT TERM; setsid ipctool recv msg:0) & echo here\n```\n";
    lesson(&shell, "stay", step);
    for (signal, status) in [("KILL", 137), ("TERM", 143), ("HUP", 129), ("INT", 130)] {
        let terminal = learn(&shell, "./stay.md; echo status $?");
        let terminal = terminal.shows("1/2").types("\n\n").shows("here");
        let pid = pid_of(&shell, "ipctool\0learn\0./stay.md\0");
        shell.run(&format!("kill -{signal} {pid}")).ok();
        let screen = terminal.ends();
        assert!(screen.text.contains(&format!("status {status}")), "{signal}: {}", screen.text);
        nothing_is_left(&shell);
    }
    // Ctrl-C is a key.
    let screen = learn(&shell, "./stay.md; echo status $?").shows("1/2").types("\x03").ends();
    assert!(screen.text.contains("status 130"), "{}", screen.text);
    nothing_is_left(&shell);
}

#[test]
fn a_command_that_runs_for_ever_is_ended() {
    let Some(shell) = school() else { return };
    let step = "## Step\n\n```sh\nipctool create msg; (trap '' TERM; sleep 777); echo never\n```\n";
    lesson(&shell, "long", step);
    let screen = learn(&shell, "./long.md; echo status $?")
        .shows("1/2")
        .types("\n\n")
        .shows("running")
        .types("\x03")
        .ends();
    assert!(screen.text.contains("status 130"), "{}", screen.text);
    nothing_is_left(&shell);
    let line = "TMPDIR=$PWD/tmp timeout -s KILL 2 ipctool learn --auto ./long.md";
    assert!([124, 137].contains(&shell.run(line).status()));
    nothing_is_left(&shell);
}

/// What a student puts in the place of a file of the lesson is reached with the rights of a student.
#[test]
fn a_link_in_the_place_of_a_file_leads_nowhere() {
    let Some(shell) = school() else { return };
    shell.run("echo precious > victim; chmod 400 victim").ok();
    if is_root() {
        shell.run(&format!("chown {NOBODY} victim")).ok();
    }
    let here = shell.directory().to_string_lossy().into_owned();
    let step = "## Step\n\n```c x.c\nint x;\n```\n\n```sh\ntrue\n```\n\n## Last\n\nEnd.\n";
    lesson(&shell, "link", step);
    learn(&shell, "./link.md")
        .shows("1/3")
        .types("\n")
        .shows("Enter run it")
        .types("t")
        .shows("lesson$")
        .types(&format!("ln -sf {here}/victim ../calls; ln -sf {here}/victim x.c; exit\n"))
        .shows("Enter run it")
        .types("\n\nq")
        .ends();
    shell.run("cat victim").prints("precious\n");
}

#[test]
fn a_shell_that_stops_itself_goes_on() {
    let Some(shell) = school() else { return };
    learn(&shell, "./short.md")
        .shows("1/5")
        .types("t")
        .shows("lesson$")
        .types("kill -STOP $$; echo went on\n")
        .shows("\nwent on")
        .types("exit\n")
        .shows("Enter on")
        .types("q")
        .ends();
    nothing_is_left(&shell);
}

#[test]
fn what_the_background_prints_comes_when_it_is_printed() {
    let Some(shell) = school() else { return };
    let step =
        "## Step\n\n```sh\n(sleep 0.05; echo late) & echo early\nsleep 0.2; echo last\n```\n";
    lesson(&shell, "late", step);
    let text = shell.run("ipctool learn --auto ./late.md").ok().stdout();
    assert!(text.ends_with("echo early\nearly\n$ sleep 0.2; echo last\nlate\nlast\n"), "{text}");
}

/// The process that was called with these words in the directory of this sandbox.
fn pid_of(shell: &Sandbox, words: &str) -> i32 {
    let here = std::fs::canonicalize(shell.directory()).unwrap();
    let is_it = |entry: &std::fs::DirEntry| {
        let called = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let place = std::fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        place == here && called.starts_with(words.as_bytes())
    };
    let entry = std::fs::read_dir("/proc").unwrap().flatten().find(is_it).expect(words);
    entry.file_name().to_str().unwrap().parse().unwrap()
}

#[test]
fn without_its_keeper_a_lesson_is_over() {
    let Some(shell) = school() else { return };
    let step = "## Step\n\n```sh calls=none\nsetsid sleep 777 & echo here\nsleep 778\n```\n";
    lesson(&shell, "stay", step);
    let terminal = learn(&shell, "./stay.md; echo status $?");
    let terminal = terminal.shows("1/2").types("\n\n").shows("here").types("\n").shows("running");
    let pid = pid_of(&shell, "ipctool\0learn\0--world\0");
    shell.run(&format!("kill -KILL {pid}")).ok();
    let screen = terminal.ends();
    let expected =
        "ipctool: learn ./stay.md: the shell of the lesson has ended at 'sleep 778'\nstatus 1\n";
    assert!(screen.text.ends_with(expected), "{}", screen.text);
    nothing_is_left(&shell);
}

#[test]
fn ctrl_z_stops_it_with_the_terminal_as_it_was() {
    let Some(shell) = school() else { return };
    let line = "bash --norc -i";
    let screen = Terminal::run(&shell, SIZE, false, line)
        .shows("bash")
        .types("PS1='> '; TMPDIR=$PWD/tmp ipctool learn ./short.md\n")
        .shows("1/5")
        .types("\x1a")
        .shows("Stopped")
        .types("fg\n")
        .shows("1/5")
        .types("q")
        .shows("> ")
        .types("exit\n")
        .ends();
    assert!(!screen.text.contains("1/5"), "{}", screen.text);
}

#[test]
fn what_was_done_is_marked_until_it_is_forgotten() {
    let Some(shell) = school() else { return };
    let state = |name: &str| {
        let list = shell.run("XDG_STATE_HOME=$PWD/state ipctool learn --json").ok().json();
        let all = list.as_array().unwrap();
        all.iter().find(|one| one["lesson"] == name).unwrap()["state"].clone()
    };
    assert_eq!(state("queue"), Value::Null);
    // One that was left is not done, nor is one that nobody sat through.
    learn(&shell, "queue").shows("1/").types("q").ends();
    shell.run("XDG_STATE_HOME=$PWD/state ipctool learn --auto queue").ok();
    assert_eq!(state("queue"), Value::Null);
    learn(&shell, "queue").shows("1/").types(&"\n".repeat(120)).ends();
    assert_eq!((state("queue"), state("kinds")), ("done".into(), Value::Null));
    shell.run("XDG_STATE_HOME=$PWD/state ipctool learn --forget kinds").ok();
    assert_eq!(state("queue"), "done");
    shell.run("XDG_STATE_HOME=$PWD/state ipctool learn --forget").ok();
    assert_eq!(state("queue"), Value::Null);
    // No place for it is no reason not to learn.
    learn(&shell, "queue; echo status $?").shows("1/").types("q").ends();
    let screen = learn(
        &shell,
        "--forget queue; XDG_STATE_HOME=/dev/null ipctool learn queue; echo status $?",
    )
    .shows("1/")
    .types(&"\n".repeat(120))
    .ends();
    let expected =
        "ipctool: learn queue: cannot note that it is done: Not a directory (ENOTDIR)\nstatus 0";
    assert!(screen.text.contains(expected), "{}", screen.text);
}

#[test]
fn as_a_page_and_as_a_recording() {
    let Some(shell) = school() else { return };
    let text = shell.run("ipctool learn --markdown ./short.md").ok().stdout();
    for part in [
        "# Everything\n\nA start.\n\n## A queue\n\n```console\n$ ipctool create msg --key 0xbeef\n│ msgget(0xbeef, IPC_CREAT|0600) = 0\nmsg:0\n```\n\nIt is there.\n\n```text\nmsg:0  0 messages",
        "```\n\n- [x] The queue exists\n\n## A question\n\nHow many?\n\n1. None\n\n   There is one.\n\n2. One **Right.**\n\n   Just so.\n\n3. Two\n\n   That is too many.\n",
        "## A task\n\nSend it two messages.\n\n**Solution**\n\n```console\n$ ipctool send 0xbeef one\n",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(text.matches("```").count() % 2, 0);
    let times = |options: &str| {
        let ran = shell.run(&format!("ipctool learn --asciicast {options} ./short.md")).ok();
        let lines: Vec<Value> =
            ran.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&lines[0]["version"], &lines[0]["width"]), (&2.into(), &80.into()));
        let times: Vec<_> = lines[1..].iter().map(|event| event[0].as_f64().unwrap()).collect();
        assert!(times.is_sorted(), "{times:?}");
        *times.last().unwrap()
    };
    let (usual, fast) = (times(""), times("--speed 4"));
    assert!(usual > 10.0 && (usual / fast - 4.0).abs() < 0.1, "{usual} {fast}");
}

#[test]
fn without_keys_at_reading_speed() {
    let Some(shell) = school() else { return };
    // Nobody presses a key, and nobody waits a minute for it.
    let screen = learn(&shell, "--auto --speed 100 ./short.md; echo status $?").ends();
    assert_eq!(screen.text, "status 0\n");
    learn(&shell, "--auto ./short.md; echo status $?").shows("1/5").types("\x03").ends();
    let screen = learn(&shell, "--auto ./short.md; echo status $?").shows("1/5").types("xq").ends();
    assert_eq!(screen.text, "status 0\n");
    nothing_is_left(&shell);
}

#[test]
fn a_projector_gets_few_words_a_line_and_more_pages() {
    let Some(shell) = school() else { return };
    let text = shell.run("ipctool learn --auto --big queue").ok().stdout();
    let words = text.lines().find(|line| line.contains("nightly job")).unwrap();
    assert!(words.chars().count() <= 38, "{text}");
    let terminal = Terminal::run(&shell, (40, 10), false, "ipctool learn --big queue");
    terminal.shows("Enter more").types("\n").shows("1/").types("q\n").types("\x03").ends();
}

#[test]
fn what_is_wrong_with_a_lesson_is_found() {
    let Some(shell) = school() else { return };
    let check = |name: &str| {
        let ran = shell.run(&format!("TMPDIR=$PWD/tmp ipctool learn --check ./{name}.md")).exits(1);
        (ran.stdout(), ran.stderr())
    };
    lesson(&shell, "long", "## Long\n\n```sh\nseq 30\n```\n");
    assert_eq!(check("long").0, "./long.md:9: the screen is 10 lines too long for 80x24\n");
    lesson(
        &shell,
        "untrue",
        "## Step\n\n```sh\ntrue\n```\n\n```check\n# So\nfalse\n# Not so\ntrue\n```\n",
    );
    assert_eq!(check("untrue").0, "./untrue.md:16: the condition does not hold: So\n");
    lesson(&shell, "idle", "## Step\n\n```sh\ntrue\n```\n\n```check\n# So\ntrue\n```\n");
    assert_eq!(
        check("idle").0,
        "./idle.md:9: the check holds even if the commands of the step are left out\n"
    );
    let vain = "## Step\n\n```sh\nipctool create msg\n```\n\n```check\n# So\ntest 1 = 2 && true\nipctool stat msg:0\n```\n";
    lesson(&shell, "vain", vain);
    assert_eq!(check("vain").0, "./vain.md:16: the condition does not hold: So\n");
    lesson(
        &shell,
        "blind",
        "## Step\n\n```picture\nmsg:7;true\n```\n\n```sh\nno-such-command\n```\n",
    );
    let found = check("blind").0;
    assert!(found.contains("./blind.md:9: a picture cannot be drawn: ipctool: "), "{found}");
    assert!(found.contains("./blind.md:9: a command cannot run: "), "{found}");
    lesson(&shell, "dead", "## Step\n\n```sh\nexit 3\n```\n");
    assert_eq!(
        check("dead").1,
        "ipctool: learn ./dead.md: the shell of the lesson has ended at 'exit 3'\n"
    );
    write(&shell, "empty", "");
    assert!(check("empty").1.starts_with("ipctool: learn ./empty.md:1: "));
    // The others are checked all the same.
    let ran = shell.run("ipctool learn --check ./empty.md ./short.md").exits(1);
    assert_eq!(ran.stdout(), "./short.md: 5 screens, 4 conditions: all good\n");
    ran.says("./empty.md:1: ");
    // A lesson that is not as it says is no success.
    shell
        .run("ipctool learn --auto ./untrue.md")
        .exits(1)
        .shows("✗ this does not hold: So\n✓ Not so\n")
        .says("ipctool: learn ./untrue.md: a condition does not hold");
}

#[test]
fn without_what_it_needs_a_lesson_does_not_begin() {
    let Some(shell) = school().and_then(Sandbox::can_forbid) else { return };
    shell
        .run("./forbid EPERM unshare ipctool learn --auto ./short.md")
        .exits(5)
        .says("ipctool: learn: cannot make a namespace for the lesson: unshare: Operation not permitted (EPERM)")
        .says("\nhint: a lesson needs an IPC namespace");
    shell
        .run("TMPDIR=/nonexistent ipctool learn --auto ./short.md")
        .exits(1)
        .says("ipctool: learn: cannot make the directory of the lesson: ")
        .says("\nhint: it belongs into /nonexistent (TMPDIR)\n");
    write(&shell, "rooted", &SHORT.replace("about: everything", "about: it\nneeds: root"));
    if only_ordinary_user("root has what the lesson needs") {
        shell
            .run("ipctool learn --auto ./rooted.md")
            .exits(5)
            .says("ipctool: learn rooted: the lesson needs root");
    } else {
        let step = "## Step\n\n```sh\nsetpriv --reuid 65534 --clear-groups id -u\n```\n";
        lesson(&shell, "two", step);
        let path = shell.directory().join("two.md");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, text.replace("about: it", "about: it\nneeds: root")).unwrap();
        shell.run("ipctool learn --auto ./two.md").ok().shows("id -u\n65534\n");
    }
}

/// A process namespace cannot be had everywhere. A lesson does without.
#[test]
fn where_proc_cannot_be_mounted_a_lesson_goes_on_without_its_own() {
    let Some(shell) = school() else { return };
    // What is mounted over a part of /proc keeps users from mounting it anew.
    let Some(masked) = Sandbox::privileged() else { return };
    drop(shell);
    write(&masked, "short", SHORT);
    let line = "mount -t tmpfs tmpfs /proc/acpi 2> /dev/null || mount -t tmpfs tmpfs /proc/scsi 2> /dev/null || mount --bind /dev/null /proc/kcore; exec setpriv --bounding-set -sys_admin --inh-caps=-all ipctool learn --auto ./short.md";
    let ran = masked.run(line);
    if ran.status() == 5 {
        return skip(Needs::Machine, "no user namespace is to be had without CAP_SYS_ADMIN");
    }
    ran.ok().shows("✓ None is left");
}

#[test]
fn wrong_usage_is_one_line() {
    let Some(shell) = Sandbox::new() else { return };
    for (line, status, message) in [
        (
            "nope",
            3,
            "learn nope: no such lesson\nhint: 'ipctool learn' lists them; a file of your own has a '/' or ends with .md\n",
        ),
        ("./nope", 3, "learn ./nope: No such file or directory (ENOENT)\n"),
        (".", 3, "learn .: no such lesson\n"),
        ("./", 1, "learn ./: Is a directory (EISDIR)\n"),
        (
            "queue",
            2,
            "learn queue: this is no terminal\nhint: --auto plays the lesson without keys, --markdown prints it as a page\n",
        ),
        ("queue kinds", 2, "learn: one lesson at a time; only --check takes several\n"),
        ("--check", 2, "learn: the following required arguments were not provided: <LESSON>"),
        ("--auto", 2, "learn: the following required arguments were not provided: <LESSON>"),
        ("--auto --speed 0 queue", 2, "--speed"),
        ("--asciicast --markdown queue", 2, "--markdown"),
        ("--forget nope", 3, "learn nope: no such lesson"),
        (
            "--auto queue --json",
            2,
            "learn: --format, --json and --no-headings are for the list of lessons\n",
        ),
    ] {
        let ran = shell.run(&format!("ipctool learn {line} < /dev/null")).exits(status);
        assert_eq!(ran.stdout(), "", "{line}");
        ran.says(message);
    }
    shell.run("ipctool --in host learn").exits(2);
}

#[test]
fn a_full_disk_or_a_closed_pipe_ends_it() {
    let Some(shell) = school() else { return };
    let auto = "TMPDIR=$PWD/tmp ipctool learn --auto ./short.md";
    shell.run(&format!("{auto} > /dev/full")).exits(1).says("No space left on device (ENOSPC)");
    let ran = shell.run(&format!("({auto}; echo $? >&2) | head -n 1"));
    assert_eq!((ran.stdout(), ran.stderr()), ("1/5  Everything\n".to_owned(), "0\n".to_owned()));
    nothing_is_left(&shell);
}

/// The lesson in the handbook is one.
#[test]
fn the_lesson_of_the_handbook_is_right() {
    let Some(shell) = school() else { return };
    let page = include_str!("../docs/teaching.md");
    let text = page.split("~~~markdown\n").nth(1).and_then(|rest| rest.split("~~~").next());
    write(&shell, "lock", text.expect("the handbook has a lesson"));
    shell.run("TMPDIR=$PWD/tmp ipctool learn --check ./lock.md").ok().shows("all good");
}
