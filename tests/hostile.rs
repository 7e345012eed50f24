//! Names, command lines and directories that are chosen to harm a user who looks at them.

mod sandbox;

use sandbox::{NOBODY, Needs, Ran, Running, Sandbox, skip, until};

/// What a terminal would obey, as `ipctool` and Perl read it: it forges a line, sets the title, goes back to the
/// start of the line, and turns the order of what follows around.
const EVIL: &str = r"x\x0ahint: forged\x1b]0;t\x07\x0d\x7f\xc2\x9b\xe2\x80\xae\xff\x9b";

/// The same for `printf(1)`, which knows octal numbers alone.
const EVIL_WORD: &str = r"x\nhint: forged\033]0;t\007\r\177\302\233\342\200\256\377\233";

/// An IPC namespace full of traps: names of users and groups, of objects, of processes that wait or have
/// something attached, a directory, messages. The processes end when they are dropped.
fn booby_trapped() -> Option<(Sandbox, Vec<Running>)> {
    let shell = Sandbox::privileged()?;
    shell.compile("use");
    shell
        .run(&format!(
            "evil=$(printf '{EVIL_WORD}')
             mkdir -m 755 \"$evil\" && mkdir bin && cp $(command -v ipctool) bin/ &&
             for file in passwd group; do
                 sed \"s/^root:/ro$(printf '\\033]0;u\\007\\r\\302\\233\\233')ot:/\" /etc/$file > $file &&
                 mount --bind $file /etc/$file || exit
             done
             ipctool create msg --key 1 --mode 666 && ipctool create shm --key 1 --size 10 &&
             ipctool create sem --key 1 && ipctool create msg --key 2 &&
             ipctool create pmsg --name '/{EVIL}' && ipctool create pshm --name '/{EVIL}' --size 1 &&
             ipctool create psem --name '/{EVIL}' &&
             printf '{EVIL_WORD}' | ipctool send 0 && printf '{EVIL_WORD}' | ipctool send 0"
        ))
        .exits(0);
    let start =
        |process: &str| shell.start(&format!("exec perl -e '$0 = $evil = \"{EVIL}\"; {process}'"));
    let processes = vec![
        start("exec {\"./use\"} $evil, \"shm\", 0"),
        start("msgrcv(1, $m, 10, 0, 0)"),
        start("semop(0, pack(\"s3\", 0, -1, 0))"),
    ];
    until("each process uses its object", || {
        let seen = shell.run("ipctool stat shm:0 msg:1 sem:0 --json").exits(0).json();
        // The process that made the segment is gone.
        let is_used = |one: &serde_json::Value| {
            one["users"].as_array().unwrap().iter().any(|user| user["state"] == "alive")
        };
        seen.as_array().unwrap().iter().all(is_used)
    });
    Some((shell, processes))
}

/// Nothing in this can act on a terminal: ends of lines and colours are all that there is.
#[track_caller]
fn is_harmless(bytes: &[u8], line: &str) {
    // A payload keeps its own lines.
    let is_payload = ["ipctool recv", "msgtool r"].iter().any(|word| line.contains(word));
    let shown = String::from_utf8_lossy(bytes);
    let text = std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("$ {line}\n{shown:?}"));
    let mut rest = text.replace("\r\n", "\n");
    // Our own colours.
    while let Some(start) = rest.find("\x1b[") {
        let length = rest[start + 2..].find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(0);
        assert_eq!(&rest[start + 2 + length..][..1], "m", "$ {line}\n{shown:?}");
        rest.replace_range(start..start + 3 + length, "");
    }
    // Characters that have no width, end a line, or change the direction. '…' lies between them, and
    // does nothing.
    let is_unseen = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    let acts = |c: char| c.is_control() && !"\n\t".contains(c) || is_unseen(c);
    assert!(!rest.contains(acts), "$ {line}\n{shown:?}");
    let is_forged = |line: &str| line.trim_start().starts_with("hint: forged");
    assert!(is_payload || !rest.lines().any(is_forged), "$ {line}\n{rest}");
}

