//! Numbers as `strtol(3)` and its relatives read them.

/// The number at the start of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    /// Whether it has a minus sign.
    pub is_negative: bool,
    /// Its absolute value; `None` if it exceeds 64 bits.
    pub magnitude: Option<u64>,
    /// Its length, including leading blanks; 0 if there is no number.
    pub length: usize,
}

/// Reads the longest number at the start of a text. Base 0 is as in C: `0x…` is hexadecimal, `0…`
/// octal, anything else decimal.
pub(crate) fn leading(text: &[u8], base: u32) -> Number {
    let blanks = text.iter().take_while(|byte| is_blank(**byte)).count();
    let sign = usize::from(matches!(text.get(blanks), Some(b'+' | b'-')));
    let mut start = blanks + sign;
    let base = match (base, &text[start..]) {
        (0 | 16, [b'0', b'x' | b'X', digit, ..]) if digit.is_ascii_hexdigit() => {
            start += 2;
            16
        }
        (0, [b'0', ..]) => 8,
        (0, _) => 10,
        (base, _) => base,
    };
    let digits = text[start..].iter().map_while(|byte| char::from(*byte).to_digit(base));
    let mut magnitude = Some(0u64);
    let mut end = start;
    for digit in digits {
        let next = |value: u64| value.checked_mul(base.into())?.checked_add(digit.into());
        magnitude = magnitude.and_then(next);
        end += 1;
    }
    Number {
        is_negative: text.get(blanks) == Some(&b'-'),
        magnitude,
        length: if end == start { 0 } else { end },
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Why text is not accepted as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// It is not a number, or has other text after it.
    Malformed,
    /// It exceeds the range.
    OutOfRange,
}

/// Reads a text that is a number and nothing else.
pub(crate) fn whole(text: &[u8], base: u32) -> Result<Number, Invalid> {
    let number = leading(text, base);
    match number.magnitude {
        // The C library reports a range error before trailing text.
        None => Err(Invalid::OutOfRange),
        Some(_) if number.length == 0 || number.length < text.len() => Err(Invalid::Malformed),
        Some(_) => Ok(number),
    }
}

impl Number {
    /// The value as `strtoul(3)` returns it: a minus sign counts down from 2^64.
    pub fn wrapping(self) -> u64 {
        let magnitude = self.magnitude.unwrap_or(u64::MAX);
        if self.is_negative { magnitude.wrapping_neg() } else { magnitude }
    }

    /// The signed value, if it fits 64 bits.
    pub fn long(self) -> Option<i64> {
        let magnitude = i128::from(self.magnitude?);
        i64::try_from(if self.is_negative { -magnitude } else { magnitude }).ok()
    }

    /// The signed value, if it fits 32 bits.
    pub fn signed(self) -> Option<i32> {
        self.long()?.try_into().ok()
    }
}

/// Reads a text that is a decimal number of 32 bits and nothing else.
pub(in crate::personality) fn decimal(text: &[u8]) -> Result<i32, Invalid> {
    whole(text, 10)?.signed().ok_or(Invalid::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn as_in_c() {
        let read = |text: &str, base| {
            let number = leading(text.as_bytes(), base);
            (number.wrapping() as i64, number.length)
        };
        assert_eq!(read("12x", 10), (12, 2));
        assert_eq!(read(" \t+12", 10), (12, 5));
        assert_eq!(read("-1", 0), (-1, 2));
        assert_eq!(read("0x1F", 0), (31, 4));
        assert_eq!(read("0x", 0), (0, 1), "the 0 alone is a number");
        assert_eq!(read("017", 0), (15, 3));
        assert_eq!(read("08", 0), (0, 1));
        assert_eq!(read("017", 10), (17, 3));
        assert_eq!(read("660", 8), (0o660, 3));
        assert_eq!(read("", 0), (0, 0));
        assert_eq!(read("-", 0), (0, 0));
        assert_eq!(read("x", 0), (0, 0));
        assert_eq!(leading(b"18446744073709551616", 10).magnitude, None);
    }

    #[test]
    fn thirty_two_bits() {
        assert_eq!(decimal(b"2147483647"), Ok(i32::MAX));
        assert_eq!(decimal(b"-2147483648"), Ok(i32::MIN));
        assert_eq!(decimal(b"2147483648"), Err(Invalid::OutOfRange));
        assert_eq!(decimal(b"99999999999999999999"), Err(Invalid::OutOfRange));
        for bad in ["", " ", "-", "1 ", "0x1", "a"] {
            assert_eq!(decimal(bad.as_bytes()), Err(Invalid::Malformed), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text: Vec<u8>, base in prop::sample::select(vec![0u32, 8, 10, 16])) {
            let number = leading(&text, base);
            prop_assert!(number.length <= text.len());
            let _ = (number.wrapping(), number.signed());
        }

        #[test]
        fn decimal_numbers_are_those_of_rust(number: i32) {
            prop_assert_eq!(decimal(number.to_string().as_bytes()), Ok(number));
        }
    }
}
