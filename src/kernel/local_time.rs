//! Local time as the C library computes it.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use crate::ipc::Time;

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A time in the format of `ctime(3)`, without the newline: `Sat Nov 21 22:23:13 2026`. The time zone
/// is the one that the C library derives from `TZ`. `None` if the time is beyond the calendar.
#[allow(clippy::useless_conversion, reason = "a time_t has 32 bits on some machines")]
pub fn ctime(time: Time) -> Option<String> {
    let seconds = time.0.try_into().ok()?;
    let mut broken_down = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are to values that outlive the call, which fills the second or
    // returns null.
    let tm = unsafe {
        if libc::localtime_r(&seconds, broken_down.as_mut_ptr()).is_null() {
            return None;
        }
        broken_down.assume_init()
    };
    Some(format!(
        "{} {} {:2} {:02}:{:02}:{:02} {}",
        DAYS.get(tm.tm_wday as usize)?,
        MONTHS.get(tm.tm_mon as usize)?,
        tm.tm_mday,
        tm.tm_hour,
        tm.tm_min,
        tm.tm_sec,
        i64::from(tm.tm_year) + 1900,
    ))
}
