//! Names of the containers of Proxmox VE, which LXC knows by number: `hostname` in `/etc/pve/lxc/NUMBER.conf`.

use std::path::Path;

use super::disk::Disk;

/// The name of a container.
pub(super) fn name(disk: &Disk, id: &str) -> Option<String> {
    let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return None;
    }
    let text = disk.read(&Path::new("/etc/pve/lxc").join(format!("{id}.conf"))).ok()?;
    let text = String::from_utf8_lossy(&text);
    // Sections of snapshots follow, each with a heading in brackets.
    let current = text.lines().take_while(|line| !line.starts_with('['));
    let values = current.filter_map(|line| line.split_once(':'));
    let name =
        values.filter(|(key, _)| *key == "hostname").map(|(_, value)| value.trim()).next()?;
    Some(name.to_owned())
}
