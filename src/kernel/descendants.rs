//! All descendants of this process: those that live, and what is remembered of the dead.
//!
//! The kernel's own record ([`perf`]) misses none, as long as there is room for it and no process runs
//! a program whose memory is closed to the user (set-user-ID, or not readable): such a process is not
//! recorded from then on. Where there is no record, or it has gaps, a look at the newest processes about
//! twice a millisecond finds most.

pub mod child;
pub mod perf;
pub(in crate::kernel) mod pid_counter;

mod family;
mod register;
mod search;

pub use family::Family;
