//! The processes that use an object, and how sure that is.

pub mod heirs;
pub mod name;
pub mod observed;
pub mod role;
