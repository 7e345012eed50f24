//! Files, streams and what goes wrong with them.

pub mod directory;
pub mod fifo;
pub(in crate::kernel) mod file_identity;
pub mod inherited;
pub mod os_error;
pub mod outlet;
pub mod stdio;
