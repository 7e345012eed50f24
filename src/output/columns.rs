//! The registry of all columns of IPC objects. Each column is defined once, in the table of the objects
//! that have it, and from there appears in every format, `--output`, `--sort`, the help and the page of
//! `stat`.

mod home;
mod lesson;
mod namespace;
mod object;
mod outcomes;
mod posix;
mod presets;
mod rows;
mod sysv;
mod tally;
mod waits;

pub use lesson::{LESSON, Listed};
pub use namespace::NAMESPACE;
use object::{HOME, ON_REQUEST};
pub use outcomes::{ACCESS, ADJUSTMENT, PATH_KEY};
pub use presets::{Preset, preset};
pub use rows::{FINDING, LEAK, LIMIT, SELECTED, SEMAPHORE, SUMMARY, USER, holds};
pub use tally::{TALLY, tally};

use super::{Column, Shape};
use crate::ipc::{Kind, Observed};

type ObjectColumn = Column<Observed>;

/// The columns of a kind that need only the object, in blocks.
struct Blocks {
    every: &'static [ObjectColumn],
    names: &'static [ObjectColumn],
    owner: &'static [ObjectColumn],
    mode: &'static [ObjectColumn],
    creator: &'static [ObjectColumn],
    change: &'static [ObjectColumn],
    own: &'static [ObjectColumn],
}

impl Blocks {
    fn of(kind: Kind) -> Blocks {
        let (names, creator, change): (&[_], &[_], &[_]) = match kind.is_posix() {
            true => (object::POSIX_NAMES, &[], object::POSIX_CHANGE),
            false => (object::SYSTEM_V_NAMES, object::CREATOR, object::SYSTEM_V_CHANGE),
        };
        let (every, owner, mode) = (object::EVERY, object::OWNER, object::MODE);
        Blocks { every, names, owner, mode, creator, change, own: own(kind) }
    }

    fn in_records(self) -> impl Iterator<Item = &'static ObjectColumn> {
        let Blocks { every, names, owner, mode, creator, change, own } = self;
        [every, names, owner, mode, creator, change, own].into_iter().flatten()
    }

    fn on_page(self) -> impl Iterator<Item = &'static ObjectColumn> {
        let Blocks { every, names, owner, mode, creator, change, own } = self;
        [every, names, owner, creator, mode, own, change].into_iter().flatten()
    }
}

/// All columns of a kind that need only the object, in the order of a record.
pub fn of_kind(kind: Kind) -> impl Iterator<Item = &'static ObjectColumn> {
    Blocks::of(kind).in_records()
}

/// All columns of a kind, including those shown on request.
pub fn with_requests(kind: Kind) -> impl Iterator<Item = &'static ObjectColumn> {
    of_kind(kind).chain(HOME).chain(ON_REQUEST).chain(own_on_request(kind))
}

/// The columns of a kind with numbers that can be compared.
pub fn numbers(kind: Kind) -> impl Iterator<Item = &'static ObjectColumn> {
    with_requests(kind).filter(|column| {
        matches!(column.shape, Shape::Integer | Shape::Decimal) && !is_home(column.name)
    })
}

/// The names of the columns that tell where an object lives.
pub fn home() -> impl Iterator<Item = &'static str> {
    HOME.iter().map(|column| column.name)
}

/// Whether a column of this name tells where something lives.
pub fn is_home(name: &str) -> bool {
    home().any(|home| home == name)
}

/// The columns of a kind that need only the object, in the order of the page of `stat`.
pub fn on_page(kind: Kind) -> impl Iterator<Item = &'static ObjectColumn> {
    Blocks::of(kind).on_page().chain(HOME).chain(ON_REQUEST).chain(own_on_request(kind))
}

/// The names of the columns that need an inspection of all processes.
pub fn on_request() -> impl Iterator<Item = &'static str> {
    let own = Kind::ALL.into_iter().flat_map(own_on_request);
    ON_REQUEST.iter().chain(own).map(|column| column.name)
}

fn own(kind: Kind) -> &'static [ObjectColumn] {
    match kind {
        Kind::Msg => sysv::QUEUE,
        Kind::Shm => sysv::SEGMENT,
        Kind::Sem => sysv::SEMAPHORE_SET,
        Kind::Pmsg => posix::QUEUE,
        Kind::Pshm => posix::MEMORY,
        Kind::Psem => posix::SEMAPHORE,
    }
}

fn own_on_request(kind: Kind) -> &'static [ObjectColumn] {
    match kind {
        Kind::Shm => sysv::SEGMENT_ON_REQUEST,
        Kind::Msg | Kind::Sem | Kind::Pmsg | Kind::Pshm | Kind::Psem => &[],
    }
}

/// Columns that the help shows together.
pub struct Group {
    /// Which objects have them.
    pub heading: String,
    /// The columns.
    pub columns: Vec<&'static ObjectColumn>,
}

/// The registry as the help shows it: each column once, for all kinds that have it.
pub fn groups() -> Vec<Group> {
    use object::{
        CREATOR, EVERY, MODE, OWNER, POSIX_CHANGE, POSIX_NAMES, SYSTEM_V_CHANGE, SYSTEM_V_NAMES,
    };
    let group = |heading: &str, blocks: &[&'static [ObjectColumn]]| Group {
        heading: heading.to_owned(),
        columns: blocks.iter().copied().flatten().collect(),
    };
    let mut groups = vec![
        group("Columns of every object", &[EVERY, OWNER, MODE]),
        group("Columns of every object with --in or --all-namespaces", &[HOME]),
        group("Columns of every object that require inspecting all processes", &[ON_REQUEST]),
        group("Columns of every System V object", &[SYSTEM_V_NAMES, CREATOR, SYSTEM_V_CHANGE]),
        group("Columns of every POSIX object", &[POSIX_NAMES, POSIX_CHANGE]),
    ];
    groups.extend(Kind::ALL.map(|kind| {
        group(&format!("Columns of a {}", kind.noun()), &[own(kind), own_on_request(kind)])
    }));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::page::OnPage;

    fn names(columns: impl Iterator<Item = &'static ObjectColumn>) -> Vec<&'static str> {
        columns.map(|column| column.name).collect()
    }

    #[test]
    fn every_column_of_a_preset_exists() {
        for kind in Kind::ALL {
            for shown in [Preset::Usual, Preset::Times, Preset::Pids, Preset::Creators] {
                for name in [true, false].into_iter().flat_map(|it| preset(shown, kind, it)) {
                    assert!(names(of_kind(kind)).contains(name), "{kind} {name}");
                }
            }
        }
    }

    #[test]
    fn every_column_reaches_the_page() {
        for kind in Kind::ALL {
            let (mut one, mut other) = (names(with_requests(kind)), names(on_page(kind)));
            one.sort_unstable();
            other.sort_unstable();
            assert_eq!(one, other, "{kind}");
        }
    }

    #[test]
    fn what_tells_a_column_besides_is_there() {
        for kind in Kind::ALL {
            for column in on_page(kind) {
                let OnPage::With(other) = column.page else { continue };
                let is_line = on_page(kind)
                    .any(|line| line.name == other && !matches!(line.page, OnPage::With(_)));
                assert!(
                    is_line || [OnPage::<()>::TITLE, OnPage::<()>::PROCESSES].contains(&other),
                    "{kind} {}: {other}",
                    column.name
                );
            }
        }
    }
}
