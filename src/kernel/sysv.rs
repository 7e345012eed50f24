//! System V IPC, its calls and tables: `sysvipc(7)`.

pub mod ftok;
pub mod huge_pages;
pub mod listing;
pub mod msg;
pub mod next_id;
pub mod permissions;
pub mod proc_table;
pub mod sem;
pub mod shm;
pub mod totals;
