//! Containers that are found by what a runtime recorded of them.

use super::*;

/// `state.json` of runc on a machine with both versions of control groups.
fn runc(id: &str, pid: i32, group: &str) -> String {
    format!(
        r#"{{"id":"{id}","init_process_pid":{pid},"init_process_start":{pid}00,"created":"2026-11-26T19:17:34.053223827Z","config":{{"no_pivot_root":false}},"rootless":false,"cgroup_paths":{{"":"/sys/fs/cgroup/unified{group}","cpu":"/sys/fs/cgroup/cpu,cpuacct{group}","memory":"/sys/fs/cgroup/memory/job/7{group}","name=systemd":"/sys/fs/cgroup/systemd{group}"}},"namespace_paths":{{"NEWPID":"/proc/{pid}/ns/pid"}}}}"#
    )
}

#[test]
fn started_by_hand() {
    let machine = Machine::new();
    machine.file("/run/runc/web/state.json", &runc("web", 10, "/web"));
    machine.file("/run/runc/bad/state.json", "{");
    machine.process(10, "/web", "2").process(11, "/web/init.scope", "2");
    machine.process(12, "/webs", "1").process(13, "/", "1").process(14, "/web/docker/ID", "3");
    let of = |pid| machine.of(pid).map(|container| container.label());
    assert_eq!(machine.of(10), Some(Container::named(Runtime::Other, "web")));
    assert_eq!(of(11).as_deref(), Some("web"));
    assert_eq!((of(12), of(13)), (None, None));
    assert_eq!(of(14).as_deref(), Some("0123456789ab"));
    machine.file("/proc/15/cgroup", "4:memory:/job/7/web\n3:cpu,cpuacct:/web\n0::/\n");
    assert_eq!(of(15).as_deref(), Some("web"));
}

#[test]
fn without_control_groups_of_its_own() {
    let machine = Machine::new();
    machine
        .file("/run/crun/web/status", r#"{"pid":10,"process-start-time":1000,"cgroup-path":""}"#);
    machine.file(
        "/run/crun/old/status",
        r#"{"pid":12,"process-start-time":7,"cgroup-path":"/user.slice","scope":null}"#,
    );
    machine.process(10, "/", "2").process(11, "/", "2").process(12, "/", "3");
    machine.file("/proc/self/cgroup", "").process(13, "/", "1");
    symlink("pid:[1]", {
        let own = machine.0.path().join("proc/self/ns/pid");
        fs::create_dir_all(own.parent().unwrap()).unwrap();
        own
    })
    .unwrap();
    let of = |pid| machine.of(pid).map(|container| container.label());
    assert_eq!((of(10), of(11)), (name("web"), name("web")));
    // This pid belongs to another process by now.
    assert_eq!((of(12), of(13)), (None, None));
}

#[test]
fn a_process_that_is_gone() {
    let machine = Machine::new();
    assert_eq!(machine.containers().of(10).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn started_with_ctr() {
    let machine = Machine::new();
    machine.file("/run/containerd/runc/default/web/state.json", &runc("web", 10, "/default/web"));
    machine.process(10, "/default/web", "2");
    assert_eq!(machine.of(10), Some(Container::named(Runtime::Other, "web")));
}

#[test]
fn of_a_user() {
    let machine = Machine::new();
    machine.file("/run/user/1000/runc/web/state.json", &runc("web", 1000, "/web"));
    machine
        .file("/run/user/1000/runc/bad/state.json", &runc("bad", 20, "/system.slice/sshd.service"));
    let session = "/user.slice/user-1000.slice/user@1000.service/user.slice/box";
    machine.file(
        "/run/user/1000/crun/box/status",
        &format!(r#"{{"pid":1000,"process-start-time":1,"cgroup-path":"{session}"}}"#),
    );
    machine.process(1000, "/x", "2").process(1001, "/x", "2");
    machine.process(20, "/system.slice/sshd.service", "3").process(
        21,
        &format!("{session}/container"),
        "4",
    );
    let of = |pid| machine.of(pid).map(|container| container.label());
    assert_eq!((of(1000), of(1001)), (name("web"), name("web")));
    assert_eq!(machine.of(1000).unwrap().user, Some(1000));
    // This user cannot have started that, nor hide what root has started.
    assert_eq!(of(20), None);
    machine.file("/run/runc/root/state.json", &runc("root", 30, "/root"));
    machine.file("/run/user/1000/runc/hide/state.json", &runc("hide", 30, "/root"));
    machine.process(30, "/root", "5");
    assert_eq!(of(30), name("root"));
    assert_eq!(of(21), name("box"));
}

#[test]
fn a_shared_process_namespace() {
    let machine = Machine::new();
    machine.file("/run/runc/one/state.json", &runc("one", 10, "/pod"));
    machine.file("/run/runc/two/state.json", &runc("two", 11, "/pod"));
    machine.process(10, "/pod", "2").process(11, "/pod", "2");
    assert_eq!((machine.of(10), machine.of(11)), (None, None));
}

#[test]
fn machines_of_systemd() {
    let machine = Machine::new();
    let text = "# This is private data. Do not parse.\nNAME=web\nUNIT=box.service\nSERVICE=systemd-nspawn\nROOT=/var/lib/machines/web\nID=0123456789abcdef0123456789abcdef\nLEADER=10\nCLASS=container\nREALTIME=1764184654053223\nMONOTONIC=16356000000\n";
    machine.file("/run/systemd/machines/web", text);
    machine.file("/run/systemd/machines/unit:box.service", text);
    machine
        .file("/run/systemd/machines/disk", &text.replace("container", "vm").replace("10", "12"));
    machine.process(10, "/system.slice/box.service/payload", "2");
    machine.process(11, "/system.slice/box.service/payload/init.scope", "2");
    machine.process(12, "/machine.slice/machine-disk.scope", "1");
    machine.process(13, "/machine.slice/machine-other.scope", "1");
    let of = |pid| machine.of(pid).map(|container| container.label());
    assert_eq!((of(10), of(11)), (name("web"), name("web")));
    assert_eq!((of(12), of(13)), (None, name("other")));
}
