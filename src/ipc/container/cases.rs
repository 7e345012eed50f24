//! What control groups look like under every runtime.

use proptest::prelude::*;

use super::*;

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const OUTER: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
const UID: &str = "2c48913c-b29f-11e7-9350-020968147796";

/// A line of `/proc/PID/cgroup` with `ID`, `OUTER`, and `UID` or `U_I_D` (with `_`) in it, the runtime, the
/// id, the uid of the pod if there is one, and the name if the path shows it.
type Case = (&'static str, Runtime, &'static str, Option<&'static str>, Option<&'static str>);

use Runtime::{Cri, Docker, Lxc, Nspawn, Other, Podman};

const CASES: &[Case] = &[
    // Docker, with either driver, in another slice, rootless, and inside itself.
    ("0::/docker/ID", Docker, ID, None, None),
    ("0::/system.slice/docker-ID.scope", Docker, ID, None, None),
    ("11:devices:/docker/ID/init.scope", Docker, ID, None, None),
    ("4:memory:/actions_job/ID", Other, ID, None, None),
    ("0::/ecstasks.slice/ecstasks-0a1b.slice/docker-ID.scope", Docker, ID, None, None),
    ("0::/docker/OUTER/docker/ID", Docker, ID, None, None),
    ("0::/system.slice/docker-OUTER.scope/docker/ID", Docker, ID, None, None),
    ("0::/../docker-ID.scope", Docker, ID, None, None),
    ("0::/system.slice/docker-ID.scope (deleted)", Docker, ID, None, None),
    // Podman: systemd's driver, cgroupfs, pods, rootless, units of their own; conmon runs beside the container.
    ("0::/machine.slice/libpod-ID.scope", Podman, ID, None, None),
    ("0::/machine.slice/libpod-ID.scope/container", Podman, ID, None, None),
    ("0::/libpod_parent/libpod-ID", Podman, ID, None, None),
    ("0::/libpod_parent/OUTER/libpod-ID", Podman, ID, None, None),
    ("0::/machine.slice/machine-libpod_pod_OUTER.slice/libpod-ID.scope", Podman, ID, None, None),
    ("0::/system.slice/web.service/libpod-payload-ID", Podman, ID, None, None),
    // Kubernetes: containerd, CRI-O, Docker; either driver, every class of service.
    ("0::/kubepods/besteffort/podUID/ID", Cri, ID, Some(UID), None),
    ("0::/kubepods/podUID/ID", Cri, ID, Some(UID), None),
    ("0::/kubepods/burstable/podUID/crio-ID", Cri, ID, Some(UID), None),
    (
        "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podU_I_D.slice/cri-containerd-ID.scope",
        Cri,
        ID,
        Some(UID),
        None,
    ),
    (
        "0::/kubepods.slice/kubepods-podU_I_D.slice/crio-ID.scope/container",
        Cri,
        ID,
        Some(UID),
        None,
    ),
    (
        "0::/system.slice/containerd.service/kubepods-besteffort-podU_I_D.slice:cri-containerd:ID",
        Cri,
        ID,
        Some(UID),
        None,
    ),
    ("0::/kubepods.slice/kubepods-podU_I_D.slice/docker-ID.scope", Docker, ID, Some(UID), None),
    (
        "0::/kubepods/burstable/pod0123456789abcdef0123456789abcdef/ID",
        Cri,
        ID,
        Some("0123456789abcdef0123456789abcdef"),
        None,
    ),
    (
        "0::/docker/OUTER/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-podU_I_D.slice/cri-containerd-ID.scope",
        Cri,
        ID,
        Some(UID),
        None,
    ),
    // Kata containers with a path that it does not understand.
    ("0::/system.slice:docker:ID", Docker, ID, None, None),
    // BuildKit.
    (
        "0::/docker/buildkit/5cf82fwiumld3vcs5d5l5pzyv",
        Other,
        "5cf82fwiumld3vcs5d5l5pzyv",
        None,
        None,
    ),
    (
        "0::/system.slice/docker-5cf82fwiumld3vcs5d5l5pzyv.scope",
        Docker,
        "5cf82fwiumld3vcs5d5l5pzyv",
        None,
        None,
    ),
    // Amazon ECS, Cloud Foundry.
    ("9:perf_event:/ecs/55091c13-b8cf-4801-b527-f4601742204d/ID", Other, ID, None, None),
    (
        "1:name=systemd:/ecs/0123456789abcdef0123456789abcdef/0123456789abcdef0123456789abcdef-1234567890",
        Other,
        "0123456789abcdef0123456789abcdef-1234567890",
        None,
        None,
    ),
    (
        "10:freezer:/garden/6f265890-5165-7fab-6b52-18d1",
        Other,
        "6f265890-5165-7fab-6b52-18d1",
        None,
        None,
    ),
    // nerdctl.
    ("0::/system.slice/nerdctl-ID.scope", Other, ID, None, None),
    ("0::/default/ID", Other, ID, None, None),
    // LXC, LXD, Incus, Proxmox, libvirt.
    ("0::/lxc.payload.web", Lxc, "web", None, Some("web")),
    ("0::/lxc.payload.web/init.scope", Lxc, "web", None, Some("web")),
    ("0::/lxc.payload/web", Lxc, "web", None, Some("web")),
    ("12:cpu,cpuacct:/lxc/web", Lxc, "web", None, Some("web")),
    ("0::/lxc/101/ns/init.scope", Lxc, "101", None, Some("101")),
    ("0::/lxc.payload.outer/lxc.payload.web", Lxc, "web", None, Some("web")),
    ("0::/lxc.payload.web/system.slice/docker-ID.scope", Docker, ID, None, None),
    ("2:memory:/machine/web.libvirt-lxc", Lxc, "web", None, Some("web")),
    (
        "0::/machine.slice/machine-lxc\\x2d4711\\x2dmy\\x2dweb.scope",
        Lxc,
        "my-web",
        None,
        Some("my-web"),
    ),
    ("0::/machine.slice/machine-lxc\\x2dmy\\x2dweb.scope", Lxc, "my-web", None, Some("my-web")),
    (
        "2:cpu:/machine/production.partition/lxc-22222-web.libvirt-lxc",
        Lxc,
        "web",
        None,
        Some("web"),
    ),
    ("0::/osctl/pool.tank/ct.ct1/user-owned/lxc.payload.ct1", Lxc, "ct1", None, Some("ct1")),
    // systemd-nspawn.
    ("0::/machine.slice/machine-my\\x2dweb.scope/payload", Nspawn, "my-web", None, Some("my-web")),
    (
        "0::/machine.slice/systemd-nspawn@web.service/payload/init.scope",
        Nspawn,
        "web",
        None,
        Some("web"),
    ),
    ("0::/machine.slice/systemd-nspawn@a\\x2db.service", Nspawn, "a-b", None, Some("a-b")),
    // runc and crun by hand.
    ("0::/system.slice/runc-web.scope", Other, "web", None, Some("web")),
    ("0::/user.slice/crun-my-web.scope", Other, "my-web", None, Some("my-web")),
    ("0::/system.slice/runsc-web.scope", Other, "web", None, Some("web")),
    ("0::/system.slice/runc-ID.scope", Other, ID, None, None),
];

