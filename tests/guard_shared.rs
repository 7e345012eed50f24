//! `ipctool guard` among the objects and processes of others: whom it blames, and what it removes.

mod guarding;
mod sandbox;

use guarding::{ASLEEP, Checks, FORBID, THREE, nothing_is_left, open_shell, refs};
use sandbox::{NOBODY, Sandbox, is_root, only_root};
use serde_json::{Value, json};

/// A neighbour's queue, and a set: made after the command began, and waited on until a process sends a
/// message of type 7, or gives the set two.
const NEIGHBOURS: [(&str, &str, &str, &str); 2] = [
    (
        "msg:0xbeef",
        r#"$q = msgget(0xbeef, 0600 | 01000); exit !msgrcv($q, $m, 8, 7, 0)"#,
        r#"$q = msgget(0xbeef, 0); msgsnd($q, pack("l! a*", 1, "hello"), 0) or die"#,
        r#"$q = msgget(0xbeef, 0); msgsnd($q, pack("l! a*", 7, "end"), 0) or die"#,
    ),
    (
        "sem:0xf00d",
        r#"$s = semget(0xf00d, 1, 0600 | 01000); exit !semop($s, pack("s3", 0, -2, 0))"#,
        r#"$s = semget(0xf00d, 1, 0); semop($s, pack("s3", 0, 1, 0)) or die"#,
        r#"$s = semget(0xf00d, 1, 0); semop($s, pack("s3", 0, 1, 0)) or die"#,
    ),
];

#[test]
fn shared_the_leaks_are_told_from_what_others_do() {
    let Some(shell) = open_shell() else { return };
    shell.run("ipctool create msg --key 1; ipctool create shm --key 2 --size 4096; ipctool create sem").ok();
    // What is going on in the directory of the shell is a stranger's work.
    // The stranger is gone in the end, and no child of the shell, which sleeps until guard has ended:
    // no living process can have made what the command used.
    let line = "(sh -c 'echo $$ > stranger; until test -e begun; do sleep 0.01; done; ipctool create msg --key 3; \
          ipctool send 0x3 x; ipctool create msg --key 4; ipcrm -s 0; touch done' > /dev/null &); \
         until test -s stranger; do sleep 0.01; done; \
         (asleep $$; exec ipctool guard --isolate never --report report.json -- sh -c \"$LEAKING\"); echo $?";
    let leaking = format!(
        "touch begun; {THREE}; until test -e done; do sleep 0.01; done; \
         while kill -0 $(cat stranger) 2> /dev/null; do sleep 0.01; done; ipcrm -q 0"
    );
    let line = format!("{ASLEEP}\nLEAKING=$(cat <<'END'\n{leaking}\nEND\n)\n{line}");
    let ran = shell.run(&line);
    ran.prints_last(6)
        .says("leaked 1 message queue, 1 shared memory segment, 1 semaphore set")
        .says("appeared meanwhile, left alone: process")
        .says("appeared meanwhile, left alone: no process has used it yet")
        .says("existed before the command, and vanished: msg:0, sem:0");
    let keys = "ipctool list --format jsonl -o key";
    let left = shell.run(keys).stdout();
    for key in ["0x00000002", "0x00000003", "0x00000004"] {
        assert!(left.contains(key), "{key} is not in {left}");
    }
    assert_eq!(left.lines().count(), 3, "{left}");
    let report = shell.run("cat report.json").json();
    assert_eq!(refs(&report["appeared"]).len(), 2);
    assert_eq!(report["appeared"][0]["outcome"], "left");
    assert_eq!(report["vanished"], serde_json::json!(["msg:0", "sem:0"]));
    assert_eq!(report["isolated"], false);
}

#[test]
fn shared_the_leak_of_a_process_that_is_long_gone() {
    let Some(shell) = Sandbox::new() else { return };
    let leak = r#"perl -e "shmget(7, 4096, 0600 | 01000)""#;
    let ran =
        shell.run(&format!("ipctool guard --isolate never -- sh -c '{leak}; sleep 0.3; true'"));
    ran.exits(6).says("leaked 1 shared memory segment; now removed");
    nothing_is_left(&shell);
    let ran =
        shell.run(&format!("ipctool guard --isolate never --keep -- sh -c '{leak}; sleep 0.1'"));
    ran.exits(6).says("left in place");
    shell.run("ipctool list shm --format jsonl -o key").prints("{\"key\":\"0x00000007\"}\n");
}

