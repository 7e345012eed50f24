//! `--in`: a command in the IPC namespace of a container, a process or a file.

mod containers;
mod sandbox;

use std::fs;

use containers::{Container, Like};
use sandbox::{NOBODY, Running, Sandbox, is_root, only_root};

/// What the tools of util-linux do in the IPC namespace of a container.
fn inside(shell: &Sandbox, container: &Container, line: &str) {
    shell.run(&format!("nsenter --ipc --target {} {line}", container.pid())).exits(0);
}

#[test]
fn a_place_has_many_names() {
    let Some(shell) = Sandbox::new() else { return };
    let Some(web) = Container::start("manynames", Like::Docker) else { return };
    inside(&shell, &web, "ipcmk -Q");
    shell.run("ipctool create msg; ipctool create msg").ok();
    shell.run("touch there").ok();
    let (pid, name) = (web.pid(), web.to_string());
    let start = &name[..name.len() - 1];
    let namespace = web.namespace();
    for place in [
        name.as_str(),
        start,
        &pid.to_string(),
        &format!("/proc/{pid}/ns/ipc"),
        &namespace.to_string(),
    ] {
        shell
            .run(&format!("ipctool --in {place} list -o ref --no-headings"))
            .ok()
            .prints("msg:0\n");
        shell
            .run(&format!("ipctool list --in={place} -o ref --no-headings"))
            .ok()
            .prints("msg:0\n");
    }
    let line = format!(
        "mount --bind /proc/{pid}/ns/ipc there && ipctool --in $PWD/there list -q -o ref --no-headings; \
         umount there"
    );
    shell.run(&line).ok().prints("msg:0\n");
    let json = shell.run(&format!("ipctool --in {name} list --json")).ok().json();
    assert_eq!(json[0]["ns"], namespace);
    assert_eq!(json[0]["container"], name);
    shell.run("ipctool --in host list --json").exits(0);
    shell.run("ipctool --in $$ list -o ref --no-headings").ok().prints("msg:0\nmsg:1\n");
}

#[test]
fn a_place_that_is_not_there() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run("ipctool --in no-such-name list")
        .exits(3)
        .says("list --in no-such-name: there is no");
    shell
        .run("ipctool --in 99999999 list")
        .exits(3)
        .says("there is no such process, IPC namespace");
    shell
        .run("ipctool --in 4026500000 list")
        .exits(3)
        .says("there is no such process, IPC namespace");
    shell.run("ipctool --in /no/such/file list").exits(3).says("there is no such process or file");
    shell.run("ipctool --in /etc/passwd list").exits(2).says("it is not an IPC namespace");
    shell.run("ipctool --in /proc/self/ns/net list").exits(2).says("it is not an IPC namespace");
    shell.run("ipctool --in '' list").exits(3);
    if is_root() {
        let inside = "unshare --pid --fork --mount-proc ipctool --in no-such-name list";
        shell.run(inside).exits(3).says("only the processes of this process namespace can be seen");
    }
    shell.run("ipctool --in $$ list -A").exits(2).says("--in is for one namespace");
    shell.run("ipctool --in $$ key /").exits(2).says("--in is for commands that look at objects");
    shell.run("ipctool --in $$ guard true").exits(2);
    let Some(one) = Container::start("twin", Like::Docker) else { return };
    let Some(two) = Container::start("twin", Like::Docker) else { return };
    shell
        .run("ipctool --in twin list")
        .exits(2)
        .says("several containers are called so")
        .says(&one.to_string())
        .says(&two.to_string());
    shell.run("ipctool --in twi list").exits(3).says(&one.to_string());
}

