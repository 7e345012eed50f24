//! An error and the state around it, told to a person: what happened, and the hint that helps.
//!
//! A [`Failure`] carries facts alone. When it is printed, [`Wanted`] says what of the system explains it,
//! somebody looks once, and the rest is a function of what was seen: [`Failure::explain`].

mod call;
mod change;
mod content;
mod creation;
mod explanation;
mod facts;
mod failure;
mod missing;
mod notice;
mod refusal;
mod refused;
mod setting;
mod space;
mod unsupported;

pub use creation::Wish;
pub use explanation::{Explanation, Reason};
pub use facts::{Facts, Privileges, Wanted};
pub use failure::Failure;
pub use notice::Notice;
pub use unsupported::signs;
