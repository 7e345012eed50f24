//! Who uses an object: `stat`, `list --who` and the filters that need to know.

mod sandbox;

use sandbox::{NOBODY, Ran, Sandbox, only_root, sees_everybody};
use serde_json::Value;

/// Starts each line of shell in the background, runs `then`, and ends what was started.
fn meanwhile(shell: &Sandbox, lines: &[&str], ready: &str, then: &str) -> Ran {
    let _running: Vec<_> = lines.iter().map(|line| shell.start(&format!("exec {line}"))).collect();
    shell.wait_until(ready);
    shell.run(then)
}

fn users(ran: &Ran) -> Vec<(String, String)> {
    let stat: Value = ran.json();
    let users = stat[0]["users"].as_array().unwrap();
    let text = |user: &Value, field: &str| user[field].as_str().unwrap_or("-").to_owned();
    users.iter().map(|user| (text(user, "role"), text(user, "command"))).collect()
}

fn attached_times(number: u32) -> String {
    format!("[ \"$(ipctool list -m -o attached --no-headings | tr -d ' ')\" = {number} ]")
}

#[test]
fn all_who_have_a_segment_attached() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("use");
    shell.run("ipctool create shm --size 5000 --key 0xbeef").ok();
    let ran = meanwhile(
        &shell,
        &["./use shm 0 one", "./use shm 0 two", "./use shm 0 three"],
        &attached_times(3),
        "ipctool stat shm:0xbeef --json",
    );
    let holders: Vec<_> =
        users(&ran).into_iter().filter(|(role, _)| role == "attached").map(|(_, c)| c).collect();
    assert_eq!(holders.len(), 3, "{holders:?}");
    for name in ["one", "two", "three"] {
        assert!(holders.contains(&format!("./use shm 0 {name}")), "{holders:?}");
    }
    // They were killed, so no process holds it now.
    let ran = shell.run("ipctool stat shm:0 --json");
    assert!(users(&ran).iter().all(|(role, _)| role != "attached"));
    assert!(ran.stdout().contains("\"state\":\"gone\""), "{}", ran.stdout());
}

#[test]
fn the_same_id_in_another_namespace_is_another_segment() {
    let (Some(shell), Some(other)) = (Sandbox::new(), Sandbox::new()) else { return };
    for shell in [&shell, &other] {
        shell.run("ipctool create shm --size 5000").prints("shm:0\n");
    }
    other.compile("use");
    let stranger = other.start("exec ./use shm 0 stranger").ready();
    let ran = shell.run("ipctool stat shm:0 --json");
    assert!(users(&ran).iter().all(|(role, _)| role != "attached"), "{}", ran.stdout());
    shell.run("ipctool list --unused -m -o ref --no-headings").exits(0).shows("shm:0");
    drop(stranger);
}

#[test]
fn one_thread_of_many_waits_to_receive() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("threads");
    shell.run("ipctool create msg").ok();
    let ready = "ipctool stat msg:0 2> /dev/null | grep -q waiting";
    let ran = meanwhile(&shell, &["./threads idle -7"], ready, "ipctool stat msg:0 --json");
    assert_eq!(
        users(&ran),
        [("waiting to receive type up to 7".to_owned(), "./threads idle -7".to_owned())]
    );
}

#[test]
fn waiting_to_send_and_on_a_semaphore() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg; ipctool create sem --nsems 5").ok();
    shell.run("for i in 1 2; do head -c 8192 /dev/zero | ipctool send 0; done").ok();
    let lines = [
        "ipctool send 0 late",
        "ipctool recv 0 -t 7",
        "perl -e 'semop(0, pack(\"s3s3\", 1, 1, 0, 2, -3, 0))'",
    ];
    let ready =
        "[ \"$(ipctool list -q -s -o waiting --no-headings 2> /dev/null | tr -d ' \\n')\" = 21 ]";
    let ran = meanwhile(&shell, &lines, ready, "ipctool stat msg:0 sem:0 --json");
    let stat = ran.json();
    let roles = |number: usize| {
        let users = stat[number]["users"].as_array().unwrap();
        let waiting = users.iter().filter(|user| user["state"] == "alive");
        let mut roles: Vec<_> =
            waiting.map(|user| user["role"].as_str().unwrap().to_owned()).collect();
        roles.sort();
        roles
    };
    assert_eq!(roles(0), ["waiting to receive type 7", "waiting to send"]);
    assert_eq!(roles(1), ["waiting on semaphore 2 for +3"]);
}

