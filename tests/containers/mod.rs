//! Real containers: `runc` with a root file system that has nothing but busybox.
//!
//! ```ignore
//! let Some(web) = Container::start("web", Like::Docker) else { return };
//! shell.run(&format!("ipctool --in {web} list"));
//! ```
#![allow(dead_code, clippy::disallowed_methods)]

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::sandbox::{Needs, is_root, skip};

/// How a container shares namespaces.
pub enum Like<'a> {
    /// Everything is its own.
    Docker,
    /// With this directory of the host as `/dev/shm`, as a pod has one: it belongs to all its containers.
    FirstOfPod(&'a Path),
    /// With the IPC namespace of another one, too.
    Pod(&'a Container, &'a Path),
    /// The IPC namespace of another one, with a `/dev/shm` of its own.
    IpcOf(&'a Container),
    /// The IPC namespace of a process, with a `/dev/shm` of its own: `docker --ipc=host`.
    IpcOfProcess(u32),
    /// Everything is its own, but `/dev/shm` is a link to this directory of the host.
    Evil(&'a Path),
}

/// A container that sleeps. It ends with this, whatever happens.
pub struct Container {
    name: String,
    pid: u32,
    bundle: tempfile::TempDir,
}

/// Names are the machine's.
static COUNT: AtomicU32 = AtomicU32::new(0);

impl Container {
    /// Starts one whose name begins like this.
    pub fn start(name: &str, like: Like<'_>) -> Option<Container> {
        if !is_root() {
            skip(Needs::Root, "runc needs root");
            return None;
        }
        let busybox =
            ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|&it| Path::new(it).exists());
        let Some(busybox) = busybox else {
            skip(Needs::Machine, "there is no busybox");
            return None;
        };
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{name}-{}-{number}", std::process::id());
        let bundle = tempfile::tempdir().expect("a temporary directory");
        let root = bundle.path().join("rootfs/bin");
        fs::create_dir_all(&root).expect("it is new");
        fs::copy(busybox, root.join("busybox")).expect("there is room");
        let spec = Command::new("runc").arg("spec").current_dir(&bundle).output();
        if !spec.is_ok_and(|spec| spec.status.success()) {
            skip(Needs::Machine, "there is no runc");
            return None;
        }
        let file = bundle.path().join("config.json");
        let mut config: Value =
            serde_json::from_slice(&fs::read(&file).expect("runc made it")).expect("it is JSON");
        adapt(&mut config, like, bundle.path());
        fs::write(&file, config.to_string()).expect("there is room");
        let errors = bundle.path().join("errors");
        let run = Command::new("runc")
            .args(["run", "--detach", "--no-new-keyring", &name])
            .current_dir(&bundle)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&errors).expect("there is room"))
            .status()
            .expect("runc starts");
        // From now on it is deleted at the end.
        let mut container = Container { name, pid: 0, bundle };
        let why = fs::read_to_string(&errors).unwrap_or_default();
        assert!(run.success(), "runc: {why}");
        let state = Command::new("runc").args(["state", &container.name]).output();
        let state: Value = serde_json::from_slice(&state.expect("runc starts").stdout).unwrap();
        container.pid = state["pid"].as_u64().expect("it runs") as u32;
        Some(container)
    }

    /// Its first process, as the host numbers it.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The number of its IPC namespace.
    pub fn namespace(&self) -> u64 {
        let link = fs::read_link(format!("/proc/{}/ns/ipc", self.pid)).expect("it lives");
        let text = link.to_str().expect("it is text").to_owned();
        text.trim_start_matches("ipc:[").trim_end_matches(']').parse().expect("a number")
    }

    /// Kills its processes.
    pub fn kill(&self) {
        let _ = Command::new("runc")
            .args(["delete", "--force", &self.name])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        self.kill();
    }
}

fn adapt(config: &mut Value, like: Like<'_>, bundle: &Path) {
    config["process"]["terminal"] = json!(false);
    config["process"]["args"] = json!(["/bin/busybox", "sleep", "600"]);
    let mut join = |pid: u32| {
        let namespaces = config["linux"]["namespaces"].as_array_mut().expect("there are some");
        let ipc = namespaces.iter_mut().find(|one| one["type"] == "ipc").expect("it has one");
        ipc["path"] = json!(format!("/proc/{pid}/ns/ipc"));
    };
    match like {
        Like::Docker => {}
        Like::IpcOfProcess(pid) => join(pid),
        Like::IpcOf(other) => join(other.pid),
        Like::FirstOfPod(shm) => mount_shm(config, shm),
        Like::Pod(other, shm) => {
            join(other.pid);
            mount_shm(config, shm);
        }
        Like::Evil(target) => {
            let mounts = config["mounts"].as_array_mut().expect("there are some");
            // /dev comes from the root file system.
            mounts.retain(|mount| {
                let place = mount["destination"].as_str().unwrap_or_default();
                !place.starts_with("/dev")
            });
            let dev = bundle.join("rootfs/dev");
            fs::create_dir_all(&dev).expect("it is new");
            std::os::unix::fs::symlink(target, dev.join("shm")).expect("it is new");
        }
    }
}

fn mount_shm(config: &mut Value, directory: &Path) {
    let mounts = config["mounts"].as_array_mut().expect("there are some");
    let shm = mounts.iter_mut().find(|mount| mount["destination"] == "/dev/shm");
    *shm.expect("it has one") = json!({
        "destination": "/dev/shm", "type": "bind", "source": directory, "options": ["rbind"],
    });
}
