//! The only access to the kernel, and the only module with `unsafe`, libc and nix.
//!
//! Each system call is one small function that takes and returns the types of [`crate::ipc`]. On
//! failure it returns the name of the call with the errno. All calls go through [`call`].

pub mod call;
pub mod channel;
pub mod closing;
pub mod container;
pub mod descendants;
pub mod error;
pub mod io;
pub mod limits;
pub mod local_time;
pub mod memory;
pub mod namespace;
pub mod posix;
pub mod process;
pub mod ptrace;
pub mod random;
pub mod removal;
pub mod shared_memory;
pub mod shares;
pub mod signals;
pub mod start;
pub mod sysv;
pub mod terminal;
pub mod wakers;

pub use call::{CallError, CallName};
pub use error::{ReadError, StatusError};
pub use namespace::Namespace;
pub use nix::errno::Errno;