/// Every verb, in every format, where names get out.
fn every_command() -> Vec<String> {
    let mut lines = Vec::new();
    for format in ["table", "plain", "json", "jsonl", "csv", "tsv"] {
        lines.push(format!("ipctool list --format {format} -o +users,creator,group,waiting"));
        lines.push(format!("ipctool list --format {format} --color always --bytes"));
        lines.push(format!("ipctool doctor --format {format}"));
        lines.push(format!("ipctool limits --format {format}"));
    }
    for format in ["text", "raw", "null", "hex", "jsonl"] {
        lines.push(format!("ipctool recv 0 --peek --all --format {format} -v"));
    }
    let posix = format!("'pmsg:/{EVIL}' 'pshm:/{EVIL}' 'psem:/{EVIL}'");
    let all = format!("msg:0 msg:1 shm:0 sem:0 {posix}");
    lines.extend([
        "ipctool".to_owned(),
        format!("ipctool stat {all}"),
        format!("ipctool stat --json {all}"),
        format!("ipctool stat --picture {all}"),
        format!("LC_ALL=C COLUMNS=100 ipctool stat --picture {all}"),
        format!("ipctool chmod -v 660 {all}"),
        format!("ipctool chown -v 0:0 {all}"),
        format!("ipctool chown \"$evil:$evil\" {all}"),
        format!("ipctool create pmsg --name '/{EVIL}'"),
        format!("ipctool create pmsg --name '/{EVIL}' --mode 606"),
        format!("ipctool create pmsg --name '/{EVIL}' --exclusive"),
        format!("ipctool --trace create psem --name '/{EVIL}'"),
        "ipctool create pmsg --name \"$evil\"".to_owned(),
        "ipctool create msg --ftok \"$evil/none\"".to_owned(),
        "ipctool create msg --key \"$evil\"".to_owned(),
        "ipctool key \"$evil\"".to_owned(),
        "ipctool key \"$evil/none\"".to_owned(),
        "ipctool \"$evil\"".to_owned(),
        "ipctool stat \"$evil\" \"msg:$evil\"".to_owned(),
        "ipctool list --owner \"$evil\"".to_owned(),
        "ipctool list --\"$evil\" \"$evil\"".to_owned(),
        "ipctool list -o \"$evil\"".to_owned(),
        "ipctool limits --set \"$evil=1\"".to_owned(),
        "ipctool send \"/$evil\" \"$evil\"".to_owned(),
        format!("ipctool send 'pmsg:/{EVIL}' -- \"$evil\""),
        format!("ipctool recv 'pmsg:/{EVIL}'"),
        "printf '{\"%s\": 1}' \"$evil\" | ipctool send 0 --jsonl".to_owned(),
        "ipctool rm --unused --dry-run".to_owned(),
        "ipctool rm --orphan=certain --verbose --dry-run".to_owned(),
        "echo n | ipctool rm --owner 0".to_owned(),
        "ipctool guard \"$evil\"".to_owned(),
        "ipctool guard --report \"$evil/none/x\" true".to_owned(),
        "ipctool guard --report \"$evil\" true".to_owned(),
        "ipctool guard --report /dev/stdout -- sh -c 'ipctool create shm --size 1'".to_owned(),
        format!("ipctool guard -- ipctool create psem --name '/{EVIL}'"),
        "ipctool guard -- perl -e \"shmget(0, 1, 0600)\" \"$evil\"".to_owned(),
        "ipctool guard --isolate never -- perl -e \"shmget(0, 1, 0600)\" \"$evil\"".to_owned(),
        "ipctool guard -- perl -e \"fork || sleep 1\" \"$evil\"".to_owned(),
        "ipctool install-links -v \"$evil\"".to_owned(),
        "rm \"$evil\"/ipcs; touch \"$evil\"/ipcs; ipctool install-links \"$evil\"".to_owned(),
        "rm \"$evil\"/ipcs; ln -s \"$evil\" \"$evil\"/ipcs; ipctool install-links \"$evil\""
            .to_owned(),
        "ipctool install-links \"$evil/none\"".to_owned(),
        "PATH=\"$PWD/$evil:$PATH\" ipctool install-links bin".to_owned(),
        "bin/ipcs".to_owned(),
        "bin/ipcs -c".to_owned(),
        "bin/ipcs -m -i 0".to_owned(),
        "bin/ipcs \"-$evil\" \"$evil\"".to_owned(),
        "bin/ipcs --\"$evil\"".to_owned(),
        "bin/ipcrm \"$evil\" -q \"$evil\" -M \"$evil\"".to_owned(),
        "bin/ipcmk -M \"$evil\"".to_owned(),
        "bin/ipcmk -Q -p \"$evil\"".to_owned(),
        "bin/msgtool s 1 \"$evil\"".to_owned(),
        "bin/msgtool r 1".to_owned(),
        "bin/msgtool \"$evil\"".to_owned(),
        // Last: it is attached, so there is something to say of who holds it.
        "ipctool rm -v shm:0".to_owned(),
        "ipctool doctor".to_owned(),
    ]);
    lines
}

#[test]
fn nothing_that_acts_on_a_terminal_reaches_one() {
    let Some((shell, _processes)) = booby_trapped() else { return };
    if shell.run("script -qec 'echo ready' /dev/null").stdout() != "ready\r\n" {
        return skip(Needs::Machine, "there is no script(1) that is quiet");
    }
    let mut seen = String::new();
    for line in every_command() {
        std::fs::write(
            shell.directory().join("line"),
            format!("evil=$(printf '{EVIL_WORD}'); {line}\n"),
        )
        .unwrap();
        let ran = shell.run("script -qec 'sh line' /dev/null < /dev/null");
        is_harmless(ran.bytes(), &line);
        seen += &ran.stdout();
    }
    // It was there to be seen: as an object, a user, a process, a message.
    for trap in ["shm:0", "pshm:/x\\x0ahint: forged", "ro\\x1b]0;u", "x\\nhint: forged\\x1b]0;t"] {
        assert!(seen.contains(trap), "{trap:?} was never shown");
    }
}

