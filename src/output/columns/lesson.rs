//! Columns of the lessons.

use std::borrow::Cow;

use crate::lesson::Lesson;
use crate::output::{Column, Shape, Value};

/// A lesson in the list.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    /// The lesson.
    pub lesson: &'static Lesson,
    /// Whether it was done.
    pub is_done: bool,
}

/// The lessons.
pub static LESSON: [Column<Listed>; 5] = [
    Column::text("lesson", 12, "Its name, for 'ipctool learn LESSON'", |listed| {
        Value::Text(Cow::Borrowed(&listed.lesson.name))
    }),
    Column::text("state", 5, "'done' if you have finished it", |listed| match listed.is_done {
        true => Value::Text(Cow::Borrowed("done")),
        false => Value::Missing,
    }),
    Column::prose("title", 36, "What it is called", |listed| {
        Value::Text(Cow::Borrowed(&listed.lesson.title))
    }),
    Column::text("about", 0, "What there is to see", about).ranked(1),
    Column::text("needs", 0, "What it cannot do without", needs).shaped(Shape::Words).ranked(2),
];

fn about(listed: &Listed) -> Value<'_> {
    Value::Text(Cow::Borrowed(&listed.lesson.about))
}

fn needs(listed: &Listed) -> Value<'_> {
    Value::List(listed.lesson.needs.iter().map(|need| Cow::Borrowed(need.name())).collect())
}
