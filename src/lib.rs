//! `ipctool` lists, explains, feeds, drains, repairs and cleans up System V IPC objects.
//!
//! The house, from the front door down; nothing points back up:
//!
//! - [`cli`]: the command line as types. Nothing runs there.
//! - [`commands`]: the verbs, one file a subcommand.
//! - [`exit`]: the exit statuses, and which error gives which.
//! - [`doctor`]: what can be wrong with a system: the one registry of checks, and the facts that they
//!   are asked about. The command line knows their names.
//! - [`rescue`]: messages that were taken off a queue and could not be written out. Verbs and old
//!   programs use it.
//! - [`output`]: how results look: the one registry of columns, then one file a format.
//! - [`explain`]: an error and the state around it, told to a person.
//! - [`personality`]: the old programs that the binary is when called by their names. The command line
//!   tells of them; they and the verbs know nothing of each other.
//! - [`kernel`]: the only door to the kernel.
//! - [`ipc`]: the nouns: what the kernel holds, as plain values.

pub mod cli;
pub mod commands;
pub mod doctor;
pub mod exit;
pub mod explain;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod ipc;
pub mod kernel;
pub mod output;
pub mod personality;
pub mod rescue;
