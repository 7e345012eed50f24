//! `ipctool watch`.

mod containers;
mod sandbox;

use std::collections::BTreeMap;

use containers::{Container, Like};
use sandbox::{NOBODY, Running, Sandbox, is_root, only_root};
use serde_json::{Value, json};

/// A watch that writes to a file of this name, and has had its first look.
fn watch(shell: &Sandbox, log: &str, options: &str) -> Running {
    shell.run("ipctool create psem --name /first > /dev/null 2>&1").exits(0);
    let watch = shell.start(&format!("exec ipctool watch --initial {options} > {log}"));
    shell.wait_until(&format!("grep -q /first {log}"));
    watch
}

/// Waits until a log has so many lines without those of `--initial`.
#[track_caller]
fn has_lines(shell: &Sandbox, log: &str, number: usize) {
    shell.wait_until(&format!("[ $(grep -c '\"event\":\"[-+~]\\| [-+~] ' {log}) -ge {number} ]"));
}

/// The lines of a log, whole ones, without those of `--initial`.
#[track_caller]
fn lines(shell: &Sandbox, log: &str) -> Vec<String> {
    let text = shell.run(&format!("cat {log}")).ok().stdout();
    assert!(text.is_empty() || text.ends_with('\n'), "a line is cut: {text}");
    let is_event = |line: &&str| !line.contains("\"event\":\"=\"") && !line.contains(" = ");
    text.lines().filter(is_event).map(str::to_owned).collect()
}

fn events(shell: &Sandbox, log: &str) -> Vec<Value> {
    lines(shell, log).iter().map(|line| serde_json::from_str(line).expect("it is JSON")).collect()
}

/// Lines without their times.
fn untimed(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| line.split_once(' ').expect("a time").1).collect()
}

/// These fields of each event.
fn fields(events: &[Value], names: &str) -> String {
    let all: Vec<Value> = events.iter().map(|event| sandbox::fields_of(event, names)).collect();
    Value::from(all).to_string()
}

/// What is there after these events. Each must follow from those before it.
#[track_caller]
fn replay(events: &[Value]) -> BTreeMap<String, Value> {
    let mut world: BTreeMap<String, Value> = BTreeMap::new();
    for event in events {
        let reference = event["ref"].as_str().expect("it has one").to_owned();
        let mut object = event.clone();
        for name in ["time", "event", "changes", "remark"] {
            object.as_object_mut().unwrap().remove(name);
        }
        let before = match event["event"].as_str() {
            Some("-") => world.remove(&reference),
            Some("+" | "~") => world.insert(reference, object.clone()),
            _ => panic!("{event}"),
        };
        assert_eq!(before.is_none(), event["event"] == "+", "{event}");
        let Some(mut before) = before else { continue };
        let changes = event["changes"].as_object().cloned().unwrap_or_default();
        assert_eq!(changes.is_empty(), event["event"] == "-", "{event}");
        for (name, change) in changes {
            assert_eq!(before[&name], change[0], "{name} of {event}");
            assert_ne!(change[0], change[1], "{name} of {event}");
            before[&name] = change[1].clone();
        }
        assert_eq!(before, object, "{event}");
    }
    world
}