#[test]
fn a_number_that_was_reused_is_not_the_process_that_was_recorded() {
    if !only_root("only root can choose the next process id") {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --key 5; ipctool create msg --key 6").ok();
    // In a process namespace of its own: 4242 sends and dies, and two seconds later is another process.
    let line = "
        next() { echo 4241 > /proc/sys/kernel/ns_last_pid; }
        next; perl -e 'msgsnd(0, pack(\"l! a*\", 1, \"x\"), 0) or die $!'
        ipctool list --orphan -o ref --no-headings 2> why > orphans-before
        sleep 2.1
        next; sleep 60 & [ $! = 4242 ] || exit 99
        until grep -q sleep /proc/4242/cmdline; do :; done
        ipctool stat msg:0 --json
        ipctool list --orphan=likely -o ref --no-headings 2> why > orphans-after
        ipctool list --pid 4242 -o ref --no-headings > of-the-stranger
        kill $!";
    let ran =
        shell.run_with("cat > line; unshare --pid --fork --mount-proc sh line", line.as_bytes());
    let users = ran.json()[0]["users"].clone();
    assert_eq!(users[0]["pid"], 4242);
    assert_eq!(users[0]["state"], "reused");
    assert_eq!(users[0]["command"], "sleep 60");
    // From this process namespace not everybody can be seen who may wait on a queue.
    for file in ["orphans-before", "orphans-after"] {
        shell.run(&format!("cat {file}")).prints("");
    }
    shell.run("cat why").shows("this process namespace is not the machine's own");
    shell.run("cat of-the-stranger").prints("");
}

#[test]
fn processes_that_come_and_go_are_no_error() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg; ipctool create shm --size 5").ok();
    let fork = "sh -c 'while :; do /bin/true; done'";
    let lines = [fork, fork, fork];
    let looks =
        "for i in 1 2 3 4 5 6 7 8 9 10; do ipctool stat msg:0 shm:0 > /dev/null || exit 9; done";
    let ran = meanwhile(&shell, &lines, "true", looks).exits(0);
    let stderr = ran.stderr();
    assert!(stderr.lines().all(|line| line.contains("could not be inspected")), "{stderr}");
}

#[test]
fn what_may_not_be_seen_is_counted_and_said() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create shm --size 5000 --mode 666; ipctool create msg --mode 666").ok();
    shell.compile("use");
    let holder = shell.start("exec ./use shm 0").ready();
    let Some(ran) = shell.run_as(NOBODY, "ipctool stat shm:0") else { return };
    ran.exits(0).says("could not be inspected; run as root to see them\n");
    // Root's process holds it: only the kernel's count shows that.
    let nobody = |line: &str| shell.run_as(NOBODY, line).unwrap().exits(0);
    assert_eq!(nobody("ipctool list -m --unused -o ref --no-headings").stdout(), "");
    // A queue that was not used yet: an uninspected process may wait on it.
    let ran = nobody("ipctool list -q --orphan -v");
    assert_eq!(ran.stdout(), "");
    ran.says("list msg:0: skipped as uncertain: ")
        .says(" that may use it could not be inspected\n");
    drop(holder);
    shell.wait_until(&attached_times(0));
    assert!(nobody("ipctool list -m --orphan -o ref --no-headings").stdout().contains("shm:0"));
    // The mode of their own queue keeps others out, and the processes that used it are gone.
    nobody("ipctool create msg && perl -e 'msgsnd(1, pack(\"l! a*\", 1, \"x\"), 0) or die $!'");
    nobody(
        "n=0; until ipctool list -q --orphan -o ref --no-headings | grep -q msg:1; do \
         n=$((n+1)); [ $n -lt 200 ] || exit 9; sleep 0.05; done",
    );
    assert_eq!(
        nobody("ipctool list -q --orphan -o ref --no-headings | grep msg:0; true").stdout(),
        ""
    );
}

#[test]
fn list_shows_users_to_those_who_ask() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg && ipctool create shm --size 5").ok();
    assert!(!shell.run("ipctool list --json").stdout().contains("users"));
    let ready = "ipctool stat msg:0 2> /dev/null | grep -q waiting";
    let ran = meanwhile(&shell, &["ipctool recv 0"], ready, "ipctool list --who");
    ran.shows("BYTES WAITING USERS\n").shows("(ipctool)\n");
    let ran = meanwhile(
        &shell,
        &["ipctool recv 0"],
        ready,
        "ipctool list -q -o ref,waiting,users --json",
    );
    let listed = ran.json();
    assert_eq!(listed[0]["waiting"], 1);
    assert!(listed[0]["users"][0]["command"].as_str().unwrap().ends_with("ipctool recv 0"));
    shell.run("ipctool list -q --sort -waiting -o ref --no-headings").exits(0).shows("msg:0");
}

