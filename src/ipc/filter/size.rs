//! `--size`: shared memory by its size.

use std::str::FromStr;

use super::{Condition, Reason, Subject};
use crate::ipc::size::{self, InvalidSize};
use crate::ipc::{Kind, Object, Observed, Time};

/// The shared memory has such a size, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sized {
    /// At least this size.
    AtLeast(u64),
    /// At most this size.
    AtMost(u64),
    /// This size.
    Exactly(u64),
}

impl FromStr for Sized {
    type Err = InvalidSize;

    /// Reads `+BYTES`, `-BYTES` or `BYTES`.
    fn from_str(text: &str) -> Result<Sized, InvalidSize> {
        let (sized, bytes): (fn(u64) -> Sized, _) = match text.as_bytes() {
            [b'+', ..] => (Sized::AtLeast, &text[1..]),
            [b'-', ..] => (Sized::AtMost, &text[1..]),
            _ => (Sized::Exactly, text),
        };
        let bytes = size::parse(bytes).map_err(|error| match error {
            InvalidSize::Malformed(_) => InvalidSize::Malformed(text.to_owned()),
            error @ InvalidSize::TooLarge(_) => error,
        })?;
        Ok(sized(bytes))
    }
}

impl Condition for Sized {
    fn fits(&self, kind: Kind) -> bool {
        match kind {
            Kind::Shm | Kind::Pshm => true,
            Kind::Msg | Kind::Sem | Kind::Pmsg | Kind::Psem => false,
        }
    }

    fn may_match(&self, object: &Object, _: Time) -> bool {
        let size = match object {
            Object::Segment(segment) => segment.size,
            Object::PosixMemory(memory) => memory.size,
            Object::Queue(_)
            | Object::SemaphoreSet(_)
            | Object::PosixQueue(_)
            | Object::PosixSemaphore(_) => return false,
        };
        match *self {
            Sized::AtLeast(least) => size >= least,
            Sized::AtMost(most) => size <= most,
            Sized::Exactly(bytes) => size == bytes,
        }
    }

    fn reason(&self, _: &Observed, _: Time) -> Option<Reason> {
        Some(Reason::new(Subject::State, "size"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::try_each;
    use super::*;

    #[test]
    fn sizes_and_their_bounds() {
        let sized = |text: &str| text.parse::<Sized>().unwrap();
        try_each(&[
            (sized("1"), false, true),
            (sized("2"), false, false),
            (sized("+1"), false, true),
            (sized("+2"), false, false),
            (sized("-1"), false, true),
            (sized("-0"), false, false),
            (sized("-4K"), false, true),
        ]);
        assert_eq!(sized("+1M"), Sized::AtLeast(1 << 20));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for bad in ["", "+", "-", "--1", "+-1", "1X", "-99999999999T"] {
            let error = bad.parse::<Sized>().unwrap_err().to_string();
            assert!(error.contains(bad.trim_start_matches('-')), "{bad}: {error}");
        }
    }
}
