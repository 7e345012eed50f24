//! Names that engines keep for the ids that they make.

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::*;

const OWN: &str = "/user.slice/user-1000.slice/user@1000.service/user.slice/";

#[test]
fn docker() {
    let machine = Machine::new();
    let config = r#"{"StreamConfig":{},"State":{"Running":true,"Paused":false,"Pid":4711,"ExitCode":0,"Error":"","Health":null},"ID":"ID","Created":"2025-02-24T20:24:38.420859131Z","Managed":false,"Path":"sleep","Args":["9"],"Config":{"Hostname":"0123456789ab","Labels":{"Name":"x"}},"Image":"sha256:00","Name":"/web","Driver":"overlay2","MountPoints":{}}"#;
    machine.file("/var/lib/docker/containers/ID/config.v2.json", config);
    assert_eq!(machine.named("/system.slice/docker-ID.scope"), (name("web"), Runtime::Docker));
    assert_eq!(machine.named("/my/parent/ID"), (name("web"), Runtime::Docker));
    // It is not that of a user.
    let own = format!("{OWN}docker-ID.scope");
    assert_eq!(machine.named(&own), (None, Runtime::Docker));
    machine
        .file("/home/1000/.local/share/docker/containers/ID/config.v2.json", r#"{"Name":"/own"}"#);
    assert_eq!(machine.named(&own), (name("own"), Runtime::Docker));
}

#[test]
fn docker_with_data_elsewhere() {
    for (settings, root) in [
        (r#"{"debug": true, "data-root": "/srv/docker"}"#, "/srv/docker"),
        (r#"{"graph": "/srv/old"}"#, "/srv/old"),
        (r#"{"userns-remap": "default"}"#, "/var/lib/docker/231072.231072"),
        ("not JSON", "/var/lib/docker"),
    ] {
        let machine = Machine::new();
        machine.file("/etc/docker/daemon.json", settings);
        machine.file(&format!("{root}/containers/ID/config.v2.json"), r#"{"Name":"/web"}"#);
        assert_eq!(machine.named("/docker/ID").0, name("web"), "{settings}");
    }
}

#[test]
fn docker_under_kubernetes() {
    let machine = Machine::new();
    let config = "/var/lib/docker/containers/ID/config.v2.json";
    let group = "/kubepods/burstable/pod2c48913c-b29f-11e7-9350-020968147796/ID";
    machine.file(
        config,
        r#"{"Name":"/k8s_nginx_web-0_default_2c48913c-b29f-11e7-9350-020968147796_0"}"#,
    );
    assert_eq!(machine.named(group), (name("web-0/nginx"), Runtime::Cri));
    machine.file(
        config,
        r#"{"Name":"/k8s_POD_web-0_default_2c48913c-b29f-11e7-9350-020968147796_0"}"#,
    );
    assert_eq!(machine.named(group), (name("web-0"), Runtime::Cri));
    machine.file(config, r#"{"Name":"/k8s_mine"}"#);
    assert_eq!(machine.named(group), (name("k8s_mine"), Runtime::Cri));
}

#[test]
fn podman() {
    let list = r#"[{"id":"aa","names":["other"]},{"id":"ID","names":["web"],"image":"00","layer":"00","metadata":"{\"image-name\":\"docker.io/library/alpine:latest\",\"name\":\"web\"}","created":"2024-04-09T07:12:13.1Z","flags":{"MountLabel":""}}]"#;
    for (root, group) in [
        (
            "/var/lib/containers/storage/overlay-containers/containers.json",
            "/machine.slice/libpod-ID.scope",
        ),
        (
            "/var/lib/containers/storage/vfs-containers/volatile-containers.json",
            "/libpod_parent/libpod-ID",
        ),
        (
            "/run/containers/storage/btrfs-containers/volatile-containers.json",
            "/a.service/libpod-payload-ID",
        ),
        (
            "/home/1000/.local/share/containers/storage/overlay-containers/containers.json",
            &format!("{OWN}libpod-ID.scope/container"),
        ),
        (
            "/home/1000/.local/share/containers/storage/overlay-containers/containers.json",
            &format!("{OWN}/ID"),
        ),
    ] {
        let machine = Machine::new();
        machine.file(root, list);
        assert_eq!(machine.named(group), (name("web"), Runtime::Podman), "{group}");
    }
    let machine = Machine::new();
    machine.file(
        "/etc/containers/storage.conf",
        "[storage]\ndriver = \"overlay\"\n# graphroot = \"/no\"\n graphroot=\"/srv/pods\" # here\n",
    );
    machine.file("/srv/pods/overlay-containers/containers.json", list);
    assert_eq!(machine.named("/machine.slice/libpod-ID.scope").0, name("web"));
}

#[test]
fn containerd() {
    let bundle = r#"{"ociVersion":"1.0.2","process":{"args":["nginx"]},"annotations":{"io.kubernetes.cri.container-name":"nginx","io.kubernetes.cri.container-type":"container","io.kubernetes.cri.image-name":"docker.io/library/nginx:latest","io.kubernetes.cri.sandbox-id":"b0","io.kubernetes.cri.sandbox-name":"web-768c6f9745-mn4bb","io.kubernetes.cri.sandbox-namespace":"default"},"linux":{}}"#;
    let group = "/kubepods.slice/kubepods-pod2c48913c_b29f_11e7_9350_020968147796.slice/cri-containerd-ID.scope";
    for place in ["containerd", "k3s/containerd"] {
        let machine = Machine::new();
        let path = format!("/run/{place}/io.containerd.runtime.v2.task/k8s.io/ID/config.json");
        machine.file(&path, bundle);
        assert_eq!(machine.named(group), (name("web-768c6f9745-mn4bb/nginx"), Runtime::Cri));
        let sandbox = r#"{"annotations":{"io.kubernetes.cri.container-type":"sandbox","io.kubernetes.cri.sandbox-name":"web"}}"#;
        machine.file(&path, sandbox);
        assert_eq!(machine.named(group).0, name("web"));
    }
    let machine = Machine::new();
    machine.file(
        "/run/containerd/io.containerd.runtime.v2.task/default/ID/config.json",
        r#"{"annotations":{"nerdctl/name":"db","nerdctl/namespace":"default"}}"#,
    );
    assert_eq!(machine.named("/system.slice/nerdctl-ID.scope"), (name("db"), Runtime::Other));
    machine.file("/home/1000/.local/share/nerdctl/1935db59/names/default/own", "ID");
    assert_eq!(machine.named(&format!("{OWN}nerdctl-ID.scope")).0, name("own"));
}

#[test]
fn cri_o() {
    let machine = Machine::new();
    let group = "/kubepods.slice/kubepods-pod2c48913c_b29f_11e7_9350_020968147796.slice/crio-ID.scope/container";
    let list = "/var/lib/containers/storage/overlay-containers/containers.json";
    machine.file(list, r#"[{"id":"ID","names":["k8s_POD_web_default_2c48913c-b29f-11e7-9350-020968147796_0","k8s_web_default_2c48913c-b29f-11e7-9350-020968147796_0"]}]"#);
    assert_eq!(machine.named(group), (name("web"), Runtime::Cri));
    let bundle = "/run/containers/storage/overlay-containers/ID/userdata/config.json";
    machine.file(bundle, r#"{"annotations":{"io.kubernetes.container.name":"nginx","io.kubernetes.pod.name":"web","io.kubernetes.pod.namespace":"default","io.kubernetes.cri-o.ContainerType":"container","io.container.manager":"cri-o"}}"#);
    assert_eq!(machine.named(group).0, name("web/nginx"));
    machine.file(
        bundle,
        r#"{"annotations":{"io.kubernetes.container.name":"POD","io.kubernetes.pod.name":"web"}}"#,
    );
    assert_eq!(machine.named(group).0, name("web"));
}

#[test]
fn proxmox() {
    let machine = Machine::new();
    machine.file(
        "/etc/pve/lxc/101.conf",
        "arch: amd64\nhostname: web\nmemory: 512\n\n[before]\nhostname: old\n",
    );
    assert_eq!(machine.named("/lxc/101/ns/init.scope"), (name("web"), Runtime::Lxc));
    assert_eq!(machine.named("/lxc/102/ns").0, name("102"));
}

#[test]
fn files_that_are_no_use() {
    let group = "/docker/ID";
    let path = "/var/lib/docker/containers/ID/config.v2.json";
    let long = format!(r#"{{"Name":"/{}"}}"#, "x".repeat(1000));
    let huge = format!(r#"{{"Name":"/web"{}}}"#, " ".repeat(17 << 20));
    for text in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"Name":7}"#,
        r#"{"Name":"/"}"#,
        r#"{"Name":"/a\nb"}"#,
        r#"{"Name":"/a\u001b[31m"}"#,
        &long,
        &huge,
    ] {
        let machine = Machine::new();
        machine.file(path, text);
        assert_eq!(machine.named(group).0, None, "{:.40}", text);
    }
    let machine = Machine::new();
    let place = machine.0.path().join(format!("var/lib/docker/containers/{ID}/config.v2.json"));
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    mkfifo(&place, Mode::S_IRWXU).unwrap();
    assert_eq!(machine.named(group).0, None);
}

#[test]
fn each_file_is_read_once() {
    let machine = Machine::new();
    machine.file("/var/lib/docker/containers/ID/config.v2.json", r#"{"Name":"/web"}"#);
    machine.process(10, &format!("/docker/{ID}"), "2").process(11, &format!("/docker/{ID}"), "2");
    let containers = machine.containers();
    let first = containers.of(10).unwrap().unwrap();
    fs::remove_dir_all(machine.0.path().join("var")).unwrap();
    assert!(Rc::ptr_eq(&first, &containers.of(11).unwrap().unwrap()));
}