#[test]
fn off_a_terminal_no_line_is_forged_and_the_old_programs_write_as_ever() {
    let Some((shell, _processes)) = booby_trapped() else { return };
    let is_forged = |line: &str| line.trim_start().starts_with("hint: forged");
    for line in every_command() {
        // Whoever asks for the payload of messages, for CSV with quotes, or an old program, gets that.
        let is_exact =
            ["recv", "csv", "tsv", "bin/", "echo n"].iter().any(|word| line.contains(word));
        if is_exact {
            continue;
        }
        let ran = shell.run(&format!("evil=$(printf '{EVIL_WORD}'); {line} < /dev/null"));
        let text = ran.stdout() + &ran.stderr();
        assert!(!text.lines().any(is_forged), "$ {line}\n{text}");
        assert!(!text.contains('\x1b') || line.contains("--color"), "$ {line}\n{text:?}");
    }
    let ran = shell.run("bin/ipcs -c").ok();
    assert!(ran.stdout().contains("ro\x1b]0;u\x07"), "{:?}", ran.stdout());
    shell.run("ipctool list --format csv -o owner").shows("ro\x1b]0;u\x07");
}

#[test]
fn a_long_command_line_is_cut_for_people_and_whole_for_programs() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("use");
    shell.run("ipctool create shm --key 1 --size 10").ok();
    let long = "exec {\"./use\"} \"use\", \"shm\", 0, (\"y\" x 100000) x 17, \"the-end\"";
    let holder = shell.start(&format!("exec perl -e '{long}'"));
    until("the segment is attached", || {
        shell.run("ipctool stat shm:0").exits(0).stdout().contains("yyy")
    });
    let is_cut = |ran: Ran| {
        let text = ran.stdout() + &ran.stderr();
        assert!(text.contains("yyy") && text.contains('…'), "{} bytes", text.len());
        assert!(text.len() < 4000 && !text.contains("the-end"), "{} bytes", text.len());
    };
    is_cut(shell.run("ipctool stat shm:0"));
    let users = &shell.run("ipctool stat shm:0 --json").exits(0).json()[0]["users"];
    let command = users[0]["command"].as_str().unwrap();
    assert!(command.len() > 1_700_000 && command.ends_with(" the-end"), "{} bytes", command.len());
    is_cut(shell.run("ipctool rm shm:0"));
    is_cut(shell.run("ipctool doctor"));
    // It lives until all of its command line has been read.
    let leaky = "perl -e 'shmget(0, 1, 0600); select undef, undef, undef, 0.5' $(perl -e 'print \"y\" x 100000, \" the-end\"')";
    is_cut(shell.run(&format!("ipctool guard --report r.json -- {leaky}")));
    let leak = &shell.run("cat r.json").json()["leaks"][0];
    let command = leak["command"].as_str().unwrap();
    assert!(command.len() > 100_000 && command.ends_with("y the-end"), "{} bytes", command.len());
    drop(holder);
}

#[test]
fn a_report_does_not_go_where_the_link_of_another_user_leads() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run("mkdir shared dir && chmod 1777 shared && echo old > victim && chmod 600 victim")
        .ok();
    let plant = "ln -s ../victim shared/report; ln -s ../new shared/fresh; ln -s ../dir shared/way";
    let Some(planted) = shell.run_as(NOBODY, plant) else { return };
    planted.ok();
    for path in ["shared/report", "shared/fresh", "shared/way/report"] {
        shell
            .run(&format!("ipctool guard --report {path} touch ran"))
            .exits(5)
            .says("guard --report shared/")
            .says("a link of user nobody in a directory where others can create one is not followed (EACCES)");
    }
    shell
        .run("cat victim; ls dir; test -e new || test -e ran || echo nothing")
        .prints("old\nnothing\n");
    shell.run_as(NOBODY, "mkfifo shared/pipe").unwrap().ok();
    shell.run("ipctool guard --report shared/pipe touch ran").exits(5).says(
        "a pipe of user nobody in a directory where others can create one is not used (EACCES)",
    );
    // The user's own pipe, and one in a directory where no other user can create any.
    shell.run("ln -s ../victim shared/own; ipctool guard --report shared/own true").ok();
    shell.run("grep -c leaks victim; stat -c %a victim; test -L shared/own").prints("1\n600\n");
    shell
        .run("ln -s dir/new link; ipctool guard --report link true; grep -c leaks dir/new")
        .prints("1\n");
    // A second name that another user may have given to a file is no way into it.
    shell
        .run("echo old > victim; ln victim shared/hard; ipctool guard --report shared/hard true")
        .ok();
    shell.run("cat victim; grep -c leaks shared/hard").prints("old\n1\n");
    // What can be named by a descriptor alone.
    shell.run("ipctool guard --report /dev/fd/3 true 3> three; grep -c leaks three").prints("1\n");
    shell.run("ipctool guard --report /dev/stderr true 2>&1 | grep -c leaks").prints("1\n");
}
