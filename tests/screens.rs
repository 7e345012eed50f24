//! What people see: the screens of the commands at a real terminal of several sizes, with and without
//! colour. Each is a file in `tests/screens/` that a reviewer can read; `RENEW=1 cargo test --test
//! screens` renews them.

mod sandbox;
mod terminal;

use std::os::unix::fs::MetadataExt;

use regex_lite::{Captures, Regex};
use sandbox::{OWN_QUEUES, Running, Sandbox};
use terminal::{SIZES, Screen, Snapshot, Terminal};

/// A namespace in which the user has the same name on every machine, because columns are as wide as
/// names.
fn sandbox() -> Option<Sandbox> {
    let data = std::fs::metadata("/proc/self").expect("/proc is mounted");
    let (uid, gid) = (data.uid(), data.gid());
    Sandbox::prepared(&format!(
        "{OWN_QUEUES}\n\
         echo alice:x:{uid}:{gid}::/:/bin/sh > passwd; mount -n --bind passwd /etc/passwd\n\
         echo staff:x:{gid}: > group; mount -n --bind group /etc/group"
    ))
}

/// With objects of every kind: a full queue, a marked segment that a process has attached, names with
/// blanks.
fn busy() -> Option<(Sandbox, Running)> {
    let shell = sandbox()?;
    shell.compile("use");
    shell
        .run(
            "head -c 8192 /dev/zero > half; ipctool create msg --key 0xbeef; \
             ipctool send 0xbeef < half; ipctool send 0xbeef < half; \
             ipctool create msg; ipctool send msg:1 'seventy-one bytes are not much for a queue that can hold sixteen KiB.'; \
             ipctool create shm --key 0xcafe --size 64K; ipctool create shm --size 1M --mode 644; \
             ipctool create sem --key 0xf00d --nsems 3; \
             ipctool create pmsg --name /jobs --max-messages 4 --message-size 64; ipctool send /jobs one; \
             ipctool create pshm --name '/two words' --size 4096; \
             ipctool create psem --name /lock --value 1",
        )
        .ok();
    let holder = shell.start("exec ./use shm 0").ready();
    shell.run("ipctool rm shm:0").exits(0);
    Some((shell, holder))
}

/// Compares what a line of shell shows with the file of this name.
macro_rules! screen {
    ($shell:expr, $name:literal, $line:expr) => {
        screen!($shell, $name, $line, |terminal| terminal)
    };
    ($shell:expr, $name:literal, $line:expr, $person:expr) => {
        let expected = include_str!(concat!("screens/", $name, ".txt"));
        compare($shell, $name, expected, $line, $person);
    };
}

#[track_caller]
fn compare(
    shell: &Sandbox,
    name: &str,
    expected: &str,
    line: &str,
    person: impl Fn(Terminal) -> Terminal,
) {
    let mut snapshot = Snapshot::of(line);
    for size in SIZES {
        let [colored, plain] = [true, false].map(|has_color| {
            let screen = person(Terminal::run(shell, size, has_color, line)).ends();
            assert_fits(&screen, size);
            Screen { text: steady(&screen.text), colors: steady(&screen.colors), ..screen }
        });
        snapshot.add(size, colored, &plain);
    }
    snapshot.is(name, expected);
}

/// No line of a table goes to the very end, where it could have been broken.
#[track_caller]
fn assert_fits(screen: &Screen, (columns, _): (u16, u16)) {
    for line in screen.text.lines().filter(|line| line.contains("──")) {
        assert!(line.chars().count() <= usize::from(columns), "{}", screen.text);
    }
}

