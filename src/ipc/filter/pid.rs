//! `--pid`: objects that a process uses or is recorded in.

use std::str::FromStr;

use super::{Circumstances, Condition, Look, Reason, Subject};
use crate::ipc::number::InvalidNumber;
use crate::ipc::process::role::State;
use crate::ipc::{Object, Observed, Time, Verdict, number};

/// The process with this pid, from 1, created the object, used it last, uses it or waits on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedBy(i32);

impl UsedBy {
    /// The process.
    pub fn pid(self) -> i32 {
        self.0
    }
}

impl FromStr for UsedBy {
    type Err = InvalidNumber;

    fn from_str(text: &str) -> Result<UsedBy, InvalidNumber> {
        number::from(1)(text).map(UsedBy)
    }
}

impl Condition for UsedBy {
    fn look(&self) -> Look {
        Look::Users
    }

    fn may_match(&self, _: &Object, _: Time) -> bool {
        true
    }

    fn matches(&self, observed: &Observed, _: &Circumstances<'_>) -> Verdict {
        let is_user =
            observed.users().iter().any(|user| user.pid == self.0 && user.state != State::Reused);
        match is_user {
            false if observed.may_miss_users() => {
                Verdict::Unknown("not every process could be inspected".to_owned())
            }
            is_user => is_user.into(),
        }
    }

    fn reason(&self, _: &Observed, _: Time) -> Option<Reason> {
        Some(Reason::new(Subject::User, format!("process {} uses it or is recorded in it", self.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::{NOW, queue};
    use super::*;
    use crate::ipc::process::observed::Users;
    use crate::ipc::process::role::Role;
    use crate::ipc::{Kind, Use};

    #[test]
    fn which_texts_are_pids() {
        assert_eq!("1".parse(), Ok(UsedBy(1)));
        let wrong = |text: &str| text.parse::<UsedBy>().unwrap_err().to_string();
        assert_eq!(wrong("0"), "0 is less than 1");
        assert_eq!(wrong("-7"), "-7 is less than 1");
        assert_eq!(wrong("x"), "'x' is not a number");
        assert_eq!(wrong("4294967296"), "'4294967296' is too large a number");
    }

    #[test]
    fn a_process_that_is_recorded_matches() {
        let sender = |state| Use {
            pid: 7,
            kind: Kind::Msg,
            role: Role::LastSender,
            since: None,
            uid: None,
            command: None,
            state,
            living: None,
            doubt: None,
        };
        let around = Circumstances { now: NOW, heirs: None, kinds: &[] };
        for (pid, state, uninspected, verdict) in [
            (7, State::Alive, 0, Verdict::Yes),
            (7, State::Gone, 0, Verdict::Yes),
            (7, State::Reused, 0, Verdict::No),
            (8, State::Alive, 0, Verdict::No),
            (8, State::Alive, 1, Verdict::Unknown("not every process could be inspected".into())),
        ] {
            let users = Users { all: vec![sender(state)], uninspected, ..Users::default() };
            let observed = Observed { users: Some(users), ..Observed::from(queue()) };
            assert_eq!(UsedBy(pid).matches(&observed, &around), verdict, "{pid} {state:?}");
        }
    }
}
