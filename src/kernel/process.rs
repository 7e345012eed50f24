//! Processes: which one a recorded pid belongs to, whether it lives, and what it uses. `proc(5)`.

pub mod accounts;
pub mod confinement;
pub(crate) mod mounts;
pub mod scan;
pub mod uses;

mod activity;
mod clock;
mod command;
mod credentials;
mod family;
mod identity;
mod pids;
pub(in crate::kernel) mod proc_directory;
pub(in crate::kernel) mod proc_file;
mod proc_mount;
mod rlimit;
mod servers;
pub(crate) mod stat;
pub(in crate::kernel) mod status;
mod subject;

pub use activity::Activity;
pub(super) use clock::boot_moment;
pub use clock::clock;
pub use command::{Length, command};
pub use credentials::*;
pub use identity::{Kinship, Process, ProcessIdentity, kin, kinship};
pub use pids::all;
pub(super) use pids::{listed, threads};
pub use proc_mount::{BadProc, check_proc};
pub(super) use rlimit::rlimit;
pub use rlimit::{least_queue_bytes, lower_queue_bytes};
pub(super) use scan::is_initial_process_namespace;
pub use scan::own_namespace;
pub use servers::servers;

pub use subject::Subject;

pub use stat::{
    has_left, has_thread_left, is_gone, is_kernel_thread, is_stopped, named, page_size,
};
pub(super) use stat::{is_gone_error, started, ticks_per_second};
