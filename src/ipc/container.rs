//! Containers, as the paths of control groups show them. `cgroups(7)`, `proc_pid_cgroup(5)`.

use super::text::unescape;

/// How much of an id people see, as `docker ps` shows it.
const SHOWN: usize = 12;

/// The fewest characters of an id that can stand for it.
const SHORTEST_PREFIX: usize = 4;

/// A container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// What runs it.
    pub runtime: Runtime,
    /// Its full id; for LXC, systemd-nspawn and a low-level runtime called by hand, its name.
    pub id: String,
    /// The uid of its Kubernetes pod.
    pub pod: Option<String>,
    /// Its name; `POD/CONTAINER` in Kubernetes, `POD` for the container that holds a pod's namespaces.
    pub name: Option<String>,
    /// The user in whose session it runs, if it is in one, as rootless containers are.
    pub user: Option<u32>,
}

/// What runs a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Runtime {
    /// Docker.
    Docker,
    /// Podman.
    Podman,
    /// containerd or CRI-O under Kubernetes.
    Cri,
    /// LXC, LXD, Incus, or libvirt's LXC driver.
    Lxc,
    /// systemd-nspawn.
    Nspawn,
    /// Another one, or one that the path does not show.
    Other,
}

impl Container {
    /// The innermost container in the text of `/proc/PID/cgroup`. With version 1 of control groups, some
    /// hierarchies may not show it; the line with the most nested containers counts.
    pub fn in_groups(text: &str) -> Option<Container> {
        let mut found: Option<(usize, Container)> = None;
        for path in paths(text) {
            let Some((depth, container)) = innermost(path) else { continue };
            if found.as_ref().is_none_or(|(most, _)| depth > *most) {
                found = Some((depth, container));
            }
        }
        found.map(|(_, container)| container)
    }

    /// The innermost container in the path of a control group.
    pub fn in_path(path: &str) -> Option<Container> {
        innermost(path).map(|(_, container)| container)
    }

    /// The user in whose session this control group is.
    pub fn user_of(path: &str) -> Option<u32> {
        path.split('/').filter_map(session_of).next_back()
    }

    /// A container that has only a name, which is its id.
    pub fn named(runtime: Runtime, name: impl Into<String>) -> Container {
        let id = name.into();
        Container { runtime, name: Some(id.clone()), id, pod: None, user: None }
    }

    /// What people see: its name, or else the first 12 characters of its id. A name that means something else to
    /// `--in`, the host or a process, counts as none.
    pub fn label(&self) -> String {
        let means_else =
            |name: &String| name == "host" || name.bytes().all(|it| it.is_ascii_digit());
        let name = self.name.clone().filter(|name| !means_else(name));
        name.unwrap_or_else(|| self.id.chars().take(SHOWN).collect())
    }

    /// Whether this is its name or its id.
    pub fn is_called(&self, word: &str) -> bool {
        self.id == word || self.name.as_deref() == Some(word)
    }

    /// Whether this is the start of its id, of at least 4 characters.
    pub fn may_be_called(&self, word: &str) -> bool {
        word.len() >= SHORTEST_PREFIX && self.id.starts_with(word)
    }
}

/// The paths in the text of `/proc/PID/cgroup`.
pub fn paths(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.splitn(3, ':').nth(2))
}

/// Whether this is an id as engines make them: 64 hexadecimal digits.
pub fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The innermost container in the path of a control group, and how many containers are around it, itself
/// included.
fn innermost(path: &str) -> Option<(usize, Container)> {
    let path = path.strip_suffix(" (deleted)").unwrap_or(path);
    let mut around: Vec<Container> = Vec::new();
    let (mut pod, mut user) = (None, None);
    let mut parent = "";
    for part in path.split('/') {
        pod = pod_uid(part).or(pod);
        user = session_of(part).or(user);
        let is_in_pod = pod_uid(parent).is_some();
        if part == "supervisor" && around.last().is_some_and(|one| one.runtime == Runtime::Nspawn) {
            // systemd-nspawn itself runs beside the container.
            around.pop();
        } else if let Some(mut container) = machine(parent, part).or_else(|| engine(parent, part)) {
            if is_in_pod && container.runtime == Runtime::Other {
                container.runtime = Runtime::Cri;
            }
            (container.pod, container.user) = (pod.clone(), user);
            around.push(container);
        }
        parent = part;
    }
    let depth = around.len();
    Some((depth, around.pop()?))
}