#[test]
fn a_world_event_by_event() {
    let Some(shell) = Sandbox::new() else { return };
    let json = watch(&shell, "json", "-d 50ms --json");
    let text = watch(&shell, "text", "-d 50ms");
    // How many lines of each event there were before.
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut step = |line: &str, event: &'static str| {
        let (sign, reference) = event.split_once(' ').unwrap();
        let patterns = [
            ("json", format!("\"event\":\"{sign}\",\"ref\":\"{reference}\"")),
            ("text", format!(" {event} ")),
        ];
        let number = *counts.entry(event).and_modify(|number| *number += 1).or_insert(1);
        // The state and the times of a POSIX object are read one after the other, and may be two events. It is
        // changed only once.
        shell.run(line).ok();
        for (log, pattern) in patterns {
            shell.wait_until(&format!("[ $(grep -cF -- '{pattern}' {log}) -ge {number} ]"));
        }
    };
    step("ipctool create msg --key 0xbeef", "+ msg:0");
    step("ipctool send 0xbeef hello", "~ msg:0");
    step("ipctool recv 0xbeef", "~ msg:0");
    step("ipctool chmod 640 msg:0xbeef", "~ msg:0");
    step("ipctool rm msg:0xbeef", "- msg:0");
    step("ipctool create msg --key 0xbeef", "+ msg:1");
    step("ipctool create shm --size 5000", "+ shm:0");
    let holder = shell.start("exec ipctool attach shm:0").waits();
    step("true", "~ shm:0");
    holder.signal("TERM").ends().exits(143);
    step("true", "~ shm:0");
    step("ipctool rm shm:0", "- shm:0");
    step("ipctool create sem --nsems 2", "+ sem:0");
    step("ipctool semop sem:0 1:+1", "~ sem:0");
    step("ipctool create pmsg --name '/q' --max-messages 2", "+ pmsg:/q");
    step("ipctool send /q hello", "~ pmsg:/q");
    step("ipctool rm pmsg:/q", "- pmsg:/q");
    // In one step, as a program would not do it.
    step(
        "mkdir /dev/shm/d; head -c 9000 /dev/zero > /dev/shm/d/m; mv /dev/shm/d/m /dev/shm/m",
        "+ pshm:/m",
    );
    step("ipctool rm pshm:/m", "- pshm:/m");
    step("ipctool semop psem:/first +1", "~ psem:/first");
    step("ipctool rm msg:0xbeef", "- msg:1");
    step("ipctool rm sem:0", "- sem:0");
    json.signal("INT").ends().ok();
    text.signal("INT").ends().ok();
    let events = events(&shell, "json");
    let mut story: Vec<_> = events
        .iter()
        .map(|event| {
            format!("{} {}", event["event"].as_str().unwrap(), event["ref"].as_str().unwrap())
        })
        .collect();
    // The state and the times of a POSIX object are read one after the other.
    story.dedup_by(|one, other| one == other && one.starts_with("~ p"));
    let expected = [
        "+ msg:0",
        "~ msg:0",
        "~ msg:0",
        "~ msg:0",
        "- msg:0",
        "+ msg:1",
        "+ shm:0",
        "~ shm:0",
        "~ shm:0",
        "- shm:0",
        "+ sem:0",
        "~ sem:0",
        "+ pmsg:/q",
        "~ pmsg:/q",
        "- pmsg:/q",
        "+ pshm:/m",
        "- pshm:/m",
        "~ psem:/first",
        "- msg:1",
        "- sem:0",
    ];
    assert_eq!(story, expected);
    let mut all = events.clone();
    // What --initial told.
    let first = json!({"event": "+", "ref": "psem:/first"});
    let change = all.iter_mut().find(|event| event["ref"] == "psem:/first").unwrap();
    let changes = change["changes"].as_object().unwrap().clone();
    let mut before = change.clone();
    for (name, values) in &changes {
        before[name] = values[0].clone();
    }
    before["event"] = first["event"].clone();
    before.as_object_mut().unwrap().remove("changes");
    all.insert(0, before);
    let world = replay(&all);
    let listed = shell.run("ipctool list --json").ok().records();
    assert_eq!(world.into_values().collect::<Vec<_>>(), listed);
    for (number, name, values) in [
        (1, "messages", [0, 1]),
        (2, "messages", [1, 0]),
        (7, "attached", [0, 1]),
        (8, "attached", [1, 0]),
    ] {
        assert_eq!(events[number]["changes"][name], json!(values), "{}", events[number]);
    }
    assert_eq!(events[3]["changes"]["mode"], json!(["0600", "0640"]));

    let lines = lines(&shell, "text");
    let text = untimed(&lines);
    let me = me(&shell);
    assert_eq!(
        text[0],
        format!("+ msg:0  key 0x0000beef  owner {me}  mode rw-------  messages 0  bytes 0")
    );
    assert!(
        text[1].starts_with("~ msg:0  messages 0 → 1  bytes 0 → 5  last_send_pid - → "),
        "{text:?}"
    );
    assert!(
        text[2].starts_with("~ msg:0  messages 1 → 0  bytes 5 → 0  last_recv_pid - → "),
        "{text:?}"
    );
    assert_eq!(text[3], "~ msg:0  mode rw------- → rw-r-----");
    assert_eq!(
        text[4],
        format!("- msg:0  key 0x0000beef  owner {me}  mode rw-r-----  messages 0  bytes 0")
    );
    assert!(
        text[11].starts_with("~ sem:0  last_op - → 2"),
        "a time, as nothing else has changed: {text:?}"
    );
    let last = format!("- sem:0  owner {me}  mode rw-------  nsems 2");
    assert_eq!(text.last(), Some(&last.as_str()));
    for line in &lines {
        let time = line.split(' ').next().unwrap();
        let digits = time.replace(|letter: char| letter.is_ascii_digit(), "9");
        assert_eq!(digits, "9999-99-99T99:99:99.999+99:99");
    }
}

