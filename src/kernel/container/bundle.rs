//! Names in the OCI bundles of containerd and CRI-O: the annotations in their `config.json`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::disk::Disk;
use crate::ipc::container::Runtime;

/// Where containerd keeps bundles: alone, in K3s and RKE2, in MicroK8s. Each namespace has a directory in it.
const CONTAINERD: [&str; 3] = [
    "/run/containerd/io.containerd.runtime.v2.task",
    "/run/k3s/containerd/io.containerd.runtime.v2.task",
    "/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task",
];

/// Where CRI-O keeps bundles.
const CRI_O: [&str; 2] = [
    "/run/containers/storage/overlay-containers",
    "/var/lib/containers/storage/overlay-containers",
];

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    annotations: HashMap<String, String>,
}

/// The name of a container, and what runs it.
pub(super) fn name(disk: &Disk, id: &str) -> Option<(Runtime, String)> {
    let containerd = CONTAINERD.iter().flat_map(|place| {
        let place = Path::new(place);
        disk.names(place).into_iter().map(move |namespace| place.join(namespace).join(id))
    });
    let cri_o = CRI_O.iter().map(|place| Path::new(place).join(id).join("userdata"));
    containerd.chain(cri_o).find_map(|bundle: PathBuf| {
        annotated(&disk.json::<Config>(&bundle.join("config.json"))?.annotations)
    })
}

fn annotated(annotations: &HashMap<String, String>) -> Option<(Runtime, String)> {
    let text = |key: &str| annotations.get(key).map(String::as_str);
    if let Some(name) = text("nerdctl/name") {
        return Some((Runtime::Other, name.to_owned()));
    }
    let (pod, container, kind) = match text("io.kubernetes.cri.sandbox-name") {
        Some(pod) => (
            pod,
            text("io.kubernetes.cri.container-name"),
            text("io.kubernetes.cri.container-type"),
        ),
        None => (
            text("io.kubernetes.pod.name")?,
            text("io.kubernetes.container.name"),
            text("io.kubernetes.cri-o.ContainerType"),
        ),
    };
    Some(match container.filter(|&name| kind != Some("sandbox") && name != "POD") {
        Some(container) => (Runtime::Cri, format!("{pod}/{container}")),
        None => (Runtime::Cri, pod.to_owned()),
    })
}
