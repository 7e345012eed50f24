//! The machines of systemd-machined: `/run/systemd/machines/NAME`, lines of `KEY=VALUE`. The format is not
//! documented, but these keys have been the same in every version.

use std::path::Path;

use super::disk::Disk;
use super::states::State;
use crate::ipc::Container;
use crate::ipc::container::Runtime;

/// Containers by their first process, and the names of virtual machines.
#[derive(Debug, Default)]
pub(super) struct Machines {
    pub(super) containers: Vec<State>,
    pub(super) virtual_machines: Vec<String>,
}

/// Reads the files of systemd-machined.
pub(super) fn read(disk: &Disk) -> Machines {
    let mut machines = Machines::default();
    let place = Path::new("/run/systemd/machines");
    // The other names, unit:UNIT, are links to these files.
    for name in disk.names(place).into_iter().filter(|name| !name.contains(':')) {
        let Ok(text) = disk.read(&place.join(&name)) else { continue };
        let text = String::from_utf8_lossy(&text);
        let value = |key: &str| {
            let mut values = text.lines().filter_map(|line| line.split_once('='));
            values.find(|(found, _)| *found == key).map(|(_, value)| value)
        };
        let leader = value("LEADER").and_then(|pid| pid.parse().ok());
        match (value("CLASS"), leader) {
            (Some("vm"), _) => machines.virtual_machines.push(name),
            (_, Some(pid)) => machines.containers.push(State {
                container: Container::named(Runtime::Nspawn, name),
                pid,
                started: None,
                groups: Vec::new(),
            }),
            (_, None) => {}
        }
    }
    machines
}
