//! One file a format.

pub mod csv;
pub mod json;
pub mod plain;
pub mod table;
