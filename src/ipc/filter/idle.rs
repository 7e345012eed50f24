//! `--idle`: objects that have not been used for some time.

use std::str::FromStr;
use std::time::Duration;

use super::{Condition, Reason, Subject};
use crate::ipc::duration::{self, InvalidDuration};
use crate::ipc::{Object, Observed, Time};

/// Nothing has happened to the object for this long.
#[derive(Clone, Copy, Debug)]
pub struct Idle(pub Duration);

impl FromStr for Idle {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Idle, Self::Err> {
        duration::parse(text).map(Idle)
    }
}

impl Condition for Idle {
    fn may_match(&self, object: &Object, now: Time) -> bool {
        object.is_idle(self.0, now)
    }

    fn reason(&self, observed: &Observed, now: Time) -> Option<Reason> {
        let idle = observed.object.last_operation().map_or(0, |last| last.age(now).as_secs());
        Some(Reason::new(Subject::Age, format!("idle for {idle} s")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::try_each;
    use super::*;

    #[test]
    fn for_how_long() {
        let idle = |text: &str| text.parse::<Idle>().unwrap();
        try_each(&[
            (idle("50s"), true, true),
            (idle("51s"), false, true),
            (idle("101"), false, false),
        ]);
    }
}
