//! `ipctool guard`: what leaked, the exit status, the report, and where the command runs.

mod guarding;
mod sandbox;

use guarding::{
    Checks, FORBID, THREE, can_isolate, nothing_is_left, refs, report, run_beside_sleepers,
};
use sandbox::{NOBODY, Needs, Sandbox, is_root, only_root, sees_everybody, skip};
use serde_json::Value;

#[test]
fn a_clean_command_is_not_talked_about() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool guard --isolate never -- echo hello").prints("hello\n");
    if can_isolate(&shell) {
        shell.run("ipctool guard -- echo hello").prints("hello\n");
        shell.run("ipctool guard echo hello --report x -q").prints("hello --report x -q\n");
        let tidy = r#"perl -e '$q = msgget(0, 0600); msgctl($q, 0, 0)'"#;
        shell.run(&format!("ipctool guard -- {tidy}")).prints("");
    }
}

#[test]
fn isolated_every_leak_is_told_and_nothing_outside_is_touched() {
    let Some(shell) = Sandbox::new().filter(can_isolate) else { return };
    shell.run("ipctool create msg --key 0xbeef").ok();
    shell.run("ipctool send 0xbeef 'from outside'").ok();
    let before = shell.run("ipctool list --json").stdout();
    let ran = shell.run(&format!("ipctool guard -- {THREE}")).exits(6);
    let text = ran.stderr();
    assert!(
        text.contains("leaked 1 message queue, 1 shared memory segment, 1 semaphore set"),
        "{text}"
    );
    for (reference, key, holds) in [
        ("msg:0", "0x0000beef", "1 message"),
        ("shm:0", "0x0000cafe", "64K"),
        ("sem:0", "0x0000f00d", "3 semaphores"),
    ] {
        let line = text.lines().find(|line| line.contains(reference)).expect(reference);
        assert!([key, holds, "perl -e"].iter().all(|word| line.contains(word)), "{line}");
    }
    assert_eq!(shell.run("ipctool list --json").stdout(), before);
}

#[test]
fn the_report_has_every_field() {
    let Some(shell) = Sandbox::new().filter(can_isolate) else { return };
    let report = report(&shell, &format!("ipctool guard -q --report report.json -- {THREE}"));
    assert_eq!(report["command"][0], "perl");
    assert_eq!((&report["status"], &report["isolated"]), (&Value::from(0), &Value::from(true)));
    assert_eq!(refs(&report["leaks"]), ["msg:0", "shm:0", "sem:0"]);
    for leak in report["leaks"].as_array().unwrap() {
        assert!(leak["pid"].as_i64().unwrap() > 0);
        assert!(leak["command"].as_str().unwrap().starts_with("perl -e"));
        assert!(leak["mode"] == "0600" && leak["cuid"].is_u64() && leak["changed"].is_string());
    }
    assert_eq!(report["leaks"][0]["messages"], 1);
    assert_eq!(report["leaks"][1]["size"], 65_536);
    assert_eq!(report["leaks"][2]["nsems"], 3);
}

#[test]
fn the_leaks_of_installed_programs() {
    let Some(shell) = Sandbox::new().filter(can_isolate) else { return };
    let ran = shell.run("ipctool guard -- sh -c 'ipcmk -Q; ipcmk -M 4096; ipcmk -S 2'").exits(6);
    ran.says("leaked 1 message queue, 1 shared memory segment, 1 semaphore set");
    let three = "leaked 1 message queue, 1 shared memory segment, 1 semaphore set";
    for (module, code, expected) in [
        (
            "sysv_ipc",
            "import sysv_ipc as i; i.MessageQueue(None, i.IPC_CREX); \
             i.Semaphore(None, i.IPC_CREX); i.SharedMemory(None, i.IPC_CREX, size=4096)",
            three,
        ),
        (
            "posix_ipc",
            "import posix_ipc as i; i.MessageQueue(\"/q\", i.O_CREX); \
             i.Semaphore(\"/s\", i.O_CREX); i.SharedMemory(\"/m\", i.O_CREX, size=4096)",
            "leaked 1 POSIX message queue, 1 POSIX shared memory object, 1 POSIX semaphore",
        ),
        (
            "multiprocessing",
            "import multiprocessing as m; p = m.Process(target=print); p.start(); p.join(); \
             m.Lock()",
            "",
        ),
        // What the resource tracker would clean up, if it were there.
        (
            "multiprocessing.shared_memory",
            "import os, signal; from multiprocessing import shared_memory as s, resource_tracker as t; \
             s.SharedMemory(\"left\", True, 4096); \
             os.kill(t._resource_tracker._pid, 9); os.kill(os.getpid(), 9)",
            "pshm:/left",
        ),
    ] {
        if !shell.has_python(module) {
            continue;
        }
        let ran = shell.run(&format!("ipctool guard -- python3 -c '{code}'"));
        match expected {
            "" => drop(ran.ok()),
            _ => drop(ran.says(expected).says("leaked")),
        }
    }
}