/// A container of LXC or systemd-nspawn, or one of a low-level runtime called by hand under systemd.
fn machine(parent: &str, part: &str) -> Option<Container> {
    if is_id(part) {
        return None;
    }
    if let Some(name) = part.strip_prefix("lxc.payload.") {
        return named(Runtime::Lxc, name);
    }
    if let Some(name) = part.strip_suffix(".libvirt-lxc") {
        return named(Runtime::Lxc, unnumbered(name.strip_prefix("lxc-").unwrap_or(name)));
    }
    if matches!(parent, "lxc" | "lxc.payload") {
        return named(Runtime::Lxc, part);
    }
    let between = |start, end| part.strip_prefix(start)?.strip_suffix(end);
    if let Some(name) = between("systemd-nspawn@", ".service") {
        return named(Runtime::Nspawn, &unescaped(name));
    }
    if let Some(name) = between("machine-", ".scope") {
        let name = unescaped(name);
        // libvirt calls its machines DRIVER-NAME or DRIVER-NUMBER-NAME; those of QEMU are no containers.
        return match name.strip_prefix("lxc-") {
            _ if name.starts_with("qemu-") => None,
            Some(name) => named(Runtime::Lxc, unnumbered(name)),
            None => named(Runtime::Nspawn, &name),
        };
    }
    let by_hand = ["runc-", "crun-", "runsc-"];
    let name = by_hand.iter().find_map(|runtime| between(runtime, ".scope"))?;
    if is_id(name) { None } else { named(Runtime::Other, name) }
}

fn named(runtime: Runtime, name: &str) -> Option<Container> {
    let is_name = !matches!(name, "" | "." | "..");
    is_name.then(|| Container::named(runtime, name))
}

/// The name of a machine of libvirt without the number before it.
fn unnumbered(name: &str) -> &str {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    name.split_once('-').filter(|(number, _)| is_number(number)).map_or(name, |(_, name)| name)
}

/// A container of an engine that makes ids: `ID`, `docker-ID.scope`, `libpod-ID`, `SLICE:cri-containerd:ID`.
fn engine(parent: &str, part: &str) -> Option<Container> {
    let name = part.strip_suffix(".scope").unwrap_or(part);
    let (prefix, id) = name.rsplit_once(['-', ':']).unwrap_or(("", name));
    let prefix = prefix.rsplit(':').next().unwrap_or(prefix);
    if !is_id(id) {
        return unusual_engine(parent, name, prefix, id);
    }
    let runtime = match prefix {
        "docker" => Runtime::Docker,
        "libpod" | "libpod-payload" => Runtime::Podman,
        "cri-containerd" | "crio" => Runtime::Cri,
        // conmon watches a container from outside.
        prefix if prefix.ends_with("conmon") => return None,
        "" => match parent {
            "docker" | "moby" => Runtime::Docker,
            // The control group of a pod, which has containers in it.
            "libpod_parent" => return None,
            _ => Runtime::Other,
        },
        _ => Runtime::Other,
    };
    Some(unnamed(runtime, id))
}

fn unnamed(runtime: Runtime, id: &str) -> Container {
    Container { runtime, id: id.to_owned(), pod: None, name: None, user: None }
}

/// A container of an engine that makes other ids: a build step of BuildKit (`buildkit/ID`, `docker-ID.scope`), a
/// task of Amazon ECS (`ecs/TASK-NUMBER`), an app of Cloud Foundry (`garden/ID`).
fn unusual_engine(parent: &str, name: &str, prefix: &str, id: &str) -> Option<Container> {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_step =
        id.len() == 25 && id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
    let is_task = prefix.len() == 32 && is_hex(prefix) && is_number(id);
    let is_app = parent == "garden" && name.len() >= 27 && name.split('-').all(is_hex);
    match prefix {
        "docker" if is_step => Some(unnamed(Runtime::Docker, id)),
        "" if is_step && parent == "buildkit" => Some(unnamed(Runtime::Other, id)),
        _ if is_task || is_app => Some(unnamed(Runtime::Other, name)),
        _ => None,
    }
}

/// The uid of a pod that has this control group: `podUID`, or a slice of systemd, which has `_` for `-`.
fn pod_uid(part: &str) -> Option<String> {
    let slice = part.split_once(':').map_or(part, |(slice, _)| slice);
    let uid = match slice.strip_suffix(".slice") {
        Some(slice) => slice.rsplit_once("-pod")?.1.replace('_', "-"),
        None => slice.strip_prefix("pod")?.to_owned(),
    };
    let is_uid = uid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    // A pod that a file on the node defines has a hash without dashes.
    (is_uid && matches!(uid.len(), 32 | 36)).then_some(uid)
}

/// The user whose session this control group is: `user-UID.slice` or `user@UID.service`.
fn session_of(part: &str) -> Option<u32> {
    let slice = part.strip_prefix("user-").and_then(|rest| rest.strip_suffix(".slice"));
    let service = part.strip_prefix("user@").and_then(|rest| rest.strip_suffix(".service"));
    slice.or(service)?.parse().ok()
}

/// The name of a unit without systemd's escapes. `systemd-escape(1)`.
fn unescaped(name: &str) -> String {
    let escaped = |text: &[u8]| {
        let digits = std::str::from_utf8(text.strip_prefix(b"\\x")?.get(..2)?).ok()?;
        Some((u8::from_str_radix(digits, 16).ok()?, 4))
    };
    String::from_utf8_lossy(&unescape(name.as_bytes(), escaped)).into_owned()
}

#[cfg(test)]
mod cases;
