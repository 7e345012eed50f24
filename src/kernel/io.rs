//! Files, streams and what goes wrong with them.

pub mod directory;
pub mod fifo;
pub mod inherited;
pub mod interruptible;
pub mod os_error;
pub mod outlet;
pub mod poll;
pub mod stdio;