#[test]
fn isolated_posix_objects_leak_as_well() {
    let Some(shell) = Sandbox::new().filter(can_isolate) else { return };
    shell
        .run("ipctool create pmsg --name /outside; ipctool create pshm --name /outside --size 4096")
        .exits(0);
    let before = shell.run("ipctool list --json").stdout();
    let make = "ipctool create pmsg --name /q; ipctool create pshm --name /m --size 8K; ipctool create psem --name /s; \
                ipctool send /q hello";
    let report = report(
        &shell,
        &format!("ipctool guard -q --report report.json -- sh -c '({make}) > /dev/null'"),
    );
    assert_eq!(refs(&report["leaks"]), ["pmsg:/q", "pshm:/m", "psem:/s"]);
    assert_eq!(report["leaks"][0]["messages"], 1);
    assert_eq!(report["leaks"][1]["size"], 8192);
    assert_eq!(shell.run("ipctool list --json").stdout(), before);
    shell
        .run(&format!("ipctool guard --ignore /q,/m --ignore /s -- sh -c '({make}) > /dev/null'"))
        .ok();
    let ran = shell
        .run("ipctool guard -- perl -e 'open F, \">\", \"/dev/shm/file\"; print F \"x\" x 5000'");
    ran.exits(6).says("leaked 1 POSIX shared memory object, 8K of memory").says("pshm:/file");

    // Whoever has it open is named.
    let ran = shell.run("ipctool guard -- sh -c 'sleep 50 3> /dev/shm/open & true'").exits(6);
    ran.says("pshm:/open is held by").says("(sleep 50)");
}

#[test]
fn isolated_everything_in_dev_shm_is_a_leak() {
    let Some(shell) = Sandbox::new().filter(can_isolate) else { return };
    let make = "cd /dev/shm && mkdir -p d/e empty && echo x > d/e/f && mkfifo pipe && ln -s /etc link && \
                perl -MSocket -e \"socket S, AF_UNIX, SOCK_STREAM, 0; bind S, pack_sockaddr_un(q(d/socket))\"";
    let ran = shell.run(&format!("ipctool guard -- sh -c '{make}'")).exits(6);
    ran.says("leaked 1 POSIX shared memory object, 4 other files in /dev/shm, 4K of memory")
        .says("pshm:/d/e/f");
    let report =
        report(&shell, &format!("ipctool guard -q --report report.json -- sh -c '{make}'"));
    let leaks = report["leaks"].as_array().unwrap();
    let found: Vec<_> =
        leaks.iter().map(|leak| (leak["ref"].as_str().unwrap(), leak["file"].as_str())).collect();
    let expected = [
        ("pshm:/d/e/f", None),
        ("pshm:/d/socket", Some("socket")),
        ("pshm:/empty", Some("directory")),
        ("pshm:/link", Some("symbolic link")),
        ("pshm:/pipe", Some("named pipe")),
    ];
    assert_eq!(found, expected);
    let ignore = "--ignore /d/e/f,/d/socket,/empty,/link,/pipe";
    shell.run(&format!("ipctool guard {ignore} -- sh -c '{make}'")).ok();
}

