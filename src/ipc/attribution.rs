//! Attribution: which process created an object that appeared while a command ran.

pub mod descendants;
pub mod expected;
pub mod leak;
pub(in crate::ipc) mod maker;
pub(in crate::ipc) mod neighbours;
pub mod pid_history;