#[test]
fn what_is_there_first_and_when_it_ends() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool watch --for 0s").prints("");
    shell.run("ipctool watch --until-gone").prints("");
    shell.run("ipctool create msg; ipctool create msg --key 0xbeef; ipctool create sem").ok();
    shell.run("ipctool watch --for 0s").prints("");
    let ran = shell.run("ipctool watch --initial --for 60ms -d 50ms").ok().stdout();
    let (me, all) = (me(&shell), ran.lines().map(str::to_owned).collect::<Vec<_>>());
    assert_eq!(
        untimed(&all),
        [
            format!("= msg:0  owner {me}  mode rw-------  messages 0  bytes 0"),
            format!("= msg:1  key 0x0000beef  owner {me}  mode rw-------  messages 0  bytes 0"),
            format!("= sem:0  owner {me}  mode rw-------  nsems 1"),
        ]
    );
    // Before the first look at a tick.
    let two = shell.run("ipctool watch --initial -n 2 -d 1h --json").ok();
    assert_eq!(two.fields("event ref remark"), json!([["=", "msg:0", null], ["=", "msg:1", null]]));
    // A line more than there is.
    let four = shell.start("exec ipctool watch --initial -n 4 -d 50ms -o ref > four");
    shell.wait_until("[ $(wc -l < four) = 3 ]");
    shell.run("ipctool create msg; ipctool create shm --size 1").ok();
    four.ends().ok();
    shell.run("wc -l < four").prints("4\n");
    let gone = shell.start("exec ipctool watch msg --until-gone -d 50ms --initial > gone");
    shell.wait_until("[ $(wc -l < gone) = 3 ]");
    shell.run("ipctool rm msg:0 msg:2").ok();
    shell.wait_until("[ $(wc -l < gone) = 5 ]");
    shell.run("ipctool rm msg:1").ok();
    gone.ends().ok();
    let all = lines(&shell, "gone");
    assert_eq!(
        untimed(&all).iter().map(|line| &line[..7]).collect::<Vec<_>>(),
        ["- msg:0", "- msg:2", "- msg:1"]
    );
}

#[test]
fn never_more_often_than_the_interval() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --key 0xbeef").ok();
    let _sender = shell
        .start("while :; do ipctool send 0xbeef x; ipctool recv 0xbeef --all > /dev/null; done");
    let ran = shell.run("ipctool watch --for 1s -d 100ms --json").ok();
    // At ten ticks, the last one of which is the end.
    let number = ran.records().len();
    assert!((1..=10).contains(&number), "{number}");
}

#[test]
fn objects_that_begin_to_match_and_cease_to() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create psem --name /first; ipctool create msg --key 0xbeef").ok();
    for (log, options) in [("json", "--json"), ("text", "")] {
        shell.run("ipctool recv 0xbeef --all > /dev/null 2>&1; ipctool create msg --key 0xbeef > /dev/null").exits(0);
        let watch = shell
            .start(&format!("exec ipctool watch msg --empty --initial -d 50ms {options} > {log}"));
        shell.wait_until(&format!("test -s {log}"));
        shell.run("ipctool send 0xbeef hello").ok();
        has_lines(&shell, log, 1);
        shell.run("ipctool recv 0xbeef").ok();
        has_lines(&shell, log, 2);
        shell.run("ipctool rm msg:0xbeef").ok();
        has_lines(&shell, log, 3);
        watch.signal("INT").ends().ok();
    }
    let events = events(&shell, "json");
    assert_eq!(
        fields(&events, "event ref remark"),
        r#"[["-","msg:0","no-longer-matches"],["+","msg:0","matches"],["-","msg:0",null]]"#
    );
    let lines = lines(&shell, "text");
    let text = untimed(&lines);
    assert!(
        text[0].starts_with("- msg:1 ") && text[0].ends_with("  (still exists, no longer matches)"),
        "{text:?}"
    );
    assert!(
        text[1].starts_with("+ msg:1 ") && text[1].ends_with("  (existed before, matches now)"),
        "{text:?}"
    );
    assert!(text[2].starts_with("- msg:1 ") && text[2].ends_with("  bytes 0"), "{text:?}");
}