#[test]
fn every_exit_status() {
    let Some(shell) = Sandbox::new() else { return };
    let leak = "ipcmk -Q > /dev/null";
    for isolate in ["never", "auto"] {
        let guard = format!("ipctool guard --isolate {isolate}");
        shell.run(&format!("{guard} -- sh -c 'exit 3'")).exits(3);
        shell.run(&format!("{guard} -- sh -c '{leak}; exit 7'")).exits(7);
        for signal in [9, 15, 11, 1, 2, 10] {
            let ran = shell.run(&format!("{guard} -- sh -c 'kill -{signal} $$'; echo $?"));
            ran.prints_last(128 + signal);
        }
        shell.run(&format!("{guard} -- perl -e 'kill 40, $$'; echo $?")).prints_last(168);
        shell.run(&format!("{guard} -- no-such-command")).exits(127).says("(ENOENT)");
        shell.run(&format!("{guard} -- /etc/passwd")).exits(126).says("Permission denied (EACCES)");
        shell.run(&format!("{guard} -- /")).exits(126);
        shell.run(&format!("printf 'exit 5' > script; chmod +x script; {guard} ./script")).exits(5);
    }
    if can_isolate(&shell) {
        shell.run(&format!("ipctool guard -- sh -c '{leak}'")).exits(6);
        shell
            .run(&format!("ipctool guard --allow-leaks -- sh -c '{leak}'"))
            .exits(0)
            .says("leaked");
        shell
            .run(&format!("ipctool guard --max-leaks 1 -- sh -c '{leak}'"))
            .exits(0)
            .says("leaked");
        shell.run(&format!("ipctool guard --max-leaks 1 -- sh -c '{leak}; {leak}'")).exits(6);
        shell
            .run(&format!("ipctool guard -q -- sh -c '{leak}; exit 0' 2>&1"))
            .exits(6)
            .stdout_is("");
    }
}

#[test]
fn what_is_missing_is_explained() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("printf '#!/no/such\\n' > script; chmod +x script").ok();
    shell
        .run("ipctool guard --isolate never ./script")
        .exits(127)
        .says("hint: the file exists, but the interpreter");
    if can_isolate(&shell) {
        shell.run("cp /bin/true /dev/shm/program").ok();
        let hint = "hint: an isolated command has a /dev/shm of its own";
        shell.run("ipctool guard /dev/shm/program").exits(127).says(hint);
        shell.run("ipctool guard --isolate never /dev/shm/program").ok();
        shell.run("cd /dev/shm && ipctool guard true").exits(0).says(hint);
    }
}

#[test]
fn wrong_usage_runs_nothing() {
    let Some(shell) = Sandbox::new() else { return };
    for (arguments, what) in [
        ("", "COMMAND"),
        ("--isolate sometimes -- touch ran", "sometimes"),
        ("--no-such-option touch ran", "--no-such-option"),
        ("--ignore zero -- touch ran", "is not a key"),
        ("--ignore 5 touch ran", "'--' must stand between these and the command"),
        ("--ignore 0x0 -- touch ran", "IPC_PRIVATE"),
        ("--timeout soon -- touch ran", "is not a duration"),
        ("--max-leaks -1 -- touch ran", "-1 is less than 0"),
    ] {
        shell.run(&format!("ipctool guard {arguments}")).exits(2).says(what);
    }
    shell.run("ls").prints("");
    if can_isolate(&shell) {
        let ran = shell.run("ipctool guard --keep -- touch ran").exits(2);
        ran.says("outlives its namespace").says("--isolate never");
        shell.run("ls").prints("");
    }
}

#[test]
fn a_killed_command_leaks_and_is_told_of() {
    let Some(shell) = Sandbox::new() else { return };
    std::fs::write(shell.directory().join("deadly"), format!("{THREE}; kill -9 $$")).unwrap();
    if sees_everybody() {
        let ran = run_beside_sleepers(&shell, "ipctool guard --isolate never -- sh deadly");
        let all = "leaked 1 message queue, 1 shared memory segment, 1 semaphore set";
        ran.exits(137).says(all);
        nothing_is_left(&shell);
    }
    if can_isolate(&shell) {
        let ran = shell.run("ipctool guard -- sh deadly; echo $?");
        ran.prints_last(137).says("leaked 1 message queue");
    }
}