/// Lines of processes in no container.
const NONE: &[&str] = &[
    "",
    "0::/",
    "0::",
    "no line",
    "0::/init.scope",
    "0::/user.slice/user-0.slice/session-1.scope",
    "0::/system.slice/docker.service",
    "0::/machine.slice/libpod-conmon-ID.scope",
    "0::/libpod_parent/conmon",
    "0::/libpod_parent/ID",
    "0::/kubepods.slice/kubepods-podU_I_D.slice/crio-conmon-ID.scope",
    "0::/kubepods/burstable/podUID",
    "0::/machine.slice/machine-libpod_pod_ID.slice",
    "0::/lxc.monitor.web",
    "0::/lxc.monitor/web",
    "0::/lxc.pivot",
    "0::/lxc",
    "0::/machine.slice/systemd-nspawn@web.service/supervisor",
    "0::/machine.slice/machine-web.scope/supervisor",
    "0::/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/emulator",
    "0::/machine.slice/machine-qemu\\x2dweb.scope/emulator",
    "2:memory:/machine/web.libvirt-qemu",
    "0::/lxc.monitor/101",
    "0::/system.slice/docker-compose.scope",
    "0::/system.slice/buildkit.service",
    "0::/garden/garden",
    "0::/web",
    "0::/system.slice/runc-.scope",
];

