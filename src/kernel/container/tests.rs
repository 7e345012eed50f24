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

mod by_hand;
mod engines;