#[test]
fn as_an_ordinary_user() {
    let Some(shell) = Sandbox::new().filter(can_isolate) else { return };
    let uid = if is_root() { NOBODY } else { 0 };
    let run = |line: &str| match is_root() {
        true => shell.run_as(uid, line),
        false => Some(shell.run(line)),
    };
    let Some(ran) = run("id -u; id -g; ipctool guard -- sh -c 'id -u; id -g'") else { return };
    let text = ran.stdout();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines.len() == 4 && lines[..2] == lines[2..], "{text}{}", ran.stderr());
    // No more privilege than before.
    run("ipctool guard -- grep -E 'Cap(Prm|Eff|Amb|Inh)' /proc/self/status").unwrap().stdout_is(
        "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapAmb:\t0000000000000000\n",
    );
    run(&format!("ipctool guard -- {THREE}")).unwrap().exits(6).says("leaked 1 message queue");
    run("ipctool guard --isolate never -- ipcmk -M 1").unwrap().exits(6).says("now removed");
    nothing_is_left(&shell);
}

#[test]
fn where_namespaces_are_forbidden() {
    let Some(shell) = Sandbox::new().and_then(Sandbox::can_forbid) else { return };
    let told =
        "not isolated: unshare: Operation not permitted (EPERM); leaks are attributed by process";
    shell.run(&format!("{FORBID} ipctool guard true")).exits(0).says(told);
    shell.run(&format!("{FORBID} ipctool guard -q true")).ok();
    // Seen for certain, where the processes are looked for now and then.
    let leak = r#"perl -e "shmget(1, 1, 0600 | 01000); select undef, undef, undef, 0.5""#;
    shell
        .run(&format!("{FORBID} ipctool guard -- sh -c '{leak}; true'"))
        .exits(6)
        .says(told)
        .says("now removed");
    nothing_is_left(&shell);
    let always = format!("{FORBID} ipctool guard --isolate always -- touch ran");
    let ran = shell.run(&always).exits(5);
    ran.says("cannot isolate the command: unshare: Operation not permitted (EPERM)")
        .says("--isolate never");
    shell.run("test -e ran").exits(1);

    // The user's share of user namespaces is used up.
    let none = "unshare --user --map-root-user sh -c 'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all --inh-caps=-all \"$@\"' sh";
    if shell.run(&format!("{none} true; echo $?")).stdout() != "0\n" {
        return skip(Needs::Machine, "no user namespace can be made, to limit their number");
    }
    shell
        .run(&format!("{none} ipctool guard true"))
        .exits(0)
        .says("not isolated: unshare: No space left on device (ENOSPC)");
    shell.run(&format!("{none} ipctool guard --isolate always true")).exits(1).says("ENOSPC");
}

#[test]
fn the_report_is_whole_and_found_where_the_caller_sees_it() {
    let Some(shell) = Sandbox::new() else { return };
    // Known to be bad before the command runs.
    shell.run("ipctool guard --report no/such/file -- touch ran").exits(1).says("ENOENT");
    shell.run("ipctool guard --report . -- touch ran").exits(1).says("EISDIR");
    shell.run("test -e ran").exits(1);
    // Full, at once or when it is written.
    let full = "unshare --mount sh -c 'mount -t tmpfs -o size=8k none /mnt && cd /mnt && echo old > r && \
                ipctool guard --report r -- sh -c \"yes > more 2> /dev/null; true\"; echo $?; cat r; ls -A'";
    if only_root("only root mounts a file system that is full") {
        shell.run(full).stdout_is("1\nold\nmore\nr\n").says("No space left on device (ENOSPC)\n");
    }
    shell.run("ipctool guard --report /dev/full true").exits(1).says("ENOSPC");
    shell.run("ipctool guard --report /dev/full -- sh -c 'exit 3'").exits(3).says("ENOSPC");
    // A pipe, a name that leads elsewhere, a file that everybody may read.
    shell.run("ipctool guard --report - true | grep -c '\"leaks\":\\[\\]'").prints("1\n");
    shell.run("ipctool guard --report /dev/stdout echo first > out; grep -c . out").prints("2\n");
    shell
        .run("echo old > real; chmod 640 real; ln -s real link; ipctool guard --report link true")
        .ok();
    shell.run("stat -c %a real; test -L link; grep -c leaks real").prints("640\n1\n");
    shell.run("ls -A | grep -c ipctool-guard").stdout_is("0\n");
    shell.run("ipctool guard --report r.json nosuch").exits(127);
    assert_eq!(shell.run("cat r.json").json()["status"], 127);
    let name = format!("/dev/shm/ipctool-test-{}.json", std::process::id());
    shell
        .run(&format!("ipctool guard --report {name} true; cat {name} && rm {name}"))
        .shows("\"leaks\":[]");
}

