//! The nouns: what the kernel holds, as plain values.
//!
//! Nothing here does I/O or calls the kernel, so all of it is tested without either.

pub mod change;
pub mod clock;
pub mod command_line;
pub mod duration;
pub mod expected;
pub mod filter;
pub mod finding;
pub mod foreign;
pub mod heirs;
pub mod key;
pub mod kin;
pub mod kind;
pub mod known;
pub mod leak;
pub mod limit;
pub mod message;
pub mod mode;
pub mod name;
pub mod numbers;
pub mod object;
pub mod permissions;
pub mod posix;
pub mod process_name;
pub mod reference;
pub mod size;
pub mod time;
pub mod usage;
pub mod user;
pub mod words;

pub use change::{Change, ModeChange};
pub use command_line::CommandLine;
pub use expected::Expected;
pub use filter::Filter;
pub use foreign::Foreign;
pub use heirs::Heirs;
pub use key::{Key, Project};
pub use kind::Kind;
pub use known::{Known, Verdict};
pub use mode::Mode;
pub use name::Name;
pub use object::{Object, Queue, Segment, SemaphoreSet};
pub use permissions::{Access, Caller, Class, Permissions};
pub use posix::{PosixMemory, PosixQueue, PosixSemaphore};
pub use process_name::ProcessName;
pub use reference::{Reference, Target};
pub use time::Time;
pub use usage::Usage;
pub use user::User;
pub use words::count;