#[test]
fn filters_by_use() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("use");
    shell.run("ipctool create shm --size 5; ipctool create shm --size 6").ok();
    let list = "ipctool list -m --no-headings --format csv -o ref";
    let holder = shell.start("exec ./use shm 0").ready();
    let pid = holder.pid();
    let ran = shell
        .run(&format!("{list} --unused; echo; {list} --orphan=likely; echo; {list} --pid {pid}"));
    assert_eq!(ran.stdout(), "shm:1\n\nshm:1\n\nshm:0\n");
    drop(holder);
    assert_eq!(shell.run(&format!("{list} --orphan")).stdout(), "shm:0\nshm:1\n");
    shell.run("ipctool list --pid 0").exits(2);
}

fn attached_times_of_first() -> String {
    "ipctool list -m -o attached --no-headings | grep -q 1".to_owned()
}

#[test]
fn removing_by_filter_tells_what_and_why() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("use");
    shell.run("ipctool create shm --size 5 --key 7; ipctool create shm --size 6").ok();
    let ran = meanwhile(
        &shell,
        &["./use shm 1"],
        &attached_times_of_first(),
        "ipctool rm --orphan=likely --dry-run; ipctool rm --orphan=likely --yes; ipctool list -m -o ref --no-headings; ipctool rm shm:1",
    );
    ran.shows("REF              KEY        OWNER      REASON\nshm:0            0x00000007 ")
        .shows("no process is attached or waiting, and its only recorded process ")
        .says("rm: removed 1 shared memory segment\n")
        .says("rm shm:1: still attached 1 time, so it was only marked for destruction; the kernel removes it when")
        .says("hint: held by ")
        .says("(./use shm 1)\n")
        .shows("\nshm:1");
}

#[test]
fn what_was_used_since_it_was_selected_is_left_alone() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg && ipctool create msg").ok();
    let ask = |options: &str| {
        shell.run(&format!(
            "(sleep 0.5; ipctool send 0 precious; echo y) | script -qec 'ipctool rm --all {options}' /dev/null"
        ))
    };
    ask("")
        .shows("rm msg:0: not removed: it was used after it was selected")
        .shows("removed 1 message queue, 1 failed");
    shell.run("ipctool recv 0 --peek").prints("precious\n");
    // --force only makes a missing object no error.
    ask("--force").shows("rm msg:0: not removed: it was used after it was selected");
    ask("--even-if-changed").shows("removed 1 message queue");
    shell.run("ipctool list").prints("");
}

#[test]
fn a_process_lives_on_in_its_threads() {
    let Some(shell) = Sandbox::new() else { return };
    // The first thread has ended, and is a zombie until the last one ends.
    shell.compile("threads");
    shell.run("ipctool create msg && ipctool create shm --size 5").ok();
    let ready = "ipctool stat msg:0 2> /dev/null | grep -q waiting";
    let then = "ipctool list --orphan -o ref --no-headings; ipctool stat shm:0 msg:0 --json";
    let ran = meanwhile(&shell, &["./threads gone 7"], ready, then).exits(0);
    assert!(ran.stdout().starts_with('['), "it was taken for gone: {}", ran.stdout());
    let ran = ran.shows("\"role\":\"attached\"").shows("\"role\":\"waiting to receive type 7\"");
    // All but the one that made the segment.
    assert_eq!(ran.stdout().matches("\"gone\"").count(), 1, "{}", ran.stdout());
}

#[test]
fn a_segment_attached_in_another_namespace_is_not_the_one_of_this() {
    if !only_root("only root can leave a namespace with a segment attached") {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("mover");
    let ran = shell.run("./mover").exits(0);
    let ran = ran.shows("\"key\":\"0x00002222\"");
    assert!(!ran.stdout().contains("\"role\":\"attached\""), "{}", ran.stdout());
}

#[test]
fn who_begins_to_wait_during_the_question_is_spared() {
    if !sees_everybody() {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg").ok();
    shell
        .run(
            "(sleep 0.5; timeout 5 ipctool recv 0 -t 7 > /dev/null & sleep 0.3; echo y; sleep 0.3; kill $!) | \
             script -qec 'ipctool rm --kind msg --unused' /dev/null",
        )
        .shows("rm msg:0: not removed: it was used after it was selected");
    shell.run("ipctool list -q -o ref --no-headings").prints("msg:0\n");
}