#[test]
fn the_report_leaves_its_file_what_it_was() {
    let Some(shell) = Sandbox::new() else { return };
    let guard = "ipctool guard --isolate never --report";
    // Mode, in spite of a umask, and links.
    shell.run(&format!("umask 77; echo old > r; chmod 664 r; {guard} r true")).ok();
    shell.run("stat -c %a r; grep -c leaks r").prints("664\n1\n");
    let linked =
        |place| format!("cd {place}; echo old > a; ln a b; {guard} a true; grep -c leaks b");
    shell.run("mkdir -m 755 own; mkdir -m 777 common").ok();
    shell.run(&linked("own")).prints("1\n");
    // Where others can give a file another name, that may be a trap.
    shell.run(&linked("common")).stdout_is("0\n");
    shell
        .run(&format!("mkdir d; ln -s d/new link; ln -s link more; {guard} more true; grep -c leaks d/new; test -L more && test -L link"))
        .prints("1\n");
    shell.run(&format!("ln -s loop loop; {guard} loop touch ran")).exits(1).says("ELOOP");
    // A pipe: with a reader, and without one.
    shell.run("mkfifo pipe").ok();
    shell
        .run(&format!("cat pipe > got & {guard} pipe sleep 0.1; wait; grep -c leaks got"))
        .prints("1\n");
    shell.run(&format!("{guard} pipe true")).exits(1).says("no process reads this pipe (ENXIO)");
    if !only_root("only root can be two users") {
        return;
    }
    // The owner, even if that is another user.
    shell
        .run(&format!("echo old > r; chown {NOBODY}:{NOBODY} r; {guard} r true; stat -c '%u %g' r"))
        .prints("65534 65534\n");
    shell.run("mkdir sticky; chmod 1777 sticky; echo old > sticky/r; chmod 666 sticky/r; echo old > sticky/closed").ok();
    shell.run_as(NOBODY, &format!("{guard} sticky/r true")).unwrap().ok();
    shell.run("stat -c '%u %a' sticky/r; grep -c leaks sticky/r").prints("0 666\n1\n");
    shell
        .run_as(NOBODY, &format!("{guard} sticky/closed touch ran"))
        .unwrap()
        .exits(5)
        .says("EPERM");
    shell.run("test -e ran").exits(1);
}

#[test]
fn guard_under_guard() {
    let Some(shell) = Sandbox::new() else { return };
    let ran = shell.run(&format!("ipctool guard -- ipctool guard -- {THREE}")).exits(6);
    assert_eq!(ran.stderr().matches("leaked").count(), 1, "{}", ran.stderr());
    nothing_is_left(&shell);
}

#[test]
fn the_limits_are_those_of_the_caller() {
    let Some(shell) = Sandbox::new().filter(can_isolate) else { return };
    if !only_root("an ordinary user cannot set limits") {
        return;
    }
    shell.run("ipctool limits --set msgmnb=12345 semmni=77").exits(0);
    shell
        .run("ipctool guard -- ipctool limits --format jsonl | grep -cE '\"limit\":(12345|77),'")
        .prints("2\n");
}

#[test]
fn objects_of_a_user_are_meant_to_stay() {
    let Some(shell) = Sandbox::new() else { return };
    let make = "ipctool create msg --key 5 > /dev/null";
    for expected in ["$(id -un)", "$(id -u)", "5"] {
        shell.run(&format!("ipctool guard --ignore {expected} -- {make}")).exits(0);
    }
    shell.run(&format!("ipctool guard --ignore 6 -- {make}")).exits(6);
}