/// The text with the same pids, times and so on every time.
fn steady(text: &str) -> String {
    let replace = |text: String, pattern: &str, by: &str| {
        let pattern = Regex::new(pattern).expect("a pattern");
        pattern.replace_all(&text, by).into_owned()
    };
    // Processes of other users, of which a machine has any number.
    let text = replace(text.to_owned(), r"(?m)^ipctool: .* could not be inspected.*\n", "");
    // Nor is it ever the same how many other namespaces hold objects.
    let others = r"(?m)^(dim: )?\d+ other IPC namespaces? holds? objects: ipctool list -A\n";
    let text = replace(text, others, "");
    let text = replace(text, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00 \(\d+s ago\)", "TIME (AGE)");
    let text = replace(text, r"\b([01]\d|2[0-3]):[0-5]\d\b", "HH:MM");
    let text = replace(text, r"\(uid \d+, gid \d+\)", "(uid UID, gid GID)");
    let text =
        replace(text, r"(?m)^/dev/shm  .*$", "/dev/shm    USED of SIZE; FILES of LIMIT inodes");
    let text = replace(text, r"(?m)^namespaces  .*$", "namespaces  HOW MANY have processes");
    let text = replace(text, r"\b\d{2,7}\(", "PID(");
    let text = replace(text, r": \d{2,7} \(", ": PID (");
    let text = replace(text, r"(?m)^magenta: \d+$", "magenta: PID");
    // A column of pids is as wide as they are, and the rule with it.
    if !Regex::new(r"\bPID(  |\()").expect("a pattern").is_match(&text) {
        return text;
    }
    let text = replace(text, r" +PID  ", "  PID  ");
    let text = replace(text, r"(?m)^ +\d{3,7}  ", "  PID  ");
    let text = replace(text, r"  \d{3,7}  ", "  PID  ");
    let rule = Regex::new("─{3,}").expect("a pattern");
    rule.replace_all(&text, |_: &Captures<'_>| "───").into_owned()
}

#[test]
fn a_list_of_all_kinds() {
    let Some((shell, _holder)) = busy() else { return };
    // How many other namespaces hold objects is never the same.
    screen!(&shell, "list", "ipctool list 2> /dev/null");
    screen!(&shell, "list-times", "ipctool list -t msg shm sem 2> /dev/null");
    screen!(&shell, "list-bytes", "ipctool list --bytes msg shm 2> /dev/null");
}

#[test]
fn everything_in_one_screen() {
    let Some((shell, _holder)) = busy() else { return };
    screen!(&shell, "overview", "ipctool");
}

#[test]
fn users_of_objects() {
    let Some((shell, _holder)) = busy() else { return };
    screen!(&shell, "list-who", "ipctool list --who msg shm sem 2> /dev/null");
    screen!(&shell, "stat", "ipctool stat shm:0 2> /dev/null");
}

#[test]
fn pictures() {
    let Some((shell, _holder)) = busy() else { return };
    shell.run("ipctool send msg:1 -t 2 short; ipctool send pmsg:/jobs two").ok();
    let line = "ipctool stat --picture msg:0 msg:1 shm:0 sem:0 pmsg:/jobs 2> /dev/null";
    screen!(&shell, "picture", line);
}

#[test]
fn columns_give_way_to_long_names() {
    let Some(shell) = sandbox() else { return };
    let name = "/a-name-that-is-rather-long-as-those-of-libraries-often-are";
    shell
        .run(&format!(
            "ipctool create pmsg --name {name} --max-messages 2 --message-size 64; \
             ipctool create pshm --name {name}-and-it-goes-on-and-on-for-more-than-a-line --size 1M; \
             ipctool create pshm --name /消息队列 --size 5"
        ))
        .ok();
    screen!(&shell, "list-narrow", "ipctool list");
    screen!(&shell, "list-chosen", "ipctool list -o ref,kind,owner,group,mode,size,rss pshm");
}

#[test]
fn limits() {
    let Some(shell) = sandbox() else { return };
    shell.run("ipctool create sem --nsems 3; ipctool create shm --size 64K").ok();
    for size in SIZES {
        let screen = Terminal::run(&shell, size, true, "ipctool limits").ends();
        assert_fits(&screen, size);
        let lines: Vec<_> = screen.text.lines().collect();
        assert!(lines.iter().any(|line| line.starts_with("semmsl")), "{}", screen.text);
        assert!(lines.iter().all(|line| line.chars().count() <= usize::from(size.0)));
    }
    // The others depend on the machine.
    screen!(&shell, "limits", "ipctool limits sem");
}

#[test]
fn findings_of_doctor() {
    let Some((shell, _holder)) = busy() else { return };
    shell.run("ipctool chmod 666 shm:1 sem:0; ipctool create msg --key 0xffffffff").exits(0);
    let doctor = "ipctool doctor --only world-writable,queue-near-full,ftok-failed";
    screen!(&shell, "doctor", doctor);
    screen!(&shell, "doctor-healthy", "ipctool doctor --only world-writable --ignore alice");
}

#[test]
fn a_leak_under_guard() {
    let Some(shell) = sandbox() else { return };
    shell.run("echo 'shmget(0xcafe, 65536, 01600); sleep 1' > leak").ok();
    screen!(&shell, "guard", "ipctool guard -- perl leak");
}

#[test]
fn a_question_before_a_removal() {
    let Some((shell, _holder)) = busy() else { return };
    screen!(&shell, "rm", "ipctool rm --all msg shm; echo status $?", |terminal| {
        terminal.shows("[y/N]").types("n\n")
    });
    screen!(&shell, "rm-dry-run", "ipctool rm --all msg --dry-run");
    screen!(&shell, "rm-nothing", "ipctool rm --owner 12345");
}

#[test]
fn what_waits_says_so() {
    let Some(shell) = sandbox() else { return };
    shell.run("ipctool create msg; ipctool create msg").ok();
    let interrupted = |terminal: Terminal| terminal.shows("waiting").types("\x03");
    screen!(&shell, "recv", "ipctool recv 0", interrupted);
    screen!(&shell, "recv-type", "ipctool recv 0 -t 7", interrupted);
    screen!(&shell, "send", "ipctool send 1; ipctool recv 1", |terminal| {
        terminal.shows("keyboard").types("hello\n\x04")
    });
}

#[test]
fn messages_as_a_table() {
    let Some((shell, _holder)) = busy() else { return };
    shell.run("ipctool send msg:1 -t 7 short").ok();
    screen!(&shell, "recv-table", "ipctool recv msg:1 --peek --all --format table");
}

#[test]
fn what_is_empty_says_so() {
    let Some(shell) = sandbox() else { return };
    screen!(&shell, "list-empty", "ipctool list");
    screen!(&shell, "list-empty-kinds", "ipctool list msg psem");
    shell.run("ipctool create msg").ok();
    screen!(&shell, "list-no-match", "ipctool list --key 0xbeef");
}
