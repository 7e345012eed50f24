//! Tracks all descendants of this process, living and dead.
//!
//! The kernel's own record ([`perf`]) misses none, as long as its buffer has room and no descendant
//! runs a program whose memory is closed to the user (set-user-ID, or not readable): such a process is
//! no longer recorded. Without a complete record, most descendants are found by polling for new
//! processes about every half millisecond.

pub mod child;
pub mod perf;
pub(in crate::kernel) mod pid_counter;

mod family;
mod register;
mod search;

pub use family::Family;
