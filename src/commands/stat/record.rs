//! One object as JSON.

use serde::Serialize;

use super::Seen;
use crate::ipc::posix::SemaphoreState;
use crate::ipc::sysv::Semaphore;
use crate::ipc::{Kind, Observed};
use crate::output::formats::json::Record;
use crate::output::{Style, columns};

/// Every column, and what needs more than one field.
#[derive(Serialize)]
pub(super) struct StatRecord<'a> {
    #[serde(flatten)]
    object: Record<'a, Observed>,
    /// For a set only; null if they may not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    semaphores: Option<Option<Vec<Record<'a, Semaphore>>>>,
    /// For POSIX shared memory only: its state if it is the semaphore of a program that uses musl; null if it
    /// cannot be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    musl_semaphore: Option<Option<SemaphoreState>>,
}

impl<'a> StatRecord<'a> {
    pub fn new(seen: &'a Seen, style: &'a Style) -> StatRecord<'a> {
        let Seen { observed, musl_semaphore } = seen;
        let kind = observed.kind();
        let of_semaphore = |semaphore| Record::of(semaphore, columns::SEMAPHORE.iter(), style);
        let semaphores = observed.semaphores.as_ref();
        let semaphores = semaphores.map(|all| all.iter().map(of_semaphore).collect());
        let shown = columns::with_requests(kind)
            .filter(|column| observed.home.is_some() || !columns::is_home(column.name));
        StatRecord {
            object: Record::of(observed, shown, style),
            semaphores: (kind == Kind::Sem).then_some(semaphores),
            musl_semaphore: (kind == Kind::Pshm).then_some(*musl_semaphore),
        }
    }
}
