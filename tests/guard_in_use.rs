//! `ipctool guard` on objects that are still in use when the command has ended: what is left and what is
//! removed, and what is said about it.

mod guarding;
mod sandbox;

use guarding::{ASLEEP, nothing_is_left, of_each_leak, open_shell, report, run_beside_sleepers};
use sandbox::Sandbox;
use serde_json::json;

/// Starts the server in the background and ends when the server waits.
const START: &str = "sh -c './server > /dev/null 2>&1 & echo $! > pid; \
                     until ipctool stat msg:0xbeef 2> /dev/null | grep -q waiting; do sleep 0.01; done'";

#[test]
fn what_a_background_server_uses_is_left_to_it() {
    let Some(shell) = open_shell() else { return };
    shell.compile("server");
    let guard = format!("ipctool guard --isolate never --report report.json -- {START}");
    let ran = run_beside_sleepers(&shell, &guard)
        .exits(6)
        .says("leaked 1 message queue, 1 shared memory segment, 1 semaphore set, 4K of memory; left in place")
        .says("left running");
    let pid = shell.run("cat pid").stdout().trim().to_owned();
    for object in ["msg:0", "shm:0", "sem:0"] {
        assert!(ran.stderr().contains(&format!("{object} is held by {pid} (./server)\n")));
    }
    let report = shell.run("cat report.json").json();
    assert_eq!(of_each_leak(&report, "outcome"), ["left", "left", "left"]);
    for holders in of_each_leak(&report, "holders") {
        assert_eq!(holders[0]["pid"].to_string(), pid);
    }
    assert_eq!(report["processes"][0]["ended"], false);
    // It works as before.
    shell
        .run(&format!(
            "ipctool send 0xbeef -t 7 end; while kill -0 {pid} 2> /dev/null; do sleep 0.01; done; ipctool list -o ref"
        ))
        .ok()
        .shows("msg:0\n")
        .shows("shm:0\n")
        .shows("sem:0\n");
}

#[test]
fn what_a_background_process_knows_by_its_id_alone_is_left_to_it() {
    let Some(shell) = open_shell() else { return };
    // It leaves no trace in any of them until it is told to continue.
    let command = r#"use POSIX; $q = msgget(0xbeef, 0600 | 01000); msgsnd($q, pack("l! a*", 1, "x"), 0) or die;
        $s = semget(0xf00d, 1, 0600 | 01000); semop($s, pack("s3", 0, 1, 0)) or die;
        $m = shmget(0xcafe, 4096, 0600 | 01000) // die;
        exit if fork;
        setsid(); exit if fork;
        $SIG{ALRM} = "DEFAULT"; alarm 50;
        open STDOUT, ">", "works"; open STDERR, ">", "/dev/null";
        until (-e "go") { select undef, undef, undef, 0.01 }
        print msgrcv($q, $b, 100, 0, 0) && semop($s, pack("s3", 0, -1, 0)) && shmread($m, $b, 0, 1) ? "works\n" : "broken: $!\n""#;
    std::fs::write(shell.directory().join("command"), command).unwrap();
    let guard = "ipctool guard --isolate never --report report.json";
    let ran = run_beside_sleepers(&shell, &format!("{guard} -- perl command")).exits(6);
    let pid = shell.run("cat report.json").json()["processes"][0]["pid"].to_string();
    let three = "leaked 1 message queue, 1 shared memory segment, 1 semaphore set";
    let why = format!("{pid} (perl command) of the command still runs and may use it");
    let ran = ran.says(three).says("; left in place\n");
    ran.says(&format!("msg:0 was left: {why}\n"))
        .says(&format!("shm:0 was left: {why}\n"))
        .says(&format!("sem:0 was left: {why}\n"));
    let report = shell.run("cat report.json").json();
    assert_eq!(of_each_leak(&report, "outcome"), ["left", "left", "left"]);
    assert_eq!(of_each_leak(&report, "why"), [&why, &why, &why]);
    shell
        .run(&format!("touch go; while kill -0 {pid} 2> /dev/null; do sleep 0.01; done; cat works"))
        .prints("works\n");
    // Ended first, it needs nothing any more.
    shell.run("ipctool rm --all --yes; rm go").exits(0);
    run_beside_sleepers(&shell, &format!("{guard} --kill-strays -- perl command"))
        .exits(6)
        .says("; now removed\n");
    nothing_is_left(&shell);
}

