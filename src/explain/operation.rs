//! Operations on semaphores that failed: `semop(2)`.

use super::call;
use super::explanation::{Explanation, Reason};
use super::facts::{Facts, Wanted};
use super::refused::Needs;
use crate::ipc::sysv::operation::SEMVMX;
use crate::ipc::sysv::{Operation, Semaphore};
use crate::ipc::{ProcessName, Reference, count};
use crate::kernel::limits::Limit;
use crate::kernel::{CallError, Errno};

/// What was to be done, and the set right after that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operated {
    /// All operations of the call.
    pub operations: Vec<Operation>,
    /// The semaphores of the set; empty if they cannot be read.
    pub semaphores: Vec<Semaphore>,
    /// The processes that last operated on them and are alive.
    pub processes: Vec<ProcessName>,
}

/// Asks for the facts that explain the error.
pub(super) fn want(reference: &Reference, error: CallError, wanted: &mut Wanted) {
    match error.errno {
        Errno::EAGAIN | Errno::ERANGE | Errno::EFBIG => wanted.object(reference),
        Errno::E2BIG => wanted.limits = true,
        _ => call::want(reference, error, wanted),
    }
}

/// The message and the hint.
pub(super) fn explain(
    reference: &Reference,
    operated: &Operated,
    error: CallError,
    facts: &Facts,
) -> Explanation {
    let failed = |what: String| Explanation::new(what, Reason::Failed);
    match error.errno {
        Errno::EAGAIN => Explanation::new("it would have to wait (EAGAIN)", Reason::WouldBlock)
            .with_hint(operated.blocked()),
        Errno::ERANGE => failed(format!("a value would be above semvmx, {SEMVMX} (ERANGE)"))
            .with_hint(operated.beyond()),
        Errno::EFBIG => {
            let nsems = operated.semaphores.len();
            let most = nsems.saturating_sub(1);
            let is_missing = |one: &&Operation| usize::from(one.semaphore) >= nsems;
            let missing = operated.operations.iter().find(is_missing).filter(|_| nsems > 0);
            let what = missing
                .map_or("a semaphore".to_owned(), |one| format!("semaphore {}", one.semaphore));
            let has = format!("it has {}, numbered from 0", count(nsems as u64, "semaphore"));
            failed(format!("the set has no {} (EFBIG)", what.trim_start_matches("a "))).with_hint(
                (nsems > 0).then(|| if most > 0 { format!("{has} to {most}") } else { has }),
            )
        }
        Errno::E2BIG => {
            let number = count(operated.operations.len() as u64, "operation");
            let most = facts.limit(Limit::Semopm).unwrap_or_default();
            failed(format!("{number} at once are over semopm, {most} (E2BIG)"))
                .with_hint("to see the limits: ipctool limits".to_owned())
        }
        _ => {
            let only_waits = operated.operations.iter().all(|one| one.change == 0);
            let needs = if only_waits { Needs::Bits(4) } else { Needs::Bits(2) };
            call::explain_with_needs(needs, reference, error, facts)
        }
    }
}

impl Operated {
    /// For which of the operations a process waits, and who operated last on that semaphore.
    pub fn blocked(&self) -> Option<String> {
        let mut values: Vec<i64> = self.semaphores.iter().map(|one| one.value.into()).collect();
        for one in &self.operations {
            let (number, change) = (usize::from(one.semaphore), i64::from(one.change));
            let value = values.get_mut(number)?;
            if (change == 0 && *value != 0) || *value + change < 0 {
                let until = match change {
                    0 => "0 waits until it is 0".to_owned(),
                    -1 => "-1 waits until it is above 0".to_owned(),
                    change => format!("{change} waits until it is at least {}", -change),
                };
                let value = *value;
                return Some(format!(
                    "semaphore {number} is {value}, and {until}{}",
                    self.last(number)
                ));
            }
            *value += change;
        }
        None
    }

