//! Who may do what with an object, and how that is changed.

pub mod mode;
pub mod mode_change;
pub mod permissions;