#[test]
fn kill_strays_ends_the_server_and_then_removes_what_it_used() {
    let Some(shell) = open_shell() else { return };
    shell.compile("server");
    let guard = "ipctool guard --isolate never --kill-strays --report report.json";
    shell.run("touch may-end").ok();
    let ran = run_beside_sleepers(&shell, &format!("{guard} -- {START}"))
        .exits(6)
        .says("leaked 1 message queue, 1 shared memory segment, 1 semaphore set, 4K of memory; now removed");
    let pid = shell.run("cat pid").stdout().trim().to_owned();
    ran.says(&format!("msg:0 was held by {pid} (./server)"))
        .says(&format!("left in the background: {pid} (./server); now ended"));
    shell.run(&format!("kill -0 {pid} 2> /dev/null")).exits(1);
    nothing_is_left(&shell);
    let report = shell.run("cat report.json").json();
    assert_eq!(of_each_leak(&report, "outcome"), ["removed", "removed", "removed"]);
    assert_eq!(report["processes"][0]["ended"], true);
    // It gets SIGTERM first, and SIGKILL if it ignores that.
    shell.run("rm may-end").ok();
    run_beside_sleepers(&shell, &format!("{guard} --kill-after 0.1 -- {START}")).exits(6);
    shell.run("test -e asked && ! kill -0 $(cat pid)").says("No such process");
    nothing_is_left(&shell);
    // What the command removed itself is not reported.
    shell.run("ipctool guard --isolate never --kill-strays -- sleep 0").ok();
}

#[test]
fn what_a_neighbour_begins_to_use_before_the_removal_is_left() {
    let Some(shell) = open_shell() else { return };
    shell.compile("server");
    // The neighbour is woken when the server of the command is asked to end.
    let neighbour = r#"$q = msgget(0xbeef, 0); exit !msgrcv($q, $m, 8, 9, 0)"#;
    std::fs::write(shell.directory().join("neighbour"), neighbour).unwrap();
    let ran = shell.run(&format!(
        "{ASLEEP}; mkfifo asked; \
         (read line < asked; perl neighbour & \
          until ipctool stat msg:0xbeef 2> /dev/null | grep -q 'waiting to receive type 9'; do sleep 0.01; done; \
          touch may-end; wait) & \
         asleep $!; \
         (asleep $$; exec ipctool guard --isolate never --kill-strays --kill-after 30s \
          --report report.json -- {START}); \
         echo guard $?; ipctool send 0xbeef -t 9 end; wait"
    ));
    ran.exits(0).says(": 2 removed, 1 left\n").says("msg:0 is held by").says("(perl neighbour)");
    shell.run("ipctool list -o ref --no-headings").shows("msg:0\n");
    let report = shell.run("cat report.json").json();
    assert_eq!(of_each_leak(&report, "outcome"), ["left", "removed", "removed"]);
}

#[test]
fn while_a_background_process_of_the_command_runs_it_may_use_all_that_the_command_left() {
    let Some(shell) = open_shell() else { return };
    shell.compile("server");
    let two = r#"for (1, 2) { $q = msgget(0, 0600); msgsnd($q, pack("l! a*", 1, "x"), 0) or die }"#;
    std::fs::write(shell.directory().join("two"), two).unwrap();
    std::fs::write(shell.directory().join("start"), format!("perl two; {START}")).unwrap();
    let guard = "ipctool guard --isolate never --report report.json -- sh start";
    let ran = run_beside_sleepers(&shell, guard).exits(6);
    let ran = ran.says(
        "leaked 3 message queues, 1 shared memory segment, 1 semaphore set, 4K of memory; left in place\n",
    );
    ran.says("msg:0 was left: ").says("(./server) of the command still runs and may use it\n");
    let report = shell.run("cat report.json; ipctool send 0xbeef -t 7 end").json();
    assert_eq!(of_each_leak(&report, "outcome"), ["left", "left", "left", "left", "left"]);
    assert!(report["leaks"][0]["why"].as_str().unwrap().contains("(./server)"), "{report}");
    shell.run("ipctool rm --all --yes").exits(0);
    let kept = "ipctool guard -q --isolate never --keep --report report.json -- perl two";
    run_beside_sleepers(&shell, kept).exits(6);
    let report = shell.run("cat report.json").json();
    assert_eq!(of_each_leak(&report, "outcome"), ["left", "left"]);
}

#[test]
fn a_segment_that_others_have_attached_is_left_and_one_that_was_marked_is_marked() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("use");
    let ran = shell.run(
        "(until test -e made; do sleep 0.01; done; exec ./use shm 0 > attached) & \
         ipctool guard --isolate never --report report.json -- sh -c 'ipcmk -M 4096; touch made; \
         until test -s attached; do sleep 0.01; done' > /dev/null; \
         echo $?; kill $!; ipctool list shm -o +status",
    );
    ran.exits(0)
        .says("leaked 1 shared memory segment; left in place")
        .says("shm:0 is held by")
        .says("(./use shm 0)");
    let left = shell.run("cat report.json").json();
    assert_eq!(of_each_leak(&left, "outcome"), ["left"]);
    assert_eq!(of_each_leak(&left, "status"), [&json!([])]);
    // A program that marks what it has just attached, as many do.
    let mark = "sh -c 'id=$(ipctool create shm --size 4096); ./use shm ${id#shm:} > attached 2>&1 & \
                until test -s attached; do sleep 0.01; done; ipctool rm $id 2> /dev/null; echo $! > pid'";
    let line =
        format!("rm attached; ipctool guard -q --isolate never --report report.json -- {mark}");
    let marked = report(&shell, &line);
    shell.run("kill $(cat pid)").ok();
    assert_eq!(of_each_leak(&marked, "outcome"), ["marked"]);
}