fn text(line: &str) -> String {
    let uid = UID.replace('-', "_");
    line.replace("OUTER", OUTER).replace("U_I_D", &uid).replace("UID", UID).replace("ID", ID) + "\n"
}

#[test]
fn every_runtime() {
    for (line, runtime, id, pod, name) in CASES {
        let found = Container::in_groups(&text(line));
        let (pod, name) = (pod.map(str::to_owned), name.map(str::to_owned));
        let expected = Container { runtime: *runtime, id: (*id).to_owned(), pod, name, user: None };
        assert_eq!(found, Some(expected), "{line}");
    }
}

#[test]
fn no_container() {
    for line in NONE {
        assert_eq!(Container::in_groups(&text(line)), None, "{line}");
    }
}

#[test]
fn the_user_of_a_rootless_container() {
    for line in [
        "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope/container",
        "0::/user.slice/user-1000.slice/user@1000.service/app.slice/docker-ID.scope",
        "1:name=systemd:/user.slice/user-1000.slice/session-3.scope/ID",
    ] {
        let container = Container::in_groups(&text(line)).unwrap();
        assert_eq!((container.user, container.id.as_str()), (Some(1000), ID), "{line}");
    }
}

#[test]
fn the_hierarchy_that_shows_most() {
    let lines = "12:cpu:/\n11:pids:/docker/OUTER\n10:memory:/docker/OUTER/docker/ID\n1:name=systemd:/x\n0::/";
    assert_eq!(Container::in_groups(&text(lines)).unwrap().id, ID);
}

#[test]
fn names_and_prefixes() {
    let mut container = Container::in_path(&format!("/docker/{ID}")).unwrap();
    assert_eq!(container.label(), "0123456789ab");
    let called = |container: &Container| {
        ["web", "we", ID, "0123", "012", "0123456789ab", "1234", ""]
            .map(|word| container.is_called(word) || container.may_be_called(word))
    };
    assert_eq!(called(&container), [false, false, true, true, false, true, false, false]);
    container.name = Some("web".to_owned());
    assert_eq!(container.label(), "web");
    assert_eq!(called(&container), [true, false, true, true, false, true, false, false]);
    let machine = Container::named(Nspawn, "web-server");
    assert_eq!(machine.label(), "web-server");
    assert!(machine.is_called("web-server") && !machine.is_called("web-"));
    assert!(machine.may_be_called("web-") && !machine.may_be_called("web"));
}

proptest! {
    #[test]
    fn no_text_panics(text: String) {
        let _ = Container::in_groups(&text);
    }

    #[test]
    fn no_path_panics(parts in proptest::collection::vec(part(), 0..6)) {
        let text = format!("0::/{}\n", parts.join("/"));
        if let Some(container) = Container::in_groups(&text) {
            prop_assert!(!container.id.is_empty());
            prop_assert!(container.is_called(&container.id));
        }
    }
}

/// A part of a path, with what the parser looks for.
fn part() -> impl Strategy<Value = String> {
    let words = [
        "lxc",
        "lxc.payload.",
        "machine-",
        "machine.slice",
        "systemd-nspawn@",
        ".service",
        ".scope",
        ".slice",
        "pod",
        "-pod",
        "docker-",
        "libpod-",
        "conmon-",
        ":",
        "\\x2d",
        "\\x",
        "é",
        "supervisor",
        "runc-",
        "qemu-1-",
        ID,
        UID,
    ];
    proptest::collection::vec(proptest::sample::select(words.to_vec()), 0..4)
        .prop_map(|words| words.concat())
}