#[test]
fn a_report_in_the_format_of_its_name_or_as_asked() {
    let Some(shell) = Sandbox::new() else { return };
    if !can_isolate(&shell) {
        return;
    }
    let guard = |options: &str| {
        shell.run(&format!("ipctool guard -q --isolate always {options} -- {THREE}")).exits(6)
    };
    // Python's reader of XML finds a test for the command and one for each leak.
    guard("--report junit.xml");
    shell
        .run(
            "python3 -c '
import xml.etree.ElementTree as x
for case in x.parse(\"junit.xml\").getroot().iter(\"testcase\"):
    failure = case.find(\"failure\")
    print(case.get(\"name\")[:6], failure.get(\"type\") if failure is not None else \"passed\")'",
        )
        .prints("perl - passed\nmsg:0 ipc-leak\nshm:0 ipc-leak\nsem:0 ipc-leak\n");
    // Not every character may be in XML.
    let odd = "ipctool create pshm --size 1 --name \"$(printf '/\\357\\277\\276')\"";
    shell
        .run(&format!(
            "ipctool guard -q --report odd.xml -- sh -c '{}'",
            odd.replace('\'', "'\\''")
        ))
        .exits(6);
    shell.run("python3 -c 'import xml.dom.minidom as x; x.parse(\"odd.xml\")'").ok();
    guard("--report leaks.txt --report-format junit");
    shell.run("head -c 5 leaks.txt").prints("<?xml");
    // Without a file, a report goes to standard output.
    let lines = guard("--report-format github").stdout();
    assert_eq!(lines.lines().count(), 4, "{lines}");
    for line in lines.lines().skip(1) {
        assert!(line.starts_with("::error title=ipctool guard%3A ipc-leak::leaked "), "{line}");
    }
    let allowed =
        shell.run(&format!("ipctool guard -q --allow-leaks --report-format github -- {THREE}"));
    assert_eq!(allowed.exits(0).stdout().matches("::warning ").count(), 3);
    // The same leak has the same fingerprint in the next run.
    let issues = || {
        guard("--report gl-code-quality-report.json");
        shell.run("cat gl-code-quality-report.json").ok().json()
    };
    let fields = |issues: &Value| {
        let of = |issue: &Value| (issue["check_name"].clone(), issue["fingerprint"].clone());
        issues.as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    let (first, second) = (issues(), issues());
    assert_eq!(fields(&first), fields(&second));
    assert_eq!(first[0]["location"], serde_json::json!({"path": "perl", "lines": {"begin": 1}}));
    let mut fingerprints: Vec<_> =
        fields(&first).into_iter().map(|(_, print)| print.to_string()).collect();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), 3);
    // What failed without a leak is in the report, too.
    shell
        .run("ipctool guard --report-format github -- false")
        .exits(1)
        .shows("::error title=ipctool guard%3A command-failed::the command ended with status 1\n");
    shell
        .run("ipctool guard -q --timeout 100ms --report-format github -- sleep 60")
        .exits(124)
        .shows("::error title=ipctool guard%3A timeout::the command took longer than 100ms");
    shell.run("ipctool guard --report-format github -- true").prints("");
    shell.run("ipctool guard --report-format gitlab -- true").prints("[]\n");
    shell.run("ipctool guard --report-format pizza -- true").exits(2).says("invalid value 'pizza'");
    shell
        .run("ipctool guard -q --report-format junit -- true > /dev/full")
        .exits(1)
        .says("--report -: cannot write: No space left on device (ENOSPC)");
}

#[test]
fn memory_that_was_touched_and_that_was_promised() {
    let Some(shell) = Sandbox::new() else { return };
    if !can_isolate(&shell) {
        return;
    }
    shell
        .run("ipctool guard --isolate always -- perl -e '$i = shmget(5, 1 << 20, 01600); shmwrite($i, \"x\", 0, 1)'")
        .exits(6)
        .says("leaked 1 shared memory segment, 4K of memory touched of 1M promised; gone with");
}