#[test]
fn by_who_uses_it() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create shm --size 1").ok();
    let watch = shell.start("exec ipctool watch shm --unused --initial -d 50ms --json > log");
    shell.wait_until("test -s log");
    let holder = shell.start("exec ipctool attach shm:0").waits();
    has_lines(&shell, "log", 1);
    holder.signal("KILL").ends();
    has_lines(&shell, "log", 2);
    watch.signal("INT").ends().exits(0);
    assert_eq!(
        fields(&events(&shell, "log"), "event ref remark"),
        r#"[["-","shm:0","no-longer-matches"],["+","shm:0","matches"]]"#
    );
}

#[test]
fn what_came_and_went_between_two_looks() {
    let came_and_went = |log: &str, options: &str| {
        let shell = Sandbox::new()?;
        let watch = watch(&shell, log, options);
        shell.run("ipctool create msg").ok();
        has_lines(&shell, log, 1);
        // Right after a look, and in one process, so that no look can fall between them.
        let three = "my $id = msgget(0, 0600); msgget(0, 0600); msgctl($id, 0, 0)";
        shell.run(&format!("perl -e '{three}'")).ok();
        has_lines(&shell, log, 4);
        watch.signal("INT").ends().ok();
        Some(shell)
    };
    let Some(shell) = came_and_went("text", "-d 500ms") else { return };
    let lines = lines(&shell, "text");
    let brief = "msg:1  (came and went between two looks)";
    assert_eq!(untimed(&lines)[1..3], [format!("+ {brief}"), format!("- {brief}")]);
    assert!(untimed(&lines)[3].starts_with("+ msg:2 "), "{lines:?}");
    let Some(shell) = came_and_went("json", "-d 500ms --json") else { return };
    let events = events(&shell, "json");
    assert_eq!(
        fields(&events[1..], "event ref id kind remark owner messages"),
        json!([
            ["+", "msg:1", 1, "msg", "brief", null, null],
            ["-", "msg:1", 1, "msg", "brief", null, null],
            ["+", "msg:2", 2, "msg", null, me(&shell), 0]
        ])
        .to_string()
    );
}

#[test]
fn just_the_columns_that_are_named() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --key 0xbeef").ok();
    let json = shell.start("exec ipctool watch --initial -d 50ms --json -o mode,nsems > json");
    let text = shell.start("exec ipctool watch --initial -d 50ms -o mode > text");
    let more = shell.start("exec ipctool watch --initial -d 50ms -o +group > more");
    shell.wait_until("test -s json && test -s text && test -s more");
    shell.run("ipctool send 0xbeef hello").ok();
    has_lines(&shell, "more", 1);
    shell.run("ipctool chmod 640 msg:0xbeef").ok();
    for (log, number) in [("more", 2), ("text", 1), ("json", 1)] {
        has_lines(&shell, log, number);
    }
    for watch in [json, text, more] {
        watch.signal("INT").ends().ok();
    }
    let shown = lines(&shell, "text");
    assert_eq!(untimed(&shown), ["~ msg:0  mode rw------- → rw-r-----"]);
    let events = events(&shell, "json");
    let mut event = events[0].clone();
    event["time"] = json!("");
    let expected = json!({"time": "", "event": "~", "ref": "msg:0", "mode": "0640", "nsems": null,
        "changes": {"mode": ["0600", "0640"]}, "remark": null});
    assert_eq!((events.len(), event), (1, expected));
    shell.run("head -n 1 more").ok().shows("  bytes 0  group ");
    // Without UTF-8.
    shell
        .run("(sleep 0.2; ipctool chmod 600 msg:0) & LC_ALL=C ipctool watch -d 50ms -n 1")
        .ok()
        .shows("mode rw-r----- -> rw-------\n");
    shell
        .run("ipctool --color always watch --initial --for 0s")
        .ok()
        .shows("\x1b[2m=\x1b[0m msg:0");
}

