//! The only door to the kernel, and the only place with `unsafe`, libc and nix.
//!
//! Each system call is one small function that takes and gives the values of [`crate::ipc`] and
//! returns the call's name with the errno when it fails. All of them pass through [`call`].

pub mod call;
pub mod channel;
pub mod closing;
pub mod descendants;
pub mod error;
pub mod io;
pub mod limits;
pub mod local_time;
pub mod memory;
pub mod namespace;
pub mod posix;
pub mod process;
pub mod random;
pub mod removal;
pub mod signals;
pub mod sysv;

pub use call::{CallError, CallName};
pub use error::{ReadError, StatusError};
pub use namespace::Namespace;
pub use nix::errno::Errno;
