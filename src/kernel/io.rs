//! Files, streams and their errors.

pub mod directory;
pub mod fifo;
pub(in crate::kernel) mod file_identity;
pub mod inherited;
pub mod interruptible;
pub mod os_error;
pub mod outlet;
pub mod poll;
pub mod stdio;