#[test]
fn other_namespaces() {
    let Some(shell) = Sandbox::new() else { return };
    if !only_root("only root sees every namespace") {
        return;
    }
    let Some(web) = Container::start("watched", Like::Docker) else { return };
    let own = shell.start(&format!("exec ipctool --in {web} watch --json -d 50ms --initial > own"));
    // What is there at the first look says that it has been made.
    shell.run("ipctool create sem --key 0x7a7c").ok();
    let everywhere = "ipctool watch -A --key 0x7a7c -d 50ms --initial";
    let all = shell.start(&format!("exec {everywhere} --json > all"));
    let text = shell.start(&format!("exec {everywhere} > text"));
    ["all", "text", "own"].iter().for_each(|log| shell.wait_until(&format!("test -e {log}")));
    ["all", "text"].iter().for_each(|log| shell.wait_until(&format!("grep -q sem:0 {log}")));
    shell.run(&format!("ipctool --in {web} create msg --key 0x7a7c")).ok();
    for log in ["own", "all", "text"] {
        has_lines(&shell, log, 1);
    }
    own.signal("INT").ends().exits(0);
    let number = web.namespace();
    let name = web.to_string();
    let expected = json!([["+", "msg:0", number, name]]).to_string();
    assert_eq!(fields(&events(&shell, "own"), "event ref ns container"), expected);
    drop(web);
    has_lines(&shell, "all", 2);
    has_lines(&shell, "text", 2);
    all.signal("INT").ends().exits(0);
    text.signal("INT").ends().exits(0);
    let expected =
        json!([["+", "msg:0", number, name, null], ["-", "msg:0", number, name, null]]).to_string();
    assert_eq!(fields(&events(&shell, "all"), "event ref ns container remark"), expected);
    let lines = lines(&shell, "text");
    for (line, sign) in untimed(&lines).iter().zip(["+", "-"]) {
        let start =
            format!("{sign} msg:0  container {name}  ns {number}  key 0x00007a7c  owner root  ");
        assert!(line.starts_with(&start), "{line}");
    }
    shell.run("ipctool --in host watch -A").exits(2).says("--in is for one namespace");
}

#[test]
fn a_signal_leaves_whole_lines() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("for n in $(seq 300); do ipcmk -Q; done > /dev/null; mkfifo pipe gate").ok();
    // A reader that does not read yet, with a pipe too small for all.
    let reader = shell.start("exec < pipe; read go < gate; cat > got");
    let watch = shell.start("exec ipctool watch --json --initial > pipe").waits();
    watch.signal("INT").ends().ok();
    shell.run("echo go > gate").ok();
    reader.ends().ok();
    let got = shell.run("cat got").ok();
    let number = got.records().len();
    assert!(got.stdout().ends_with("}\n") && (20..300).contains(&number), "{number}");
    for (signal, status) in [("INT", 0), ("TERM", 143), ("HUP", 129)] {
        let watch = shell.start(&format!("exec ipctool watch --json --initial > {signal}"));
        shell.wait_until(&format!("[ $(wc -l < {signal}) = 300 ]"));
        watch.signal(signal).ends().exits(status);
        assert_eq!(shell.run(&format!("cat {signal}")).ok().records().len(), 300);
    }
}

#[test]
fn a_reader_that_goes_away() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("mkfifo pipe").ok();
    // While nothing happens, and no look is due.
    let watch = shell.start("exec ipctool watch -d 1h > pipe");
    shell.run(": < pipe").ok();
    watch.ends().ok();
    shell.run("for n in 1 2 3; do ipctool create msg; done").ok();
    shell.run("ipctool watch --initial | head -n 1").ok();
}

#[test]
fn a_full_disk() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("mkdir small && mount -t tmpfs -o size=4k small small && for n in $(seq 50); do ipcmk -Q; done > /dev/null").ok();
    for redirection in [">", ">>"] {
        shell
            .run(&format!("ipctool watch --initial --json {redirection} small/log"))
            .exits(1)
            .says("watch: cannot write to standard output: ");
        let log = shell.run("cat small/log").ok();
        let number = log.records().len();
        assert!(log.stdout().ends_with("}\n") && (1..50).contains(&number), "{number}");
    }
}

