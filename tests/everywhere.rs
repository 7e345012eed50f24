//! `--all-namespaces` and `list --namespaces`.

mod containers;
mod sandbox;
mod terminal;

use containers::{Container, Like};
use sandbox::{Ran, Running, Sandbox, only_root, sees_everybody, until};
use serde_json::{Value, json};
use terminal::Terminal;

/// The lines about one namespace, since others come and go on this machine all the time.
fn of(ran: &Ran, namespace: u64) -> Vec<Value> {
    let mut lines = ran.records();
    lines.retain(|line| line["ns"] == namespace);
    lines
}

fn number(shell: &Sandbox) -> u64 {
    let link = shell.run("readlink /proc/self/ns/ipc").ok().stdout();
    link.trim().trim_start_matches("ipc:[").trim_end_matches(']').parse().expect("a number")
}

fn text(lines: &[Value], names: &str) -> String {
    let fields = |line: &Value| sandbox::fields_of(line, names).to_string();
    lines.iter().map(fields).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_same_ids_in_two_containers() {
    let Some(shell) = Sandbox::new() else { return };
    let Some(web) = Container::start("same", Like::Docker) else { return };
    let Some(db) = Container::start("same", Like::Docker) else { return };
    for (place, size) in [(&web, 5000), (&db, 70_000)] {
        let line = format!("ipctool --in {place} create shm --size {size} --key 0x5");
        shell.run(&line).prints("shm:0\n");
        shell.run(&format!("ipctool --in {place} create pshm --name /same --size {size}")).ok();
    }
    let all = shell.run("ipctool list -A --json").exits(0);
    for (place, size) in [(&web, 5000), (&db, 70_000)] {
        let found = text(&of(&all, place.namespace()), "ref container size");
        let name = place.to_string();
        assert_eq!(
            found,
            format!("[\"shm:0\",\"{name}\",{size}] [\"pshm:/same\",\"{name}\",{size}]")
        );
    }
    // Filters, order, columns, and every format.
    let line =
        "ipctool list -A shm --key 5 --size +60K --sort -size -o ref,container --no-headings";
    let rows = shell.run(line).exits(0).stdout();
    assert!(rows.contains(&db.to_string()) && !rows.contains(&web.to_string()), "{rows}");
    for format in ["table", "plain", "csv", "tsv", "export", "jsonl", "json"] {
        let line = format!("ipctool list -A --format {format}");
        shell.run(&line).exits(0).shows(&web.to_string()).shows(&db.namespace().to_string());
    }
    let sums = shell.run("ipctool list -A --by container --json").exits(0).records();
    let of_db = sums.iter().find(|sum| sum["container"] == db.to_string()).expect("it is there");
    assert_eq!((&of_db["objects"], &of_db["bytes"]), (&json!(2), &json!(140_000)));
    // What stat and rm take with --in is what list printed.
    shell.run(&format!("ipctool --in {} rm shm:0", db.namespace())).ok();
    let all = shell.run("ipctool list -A shm --json").exits(0);
    assert_eq!(text(&of(&all, web.namespace()), "ref"), "[\"shm:0\"]");
    assert_eq!(of(&all, db.namespace()), [] as [Value; 0]);
}

#[test]
fn who_uses_it_where() {
    let Some(shell) = Sandbox::new() else { return };
    let Some(web) = Container::start("who", Like::Docker) else { return };
    let Some(db) = Container::start("who", Like::Docker) else { return };
    let mut waiting: Vec<(u64, Running)> = Vec::new();
    for place in [&web, &db] {
        shell.run(&format!("ipctool --in {place} create msg")).prints("msg:0\n");
        let line = format!("exec nsenter --ipc --target {} ipctool recv msg:0", place.pid());
        waiting.push((place.namespace(), shell.start(&line).waits()));
    }
    let all = shell.run("ipctool list -A msg --who --json").exits(0);
    for (namespace, receiver) in &waiting {
        let lines = of(&all, *namespace);
        let pids: Vec<_> =
            lines[0]["users"].as_array().unwrap().iter().map(|user| user["pid"].clone()).collect();
        assert_eq!(pids, [json!(receiver.pid())], "{lines:?}");
    }
}

/// Namespaces in which no process lives.
#[test]
fn what_a_mount_or_a_descriptor_keeps_alive() {
    let Some(shell) = Sandbox::new() else { return };
    if !only_root("an ordinary user mounts no namespace of another one") {
        return;
    }
    let keep = |how: &str| {
        let line =
            format!("mkfifo end; unshare --ipc sh -c 'ipcmk -Q; read x < end' & sleep 0.2; {how}");
        shell.run(&line)
    };
    keep("touch kept; mount --bind /proc/$(pgrep -n -P $!)/ns/ipc kept || mount --bind /proc/$!/ns/ipc kept; echo x > end").exits(0);
    let mounted: u64 = shell.run("stat -c %i kept").ok().stdout().trim().parse().unwrap();
    let all = shell.run("ipctool list --namespaces --json").exits(0);
    assert_eq!(text(&of(&all, mounted), "processes msg pid"), "[0,1,null]");
    let all = shell.run("ipctool list -A --json").exits(0);
    assert_eq!(text(&of(&all, mounted), "ref"), "[\"msg:0\"]");
    shell.run(&format!("ipctool --in {mounted} rm msg:0 && umount kept")).ok();
    let line =
        "rm end; mkfifo end; unshare --ipc sh -c 'ipcmk -Q > /dev/null; read x < end' & sleep 0.2
                exec 9< /proc/$!/ns/ipc; echo x > end; wait
                stat -L -c %i /proc/self/fd/9; ipctool list --namespaces --json";
    let ran = shell.run(line).exits(0).stdout();
    let (held, listed) = ran.split_once('\n').expect("a number, and the list");
    let listed: Vec<Value> = serde_json::from_str(listed).expect("it is JSON");
    let row =
        listed.iter().find(|row| row["ns"].as_u64() == held.parse().ok()).expect("it is alive");
    assert_eq!((&row["processes"], &row["msg"]), (&json!(0), &json!(1)));
}

#[test]
fn the_namespaces_themselves() {
    let Some(shell) = Sandbox::new() else { return };
    let Some(web) = Container::start("rows", Like::Docker) else { return };
    shell.run(&format!("ipctool --in {web} create msg")).ok();
    shell.run(&format!("ipctool --in {web} create pshm --name /m --size 10000")).ok();
    shell.run(&format!("head -c 10000 /dev/zero > /proc/{}/root/dev/shm/m", web.pid())).ok();
    let all = shell.run("ipctool list --namespaces --json").exits(0);
    let rows = of(&all, web.namespace());
    let name = web.to_string();
    assert_eq!(
        text(&rows, "container processes pid msg shm pshm memory"),
        format!("[\"{name}\",1,{},1,0,1,12288]", web.pid())
    );
    assert_eq!(rows[0]["command"], "/bin/busybox sleep 600");
    let owner = shell.run("stat -L -c %i /proc/self/ns/user").ok().stdout();
    assert_eq!(rows[0]["userns"].to_string(), owner.trim());
    let first = shell.run("ipctool list --namespaces --no-headings -o container").exits(0).stdout();
    assert_eq!(first.lines().next().map(str::trim), Some("host"));
    let sorted = "ipctool list --namespaces --sort -memory -o ns --no-headings --format tsv";
    shell.run(sorted).exits(0).shows(&web.namespace().to_string());
    shell
        .run("ipctool list --namespaces -o pizza")
        .exits(2)
        .says("there is no column 'pizza' with --namespaces");
    shell.run("ipctool list -A --namespaces").exits(0).shows(&name);
    shell.run("ipctool list --namespaces msg").exits(2);
    shell
        .run("ipctool list --namespaces --owner root")
        .exits(2)
        .says("--namespaces lists no objects");
}

#[test]
fn doctor_limits_and_the_overview_see_all() {
    let Some(shell) = Sandbox::new() else { return };
    let Some(web) = Container::start("health", Like::Docker) else { return };
    let place = web.namespace();
    shell.run(&format!("ipctool --in {web} create msg")).ok();
    shell.run(&format!("ipctool --in {web} limits --queue-bytes 10 msg:0; ipctool --in {web} send msg:0 0123456789")).ok();
    shell.run(&format!("ipctool --in {web} limits --set msgmni=1")).ok();
    let found = shell.run("ipctool doctor -A --json").exits(6);
    let found = of(&found, place);
    let of_limit = found.iter().find(|one| one["check"] == "limit-near").expect("it is full");
    assert_eq!(of_limit["container"], web.to_string());
    assert!(
        of_limit["fix"].as_str().unwrap().starts_with(&format!("ipctool --in {web} ")),
        "{of_limit}"
    );
    shell.run("ipctool doctor -A").exits(6).shows(&format!("in {web}  "));
    let full = shell.run("ipctool limits -A --check 100 --json").exits(6);
    assert_eq!(
        text(&of(&full, place), "name ref used"),
        "[\"msgmni\",null,1] [\"max_bytes\",\"msg:0\",10]"
    );
    shell.run("ipctool limits -A").exits(0).shows(&web.to_string());
    // Users and the machine have theirs once.
    let all = shell.run("ipctool limits -A --json").exits(0).records();
    let nofile = all.iter().filter(|limit| limit["name"] == "RLIMIT_NOFILE").count();
    assert_eq!(nofile, 1);
    let overview = shell.run("ipctool -A --json").exits(0).json();
    let row = overview["all_namespaces"].as_array().unwrap().iter().find(|row| row["ns"] == place);
    assert_eq!(row.expect("it is there")["container"], web.to_string());
    shell.run("ipctool -A").exits(0).shows(" hold objects: ");
    shell.run("ipctool -A list").exits(2).says("--all-namespaces goes behind the command");
}

#[test]
fn containers_that_come_and_go() {
    let Some(shell) = Sandbox::new() else { return };
    let busy =
        "while :; do unshare --ipc sh -c 'ipcmk -Q > /dev/null; ipcmk -M 5000 > /dev/null'; done";
    let unshare =
        if sandbox::is_root() { busy.to_owned() } else { busy.replace("--ipc", "--user --ipc") };
    let busy: Vec<Running> = (0..2).map(|_| shell.start(&unshare)).collect();
    for _ in 0..50 {
        for line in ["ipctool list -A", "ipctool list --namespaces", "ipctool list -A --who"] {
            let ran = shell.run(line).exits(0);
            // An ordinary user is told once what cannot be seen.
            let lines = ran.stderr().lines().filter(|line| !line.starts_with("hint: ")).count();
            assert!(lines <= 4 && (lines <= 1 || !sees_everybody()), "{}", ran.stderr());
        }
    }
    drop(busy);
}

#[test]
fn two_hundred_namespaces() {
    let Some(shell) = Sandbox::new() else { return };
    let unshare = if sandbox::is_root() { "--ipc" } else { "--user --map-root-user --ipc" };
    let line =
        format!("exec unshare {unshare} sh -c 'ipcmk -Q > /dev/null; echo ready; exec sleep 60'");
    let all: Vec<Running> = (0..200).map(|_| shell.start(&line)).collect();
    let all: Vec<Running> = all.into_iter().map(Running::ready).collect();
    let numbers: Vec<u64> = all
        .iter()
        .map(|child| {
            let link = std::fs::read_link(format!("/proc/{}/ns/ipc", child.pid())).unwrap();
            let text = link.to_str().unwrap().to_owned();
            text.trim_start_matches("ipc:[").trim_end_matches(']').parse().unwrap()
        })
        .collect();
    let listed = shell.run("ipctool list -A msg --json").exits(0);
    let rows = shell.run("ipctool list --namespaces --json").exits(0);
    for number in numbers {
        assert_eq!(text(&of(&listed, number), "ref"), "[\"msg:0\"]");
        assert_eq!(text(&of(&rows, number), "processes msg"), "[1,1]");
    }
}

#[test]
fn a_person_is_told_of_other_namespaces() {
    let Some(shell) = Sandbox::new() else { return };
    if !only_root("an ordinary user may not enter the namespace of another sandbox") {
        return;
    }
    let other = Sandbox::new().expect("there was one");
    other.run("ipctool create msg").ok();
    let own = number(&shell);
    assert_ne!(own, number(&other));
    let screen = Terminal::run(&shell, (80, 24), false, "ipctool list").ends().text;
    assert!(screen.contains(" hold") && screen.contains("ipctool list -A"), "{screen}");
    shell.run("ipctool list").exits(0).denies("list -A");
    other.run("ipctool create msg --key 0x717").ok();
    let screen =
        Terminal::run(&shell, (200, 24), false, "ipctool create msg --key 0x717").ends().text;
    let hint = format!("the IPC namespace {}", number(&other));
    assert!(screen.contains(&hint) && screen.contains("has one with this key, too"), "{screen}");
}

/// What a look from outside found wrong once, each with the right answer.
#[test]
fn commands_for_a_place_never_act_here() {
    if !only_root("only root may enter the namespaces of others") {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    // A full /dev/shm is enlarged there, not here.
    let line = "mount -t tmpfs -o size=64k tmpfs /dev/shm; head -c 64000 /dev/zero > /dev/shm/f; echo ready; exec sleep 60";
    let full = shell.start(&format!("exec unshare --ipc --mount sh -c '{line}'")).ready();
    let pid = full.pid();
    let found = shell.run(&format!("ipctool --in {pid} doctor --only shm-full --json")).exits(6);
    let fix = found.records()[0]["fix"].as_str().expect("a fix").to_owned();
    assert!(
        fix.starts_with(&format!("nsenter --target {pid} --mount mount -o remount,size=")),
        "{fix}"
    );
    let before = shell.run("stat -f -c %b /dev/shm").stdout();
    shell.run(&fix).ok();
    shell.run("stat -f -c %b /dev/shm").prints(&before);
    shell.run(&format!("ipctool --in {pid} doctor --only shm-full")).exits(0);
    // A /dev/shm that is missing, or something else, is mended there, and is no reason to see nothing.
    for what in ["true", "touch /dev/shm", "ln -s shm /dev/shm"] {
        let line = format!("mount -t tmpfs tmpfs /dev; {what}; echo ready; exec sleep 60");
        let without = shell.start(&format!("exec unshare --ipc --mount sh -c '{line}'")).ready();
        let pid = without.pid();
        shell.run(&format!("ipctool --in {pid} create msg")).prints("msg:0\n");
        shell
            .run(&format!("ipctool --in {pid} create pshm --name /x --size 10"))
            .exits(1)
            .denies("root: mkdir")
            .denies("root: mount");
        let ran = shell.run(&format!("ipctool --in {pid} list -o ref --no-headings"));
        ran.prints("msg:0\n");
    }
}

#[test]
fn a_process_whose_first_thread_has_ended() {
    if !only_root("only root may enter the namespaces of others") {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("headless");
    let headless = shell.start("exec ./headless 0x2c").ready();
    let pid = headless.pid();
    until("its first thread has ended", || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.contains(") Z ")
    });
    let found = shell.run("ipctool list -A msg --key 0x2c --who --json").exits(0).records();
    assert_eq!((found.len(), &found[0]["waiting"]), (1, &json!(1)));
    shell.run(&format!("ipctool --in {pid} list -o key --no-headings")).prints("0x0000002c\n");
    shell.run(&format!("ipctool --in {} rm 0x2c", found[0]["ns"])).ok();
}

#[test]
fn only_columns_that_exist() {
    let Some(shell) = Sandbox::new() else { return };
    for line in [
        "list --namespaces -o +nosuch",
        "list --by container -o +nosuch",
        "list --namespaces -o nosuch",
    ] {
        shell.run(&format!("ipctool {line}")).exits(2).says("there is no column 'nosuch'");
    }
}
