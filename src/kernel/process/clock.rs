//! The clocks of the kernel, and whether they were set: `clock_gettime(2)`, `proc(5)`.
#![allow(unsafe_code)]

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;

use super::stat::{Stat, since_boot};
use crate::ipc::clock::{Clock, Witness};

/// When the machine booted, in nanoseconds since the Epoch, by the current clocks. One clock is read
/// before and after the other, and the mean counts, so that a delay between the reads matters little.
pub(in crate::kernel) fn boot_moment() -> i64 {
    let before = read(libc::CLOCK_REALTIME);
    let since_boot = read(libc::CLOCK_BOOTTIME);
    let after = read(libc::CLOCK_REALTIME);
    before.midpoint(after).saturating_sub(since_boot)
}

/// Reads a clock of `clock_gettime(2)`, in nanoseconds.
#[allow(clippy::useless_conversion, reason = "a long has 32 bits on some machines")]
fn read(clock: libc::clockid_t) -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec that outlives the call.
    unsafe { libc::clock_gettime(clock, &mut time) };
    i64::from(time.tv_sec).saturating_mul(1_000_000_000).saturating_add(time.tv_nsec.into())
}

/// The wall clock, with the time at which `/proc` was mounted as a witness of earlier steps: the root
/// of that file system is dated then, after the start of the first process of its process namespace.
pub fn clock() -> Clock {
    let root = fs::symlink_metadata("/proc").ok();
    let first = Stat::read(1).and_then(|stat| since_boot(stat.started()?));
    let witness =
        root.zip(first).map(|(root, uptime)| Witness { made: nanoseconds(&root), uptime });
    Clock { boot: boot_moment(), now: read(libc::CLOCK_REALTIME), witness }
}

/// When a file in `/proc` was created there, in nanoseconds since the Epoch, by the clock of that time.
pub(super) fn nanoseconds(data: &Metadata) -> i64 {
    data.mtime().saturating_mul(1_000_000_000).saturating_add(data.mtime_nsec())
}