    /// Which of the operations leads beyond the range.
    fn beyond(&self) -> Option<String> {
        let mut values: Vec<i64> = self.semaphores.iter().map(|one| one.value.into()).collect();
        for one in &self.operations {
            let value = values.get_mut(usize::from(one.semaphore))?;
            if *value + i64::from(one.change) > SEMVMX.into() {
                return Some(format!(
                    "semaphore {} is {value}, and +{} is too much; one that is only ever posted, and waited for by nobody, ends like this{}",
                    one.semaphore,
                    one.change,
                    self.last(usize::from(one.semaphore)),
                ));
            }
            *value += i64::from(one.change);
        }
        let what = "none of the values would be; what is to be undone when the process ends has the same range";
        (!self.semaphores.is_empty()).then(|| what.to_owned())
    }

    /// Who operated on a semaphore last.
    fn last(&self, number: usize) -> String {
        let last_pid = self.semaphores.get(number).map_or(0, |one| one.last_pid);
        match self.processes.iter().find(|process| process.pid == last_pid) {
            _ if last_pid == 0 => String::new(),
            Some(process) => format!("; {process} operated on it last"),
            None => format!("; process {last_pid}, which operated on it last, is gone"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::Kind;
    use crate::kernel::CallName;

    fn failure(operations: &[(u16, i16)], errno: Errno) -> (String, Option<String>) {
        let semaphore =
            |index, value, last_pid| Semaphore { index, value, ncount: 0, zcount: 0, last_pid };
        let operation = |&(semaphore, change): &(u16, i16)| Operation { semaphore, change };
        let operated = Operated {
            operations: operations.iter().map(operation).collect(),
            semaphores: vec![semaphore(0, 0, 7), semaphore(1, 5, 8), semaphore(2, 32_767, 0)],
            processes: vec![ProcessName { pid: 8, command: Some("make all".into()) }],
        };
        let facts = Facts { limits: vec![(Limit::Semopm, 500)], ..Facts::default() };
        let error = CallError { name: CallName::Semtimedop, errno };
        let explained = explain(&Reference::id(Kind::Sem, 0), &operated, error, &facts);
        (explained.what, explained.hint)
    }

    #[test]
    fn each_is_explained_with_its_numbers() {
        let hint = |operations: &[(u16, i16)], errno| failure(operations, errno).1.unwrap();
        for (operations, errno, expected) in [
            (
                &[(0, -1)][..],
                Errno::EAGAIN,
                "semaphore 0 is 0, and -1 waits until it is above 0; process 7, which operated on it last, is gone",
            ),
            (
                // One after the other.
                &[(0, 1), (0, -1), (1, -6)],
                Errno::EAGAIN,
                "semaphore 1 is 5, and -6 waits until it is at least 6; 8 (make all) operated on it last",
            ),
            (&[(2, 0)], Errno::EAGAIN, "semaphore 2 is 32767, and 0 waits until it is 0"),
            (
                &[(1, 1), (2, 1)],
                Errno::ERANGE,
                "semaphore 2 is 32767, and +1 is too much; one that is only ever posted, and waited for by nobody, ends like this",
            ),
            (
                &[(1, 1)],
                Errno::ERANGE,
                "none of the values would be; what is to be undone when the process ends has the same range",
            ),
            (&[(3, 1)], Errno::EFBIG, "it has 3 semaphores, numbered from 0 to 2"),
            (&[(0, 1), (0, 1)], Errno::E2BIG, "to see the limits: ipctool limits"),
        ] {
            assert_eq!(hint(operations, errno), expected);
        }
        assert_eq!(failure(&[(3, 1)], Errno::EFBIG).0, "the set has no semaphore 3 (EFBIG)");
        assert_eq!(
            failure(&[(0, 1), (0, 1)], Errno::E2BIG).0,
            "2 operations at once are over semopm, 500 (E2BIG)"
        );
    }
}
