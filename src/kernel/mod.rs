//! The only door to the kernel, and the only place with `unsafe`, libc and nix.
//!
//! Each system call is one small function that takes and gives the values of [`crate::ipc`] and
//! returns the call's name with the errno when it fails. All of them pass through [`call`].
#![allow(unsafe_code)]

pub mod accounts;
pub mod calendar;
pub mod call;
pub mod channel;
pub mod child;
pub mod closing;
pub mod confinement;
mod deadly;
pub mod descriptor;
pub mod dev_shm;
pub mod directory;
pub mod family;
pub mod fifo;
pub mod huge_pages;
pub mod inherited;
pub mod interrupt;
mod lease;
pub mod memory;
pub(crate) mod mqueue;
pub mod msg;
mod named;
pub mod namespace;
mod numbers;
pub mod object;
pub mod outlet;
pub mod perf;
pub mod permissions;
pub mod pmsg;
pub mod process;
pub mod random;
pub mod removal;
pub mod scan;
pub mod sem;
pub mod shm;
pub mod signals;
pub mod stderr;
pub mod sysctl;
pub mod sysvipc;
pub mod totals;
pub mod users;

pub use call::CallError;
pub use nix::errno::Errno;
