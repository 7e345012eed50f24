//! One object for a program.

use serde::Serialize;

use super::Seen;
use crate::ipc::posix::SemaphoreState;
use crate::ipc::sysv::Semaphore;
use crate::ipc::{Kind, Observed, Use};
use crate::output::formats::json::Record;
use crate::output::{Style, columns};

/// Every column, and what takes more than a field.
#[derive(Serialize)]
pub(super) struct StatRecord<'a> {
    #[serde(flatten)]
    object: Record<'a, Observed>,
    users: Vec<Record<'a, Use>>,
    /// For a set only: null where they may not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    semaphores: Option<Option<Vec<Record<'a, Semaphore>>>>,
    /// For POSIX shared memory only: what it is if a program with musl made it as a semaphore; null where
    /// none has made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    musl_semaphore: Option<Option<SemaphoreState>>,
}

impl<'a> StatRecord<'a> {
    pub fn new(seen: &'a Seen, style: &'a Style) -> StatRecord<'a> {
        let Seen { observed, musl_semaphore } = seen;
        let kind = observed.kind();
        // The field of this name has them one by one.
        let columns = columns::with_requests(kind).filter(|column| column.name != "users");
        let of_user = |user| Record::of(user, columns::USER.iter(), style);
        let of_semaphore = |semaphore| Record::of(semaphore, columns::SEMAPHORE.iter(), style);
        let semaphores = observed.semaphores.as_ref();
        let semaphores = semaphores.map(|all| all.iter().map(of_semaphore).collect());
        StatRecord {
            object: Record::of(observed, columns, style),
            users: observed.users().iter().map(of_user).collect(),
            semaphores: (kind == Kind::Sem).then_some(semaphores),
            musl_semaphore: (kind == Kind::Pshm).then_some(*musl_semaphore),
        }
    }
}
