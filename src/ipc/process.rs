//! The processes that use an object, and how certain that is.

pub mod heirs;
pub mod name;
pub mod observed;
pub mod role;
