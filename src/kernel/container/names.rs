//! Which files name a container.

use std::path::{Path, PathBuf};

use super::bundle;
use super::disk::Disk;
use super::docker::DataRoots;
use super::nerdctl::NameStores;
use super::proxmox;
use super::storage::Storage;
use crate::ipc::Container;
use crate::ipc::container::Runtime;
use crate::ipc::text::is_unsafe;

/// The longest name that is shown.
const LONGEST: usize = 512;

/// The names of containers, as far as they were read.
#[derive(Debug, Default)]
pub(super) struct Names {
    docker: DataRoots,
    storage: Storage,
    nerdctl: NameStores,
}

impl Names {
    /// Fills in the name of a container, and its runtime where only the place of the name shows it.
    pub(super) fn complete(&self, disk: &Disk, container: &mut Container) {
        if let Some((runtime, name)) = self.find(disk, container).filter(|(_, name)| is_name(name))
        {
            if container.runtime == Runtime::Other {
                container.runtime = runtime;
            }
            container.name = Some(in_kubernetes(&name).unwrap_or(name));
        }
    }

    fn find(&self, disk: &Disk, container: &Container) -> Option<(Runtime, String)> {
        let Container { id, user, runtime, name, .. } = container;
        if *runtime == Runtime::Lxc {
            return proxmox::name(disk, id).map(|name| (Runtime::Lxc, name));
        }
        if name.is_some() {
            return None;
        }
        // Only that user's files count for a user's container, and only root's for others: any user can write
        // any id into files of their own.
        let home = match user {
            Some(uid) => Some(disk.home(*uid)?),
            None => None,
        };
        let home = home.as_deref();
        let docker = || Some((Runtime::Docker, self.docker.name(disk, home, id)?));
        let podman = || Some((Runtime::Podman, self.storage.name(disk, home, id)?));
        let nerdctl = || Some((Runtime::Other, self.nerdctl.name(disk, home, id)?));
        let bundle = || bundle::name(disk, id).filter(|_| user.is_none());
        match runtime {
            Runtime::Docker => docker(),
            Runtime::Podman => podman(),
            Runtime::Cri => bundle().or_else(docker).or_else(podman),
            Runtime::Other => docker().or_else(podman).or_else(bundle).or_else(nerdctl),
            Runtime::Lxc | Runtime::Nspawn => None,
        }
    }
}

/// Whether this can be shown as a name. Ordinary users can write some of these files, so it may be any text.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && !text.contains(is_unsafe)
}

/// `POD/CONTAINER`, or `POD` for the container that holds a pod's namespaces, for the names that Kubernetes gives
/// to containers of Docker and CRI-O: `k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT`.
fn in_kubernetes(name: &str) -> Option<String> {
    let mut words = name.strip_prefix("k8s_")?.split('_');
    let (container, pod) = (words.next()?, words.next()?);
    // The namespace and the uid follow.
    words.nth(1)?;
    Some(if container == "POD" { pod.to_owned() } else { format!("{pod}/{container}") })
}

/// The directory of a user's own data.
pub(super) fn data_of(home: &Path) -> PathBuf {
    home.join(".local/share")
}
