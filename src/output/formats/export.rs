//! Assignments for a shell: a line per object, `REF="msg:0" OWNER="root"`, for `eval`.

use std::io::{self, Write};

use crate::ipc::command_line::double_quoted;
use crate::output::value::Cell;
use crate::output::{Layout, Render, Style, Value};

/// Lines of assignments while they are written.
pub struct Export<'a, T: 'static, W> {
    layout: Layout<T>,
    fields: Vec<&'static str>,
    style: &'a Style,
    out: W,
}

impl<'a, T, W: Write> Export<'a, T, W> {
    /// Writes nothing before the first row.
    pub fn new(layout: Layout<T>, style: &'a Style, out: W) -> io::Result<Self> {
        let fields = layout.fields();
        Ok(Export { layout, fields, style, out })
    }
}

impl<T, W: Write> Render<T> for Export<'_, T, W> {
    /// Every line has all fields, so that no variable keeps the value of the object before.
    fn row(&mut self, section: usize, item: &T) -> io::Result<()> {
        let section = &self.layout.sections[section];
        for (number, field) in self.fields.iter().enumerate() {
            let value = section.column(field).map_or(Value::Missing, |column| (column.value)(item));
            let cell = Cell { value, names: &self.style.names, arrays: false, escapes: false };
            let blank = if number > 0 { " " } else { "" };
            let text = double_quoted(&cell.into_text()?);
            write!(self.out, "{blank}{}={text}", variable(field))?;
        }
        self.out.write_all(b"\n")
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The name of a shell variable for a field. `UID` is read-only in bash, and zsh changes the user or group
/// of the shell when `UID` or `GID` is set.
fn variable(field: &str) -> String {
    let is_allowed = |c: char| c.is_ascii_alphanumeric();
    let name = field.replace(|c| !is_allowed(c), "_").to_ascii_uppercase();
    match name.as_str() {
        "UID" | "GID" => name + "_",
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_variables() {
        let names = ["ref", "last-send%", "uid", "gid", "cuid"].map(variable);
        assert_eq!(names, ["REF", "LAST_SEND_", "UID_", "GID_", "CUID"]);
    }
}
