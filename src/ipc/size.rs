//! Sizes as users write them.

use bytesize::ByteSize;

/// Text that is not a size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSize {
    /// It is not a number with a unit.
    #[error("'{0}' is not a size: write bytes, or 64K, 2M, 1GiB")]
    Malformed(String),
    /// It exceeds 64 bits.
    #[error("'{0}' is too large a size")]
    TooLarge(String),
}

/// Reads a size in bytes: `4096`, `64K`, `2M`, `1GiB` in powers of 1024, `1KB` in powers of 1000, as
/// `ipcmk(1)` does. The maximum is 2^64 - 2 bytes.
pub fn parse(text: &str) -> Result<u64, InvalidSize> {
    let invalid = || InvalidSize::Malformed(text.to_owned());
    if text.starts_with('.') || text.contains(char::is_whitespace) {
        return Err(invalid());
    }
    // To the crate a single letter means powers of 1000; to all IPC tools it means powers of 1024.
    let unit = match text.chars().last() {
        Some(letter) if letter.is_ascii_alphabetic() && !letter.eq_ignore_ascii_case(&'b') => {
            if text.ends_with(['i', 'I']) {
                "B"
            } else {
                "iB"
            }
        }
        _ => "",
    };
    let ByteSize(bytes) = format!("{text}{unit}").parse().map_err(|_| invalid())?;
    // The crate returns the maximum for larger sizes.
    if bytes == u64::MAX {
        return Err(InvalidSize::TooLarge(text.to_owned()));
    }
    Ok(bytes)
}

/// Reads a place or a length in memory: a size, or a number as `0x100`.
pub fn parse_place(text: &str) -> Result<u64, InvalidSize> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        None => parse(text),
        Some(digits)
            if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            u64::from_str_radix(digits, 16).map_err(|_| InvalidSize::TooLarge(text.to_owned()))
        }
        Some(_) => Err(InvalidSize::Malformed(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn letters_are_powers_of_1024() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("64K", 64 << 10),
            ("64k", 64 << 10),
            ("64KiB", 64 << 10),
            ("64Ki", 64 << 10),
            ("2M", 2 << 20),
            ("1GiB", 1 << 30),
            ("1.5K", 1536),
            ("1KB", 1000),
            ("1T", 1 << 40),
            ("7b", 7),
        ] {
            assert_eq!(parse(text).unwrap(), bytes, "{text}");
        }
        for bad in ["", "K", "-1", "1 K", "1X", "0x10", "1KiBB", ".5K", "99999999999T", "1é"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn places_may_be_hexadecimal() {
        assert_eq!(parse_place("0x100"), Ok(256));
        assert_eq!(parse_place("0XfF"), Ok(255));
        assert_eq!(parse_place("64K"), Ok(65_536));
        assert!(parse_place("0x10000000000000000").unwrap_err().to_string().contains("too large"));
        for bad in ["0x", "0x+1", "0x1K", "-1"] {
            assert!(parse_place(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(0x)?[0-9.]*\\PC*") {
            let _ = parse_place(&text);
        }
    }
}