#[test]
fn what_cannot_be_looked_at_is_not_gone() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pmsg --name /q --max-messages 1; ipctool create pshm --name /m --size 1; ipctool create psem --name /first").ok();
    // As kinds that were asked for, and as those that are watched with all others.
    for kinds in ["pmsg,pshm,psem", ""] {
        let watch = shell
            .start(&format!("exec ipctool watch {kinds} -d 50ms --initial --json > log 2> errors"));
        shell.wait_until("[ $(wc -l < log) = 3 ]");
        let pid = watch.pid();
        shell.run(&format!("prlimit --pid {pid} --nofile=1:1024")).ok();
        shell.wait_until("test -s errors");
        shell
            .run(&format!(
                "prlimit --pid {pid} --nofile=1024:1024; ipctool create psem --name /last"
            ))
            .ok();
        has_lines(&shell, "log", 1);
        watch.signal("INT").ends().exits(1);
        assert_eq!(fields(&events(&shell, "log"), "event ref"), r#"[["+","psem:/last"]]"#);
        let errors = shell.run("grep -c 'ipctool: watch' errors").stdout();
        assert!((1..=3).contains(&errors.trim().parse().unwrap()), "{errors}");
        shell.run("sort errors | uniq -d").prints("");
        shell.run("grep -q EMFILE errors; ipctool rm psem:/last").ok();
    }
    // The first look is an error of its own. For want of descriptors an ordinary user may not mount, either.
    if is_root() {
        shell.run("ulimit -n 4; ipctool watch pmsg --for 0s").exits(1).says("EMFILE");
    }
}

/// The name of the user.
fn me(shell: &Sandbox) -> String {
    shell.run("id -un").stdout().trim().to_owned()
}

#[test]
fn names_that_a_terminal_would_obey() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run(r"ipctool create pmsg --name '/x\x0a\x1b[31m' --max-messages 1; ipctool create psem --name '/a b'").ok();
    let ran = shell.run("ipctool watch --initial --for 0s").ok();
    let all: Vec<_> = ran.stdout().lines().map(str::to_owned).collect();
    assert_eq!(all.len(), 2);
    assert!(untimed(&all)[0].starts_with(r"= 'pmsg:/x\x0a\x1b\x5b31m'  owner "), "{all:?}");
    assert!(untimed(&all)[1].starts_with("= 'psem:/a b'  owner "), "{all:?}");
    let ran = shell.run("ipctool watch --initial --for 0s --json").ok();
    assert!(!ran.stdout().contains('\x1b') && ran.stdout().lines().count() == 2);
    assert_eq!(ran.records().len(), 2);
}

#[test]
fn an_ordinary_user() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --mode 600 --key 0xbeef; ipctool create pmsg --name /q --max-messages 1 --mode 600").ok();
    let line = "ipctool watch --initial --json --for 0s; ipctool create msg > /dev/null; ipctool watch msg --owner nobody --initial -n 1";
    let Some(ran) = shell.run_as(NOBODY, line) else { return };
    let ran = ran.exits(0);
    let text = ran.stdout();
    assert!(
        text.contains(r#""event":"=","ref":"msg:0""#) && text.contains(r#""ref":"pmsg:/q""#),
        "{text}"
    );
    assert!(text.lines().last().unwrap().contains(" = msg:1  owner nobody  "), "{text}");
}