#[test]
fn what_is_made_on_purpose_is_no_leak() {
    let Some(shell) = Sandbox::new() else { return };
    for ignore in [
        "--ignore 0xbeef --ignore 0xcafe --ignore 0xf00d --",
        "--ignore 0xbeef,0xcafe,0xf00d --",
        "--ignore 0xbeef 0xcafe 0xf00d --",
        "--ignore 0xbeef 0xcafe,0xf00d --",
        "--ignore=0xbeef --ignore 0xcafe 61453 --isolate never",
    ] {
        shell.run(&format!("ipctool guard --isolate never {ignore} {THREE}")).ok();
        shell.run("ipctool rm --all --yes 2>&1").exits(0).stdout_is(
            "ipctool: rm: removed 1 message queue, 1 shared memory segment, 1 semaphore set\n",
        );
    }
    shell
        .run(&format!("ipctool guard --isolate never --ignore 0xbeef 0xf00d -- {THREE}"))
        .exits(6)
        .says("leaked 1 shared memory segment")
        .says("; now removed\n");
}

#[test]
fn two_hundred_rounds_beside_a_noisy_neighbour() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("neighbour");
    shell.run("ipctool create msg --key 0x5afe; ipctool create shm --key 0x5afe --size 4096").ok();
    let round = r#"
        for i in $(seq 50); do
            case $((i % 5)) in
                0) ipctool guard --isolate never -q --report $1.json -- perl -e 'shmget(0, 4096, 0600); shmget(0, 8192, 0600)'
                   test $? = 6 || echo "round $i of $1: the leak was not seen"
                   grep -q '"leaks":\[{"ref":"shm[^{]*},{"ref":"shm[^{]*}\]' $1.json || echo "round $i of $1: $(cat $1.json)" ;;
                *) ipctool guard --isolate never -q -- true || echo "round $i of $1: somebody was blamed" ;;
            esac
        done"#;
    std::fs::write(shell.directory().join("rounds"), round).unwrap();
    let ran = shell.run(
        "./neighbour & noise=$!; \
         for one in a b c d; do sh rounds $one & rounds=\"$rounds $!\"; done; \
         wait $rounds; touch stop; wait $noise; echo neighbour $?",
    );
    ran.prints("neighbour 0\n");
    shell
        .run("ipctool list --format jsonl -o key")
        .prints("{\"key\":\"0x00005afe\"}\n{\"key\":\"0x00005afe\"}\n");
}

#[test]
fn what_a_neighbour_made_and_waits_on_is_no_leak_though_the_command_used_it_last() {
    let Some(shell) = Sandbox::new().and_then(Sandbox::can_forbid) else { return };
    for (prefix, isolate) in [("", "never"), (FORBID, "auto")] {
        for (object, wait, operate, end) in NEIGHBOURS {
            // Seen for certain, where the processes are looked for now and then.
            let seen = format!("{operate}; select undef, undef, undef, 0.3");
            for (name, script) in [("wait", wait), ("use", &seen), ("end", end)] {
                std::fs::write(shell.directory().join(name), script).unwrap();
            }
            let ran = shell.run(&format!(
                "(until test -e begun; do sleep 0.01; done; exec perl wait) & \
                 {prefix} ipctool guard --isolate {isolate} -- sh -c 'touch begun; \
                 until ipctool stat {object} 2> /dev/null | grep -q waiting; do sleep 0.01; done; perl use'; \
                 echo guard $?; perl end; wait $!; echo neighbour $?"
            ));
            let ran = ran.says("appeared meanwhile, left alone: process").says("waits on it");
            assert_eq!(ran.stdout(), "guard 0\nneighbour 0\n", "{}", ran.stderr());
            shell.run(&format!("rm begun; ipctool rm {object}")).ok();
        }
    }
}

#[test]
fn what_a_living_neighbour_operated_on_is_no_leak() {
    let Some(shell) = Sandbox::new().and_then(Sandbox::can_forbid) else { return };
    let neighbour = r#"$s = semget(0xf00d, 2, 0600 | 01000); semop($s, pack("s3", 1, 1, 0)) or die;
                       open F, ">", "there"; close F; sleep 50"#;
    let command = r#"$s = semget(0xf00d, 2, 0); semop($s, pack("s3", 0, 1, 0)) or die;
                     select undef, undef, undef, 0.2"#;
    std::fs::write(shell.directory().join("neighbour"), neighbour).unwrap();
    std::fs::write(shell.directory().join("command"), command).unwrap();
    // Without a record of all descendants, another program's object is still not the command's.
    for prefix in ["", FORBID] {
        let ran = shell.run(&format!(
            "(until test -e begun; do sleep 0.01; done; exec perl neighbour) > /dev/null 2>&1 & \
             {prefix} ipctool guard --isolate never -- sh -c \
                 'touch begun; until test -e there; do sleep 0.01; done; perl command'; \
             echo $?; kill $!; ipctool rm sem:0xf00d; rm begun there"
        ));
        ran.exits(0).says("left alone: process").says("but so did process").prints_last(0);
    }
}

