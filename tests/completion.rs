//! Completions: what the program answers, and what bash, zsh and fish make of it at a terminal.

mod sandbox;
mod terminal;

use sandbox::{Needs, Sandbox, sees_everybody, skip};
use terminal::Terminal;

const SIZE: (u16, u16) = (120, 40);

/// The candidates for the last of these words.
fn candidates(shell: &Sandbox, words: &str) -> Vec<String> {
    let ran = shell.run(&format!("COMPLETE=bash ipctool -- ipctool {words}"));
    let text = ran.ok().stdout();
    text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

/// Some objects.
fn busy() -> Option<Sandbox> {
    let shell = Sandbox::new()?;
    shell
        .run(
            "ipctool create msg --key 0xbeef; ipctool create msg; ipctool create shm --size 1M; \
             ipctool send 1 hello; ipctool create pshm --name '/two words' --size 1",
        )
        .exits(0);
    Some(shell)
}

#[test]
fn live_references() {
    let Some(shell) = busy() else { return };
    assert_eq!(candidates(&shell, "rm ''"), ["msg:0", "msg:1", "shm:0", "pshm:/two words"]);
    assert_eq!(candidates(&shell, "stat msg:"), ["msg:0", "msg:1"]);
    assert_eq!(candidates(&shell, "send ''"), ["msg:0", "msg:1"]);
    assert_eq!(candidates(&shell, "rm msg:0x"), ["msg:0x0000beef"]);
    assert_eq!(candidates(&shell, "list --key ''"), ["0x0000beef"]);
    assert_eq!(candidates(&shell, "list --name /t"), ["/two words"]);
    let described = shell.run("COMPLETE=zsh ipctool -- ipctool rm msg:").ok().stdout();
    let owner = shell.run("id -un 2> /dev/null || id -u").ok().stdout();
    assert!(
        described.contains(&format!("msg:0\t0x0000beef, {}, 0 messages\n", owner.trim())),
        "{described}"
    );
    // With many objects the kinds come first.
    shell.run("for i in $(seq 501); do ipctool create sem; done").exits(0);
    assert_eq!(candidates(&shell, "rm s"), ["shm:", "sem:"]);
}

#[test]
fn words_of_this_program() {
    let Some(shell) = Sandbox::new() else { return };
    assert_eq!(candidates(&shell, "do"), ["doctor"]);
    assert_eq!(candidates(&shell, "list -o ref,max_b"), ["ref,max_bytes"]);
    assert_eq!(candidates(&shell, "list -o +max_b"), ["+max_bytes"]);
    assert_eq!(candidates(&shell, "list --sort -max_b"), ["-max_bytes"]);
    assert_eq!(candidates(&shell, "limits --set MSGMN"), ["msgmni=", "msgmnb="]);
    assert_eq!(candidates(&shell, "doctor --only limit-near,pm"), ["limit-near,pmsg-limit"]);
    assert_eq!(candidates(&shell, "rm --kind msg,p"), ["msg,pmsg", "msg,pshm", "msg,psem"]);
    assert_eq!(candidates(&shell, "chown root:ro"), ["root:root"]);
    assert_eq!(candidates(&shell, "help li"), ["list", "limits"]);
    assert_eq!(candidates(&shell, "list --jso"), ["--json"]);
    if sees_everybody() {
        assert_eq!(candidates(&shell, "--in hos"), ["host"]);
    }
    shell.run("ipctool create sem").ok();
    assert_eq!(candidates(&shell, "--in $$ rm s"), ["sem:0"]);
    assert_eq!(candidates(&shell, "rm --in=999999999 s"), [] as [&str; 0]);
    // No file names where a file makes no sense, and file names where it does.
    shell.run("touch report.json").ok();
    assert!(candidates(&shell, "send 0 --timeout r").is_empty());
    assert!(candidates(&shell, "create msg --mode r").is_empty());
    assert_eq!(candidates(&shell, "guard --report rep"), ["report.json"]);
    assert_eq!(candidates(&shell, "guard -q -- ma"), ["::command 4"]);
    shell
        .run("COMPLETE=tcsh ipctool")
        .exits(2)
        .says("no completions for 'tcsh', only for bash, zsh, fish");
    shell.run("COMPLETE=bash ipctool -- ipctool rm > /dev/full").exits(1);
    // The variable alone does not keep a command from its work.
    shell.run("COMPLETE=bash ipctool create msg").prints("msg:0\n");
    shell.run("COMPLETE=1 ipctool list").ok().shows("msg:0");
}

/// Types a line into a shell, presses the tab key, and waits for what is on the screen then.
fn completes(shell: &Sandbox, start: &str, cases: &[(&str, &str)]) {
    for (typed, shown) in cases {
        let terminal = Terminal::run(shell, SIZE, false, start).shows("ready>");
        let terminal = terminal.types(&format!("{typed}\t")).shows(shown);
        // Away with the line, and with the shell.
        terminal.types("\x15exit\n").ends();
    }
}

/// Whether this shell is there; if not, the test is skipped.
fn has(shell: &Sandbox, program: &str) -> bool {
    let has = !shell.run(&format!("command -v {program} || true")).stdout().is_empty();
    if !has {
        skip(Needs::Machine, &format!("there is no {program}"));
    }
    has
}

#[test]
fn bash() {
    let Some(shell) = busy() else { return };
    if !has(&shell, "bash") {
        return;
    }
    shell.run("COMPLETE=bash ipctool > script; echo \"PS1='ready>'; . ./script\" > rc").ok();
    completes(
        &shell,
        "exec bash --noprofile --rcfile rc -i",
        &[
            ("ipctool rm sh", "ready>ipctool rm shm:0"),
            ("ipctool stat shm:", "ready>ipctool stat shm:0"),
            ("ipctool stat \"shm:", "ready>ipctool stat \"shm:0\""),
            ("ipctool recv msg:0x", "ready>ipctool recv msg:0x0000beef"),
            ("ipctool limits --set SHMA", "ready>ipctool limits --set shmall="),
            ("ipctool limits --set shmmn", "ready>ipctool limits --set shmmni="),
            ("ipctool rm pshm:", "ready>ipctool rm pshm:/two\\ words"),
            ("ipctool guard -- ipcto", "ready>ipctool guard -- ipctool"),
        ],
    );
}

/// A name is anybody's, and its completion must not run what is in it.
#[test]
fn bash_runs_no_name() {
    let Some(shell) = Sandbox::new() else { return };
    if !has(&shell, "bash") {
        return;
    }
    shell.run("COMPLETE=bash ipctool > script; echo \"PS1='ready>'; . ./script\" > rc").ok();
    shell.run("ipctool create pshm --size 1 --name '/a$(touch hacked)'").exits(0);
    shell.run("ipctool create pshm --size 1 --name \"/b';touch hacked;'\"").exits(0);
    for typed in ["\"pshm:/a", "'pshm:/b", "pshm:/a", "pshm:/b", "\"pshm:/", "'pshm:/"] {
        let terminal = Terminal::run(&shell, SIZE, false, "exec bash --noprofile --rcfile rc -i");
        let terminal = terminal.shows("ready>").types(&format!("ipctool stat {typed}\t"));
        let close = &typed[..1];
        let close = if close == "p" { "" } else { close };
        terminal.types(&format!("{close}\necho en''ded\n")).shows("ended").types("exit\n").ends();
        assert!(!shell.directory().join("hacked").exists(), "{typed}");
    }
}

#[test]
fn zsh() {
    let Some(shell) = busy() else { return };
    if !has(&shell, "zsh") {
        return;
    }
    shell
        .run("mkdir zsh && COMPLETE=zsh ipctool > zsh/_ipctool; \
              echo \"PS1='ready>'; fpath=(./zsh \\$fpath); autoload -Uz compinit; compinit -u -d ./dump\" > zsh/.zshrc")
        .ok();
    completes(
        &shell,
        "ZDOTDIR=zsh exec zsh -i",
        &[
            ("ipctool rm sh", "ready>ipctool rm shm:0"),
            ("ipctool stat msg:", "0x0000beef, "),
            ("ipctool limits --set shmmn", "ready>ipctool limits --set shmmni="),
            ("ipctool guard -- ipctool do", "ready>ipctool guard -- ipctool doctor"),
        ],
    );
}

#[test]
fn fish() {
    let Some(shell) = busy() else { return };
    if !has(&shell, "fish") {
        return;
    }
    shell.run("COMPLETE=fish ipctool > script").ok();
    // What fish itself makes of it.
    let complete = |line: &str| {
        let line = format!(
            "HOME=$PWD fish --no-config -c 'source script; complete --do-complete \"{line}\"'"
        );
        shell.run(&line).exits(0).stdout()
    };
    assert_eq!(complete("ipctool rm sh"), complete("ipctool rm shm:"));
    assert!(complete("ipctool rm sh").starts_with("shm:0\t"), "{}", complete("ipctool rm sh"));
    assert!(complete("ipctool stat msg:").contains("msg:0\t0x0000beef, "));
    assert!(complete("ipctool limits --set shmmn").starts_with("shmmni=\t"));
    assert!(complete("ipctool guard -- ipctool do").starts_with("doctor\t"));
}
