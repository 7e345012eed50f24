//! Which files name a container.

use std::path::PathBuf;

use super::bundle;
use super::disk::Disk;
use super::docker::DataRoots;
use super::storage::Storage;
use crate::ipc::Container;
use crate::ipc::container::Runtime;
use crate::ipc::text::is_unsafe;

/// The longest name that is taken for one.
const LONGEST: usize = 512;

/// The names of containers, as far as they were read.
#[derive(Debug, Default)]
pub(super) struct Names {
    docker: DataRoots,
    storage: Storage,
}

impl Names {
    /// Fills in the name of a container, and its runtime where only the place of the name shows it.
    pub(super) fn complete(&self, disk: &Disk, container: &mut Container) {
        if container.name.is_some() {
            return;
        }
        let Container { id, user, .. } = &*container;
        // Only the files of the user whose container it is: others could name it as they like.
        let home = user.and_then(|uid| disk.home(uid));
        if user.is_some() && home.is_none() {
            return;
        }
        let docker =
            || self.docker.name(disk, home.as_deref(), id).map(|name| (Runtime::Docker, name));
        let podman =
            || self.storage.name(disk, home.as_deref(), id).map(|name| (Runtime::Podman, name));
        let bundle = || bundle::name(disk, id).filter(|_| user.is_none());
        let found = match container.runtime {
            Runtime::Docker => docker(),
            Runtime::Podman => podman(),
            Runtime::Cri => bundle().or_else(docker).or_else(podman),
            Runtime::Other => docker().or_else(podman).or_else(bundle),
            Runtime::Lxc | Runtime::Nspawn => None,
        };
        let Some((runtime, name)) = found.filter(|(_, name)| is_name(name)) else { return };
        let is_shown = container.runtime != Runtime::Other;
        container.runtime = if is_shown { container.runtime } else { runtime };
        container.name = Some(in_kubernetes(&name).unwrap_or(name));
    }
}

/// Whether text can be a name. A user can write some of these files, so it may be anything.
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
pub(super) fn data_of(home: &std::path::Path) -> PathBuf {
    home.join(".local/share")
}
