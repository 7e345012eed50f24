//! Permission bits, `struct ipc_perm` in `sysvipc(7)`.

use std::fmt;
use std::str::FromStr;

/// The nine permission bits of an IPC object. The execute bits are stored but not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mode(u16);

impl Mode {
    /// The low nine bits of `bits`; the rest is ignored.
    pub const fn from_bits(bits: u32) -> Mode {
        Mode((bits & 0o777) as u16)
    }

    /// The nine bits.
    pub fn bits(self) -> u32 {
        self.0.into()
    }

    /// The bits as letters, `rw-rw----`.
    pub fn symbolic(self) -> impl fmt::Display {
        Symbolic(self.letters())
    }

    /// The same as bytes.
    pub fn letters(self) -> [u8; 9] {
        let mut letters = *b"rwxrwxrwx";
        for (place, letter) in letters.iter_mut().enumerate() {
            if self.0 & (0o400 >> place) == 0 {
                *letter = b'-';
            }
        }
        letters
    }
}

struct Symbolic([u8; 9]);

impl fmt::Display for Symbolic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.0).unwrap_or_default())
    }
}

impl fmt::Display for Mode {
    /// Formats the mode as four octal digits, `0660`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

/// Text that is not an octal mode.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a mode: write it in octal, 0 to 0777, such as 660")]
pub struct InvalidMode(String);

impl FromStr for Mode {
    type Err = InvalidMode;

    fn from_str(text: &str) -> Result<Self, InvalidMode> {
        match u16::from_str_radix(text, 8) {
            Ok(bits @ 0..=0o777) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                Ok(Mode(bits))
            }
            _ => Err(InvalidMode(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn octal_in_letters_out() {
        assert_eq!("660".parse::<Mode>().unwrap().symbolic().to_string(), "rw-rw----");
        assert_eq!("0604".parse::<Mode>().unwrap().to_string(), "0604");
        for bad in ["", "8", "1000", "rw", "-1", "+6", "0x6"] {
            assert!(bad.parse::<Mode>().is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(bits in 0u32..0o1000) {
            let mode = Mode::from_bits(bits);
            prop_assert_eq!(mode.to_string().parse(), Ok(mode));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<Mode>();
        }
    }
}
