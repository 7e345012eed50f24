//! `list --namespaces`: the IPC namespaces themselves.

use super::VERB;
use super::rows::Rows;
use crate::cli::List;
use crate::commands::Result;
use crate::commands::everywhere::{Everywhere, Residences};
use crate::exit::Status;
use crate::ipc::Snapshot;
use crate::kernel::namespace::complete;
use crate::output::{Format, Style, columns};

/// Lists the namespaces, that of process 1 first.
pub(super) fn run(args: &List, format: Format, style: &Style) -> Result<Status> {
    let all: Vec<_> = columns::NAMESPACE.iter().collect();
    let table = Rows::parse(&all, args, "--namespaces")?;
    let mut everywhere = Everywhere::find()?;
    let mut residences = Residences::of(&everywhere);
    let seen = everywhere.map(|place, namespace| {
        let mut snapshot = Snapshot::default();
        for &kind in &place.kinds {
            match namespace.snapshot([kind]) {
                Ok(objects) => snapshot.objects.extend(objects.objects),
                Err(_) => snapshot.unlisted.push(kind),
            }
        }
        snapshot.objects.iter_mut().for_each(complete);
        (snapshot, namespace.handle().owner())
    });
    for (number, (snapshot, owner)) in seen {
        let place = &everywhere.places[number];
        residences.add(place, &snapshot);
        residences.add_owner(place, owner);
    }
    table.write(residences.into_rows(), args, format, style)?;
    everywhere.warn(VERB);
    Ok(Status::Done)
}
