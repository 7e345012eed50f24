//! A limit, its value and its usage.

/// One limit with its current value and usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Its name.
    pub name: &'static str,
    /// The user that it applies to; `None` if it applies to the whole IPC namespace.
    pub user: Option<u32>,
    /// Its value; `None` for unlimited.
    pub limit: Option<u64>,
    /// How much of it is used; `None` if that is unknown or does not apply.
    pub used: Option<u64>,
    /// Whether it counts bytes.
    pub is_bytes: bool,
    /// Where its value comes from.
    pub source: String,
    /// What it limits.
    pub help: &'static str,
}

impl Allowance {
    /// The percentage used, rounded down to a tenth.
    pub fn percent(&self) -> Option<f64> {
        let (used, limit) = self.used.zip(self.limit)?;
        match limit {
            0 => Some(if used > 0 { 100.0 } else { 0.0 }),
            _ => Some((u128::from(used) * 1000 / u128::from(limit)) as f64 / 10.0),
        }
    }

    /// Whether the percentage used is at least `percent`.
    pub fn is_at(&self, percent: u64) -> bool {
        self.used.zip(self.limit).is_some_and(|(used, limit)| is_at(used, limit, percent))
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
        let (used, limit) = (Some(used), Some(limit));
        Allowance {
            name: "",
            user: None,
            limit,
            used,
            is_bytes: false,
            source: String::new(),
            help: "",
        }
    }

    #[test]
    fn marks() {
        assert!(allowance(80, 100).is_at(80));
        assert!(!allowance(79, 100).is_at(80));
        assert!(!allowance(7, u64::MAX).is_at(1));
        assert!(allowance(1, 0).is_at(100), "over a limit of none");
        assert!(!allowance(0, 0).is_at(1));
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