#[test]
fn a_directory_that_is_closed_for_a_while() {
    let Some(shell) = Sandbox::new() else { return };
    // Makes a binary that others may execute.
    if shell.run_as(NOBODY, "true").is_none() {
        return;
    }
    shell.run("ipctool create psem --name /it; ipctool create psem --name /other").ok();
    let step_down = "exec setpriv --reuid 65534 --regid 65534 --clear-groups";
    let options = "psem -A -d 50ms --initial --json";
    let watch = shell.start(&format!("{step_down} ./ipctool watch {options} > log 2> errors"));
    shell.wait_until("grep -q psem:/other log");
    shell.run("chmod 700 /dev/shm").ok();
    shell.wait_until("grep -q 'could not be looked at' errors");
    shell.run("ipctool rm psem:/other").ok();
    shell.run("chmod 1777 /dev/shm").ok();
    has_lines(&shell, "log", 1);
    watch.signal("INT").ends().exits(1);
    assert_eq!(fields(&events(&shell, "log"), "event ref remark"), r#"[["-","psem:/other",null]]"#);
    // What cannot be seen may be left.
    shell.run("chmod 700 /dev/shm").ok();
    let line = "ipctool watch psem -A --until-gone";
    shell.run_as(NOBODY, line).unwrap().exits(1).says("so it is not known whether all are gone");
    shell.run("chmod 1777 /dev/shm").ok();
}

#[test]
fn another_dev_shm() {
    let Some(shell) = Sandbox::privileged() else { return };
    let watch = watch(&shell, "log", "-d 50ms --json");
    shell.run("mount -t tmpfs tmpfs /dev/shm").ok();
    has_lines(&shell, "log", 1);
    shell.run("umount /dev/shm").ok();
    has_lines(&shell, "log", 2);
    watch.signal("INT").ends().ok();
    assert_eq!(
        fields(&events(&shell, "log"), "event ref remark"),
        r#"[["-","psem:/first","out-of-sight"],["+","psem:/first","back-in-sight"]]"#
    );
}

#[test]
fn without_proc() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("ipctool create psem --name /without_proc").ok();
    let options = "psem -A --name /without_proc -d 50ms --initial";
    let watch = shell.start(&format!("exec ipctool watch {options} > log 2> errors"));
    shell.wait_until("test -s log");
    shell.run("mount -t tmpfs tmpfs /proc").ok();
    shell.wait_until("grep -q 'there is no /proc here' errors");
    shell.run("umount /proc").ok();
    watch.signal("INT").ends().exits(1);
    let lines = lines(&shell, "log");
    assert!(lines.is_empty(), "{lines:?}");
}

#[test]
fn wrong_usage() {
    let Some(shell) = Sandbox::new() else { return };
    let wait = "to wait until an object is in a state: ipctool wait";
    let kinds = "[possible values: msg, shm, sem, pmsg, pshm, psem]";
    for (arguments, says) in [
        ("-d 10ms", "--interval: '10ms' is too short: the shortest interval is 50ms".to_owned()),
        ("-d 0", "--interval: '0' is too short: the shortest interval is 50ms".to_owned()),
        ("-d x", "--interval: 'x' is not a duration: write 30s, 10m, 2h or 7d".to_owned()),
        ("-n 0", "--count: 0 is less than 1".to_owned()),
        ("--for -1s", "--for: '-1s' is not a duration: write 30s, 10m, 2h or 7d".to_owned()),
        (
            "msg:0",
            format!(
                "invalid value 'msg:0' for '[KIND]...' {kinds}\nhint: to watch one object, choose it by --key, --name or another filter: ipctool watch msg --key KEY; to wait until it is in a state: ipctool wait msg:0 --until CONDITION"
            ),
        ),
        (
            "shm:0xbeef",
            format!(
                "invalid value 'shm:0xbeef' for '[KIND]...' {kinds}\nhint: to watch some objects, use filters: ipctool watch shm --key=0x0000beef; {wait} shm:0xbeef --until CONDITION"
            ),
        ),
        (
            "/web",
            format!(
                "invalid value '/web' for '[KIND]...' {kinds}\nhint: to watch some objects, use filters: ipctool watch --name=/web; {wait} /web --until CONDITION"
            ),
        ),
    ] {
        let ran = shell.run(&format!("ipctool watch {arguments}")).exits(2);
        assert_eq!(ran.stderr(), format!("ipctool: watch: {says}\n"), "{arguments}");
    }
    for (option, instead) in
        [("-q", "msg"), ("--kind msg", "msg,pmsg"), ("--format json", "--json")]
    {
        let hint = format!(": ipctool watch {instead}\n");
        shell.run(&format!("ipctool watch {option}")).exits(2).says(&hint);
    }
    shell
        .run("ipctool watch -o size msg")
        .exits(2)
        .says("there is no column 'size' for msg\nhint: columns: ref ");
    shell
        .run("ipctool monitor")
        .exits(2)
        .says("to see what appears, changes and goes: ipctool watch\n");
}
