//! The columns that tell where something lives.

use std::borrow::Cow;

use crate::ipc::home::Housed;
use crate::output::{Column, Value};

/// The number of an IPC namespace.
pub const fn ns<T: Housed>() -> Column<T> {
    Column::number("ns", 10, "number of its IPC namespace", number)
}

/// The container.
pub const fn container<T: Housed>() -> Column<T> {
    Column::text(
        "container",
        12,
        "name or id of its container; host for the namespace of process 1",
        name,
    )
}

fn number<T: Housed>(housed: &T) -> Value<'_> {
    housed.home().map_or(Value::Missing, |home| Value::Count(home.namespace))
}

fn name<T: Housed>(housed: &T) -> Value<'_> {
    let container = housed.home().and_then(|home| home.container.as_deref());
    container.map_or(Value::Missing, |name| Value::Text(Cow::Borrowed(name)))
}
