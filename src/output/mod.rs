//! The presentation of results.
//!
//! [`columns`] is the registry: a column is a name, a help line and a function from an item to a typed
//! [`Value`]. Each of the [`formats`] is one small file that renders the rows of a [`Layout`].

pub mod asciicast;
pub mod columns;
pub mod escape;
pub mod fit;
pub mod formats;
pub mod full_screen;
pub mod hexdump;
pub mod layout;
pub mod message;
pub mod page;
pub mod picture;
pub mod screen;
pub mod stderr;
pub mod stdout;
pub mod style;
pub mod value;
pub mod width;

pub use asciicast::Asciicast;
pub use formats::{Format, Render, write_rows};
pub use layout::{Column, Layout, Section, Shape};
pub use screen::{Color, Screen};
pub use stdout::OutputError;
pub use style::{Style, TimeFormat};
pub use value::Value;
