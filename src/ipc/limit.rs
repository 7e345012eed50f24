//! A limit, its value and its usage.

use std::borrow::Cow;
use std::sync::Arc;

use super::home::{Home, Housed};

use super::{Object, Reference};

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things of this name, in the plural.
    Count(&'static str),
    /// Bytes.
    Bytes,
    /// 0 or 1.
    Switch,
}

impl Unit {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Count(things) => things,
            Unit::Bytes => "bytes",
            Unit::Switch => "switch",
        }
    }
}

/// The value of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// A number.
    Of(u64),
    /// There is no limit.
    Unlimited,
    /// It cannot be read.
    Unknown,
}

impl Amount {
    /// The number, if there is one.
    pub fn number(self) -> Option<u64> {
        match self {
            Amount::Of(number) => Some(number),
            Amount::Unlimited | Amount::Unknown => None,
        }
    }
}

/// One limit with its current value and usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Its name.
    pub name: Cow<'static, str>,
    /// The user that it applies to; `None` if it does not apply per user.
    pub user: Option<u32>,
    /// The object that it applies to; `None` if it does not apply to a single object.
    pub object: Option<Reference>,
    /// Its value.
    pub limit: Amount,
    /// How much of it is used; `None` if that is unknown or does not apply.
    pub used: Option<u64>,
    /// What it counts.
    pub unit: Unit,
    /// Where its value comes from.
    pub source: String,
    /// What it limits.
    pub help: &'static str,
    /// Whether it is no fault to use all of it: such a pool is made to be used.
    pub is_pool: bool,
    /// Where it applies, if several places are looked at.
    pub home: Option<Arc<Home>>,
}

impl Housed for Allowance {
    fn home(&self) -> Option<&Home> {
        self.home.as_deref()
    }
}

impl Allowance {
    /// The percentage used, rounded down to a tenth.
    pub fn percent(&self) -> Option<f64> {
        let (used, limit) = self.used.zip(self.limit.number())?;
        match limit {
            0 => Some(if used > 0 { 100.0 } else { 0.0 }),
            _ => Some((u128::from(used) * 1000 / u128::from(limit)) as f64 / 10.0),
        }
    }

    /// Whether the percentage used is at least `percent`.
    pub fn is_at(&self, percent: u64) -> bool {
        let both = self.used.zip(self.limit.number()).filter(|_| !self.is_pool);
        both.is_some_and(|(used, limit)| is_at(used, limit, percent))
    }

    /// How full a queue is, in bytes and in messages; nothing for other objects. A value that is unknown is
    /// [`Amount::Unknown`] or `None`.
    pub fn of_object(object: &Object) -> Vec<Allowance> {
        let one =
            |name: &'static str, limit: Option<u64>, used, unit, source: &str, help| Allowance {
                name: Cow::Borrowed(name),
                user: None,
                object: Some(object.reference()),
                limit: limit.map_or(Amount::Unknown, Amount::Of),
                used,
                unit,
                source: source.to_owned(),
                help,
                is_pool: false,
                home: None,
            };
        const MESSAGES: Unit = Unit::Count("messages");
        match object {
            Object::Queue(queue) => {
                let of = |used, unit, help| {
                    one("max_bytes", queue.max_bytes, Some(used), unit, "msg_qbytes", help)
                };
                vec![
                    of(queue.bytes, Unit::Bytes, "bytes on the queue"),
                    of(queue.messages, MESSAGES, "messages on the queue, even if they are empty"),
                ]
            }
            Object::PosixQueue(queue) => vec![one(
                "max_messages",
                queue.max_messages,
                queue.messages,
                MESSAGES,
                "mq_maxmsg",
                "messages on the queue",
            )],
            Object::Segment(_)
            | Object::SemaphoreSet(_)
            | Object::PosixMemory(_)
            | Object::PosixSemaphore(_) => Vec::new(),
        }
    }

    /// Whether its value or use could not be read.
    pub fn is_unknown(&self) -> bool {
        self.limit == Amount::Unknown || self.used.is_none()
    }
}

/// Whether `used` is above 0 and at least `percent` (from 1) of `limit`.
pub fn is_at(used: u64, limit: u64, percent: u64) -> bool {
    used > 0 && u128::from(used) * 100 >= u128::from(limit) * u128::from(percent)
}

/// Text that is not a percentage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a percentage from 1 to 100")]
pub struct InvalidPercent(String);

/// Reads a percentage from 1 to 100, `80` or `80%`.
pub fn parse_percent(text: &str) -> Result<u64, InvalidPercent> {
    match text.strip_suffix('%').unwrap_or(text).parse() {
        Ok(percent @ 1..=100) => Ok(percent),
        _ => Err(InvalidPercent(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn allowance(used: u64, limit: u64) -> Allowance {
        Allowance {
            name: Cow::Borrowed(""),
            user: None,
            object: None,
            limit: Amount::Of(limit),
            used: Some(used),
            unit: Unit::Count("messages"),
            source: String::new(),
            help: "",
            is_pool: false,
            home: None,
        }
    }

    #[test]
    fn marks() {
        assert!(allowance(80, 100).is_at(80));
        assert!(!allowance(79, 100).is_at(80));
        assert!(!allowance(7, u64::MAX).is_at(1));
        assert!(allowance(1, 0).is_at(100), "over a limit of none");
        assert!(!allowance(0, 0).is_at(1));
        assert!(!Allowance { is_pool: true, ..allowance(9, 9) }.is_at(1), "it is made to be used");
        assert!(!Allowance { limit: Amount::Unlimited, ..allowance(9, 9) }.is_at(1));
        assert_eq!(allowance(1, 3).percent(), Some(33.3));
        assert_eq!(allowance(1, 32_000).percent(), Some(0.0));
        assert_eq!(allowance(u64::MAX, u64::MAX).percent(), Some(100.0));
    }

    #[test]
    fn percentages() {
        assert_eq!(parse_percent("80").unwrap(), 80);
        assert_eq!(parse_percent("5%").unwrap(), 5);
        for bad in ["", "%", "0", "101", "-1", "x", "1.5"] {
            assert!(parse_percent(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_overflows(used: u64, limit: u64, percent in 1u64..=100) {
            let _ = (allowance(used, limit).is_at(percent), allowance(used, limit).percent());
        }
    }
}
