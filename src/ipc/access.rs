//! Permissions: who may do what with an object, and how to change that.

pub mod mode;
pub mod mode_change;
pub mod permissions;
