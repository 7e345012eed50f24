//! `list --namespaces`: the IPC namespaces themselves.

use std::collections::BTreeMap;

use super::VERB;
use super::rows::Rows;
use crate::cli::List;
use crate::commands::Result;
use crate::commands::everywhere::Everywhere;
use crate::exit::Status;
use crate::ipc::Snapshot;
use crate::ipc::home::Residence;
use crate::kernel::namespace::{Identity, complete};
use crate::kernel::process::Process;
use crate::output::{Format, Style, columns};

/// Lists the namespaces, that of process 1 first.
pub(super) fn run(args: &List, format: Format, style: &Style) -> Result<Status> {
    let all: Vec<_> = columns::NAMESPACE.iter().collect();
    let table = Rows::parse(&all, args, "--namespaces")?;
    let mut everywhere = Everywhere::find()?;
    let rows = residences(&mut everywhere)?;
    table.write(rows, args, format, style)?;
    everywhere.warn(VERB);
    Ok(Status::Done)
}

/// Every namespace, with its objects if it may be entered.
pub(super) fn residences(everywhere: &mut Everywhere) -> Result<Vec<Residence>> {
    let mut found: BTreeMap<Identity, Residence> = BTreeMap::new();
    let mut order = Vec::new();
    for place in &everywhere.places {
        found.entry(place.identity).or_insert_with(|| {
            order.push(place.identity);
            let seen = place.seen();
            let oldest = seen.oldest.map(|member| Process::name(member.pid));
            let home = (*place.home).clone();
            Residence { processes: seen.processes, oldest, ..Residence::new(home) }
        });
    }
    everywhere.each(|place, namespace| {
        let mut snapshot = Snapshot::default();
        for &kind in &place.kinds {
            match namespace.snapshot([kind]) {
                Ok(objects) => snapshot.objects.extend(objects.objects),
                Err(_) => snapshot.unlisted.push(kind),
            }
        }
        snapshot.objects.iter_mut().for_each(complete);
        if let Some(row) = found.get_mut(&place.identity) {
            row.add(&place.kinds, &snapshot);
            row.user_namespace = namespace.handle().owner();
        }
        Ok(())
    })?;
    Ok(order.into_iter().filter_map(|identity| found.remove(&identity)).collect())
}
