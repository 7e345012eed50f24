//! The container of a process, as the names of its control groups show it. `proc_pid_cgroup(5)`.

use std::fs;

/// How much of an id people see, as `docker ps` shows it.
const SHOWN: usize = 12;

/// The container of a process: the name that LXC or systemd-nspawn gave it, or the first 12 characters of
/// its id; `host` if it is in none. `None` if that cannot be read.
pub fn container(pid: i32) -> Option<String> {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    Some(named_by(&groups).unwrap_or_else(|| "host".to_owned()))
}

/// The innermost container in the paths of control groups.
fn named_by(groups: &str) -> Option<String> {
    let paths = groups.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    paths.filter_map(in_path).next()
}

fn in_path(path: &str) -> Option<String> {
    let mut found = None;
    let mut parent = "";
    for part in path.split('/') {
        let name = part.strip_suffix(".scope").or(part.strip_suffix(".service")).unwrap_or(part);
        // docker-ID, libpod-ID, cri-containerd-ID, and SLICE:cri-containerd:ID.
        let id = name.rsplit(['-', ':']).next().unwrap_or(name);
        let is_id = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let machine = match parent {
            "lxc" => Some(name),
            "machine.slice" => {
                name.strip_prefix("machine-").or(name.strip_prefix("systemd-nspawn@"))
            }
            _ => name.strip_prefix("lxc.payload."),
        };
        match machine {
            _ if is_id => found = Some(id[..SHOWN].to_owned()),
            // systemd escapes a dash.
            Some(machine) if !machine.is_empty() => found = Some(machine.replace("\\x2d", "-")),
            _ => {}
        }
        parent = part;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_runs_containers() {
        let id = "0123456789abcdef".repeat(4);
        for path in [
            "/system.slice/docker-ID.scope",
            "/docker/ID",
            "/machine.slice/libpod-ID.scope/container",
            "/kubepods.slice/kubepods-besteffort.slice/cri-containerd-ID.scope",
            "/kubepods-pod1.slice:cri-containerd:ID",
        ] {
            let groups = format!("0::{}\n", path.replace("ID", &id));
            assert_eq!(named_by(&groups).as_deref(), Some("0123456789ab"), "{path}");
        }
        let name = |path: &str| named_by(&format!("12:cpu:/\n0::{path}\n"));
        assert_eq!(name("/lxc.payload.web/init.scope").as_deref(), Some("web"));
        assert_eq!(name("/lxc/web").as_deref(), Some("web"));
        assert_eq!(name("/machine.slice/machine-my\\x2dweb.scope").as_deref(), Some("my-web"));
        assert_eq!(name("/machine.slice/systemd-nspawn@web.service").as_deref(), Some("web"));
        assert_eq!(name("/user.slice/user-0.slice/session-1.scope"), None);
        assert_eq!(name("/"), None);
    }
}
