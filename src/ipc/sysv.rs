//! What only System V objects have, `sysvipc(7)`.

pub mod key;
