//! `ipcmk(1)`: creates objects with random keys.

use std::ffi::OsString;

use super::util_linux::c_number::{self, Invalid};
use super::util_linux::getopt::{Getopt, Opt, OptValue};
use super::util_linux::program::{Group, HELP, Program, VERSION};
use super::util_linux::session::{Result, Session};
use crate::exit::Status;
use crate::ipc::Key;
use crate::kernel::io::os_error;
use crate::kernel::sysv::{msg, sem, shm};
use crate::kernel::{CallError, Errno, random};

/// Its help.
pub(super) const PROGRAM: Program = Program {
    name: "ipcmk",
    synopsis: &["[options]"],
    purpose: "Create various IPC resources.",
    groups: &[
        Group {
            heading: "Options",
            width: 26,
            options: &[
                Opt {
                    short: Some('M'),
                    long: "shmem",
                    value: OptValue::Required("size"),
                    help: "create shared memory segment of size <size>",
                },
                Opt {
                    short: Some('S'),
                    long: "semaphore",
                    value: OptValue::Required("number"),
                    help: "create semaphore array with <number> elements",
                },
                Opt {
                    short: Some('Q'),
                    long: "queue",
                    value: OptValue::None,
                    help: "create message queue",
                },
                Opt {
                    short: Some('p'),
                    long: "mode",
                    value: OptValue::Required("mode"),
                    help: "permission for the resource (default is 0644)",
                },
            ],
        },
        Group { heading: "", width: 26, options: &[HELP, VERSION] },
    ],
    listed_first: &[],
    notes: "
Arguments:
 <size> arguments may be followed by the suffixes for
   GiB, TiB, PiB, EiB, ZiB, and YiB (the \"iB\" is optional)
",
    differs: "\
\x20 - If the random key is already in use, another key is tried instead of opening that object.
  - 1,5K is not a size: util-linux accepts it in locales with a decimal comma.
",
};

pub(super) fn run(session: &mut Session, arguments: &[OsString]) -> Result<Status> {
    let mut options = Getopt::new(PROGRAM.options(), arguments);
    // The mode, and the flags of shmget(2) above it: SHM_HUGETLB, SHM_NORESERVE.
    let mut flags = 0o644;
    let (mut size, mut nsems, mut queue) = (None, None, false);
    while let Some((option, value)) = session.option(&PROGRAM, &mut options)? {
        let text = value.unwrap_or_default();
        match option {
            "shmem" => {
                let invalid =
                    |invalid| session.unparsed_size("failed to parse size", text, invalid);
                size = Some(parse_size(text).map_err(invalid)?);
            }
            "semaphore" => {
                let invalid = |invalid| session.unparsed("failed to parse elements", text, invalid);
                nsems = Some(c_number::decimal(text).map_err(invalid)?);
            }
            "queue" => queue = true,
            _ => {
                flags = match c_number::whole(text, 8) {
                    Ok(number) => number.wrapping() as i32,
                    Err(invalid) => {
                        let errno = match invalid {
                            // util-linux prints whatever errno(3) holds at this point.
                            Invalid::Malformed => Errno::UnknownErrno,
                            Invalid::OutOfRange => Errno::ERANGE,
                        };
                        return Err(session.fail_with("failed to parse mode", errno));
                    }
                };
            }
        }
    }
    if size.is_none() && nsems.is_none() && !queue {
        session.warn("bad usage");
        return Err(session.try_help());
    }
    if let Some(size) = size {
        let make = |key| shm::create_with_flags(key, size, flags, true);
        create(session, make, "create share memory failed", "Shared memory id")?;
    }
    if queue {
        let make = |key| msg::create_with_flags(key, flags, true);
        create(session, make, "create message queue failed", "Message queue id")?;
    }
    if let Some(nsems) = nsems {
        let make = |key| sem::create_with_flags(key, nsems, flags, true);
        create(session, make, "create semaphore failed", "Semaphore id")?;
    }
    Ok(Status::Done)
}

/// Creates an object with a key that no other object has.
fn create(
    session: &mut Session,
    make: impl Fn(Key) -> std::result::Result<i32, CallError>,
    failed: &str,
    made: &str,
) -> Result<()> {
    loop {
        let key = random::key()
            .map_err(|error| session.fail(format!("{failed}: {}", os_error::strerror(&error))))?;
        match make(key) {
            Ok(id) => {
                session.out.extend(format!("{made}: {id}\n").bytes());
                session.flush_some();
                return Ok(());
            }
            // Another object has this key: try the next one.
            Err(error) if error.errno == Errno::EEXIST => {}
            Err(error) => return Err(session.fail_with(failed, error.errno)),
        }
    }
}

/// The unit letters, for powers of 1024 or 1000.
const POWERS: &[u8] = b"KMGTPEZY";

/// The fraction is scaled to at most this power, the largest unit that fits 64 bits.
const HIGHEST_POWER: u32 = 6;

/// Reads a size as util-linux does: a C number (`0x10` is 16), an optional decimal fraction, and a
/// unit: `K` and `KiB` are powers of 1024, `KB` of 1000.
pub(crate) fn parse_size(text: &[u8]) -> std::result::Result<u64, Invalid> {
    let number = c_number::leading(text, 0);
    if number.is_negative || number.length == 0 {
        return Err(Invalid::Malformed);
    }
    let whole = number.magnitude.ok_or(Invalid::OutOfRange)?;
    let mut unit = &text[number.length..];
    if unit.is_empty() {
        return Ok(whole);
    }
    let mut fraction = Fraction { zeros: 0, digits: 0 };
    // util-linux accepts another fraction as long as the one so far is 0.
    while let (0, [b'.', rest @ ..]) = (fraction.digits, unit) {
        unit = fraction.read(rest)?;
    }
    let (letter, base) = match unit {
        [letter] | [letter, b'i', b'B' | b'b'] => (letter, 1024u64),
        [letter, b'B' | b'b'] => (letter, 1000),
        _ => return Err(Invalid::Malformed),
    };
    let power = POWERS.iter().position(|observed| *observed == letter.to_ascii_uppercase());
    let power = power.ok_or(Invalid::Malformed)? as u32 + 1;
    let size = match whole {
        // 0 fits in the largest units, too.
        0 => Some(0),
        _ => base.checked_pow(power).and_then(|scale| whole.checked_mul(scale)),
    };
    let size = size.ok_or(Invalid::OutOfRange)?;
    Ok(size.wrapping_add(fraction.of(base.pow(power.min(HIGHEST_POWER)))))
}

/// The digits after the point of a size. Leading zeros are counted: 0.05 is one zero and then 5.
struct Fraction {
    zeros: usize,
    digits: u64,
}

impl Fraction {
    /// Reads the digits after a point and returns the text after them.
    fn read<'a>(&mut self, text: &'a [u8]) -> std::result::Result<&'a [u8], Invalid> {
        let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = text.split_at(length);
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        self.zeros += zeros;
        let number = c_number::leading(&digits[zeros..], 10);
        self.digits = number.magnitude.ok_or(Invalid::OutOfRange)?;
        Ok(rest)
    }

    /// The share of a unit that util-linux computes from the fraction. It is slightly off (1.25M is
    /// 1310719), but scripts depend on it.
    fn of(&self, scale: u64) -> u64 {
        let mut rest = self.digits;
        let mut place = 10u64;
        // Moves one place to the right. After the last place, a digit is dropped.
        let mut shift = |rest: &mut u64| {
            match place.checked_mul(10) {
                Some(further) => place = further,
                None => *rest /= 10,
            }
            place
        };
        let mut last = 10;
        while last < rest {
            last = shift(&mut rest);
        }
        for _ in 0..self.zeros {
            last = shift(&mut rest);
        }
        let mut sum = 0u64;
        while rest > 0 {
            // From the last digit to the first, each as its share of the unit.
            if let Some(part) = last.checked_div(rest % 10).filter(|part| *part > 0) {
                sum = sum.wrapping_add(scale / part);
            }
            rest /= 10;
            last /= 10;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes() {
        for (text, size) in [
            ("0", 0),
            ("4096", 4096),
            ("0x10", 16),
            ("010", 8),
            (" 1", 1),
            ("+1", 1),
            ("1K", 1024),
            ("1k", 1024),
            ("1KiB", 1024),
            ("1Kib", 1024),
            ("1KB", 1000),
            ("1Kb", 1000),
            ("1.5K", 1536),
            ("1.5KB", 1500),
            ("0.5M", 512 << 10),
            ("1.25M", 1_310_719),
            ("1.05K", 1075),
            ("0.0K", 0),
            ("1.000000000000000000000000001K", 1024),
            ("7E", 7 << 60),
            ("0Y", 0),
            // For units beyond 64 bits, util-linux takes the fraction of the largest unit that fits.
            ("0.5Z", 1 << 59),
            ("0.5Y", 1 << 59),
            ("0.5YB", 500_000_000_000_000_000),
            ("3..5G", 3_758_096_384),
            ("0..5Kib", 512),
            ("1.0.5K", 1075),
            ("1.00.05K", 1024),
            ("1.K", 1024),
        ] {
            assert_eq!(parse_size(text.as_bytes()), Ok(size), "{text}");
        }
        for bad in
            ["", "-1", "K", "1B", "1.5", "1.", "1X", "1KBB", "1Ki", "1 K", "1.5.5K", "1..", "x"]
        {
            assert_eq!(parse_size(bad.as_bytes()), Err(Invalid::Malformed), "{bad}");
        }
        for large in ["99999999999999999999", "16E", "1Z", "1.5Y", "2.99999999999999999999999"] {
            assert_eq!(parse_size(large.as_bytes()), Err(Invalid::OutOfRange), "{large}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9.xKMGTPEZYiB-]{0,12}") {
            let _ = parse_size(text.as_bytes());
        }
    }
}