#[test]
fn every_verb_goes_there() {
    let Some(shell) = Sandbox::with_posix() else { return };
    let Some(web) = Container::start("verbs", Like::Docker) else { return };
    let run = |line: &str| shell.run(&line.replace("ipctool", &format!("ipctool --in {web}")));
    run("ipctool create msg --key 0x77").ok().prints("msg:0\n");
    run("ipctool create shm --size 5000").ok().prints("shm:0\n");
    run("ipctool create sem --nsems 2").ok().prints("sem:0\n");
    run("ipctool create pmsg --name /jobs").ok();
    run("ipctool create pshm --name /cache --size 100").ok();
    run("ipctool create psem --name /lock --value 3").ok();
    shell.run("ipctool list -o ref --no-headings").ok().prints("");
    run("ipctool send 0x77 hello; ipctool send pmsg:/jobs there").ok();
    run("ipctool recv 0x77 --peek").ok().prints("hello\n");
    run("ipctool recv 0x77 > taken; cat taken").ok().prints("hello\n");
    run("ipctool recv pmsg:/jobs").ok().prints("there\n");
    run("ipctool stat psem:/lock --json")
        .exits(0)
        .shows("\"value\":3")
        .shows(&format!("\"ns\":{},\"container\":\"{web}\"", web.namespace()));
    shell.run("ipctool create sem; ipctool stat sem:0 --json").exits(0).lacks("\"ns\"");
    shell.run("ipctool rm sem:0").ok();
    run("ipctool chmod 640 msg:0; ipctool chmod 640 pshm:/cache").ok();
    run("ipctool list msg pshm -o mode --no-headings -P").ok().prints("0640\n0640\n");
    run("ipctool chown nobody sem:0").ok();
    run("ipctool list sem -o owner --no-headings").ok().shows("nobody");
    run("ipctool limits --set msgmni=7").ok();
    run("ipctool limits msg --json").ok().shows("\"limit\":7");
    shell.run("ipctool limits msg --json").ok().lacks("\"limit\":7,");
    run("ipctool limits --queue-bytes 100 msg:0").ok().shows("→ 100");
    run("ipctool doctor")
        .exits(6)
        .shows(&format!("fix: ipctool --in {web} rm --kind msg --orphan"));
    run("ipctool --json").ok().shows("\"count\":1");
    run("ipctool").ok().shows(&format!("ipctool --in {web} doctor runs all"));
    run("ipctool rm msg:0 shm:0 sem:0 pmsg:/jobs pshm:/cache psem:/lock").ok();
    run("ipctool list -o ref --no-headings").ok().prints("");
    // Programs in the container know the semaphore that was made from outside.
    run("ipctool create psem --name /made --value 2").ok();
    let pid = web.pid();
    let file = fs::read(format!("/proc/{pid}/root/dev/shm/sem.made")).expect("it is there");
    shell.run("ipctool create psem --name /made --value 2").ok();
    let own = shell.run("cat /dev/shm/sem.made").ok();
    // The C library leaves what is behind that to chance.
    let content = |bytes: &[u8]| (bytes.len(), bytes[..12].to_vec());
    assert_eq!(content(own.bytes()), content(&file), "as sem_open(3) makes it");
    run("ipctool create psem --name /made --value 2 --exclusive").exits(1).says("EEXIST");
    run("ipctool create psem --name /made --value 9")
        .exits(0)
        .says("it already existed, with value 2");
}

#[test]
fn errors_and_hints_are_about_the_place() {
    let Some(shell) = Sandbox::new() else { return };
    let Some(web) = Container::start("hints", Like::Docker) else { return };
    shell
        .run(&format!("ipctool --in {web} rm msg:0x55"))
        .exits(3)
        .says(&format!("ipctool --in {web} create msg --key 0x00000055"));
    shell.run(&format!("ipctool --in {web} create msg --key 0x56")).ok();
    // A key that is here in another namespace only.
    let hint =
        format!("the IPC namespace {} ({web}) has one: ipctool --in {web} stat ", web.namespace());
    shell.run("ipctool rm msg:0x56").exits(3).says(&hint);
    shell
        .run("ipctool recv 0x56")
        .exits(3)
        .says(&format!("ipctool --in {web} stat msg:0x00000056"));
    shell.run(&format!("ipctool --in {web} create pshm --name /there --size 9")).ok();
    shell.run("ipctool stat pshm:/there").exits(3).says(&hint);
    // A process is looked up where it lives.
    shell
        .run(&format!("ipctool list --pid {}", web.pid()))
        .exits(0)
        .says(&format!("lives in the IPC namespace {} ({web})", web.namespace()));
    // What is charged there counts here.
    shell
        .run(&format!(
            "ipctool --in {web} create pmsg --name /large --max-messages 10 --message-size 8000"
        ))
        .ok();
    shell
        .run("prlimit --msgqueue=82000 ipctool create pmsg --name /more --max-messages 1 --message-size 8000")
        .exits(1)
        .says(&format!("bytes in {} ({web})", web.namespace()));
}

