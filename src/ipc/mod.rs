//! The data types of IPC, as plain values.
//!
//! This module does no I/O and makes no system calls, so all of it is tested without them.

pub mod access;
pub mod attribution;
pub mod changes;
pub mod clock;
pub mod command_line;
pub mod container;
pub mod duration;
pub mod filter;
pub mod finding;
pub mod foreign;
pub mod home;
pub mod kind;
pub mod limit;
pub mod message;
pub mod number;
pub mod object;
pub mod operand;
pub mod outcome;
pub mod posix;
pub mod process;
pub mod reference;
pub mod size;
pub mod snapshot;
pub mod summary;
pub mod sysv;
pub mod tally;
pub mod text;
pub mod time;
pub mod until;

pub use access::mode::Mode;
pub use access::mode_change::{Change, ModeChange};
pub use access::permissions::{Access, Caller, Class, Permissions};
pub use attribution::expected::Expected;
pub use command_line::CommandLine;
pub use container::Container;
pub use filter::Filter;
pub use foreign::Foreign;
pub use home::Home;
pub use kind::Kind;
pub use object::Object;
pub use operand::Operand;
pub use posix::name::Name;
pub use posix::{PosixMemory, PosixQueue, PosixSemaphore};
pub use process::heirs::Heirs;
pub use process::name::ProcessName;
pub use process::observed::{Observed, Verdict};
pub use process::role::Use;
pub use reference::{Reference, Target};
pub use snapshot::Snapshot;
pub use sysv::key::{Key, KeyParts, Project};
pub use sysv::{Queue, Segment, SemaphoreSet};
pub use text::count;
pub use time::Time;