/// A neighbour that makes a queue and a set while a command runs, and works with them after the command
/// has used both last.
const MAKER: &str = r#"use IPC::SysV ":all"; use POSIX; open F, ">", "waits"; close F;
    until (-e "begun") { select undef, undef, undef, 0.01 }
    $q = msgget(0xbeef, 0666 | IPC_CREAT); $s = semget(0xf00d, 1, 0666 | IPC_CREAT);
    semctl($s, 0, SETVAL, 1); open F, ">", "made"; close F;
    setuid $ARGV[0] if @ARGV; until (-e "ended") { select undef, undef, undef, 0.01 }
    print msgsnd($q, pack("l! a*", 1, "x"), 0) && semop($s, pack("s3", 0, 1, 0)) ? "works" : "broken: $!""#;

/// A command that uses both of them and ends.
const USER: &str = r#"open F, ">", "begun"; close F; until (-e "made") { select undef, undef, undef, 0.01 }
    $q = msgget(0xbeef, 0); msgsnd($q, pack("l! a*", 1, "hi"), 0) or die;
    $s = semget(0xf00d, 1, 0); semop($s, pack("s3", 0, 1, 0)) or die"#;

#[test]
fn what_a_neighbour_made_of_whom_no_record_is_left_is_no_leak() {
    let Some(shell) = open_shell() else { return };
    std::fs::write(shell.directory().join("maker"), MAKER).unwrap();
    std::fs::write(shell.directory().join("user"), USER).unwrap();
    // As the user of the command, as another user, where the kernel records who made it, and as a
    // server that gives up being root.
    for (before, neighbour, cuid) in [
        ("", "perl maker", 0),
        ("setpriv --reuid=65534 --clear-groups", "perl maker", NOBODY),
        ("", "perl maker 65534", 0),
    ] {
        let ran = shell.run(&format!(
            "{ASLEEP}; {before} {neighbour} > works & until test -e waits; do sleep 0.01; done; \
             (asleep $$; exec ipctool guard --isolate never --report report.json -- perl user); \
             echo $?; touch ended; wait; cat works"
        ));
        let ran = ran.exits(0);
        for object in ["msg:", "sem:"] {
            let told = format!("guard: {object}");
            let text = ran.stderr();
            let line = text
                .lines()
                .find(|line| line.contains(&told))
                .unwrap_or_else(|| panic!("no {told} in {text}"));
            assert!(line.contains("of the command used it, but "), "{line}");
            assert!(
                line.contains(&format!(
                    "{neighbour}) ran at the same time and may have created it"
                )),
                "{line}"
            );
        }
        ran.stdout_is("0\nworks");
        let report = shell.run("cat report.json").json();
        assert_eq!((&report["leaks"], refs(&report["appeared"]).len()), (&json!([]), 2));
        for object in report["appeared"].as_array().unwrap() {
            assert_eq!((&object["outcome"], &object["cuid"]), (&json!("left"), &json!(cuid)));
        }
        shell.run("rm waits begun made ended; ipctool rm --all --yes").exits(0);
    }
}

#[test]
fn beside_neighbours_that_sleep_all_the_time_a_leak_is_the_commands() {
    let Some(shell) = open_shell() else { return };
    // They sleep in a system call and in another one, and one is the shell that waits for guard.
    let ran = shell.run(&format!(
        "{ASLEEP}; sleep 50 & asleep $!; first=$!; \
         mkfifo pipe; sh -c 'read line < pipe' & asleep $!; \
         (asleep $$; exec ipctool guard --isolate never -- {THREE}); echo $?; kill $first $!"
    ));
    ran.prints_last(6)
        .says("leaked 1 message queue, 1 shared memory segment, 1 semaphore set")
        .says("; now removed\n");
    nothing_is_left(&shell);
}

#[test]
fn what_a_living_neighbour_may_have_made_is_no_leak() {
    let Some(shell) = open_shell() else { return };
    // As a server that hands ids to its workers: it sends on one queue, and shows at no other.
    let server = r#"$q = msgget(0xfeed, 0600 | 01000); msgsnd($q, pack("l! a*", 1, "x"), 0) or die;
                    open F, ">", "serves"; close F; sleep 50"#;
    let command = r#"$q = msgget(0xbeef, 0600 | 01000); msgsnd($q, pack("l! a*", 1, "x"), 0) or die;
                     shmget(0xcafe, 4096, 0600 | 01000) // die"#;
    std::fs::write(shell.directory().join("server"), server).unwrap();
    std::fs::write(shell.directory().join("command"), command).unwrap();
    let _server = shell.start("exec perl server");
    shell.wait_until("test -e serves");
    let ran = shell.run("ipctool guard --isolate never -- perl command").exits(6);
    // The kernel records who made a segment.
    let ran = ran.says("leaked 1 shared memory segment; now removed");
    ran.says("but it may still belong to").says("(perl server), which uses msg:0");
    shell.run("ipctool list -o ref --no-headings").prints("msg:0\nmsg:1\n");
}