#[test]
fn orphans_are_judged_from_outside() {
    let Some(shell) = Sandbox::new() else { return };
    let Some(web) = Container::start("orphans", Like::Docker) else { return };
    let Some(neighbour) = Container::start("orphans", Like::Docker) else { return };
    shell.compile("use");
    for container in [&web, &neighbour, &neighbour] {
        inside(&shell, container, "ipcmk -M 5000");
    }
    shell.run("ipctool create shm --size 5000").prints("shm:0\n");
    // A process of the host that is in no process namespace of the container.
    let line = format!("exec nsenter --ipc --target {} $PWD/use shm 0 outsider", web.pid());
    let outsider: Running = shell.start(&line).ready();
    // What it may come back to is younger than it is.
    inside(&shell, &web, "ipcmk -M 5000");
    let rm = format!("ipctool --in {web} rm --orphan --yes --verbose");
    // It may come back to the other one.
    let ran = shell.run(&rm).exits(0).says("it may still belong to ").says("which uses shm:0");
    assert_eq!(ran.stdout(), "");
    let rm = format!("ipctool --in {web} rm --orphan=likely --yes --verbose");
    assert_eq!(shell.run(&rm).exits(0).stdout(), "shm:1\n");

    shell.run(&format!("ipctool --in {web} list -o ref --no-headings")).ok().prints("shm:0\n");
    shell.run(&format!("ipctool --in {web} stat shm:0")).exits(0).shows("outsider");
    let refs = format!("ipctool --in {neighbour} list -o ref --no-headings");
    shell.run(&refs).ok().prints("shm:0\nshm:1\n");
    shell.run("ipctool list -o ref --no-headings").ok().prints("shm:0\n");
    drop(outsider);
    shell.until(&rm, |ran| ran.stdout() == "shm:0\n");
}

#[test]
fn a_pod_shares_what_it_shares() {
    let Some(shell) = Sandbox::new() else { return };
    let shm = shell.directory().join("shm");
    fs::create_dir(&shm).expect("it is new");
    let Some(first) = Container::start("pod", Like::FirstOfPod(&shm)) else { return };
    let Some(second) = Container::start("pod", Like::Pod(&first, &shm)) else { return };
    let Some(third) = Container::start("pod", Like::IpcOf(&first)) else { return };
    inside(&shell, &first, "ipcmk -Q");
    for container in [&first, &third] {
        let line = format!("ipctool --in {container} create pshm --name /own --size 10");
        shell.run(&line).ok();
    }
    let refs = |place: &Container| {
        shell.run(&format!("ipctool --in {place} list -o ref,ns --no-headings")).ok().stdout()
    };
    assert_eq!(refs(&first), refs(&second));
    let ns = first.namespace();
    assert!(refs(&third).contains(&ns.to_string()));
    shell.run(&format!("ipctool --in {third} rm pshm:/own")).ok();
    assert!(refs(&first).contains("pshm:/own") && !refs(&third).contains("pshm:/own"));
    // The queue comes once, and each /dev/shm once.
    shell.run(&format!("ipctool --in {third} create pshm --name /third --size 10")).ok();
    let line = format!("ipctool list -A --json | grep '\"ns\":{ns},'");
    let all = shell.run(&line).ok().stdout();
    for (reference, container) in
        [("msg:0", &first), ("pshm:/own", &first), ("pshm:/third", &third)]
    {
        let lines: Vec<_> =
            all.lines().filter(|line| line.contains(&format!("\"ref\":\"{reference}\""))).collect();
        assert_eq!(lines.len(), 1, "{all}");
        assert!(lines[0].contains(&container.to_string()), "{all}");
    }
    shell
        .run(&format!("ipctool --in {first} stat msg:0"))
        .exits(0)
        .shows(&format!("{ns} ({first})"));
}

