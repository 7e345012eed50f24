//! Turns an error and the state of the system into a message for people: what happened, and a hint.
//!
//! A [`Failure`] carries only facts. When it is printed, [`Wanted`] lists the parts of the system that can
//! explain it, the caller looks at them once, and [`Failure::explain`] is a pure function of what was seen.

mod call;
mod change;
mod content;
mod creation;
mod explanation;
mod facts;
mod failure;
mod missing;
mod notice;
mod operation;
mod refusal;
mod refused;
mod setting;
mod space;
pub mod traced;
mod unsupported;

pub use creation::Wish;
pub use explanation::{Explanation, Reason};
pub use facts::{Facts, Privileges, Wanted};
pub use failure::Failure;
pub use notice::Notice;
pub use operation::Operated;
pub use unsupported::signs;
