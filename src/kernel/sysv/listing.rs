//! Lists the System V objects of a kind: by their indexes in the kernel's array, `MSG_STAT_ANY` and its like
//! in `msgctl(2)`, where that is the quicker way, and otherwise from `/proc/sysvipc`.

use std::path::Path;

use nix::errno::Errno;

use super::proc_table::{self, Table};
use super::{huge_pages, msg, sem, shm, totals};
use crate::ipc::Object;
use crate::kernel::call::{self, CallError};
use crate::kernel::error::ReadError;
use crate::kernel::namespace::goes_by_child;

/// How much of each segment is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Everything.
    Whole,
    /// Not its `rss` and `swap`, nor whether it has huge pages, which only `/proc/sysvipc/shm` tells.
    WithoutMemory,
}

/// The indexes of a kind that are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Indexes {
    /// How many are.
    used: i32,
    /// The highest of them; 0 if none is.
    highest: i32,
}

impl Indexes {
    /// As the kernel tells them.
    fn of(table: Table) -> Result<Indexes, CallError> {
        Ok(match table {
            Table::Msg => {
                let totals = totals::queues()?;
                Indexes { used: totals.queues, highest: totals.highest }
            }
            Table::Sem => {
                let totals = totals::sets()?;
                Indexes { used: totals.sets, highest: totals.highest }
            }
            Table::Shm => {
                let totals = totals::segments()?;
                Indexes { used: totals.segments, highest: totals.highest }
            }
        })
    }

    /// Whether asking for each is quicker than reading the table. An index without an object costs about a
    /// fourth of a line of the table, and the first line costs much more than the others.
    fn are_dense(self) -> bool {
        i64::from(self.highest) <= 64 + 4 * i64::from(self.used)
    }
}

/// Passes each object of a kind to `visit` as it is read, in the order of the indexes. `visit` can stop by
/// returning an error. `tables` is the directory of the tables.
pub fn read<E: From<ReadError>>(
    tables: &Path,
    table: Table,
    detail: Detail,
    mut visit: impl FnMut(Object) -> Result<(), E>,
) -> Result<(), E> {
    // A trace shows what a command does to objects, not how it looks for them. A child for each call costs
    // more than the table.
    let may_ask = !call::is_traced() && !goes_by_child();
    let needs_table = table == Table::Shm && detail == Detail::Whole;
    let mut first = 0;
    if may_ask && needs_table && has_no_segments() {
        return Ok(());
    }
    if may_ask
        && !needs_table
        && let Ok(indexes) = Indexes::of(table)
        && indexes.are_dense()
    {
        match by_index(table, indexes, &mut visit)? {
            None => return Ok(()),
            Some(failed) => first = failed,
        }
    }
    proc_table::read(tables, table, first, |mut object| {
        huge_pages::correct(&mut object);
        visit(object)
    })
}

/// Whether the kernel says that there are no segments. The number costs it a pass over them, unless the
/// highest index says that there is one at most.
fn has_no_segments() -> bool {
    totals::segment_limits().is_ok_and(|limits| limits.highest == 0)
        && totals::segments().is_ok_and(|totals| totals.segments == 0)
}

/// Passes the object at each index to `visit`. Returns the first index that could not be read, if any: by a
/// kernel before 4.17, or where a filter or a security module forbids it.
fn by_index<E>(
    table: Table,
    indexes: Indexes,
    visit: &mut impl FnMut(Object) -> Result<(), E>,
) -> Result<Option<i32>, E> {
    let mut has_found = false;
    for index in 0..=indexes.highest {
        let object = match table {
            Table::Msg => msg::at(index).map(Object::Queue),
            Table::Sem => sem::at(index).map(Object::SemaphoreSet),
            Table::Shm => shm::at(index).map(Object::Segment),
        };
        match object {
            Ok(object) => {
                has_found = true;
                visit(object)?;
            }
            // Nothing is there.
            Err(CallError { errno: Errno::EINVAL | Errno::EIDRM, .. }) => {}
            Err(_) => return Ok(Some(index)),
        }
    }
    // An older kernel does not know the command and returns EINVAL, too.
    Ok((indexes.used > 0 && !has_found).then_some(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_objects_below_a_high_index_are_sparse() {
        let are_dense = |used, highest| Indexes { used, highest }.are_dense();
        assert!(are_dense(0, 0) && are_dense(1, 0) && are_dense(32_000, 31_999));
        assert!(are_dense(1, 60) && are_dense(10_000, 31_999));
        assert!(!are_dense(1, 31_999) && !are_dense(1000, 16 << 20));
    }
}