/// As with `docker --ipc=host`: the same queues, and a /dev/shm apart.
#[test]
fn a_container_in_the_namespace_of_another_process() {
    let Some(shell) = Sandbox::new() else { return };
    let here = shell.start("exec sleep 60");
    let Some(web) = Container::start("apart", Like::IpcOfProcess(here.pid())) else { return };
    shell.run("ipctool create msg; ipctool create pshm --name /ours --size 5").ok();
    let there = format!("ipctool --in {web}");
    shell.run(&format!("{there} create pshm --name /theirs --size 7")).ok();
    let refs = |line: &str| shell.run(&format!("{line} -o ref --no-headings")).ok().stdout();
    assert_eq!(refs("ipctool list"), "msg:0\npshm:/ours\n");
    assert_eq!(refs(&format!("{there} list")), "msg:0\npshm:/theirs\n");
    let all = shell.run("ipctool list -A --json").exits(0).records();
    let place = |reference: &str| -> Vec<String> {
        let of_web = all.iter().filter(|one| one["ns"] == web.namespace());
        let found = of_web.filter(|one| one["ref"] == reference);
        found.map(|one| one["container"].to_string()).collect()
    };
    assert_eq!(place("msg:0"), ["null"], "its oldest process is in no container");
    assert_eq!(place("pshm:/ours"), ["null"]);
    assert_eq!(place("pshm:/theirs"), [format!("\"{web}\"")]);
}

/// A namespace without a /dev/shm of its own has that of its processes, however it is named.
#[test]
fn a_namespace_that_shares_dev_shm() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pshm --name /shared --size 5").ok();
    let unshare = if is_root() { "--ipc" } else { "--user --map-root-user --ipc" };
    let other = shell.start(&format!("exec unshare {unshare} sh -c 'echo ready; exec sleep 60'"));
    let other = other.ready();
    let link = fs::read_link(format!("/proc/{}/ns/ipc", other.pid())).unwrap();
    let number: String = link.to_str().unwrap().chars().filter(char::is_ascii_digit).collect();
    let file = format!("/proc/{}/ns/ipc", other.pid());
    for place in [number, other.pid().to_string(), file] {
        let list = format!("ipctool --in {place} list -o ref --no-headings");
        shell.run(&list).exits(0).prints("pshm:/shared\n");
    }
}

/// The links of a container do not lead out of it.
#[test]
fn a_link_in_a_container_stays_in_it() {
    let Some(shell) = Sandbox::new() else { return };
    let victim = shell.directory().join("victim");
    fs::create_dir(&victim).expect("it is new");
    fs::write(victim.join("precious"), "data").expect("there is room");
    let Some(evil) = Container::start("evil", Like::Evil(&victim)) else { return };
    shell.run(&format!("ipctool --in {evil} list -o ref --no-headings")).exits(0).prints("");
    shell.run(&format!("ipctool --in {evil} rm pshm:/precious")).exits(3);
    shell.run(&format!("ipctool --in {evil} rm --all --yes")).exits(0);
    shell.run(&format!("ipctool --in {evil} create pshm --name /new --size 5")).exits(1);
    shell.run("ipctool list -A --json").lacks("precious");
    assert_eq!(fs::read_dir(&victim).unwrap().count(), 1);
}

/// A container without root: an ordinary user's, in a user namespace.
fn rootless(shell: &Sandbox) -> Option<(Running, u32)> {
    let as_nobody = match is_root() {
        true => format!("setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups "),
        false => String::new(),
    };
    let start = "mount -t tmpfs tmpfs /dev/shm; ipcmk -Q; ipcmk -M 5000; echo x > /dev/shm/mem; \
                 touch ready; exec sleep 300";
    let line = format!(
        "exec {as_nobody}unshare --user --map-root-user --ipc --mount sh -c '{start}' > /dev/null"
    );
    let running = shell.start(&line);
    shell.wait_until("[ -e ready ]");
    let pid = running.pid();
    Some((running, pid))
}

