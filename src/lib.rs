//! `ipctool` lists, explains, fills, empties, repairs and removes System V and POSIX IPC objects.
//!
//! The modules, from the top down; none uses one above it:
//!
//! - [`cli`]: the command line as types. Nothing runs there.
//! - [`completion`]: answers shells that complete a command line.
//! - [`commands`]: the subcommands, one file each.
//! - [`exit`]: the exit statuses.
//! - [`doctor`]: the registry of checks for problems, and the facts that they look at. The command line
//!   takes the names of checks from it.
//! - [`dump`]: the format of the file that `dump` writes and `restore` reads.
//! - [`metrics`]: the registry of metrics, and their text for Prometheus.
//! - [`rescue`]: saves messages that were taken off a queue and could not be written out, for subcommands
//!   and drop-in programs.
//! - [`output`]: how results look: the registry of columns, and one file for each format.
//! - [`explain`]: turns an error and the state of the system into a message and a hint.
//! - [`personality`]: the drop-in programs, which the binary acts as when called by their names. They and
//!   the subcommands do not use each other.
//! - [`lesson`]: the lessons of `learn`, as data.
//! - [`kernel`]: every system call and every read of kernel files.
//! - [`ipc`]: IPC objects and what belongs to them, as plain values.

pub mod cli;
pub mod commands;
pub mod completion;
pub mod doctor;
pub mod dump;
pub mod exit;
pub mod explain;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod ipc;
pub mod kernel;
pub mod lesson;
pub mod metrics;
pub mod output;
pub mod personality;
pub mod rescue;
