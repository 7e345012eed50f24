//! Containers on a disk as the runtimes leave it.

use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;
use crate::ipc::container::Runtime;

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A machine that is a directory.
struct Machine(TempDir);

impl Machine {
    fn new() -> Machine {
        Machine(TempDir::new().unwrap())
    }

    /// Writes a file; `ID` in its path and its text stands for the id.
    fn file(&self, path: &str, text: &str) -> &Machine {
        let path = self.0.path().join(path.trim_start_matches('/').replace("ID", ID));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.replace("ID", ID)).unwrap();
        self
    }

    /// A process with this control group, in this process namespace.
    fn process(&self, pid: i32, group: &str, namespace: &str) -> &Machine {
        self.file(&format!("/proc/{pid}/cgroup"), &format!("0::{group}\n"));
        let numbers = (4..22).map(|_| "0 ").collect::<String>();
        self.file(&format!("/proc/{pid}/stat"), &format!("{pid} (sh) S {numbers}{}00\n", pid));
        let link = self.0.path().join(format!("proc/{pid}/ns/pid"));
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(format!("pid:[{namespace}]"), link).unwrap();
        self
    }

    fn containers(&self) -> Containers {
        Containers::on(Disk::at(self.0.path()))
    }

    fn of(&self, pid: i32) -> Option<Container> {
        self.containers().of(pid).unwrap().as_deref().cloned()
    }

    /// The name and the runtime of the container with this control group.
    fn named(&self, group: &str) -> (Option<String>, Runtime) {
        let group = group.replace("ID", ID);
        self.file("/proc/7/cgroup", &format!("0::{group}\n"));
        let container = self.of(7).expect("a container");
        (container.name, container.runtime)
    }
}

fn name(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn names_of_docker() {
    let machine = Machine::new();
    machine.file(
        "/var/lib/docker/containers/ID/config.v2.json",
        r#"{"StreamConfig":{},"State":{"Running":true,"Pid":4711},"ID":"ID","Managed":false,"Path":"sleep","Name":"/web","Driver":"overlay2"}"#,
    );
    assert_eq!(machine.named("/system.slice/docker-ID.scope"), (name("web"), Runtime::Docker));
    assert_eq!(machine.named("/my/parent/ID"), (name("web"), Runtime::Docker));
    // It is not that of a user.
    let own = "/user.slice/user-1000.slice/user@1000.service/app.slice/docker-ID.scope";
    assert_eq!(machine.named(own), (None, Runtime::Docker));
    machine
        .file("/home/1000/.local/share/docker/containers/ID/config.v2.json", r#"{"Name":"/own"}"#);
    assert_eq!(machine.named(own), (name("own"), Runtime::Docker));
}

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