#[test]
fn a_user_enters_a_rootless_container() {
    let Some(shell) = Sandbox::new() else { return };
    let Some((_running, pid)) = rootless(&shell) else { return };
    let user = |line: &str| match is_root() {
        true => shell.run_as(NOBODY, line).expect("root can be another user"),
        false => shell.run(line),
    };
    let own = user("id -un").stdout().trim().to_owned();
    let list = format!("ipctool --in {pid} list msg shm pshm");
    user(&format!("{list} -o ref --no-headings")).exits(0).prints("msg:0\nshm:0\npshm:/mem\n");
    // Users are those of the caller, not those inside.
    let owners = user(&format!("{list} -o owner,creator --no-headings")).exits(0).stdout();
    for word in owners.split_whitespace() {
        assert!(word == own || word == "-", "{owners}");
    }
    user(&format!("ipctool --in {pid} create msg --key 0x44")).ok().prints("msg:1\n");
    user(&format!("ipctool --in {pid} send 0x44 hello")).ok();
    user(&format!(
        "ipctool --in {pid} list msg -o ref,messages --no-headings -0 | tr '\\t\\0' ' \\n'"
    ))
    .exits(0)
    .prints("msg:0 0\nmsg:1 1\n");
    user(&format!("ipctool --in {pid} recv 0x44")).ok().prints("hello\n");
    user(&format!("ipctool --in {pid} recv 0x44 --nowait")).exits(4);
    user(&format!("ipctool --in {pid} chmod 600 msg:0")).ok();
    user(&format!("ipctool --in {pid} create pmsg --name /q; ipctool --in {pid} send pmsg:/q x"))
        .ok();
    user(&format!("ipctool --in {pid} list pmsg -o ref,messages --no-headings"))
        .exits(0)
        .shows("pmsg:/q");
    user(&format!("ipctool --in {pid} create psem --name /s --value 4")).ok();
    user(&format!("ipctool --in {pid} stat psem:/s")).exits(0).shows("4");
    user(&format!("ipctool --in {pid} rm msg:0 msg:1 shm:0 pshm:/mem pmsg:/q psem:/s")).ok();
    user(&format!("{list} -o ref --no-headings")).exits(0).prints("");
    user("ipctool list -A").exits(0);
    // From there, what is here is elsewhere.
    user("ipctool create msg --key 0x66").ok();
    user(&format!("ipctool --in {pid} stat msg:0x66")).exits(3).says(" has one: ipctool --in ");
    let Some(stranger) = shell.run_as(4711, &list) else { return };
    stranger
        .exits(5)
        .says(&format!("list --in {pid}: you may not enter its IPC namespace"))
        .says("run as root");
    shell.run(&list).exits(0);
}

/// What waits can be interrupted there, too.
#[test]
fn a_wait_in_a_rootless_container_ends() {
    let Some(shell) = Sandbox::new() else { return };
    let Some((_running, pid)) = rootless(&shell) else { return };
    let line = format!("ipctool --in {pid} recv msg:0 --timeout 100ms");
    let line = match is_root() {
        true => format!("setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups {line}"),
        false => line,
    };
    shell.run(&line).exits(4);
    let waits = shell.start(&format!("exec {}", line.replace("100ms", "50s")));
    std::thread::sleep(std::time::Duration::from_millis(300));
    waits.signal("TERM").ends().exits(143);
}

#[test]
fn another_user_sees_only_what_is_open() {
    let Some(shell) = Sandbox::new() else { return };
    if !only_root("only root makes containers of root") {
        return;
    }
    let Some(web) = Container::start("closed", Like::Docker) else { return };
    let Some(ran) = shell.run_as(NOBODY, &format!("ipctool --in {} list", web.pid())) else {
        return;
    };
    ran.exits(5).says("you may not enter its IPC namespace");
    let Some(ran) = shell.run_as(NOBODY, "ipctool list -A") else { return };
    let ran = ran.exits(0);
    let complaints = ran.stderr();
    assert_eq!(complaints.matches("may not be inspected").count(), 1, "{complaints}");
}
