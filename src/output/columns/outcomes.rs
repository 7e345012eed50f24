//! Columns of what commands did, for `--json`.

use std::borrow::Cow;

use crate::ipc::Permissions;
use crate::ipc::outcome::{Access, Adjustment, Outcome, PathKey};
use crate::output::value::Part;
use crate::output::{Column, Shape, Value};

/// What `chmod` and `chown` did to an object.
pub static ACCESS: [Column<Access>; 5] = [
    Column::text("ref", 16, "the object", subject),
    Column::text("before", 20, "owner, group and mode before", |access: &Access| {
        access.before().map_or(Value::Missing, permissions)
    })
    .shaped(Shape::Access),
    Column::text("after", 20, "owner, group and mode after", |access: &Access| {
        access.after().map_or(Value::Missing, permissions)
    })
    .shaped(Shape::Access),
    Column::prose("error", 30, "why it failed", error),
    Column::text("errno", 10, "name of the errno, if a system call failed", errno),
];

/// What `limits --set` and `limits --queue-bytes` did.
pub static ADJUSTMENT: [Column<Adjustment>; 5] = [
    Column::text("name", 20, "the limit, or the queue", subject),
    Column::number("before", 20, "its value before", |one: &Adjustment| numbers(one.before()))
        .shaped(Shape::Integers),
    Column::number("after", 20, "its value after", |one: &Adjustment| numbers(one.after()))
        .shaped(Shape::Integers),
    Column::prose("error", 30, "why it failed", error),
    Column::text("errno", 10, "name of the errno, if a system call failed", errno),
];

/// A path and its key.
pub static PATH_KEY: [Column<PathKey>; 3] = [
    Column::text("path", 40, "the path", |one: &PathKey| Value::Foreign(&one.path)),
    Column::text("key", 10, "the key that ftok(3) makes from it", |one: &PathKey| {
        Value::Key(one.key)
    })
    .shaped(Shape::Key),
    Column::number("project", 4, "the low 8 bits of the project", |one: &PathKey| {
        Value::Count(one.project.into())
    }),
];

fn subject<T>(outcome: &Outcome<T>) -> Value<'_> {
    Value::Text(Cow::Borrowed(outcome.subject()))
}

fn error<T>(outcome: &Outcome<T>) -> Value<'_> {
    outcome.failed().map_or(Value::Missing, |failed| Value::Text(Cow::Borrowed(&failed.error)))
}

fn errno<T>(outcome: &Outcome<T>) -> Value<'_> {
    let errno = outcome.failed().and_then(|failed| failed.errno.as_deref());
    errno.map_or(Value::Missing, |errno| Value::Text(Cow::Borrowed(errno)))
}

fn permissions(permissions: &Permissions) -> Value<'_> {
    Value::Part(Part {
        words: None,
        fields: vec![
            ("owner", Value::User(permissions.uid)),
            ("group", Value::Group(permissions.gid)),
            ("uid", Value::Count(permissions.uid.into())),
            ("gid", Value::Count(permissions.gid.into())),
            ("mode", Value::Mode(permissions.mode)),
        ],
    })
}

/// One number, or the text of several.
fn numbers(text: Option<&String>) -> Value<'_> {
    text.map_or(Value::Missing, |text| match text.parse() {
        Ok(number) => Value::Count(number),
        Err(_) => Value::Text(Cow::Borrowed(text)),
    })
}