#[test]
fn a_kind_that_cannot_be_listed_is_said_and_is_no_success() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("ipctool create shm --size 1").ok();
    let hide = "printf 'key\\nnonsense\\n' > bad; mount --bind bad /proc/sysvipc/shm";
    for (command, status) in [("true", 1), ("exit 3", 3)] {
        let ran = shell.run(&format!(
            "ipctool guard --isolate never --allow-leaks --report report.json -- sh -c \"{hide}; {command}\"; \
             echo $?; umount /proc/sysvipc/shm"
        ));
        let what = "/proc/sysvipc/shm has an unexpected line: \"nonsense\"";
        let ran = ran.says(&format!("not everything could be looked at: {what}"));
        // What was there and cannot be seen is not called gone.
        assert!(!ran.stderr().contains("vanished"), "{}", ran.stderr());
        ran.prints_last(status);
        let report = shell.run("cat report.json").json();
        assert!(report["uninspected"][0].as_str().unwrap().contains(what), "{report}");
        assert_eq!((&report["vanished"], &report["leaks"]), (&json!([]), &json!([])));
    }
    shell.run("ipctool list shm --no-headings -o ref").prints("shm:0\n");
}

#[test]
fn what_a_process_may_use_that_cannot_be_seen_is_left_alone_and_no_success() {
    let Some(shell) = Sandbox::new() else { return };
    // Another user than that of any other test: their processes would be seen, or hidden, too.
    let uid = 54_321;
    shell.run("cp $(readlink -f /bin/sh) closed && chmod 711 closed").ok();
    let leak = r#"perl -e '$q = msgget(0xbeef, 0600 | 01000); msgsnd($q, pack("l! a*", 1, "x"), 0);
                  $s = semget(0xf00d, 1, 0600 | 01000); semop($s, pack("s3", 0, 1, 0))'"#;
    let guard = format!("ipctool guard --isolate never --report - -- {leak}");
    let line = format!(
        "./closed -c 'sleep 50 & echo $! > hidden; wait' > /dev/null 2>&1 & \
         until test -s hidden; do sleep 0.01; done; {guard}; echo $?; kill $(cat hidden) $!"
    );
    let Some(ran) = shell.run_as(uid, &line) else { return };
    let ran =
        ran.says("msg:0 appeared meanwhile, left alone: process").says("could not be inspected");
    // The kernel counts who waits on a set.
    let ran = ran.says("leaked 1 semaphore set; now removed");
    let text = ran.stdout();
    let (report, status) = text.trim().rsplit_once('\n').unwrap();
    assert_eq!(status, "1", "{}", ran.stderr());
    let report: Value = serde_json::from_str(report).unwrap();
    assert!(report["uninspected"][0].as_str().unwrap().starts_with("msg:0: "), "{report}");
    shell.run("ipctool list -o ref --no-headings").prints("msg:0\n");
    assert!(is_root());
}

/// Root can have the kernel give a number again within the second, without going round.
#[test]
fn a_number_that_was_set_to_come_again_blames_nobody() {
    if !only_root("only root makes process namespaces") {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    // The command's process 4242 ends, and in the same second it is the number of a neighbour that makes
    // a segment and ends as well.
    let script = r#"
        (until test -e begun; do sleep 0.01; done
         echo 4241 > /proc/sys/kernel/ns_last_pid; perl -e '
             $$ == 4242 or die "not the number but $$";
             shmget(0xbeef, 5, 0600 | 01000) // die'
         touch used) &
        ipctool guard -q --isolate never --report report.json -- sh -c '
            echo 4241 > /proc/sys/kernel/ns_last_pid; /bin/true; touch begun
            until test -e used; do sleep 0.01; done'
        echo $?; wait"#;
    std::fs::write(shell.directory().join("script"), script).unwrap();
    shell.run("unshare --pid --fork --mount-proc sh script").exits(0);
    let report = shell.run("cat report.json").json();
    assert_eq!(report["leaks"], serde_json::json!([]));
    assert_eq!(refs(&report["appeared"]), ["shm:0"]);
}
