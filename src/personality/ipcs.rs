//! `ipcs(1)`: lists objects.

use std::ffi::OsString;
use std::io::Write;
use std::rc::Rc;

use super::util_linux::c_number;
use super::util_linux::getopt::{Getopt, Opt, OptValue};
use super::util_linux::program::{Group, HELP, Program, VERSION};
use super::util_linux::session::{Result, Session};
use crate::exit::Status;
use crate::ipc::{Object, Time};
use crate::kernel::error::ReadError;
use crate::kernel::local_time;
use crate::kernel::process::accounts::Names;
use crate::kernel::sysv::listing::Detail;
use crate::kernel::sysv::proc_table::Table;

mod details;
mod layout;
mod limits;

use layout::{Align, Column, Field, Layout};

const fn option(short: Option<char>, long: &'static str, help: &'static str) -> Opt {
    Opt { short, long, value: OptValue::None, help }
}

/// Its help.
pub(super) const PROGRAM: Program = Program {
    name: "ipcs",
    synopsis: &["[resource-option...] [output-option]", "-m|-q|-s -i <id>"],
    purpose: "Show information on IPC facilities.",
    groups: &[
        Group {
            heading: "Options",
            width: 16,
            options: &[
                Opt {
                    short: Some('i'),
                    long: "id",
                    value: OptValue::Required("id"),
                    help: "print details on resource identified by <id>",
                },
                HELP,
                VERSION,
            ],
        },
        Group {
            heading: "Resource options",
            width: 19,
            options: &[
                option(Some('m'), "shmems", "shared memory segments"),
                option(Some('q'), "queues", "message queues"),
                option(Some('s'), "semaphores", "semaphores"),
                option(Some('a'), "all", "all (default)"),
            ],
        },
        Group {
            heading: "Output options",
            width: 19,
            options: &[
                option(Some('t'), "time", "show attach, detach and change times"),
                option(Some('p'), "pid", "show PIDs of creator and last operator"),
                option(Some('c'), "creator", "show creator and owner"),
                option(Some('l'), "limits", "show resource limits"),
                option(Some('u'), "summary", "show status summary"),
                option(None, "human", "show sizes in human-readable format"),
                option(Some('b'), "bytes", "show sizes in bytes"),
            ],
        },
    ],
    listed_first: &["id", "queues"],
    notes: "",
    differs: "\
\x20 - -i finds nothing for a negative id: util-linux shows the first object, or crashes.
  - Without /proc there is no list and no -i: util-linux then reads each object by a system call.
  - Bytes in the name of a user or group that are not UTF-8 are shown as U+FFFD.
",
};

/// Which table is shown of each kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Brief,
    Times,
    Pids,
    Creators,
    Limits,
    Summary,
}

/// The unit of sizes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// The traditional unit of each size.
    Usual,
    Bytes,
    Kilobytes,
    Human,
}

pub(super) fn run(session: &mut Session, arguments: &[OsString]) -> Result<Status> {
    let mut options = Getopt::new(PROGRAM.options(), arguments);
    let (mut queues, mut segments, mut sets) = (false, false, false);
    let mut format = Format::Brief;
    let mut unit = Unit::Usual;
    let mut id = None;
    while let Some((option, value)) = session.option(&PROGRAM, &mut options)? {
        match option {
            "id" => {
                let text = value.unwrap_or_default();
                let unparsed =
                    |invalid| session.unparsed("failed to parse id argument", text, invalid);
                id = Some(c_number::decimal(text).map_err(unparsed)?);
            }
            "queues" => queues = true,
            "shmems" => segments = true,
            "semaphores" => sets = true,
            "all" => (queues, segments, sets) = (true, true, true),
            "time" => format = Format::Times,
            "pid" => format = Format::Pids,
            "creator" => format = Format::Creators,
            "limits" => format = Format::Limits,
            "summary" => format = Format::Summary,
            "human" => unit = Unit::Human,
            _ => unit = Unit::Bytes,
        }
    }
    let chosen = [(queues, Table::Msg), (segments, Table::Shm), (sets, Table::Sem)];
    let mut kinds: Vec<_> = chosen.iter().filter(|(chosen, _)| *chosen).map(|(_, k)| *k).collect();
    let mut listing = Listing { session, unit, names: Names::default(), cell: Vec::new() };
    if let Some(id) = id {
        let &[kind] = kinds.as_slice() else {
            let what = "when using an ID, a single resource must be specified";
            return Err(listing.session.fail(what));
        };
        listing.details(kind, id)?;
        return Ok(Status::Done);
    }
    if kinds.is_empty() {
        kinds = Table::ALL.to_vec();
    }
    listing.print("\n");
    for kind in kinds {
        match format {
            Format::Limits => listing.limits(kind),
            Format::Summary => listing.summary(kind),
            _ => listing.list(kind, format)?,
        }
        listing.print("\n");
    }
    Ok(Status::Done)
}

/// The output of one run, and what is needed to write it.
struct Listing<'a> {
    session: &'a mut Session,
    unit: Unit,
    names: Names,
    /// The text of one cell, before it is aligned in its column.
    cell: Vec<u8>,
}

/// Appends formatted text to the output. Writing to a vector cannot fail.
macro_rules! put {
    ($listing:expr, $($format:tt)+) => {{
        let _ = write!($listing.session.out, $($format)+);
    }};
}
use put;

impl Listing<'_> {
    fn print(&mut self, text: &str) {
        self.session.out.extend(text.bytes());
        self.session.flush_some();
    }

    /// Lists every object of a kind, one per line.
    fn list(&mut self, kind: Table, format: Format) -> Result<()> {
        let Some(layout) = layout::of(kind, format, self.unit == Unit::Human) else {
            // The kernel records no process for a semaphore set as a whole.
            return Ok(());
        };
        put!(self, "------ {} --------\n", layout.title);
        for (place, column) in layout.columns.iter().enumerate() {
            let gap = if place > 0 { " " } else { "" };
            put!(self, "{gap}{:width$}", column.heading, width = column.heading_width);
        }
        self.print("\n");
        let namespace = Rc::clone(&self.session.namespace);
        let read = namespace.read_all(kind.kind(), Detail::WithoutMemory, |object| {
            self.row(layout, &object);
            match self.session.is_broken() {
                true => Err(Ended::NobodyReads),
                false => Ok(()),
            }
        });
        match read {
            Err(Ended::Unreadable(error)) => Err(self.session.fail(error.to_string())),
            _ => Ok(()),
        }
    }

    fn row(&mut self, layout: &Layout, object: &Object) {
        for (place, column) in layout.columns.iter().enumerate() {
            if place > 0 {
                self.session.out.extend(column.gap.bytes());
            }
            self.cell.clear();
            self.fill(column, object);
            let length = self.cell.len().min(column.cut);
            self.cell.truncate(length);
            let padding = std::iter::repeat_n(b' ', column.width.saturating_sub(length));
            match column.align {
                Align::Left => {
                    self.session.out.extend(&self.cell);
                    self.session.out.extend(padding);
                }
                Align::Right => {
                    self.session.out.extend(padding);
                    self.session.out.extend(&self.cell);
                }
            }
        }
        self.session.out.push(b'\n');
        self.session.flush_some();
    }

    /// Writes the value of an object in a column to `cell`.
    fn fill(&mut self, column: &Column, object: &Object) {
        let permissions = object.permissions();
        match column.field {
            Field::Owner => self.fill_user(permissions.uid),
            Field::Creator => self.fill_user(permissions.cuid),
            Field::OwnersGroup => self.fill_group(permissions.gid),
            Field::CreatorsGroup => self.fill_group(permissions.cgid),
            _ => self.fill_value(column, object),
        }
    }

    fn fill_user(&mut self, uid: u32) {
        self.names.with_user(uid, |name| self.cell.extend_from_slice(name.as_ref()));
    }

    fn fill_group(&mut self, gid: u32) {
        self.names.with_group(gid, |name| self.cell.extend_from_slice(name.as_ref()));
    }

    /// Writes a value that is not an account name to `cell`.
    fn fill_value(&mut self, column: &Column, object: &Object) {
        let (cell, permissions) = (&mut self.cell, object.permissions());
        let ctime = |time: Option<Time>| {
            // Skips "Sat " in "Sat Nov 21 22:23:13 2026".
            let skipped = if column.without_day && time.is_some() { 4 } else { 0 };
            ctime(time).split_off(skipped)
        };
        // Writing to a vector cannot fail.
        let _ = match (column.field, object) {
            (Field::Key, _) => write!(cell, "{}", permissions.key),
            (Field::Id, _) => write!(cell, "{}", object.reference().target),
            (Field::Mode, _) => write!(cell, "{:o}", permissions.mode.bits()),
            (Field::Changed, _) => write!(cell, "{}", ctime(object.changed())),
            (Field::Size, Object::Queue(queue)) => write!(cell, "{}", queue.bytes),
            (Field::Size, Object::Segment(segment)) => write!(cell, "{}", segment.size),
            (Field::HumanSize, Object::Queue(queue)) => {
                write!(cell, "{:>6}      ", human(queue.bytes))
            }
            (Field::HumanSize, Object::Segment(segment)) => {
                write!(cell, "{:>6}    ", human(segment.size))
            }
            (Field::Count, Object::Queue(queue)) => write!(cell, "{}", queue.messages),
            (Field::Count, Object::Segment(segment)) => write!(cell, "{}", segment.attached),
            (Field::Count, Object::SemaphoreSet(set)) => write!(cell, "{}", set.nsems),
            (Field::Status, Object::Segment(segment)) => {
                let dest = if segment.status.is_marked() { "dest" } else { " " };
                let locked = if segment.status.is_locked() { "locked" } else { " " };
                write!(cell, "{dest:6} {locked:6}")
            }
            (Field::FirstPid, Object::Queue(queue)) => write!(cell, "{}", queue.last_send_pid),
            (Field::LastPid, Object::Queue(queue)) => write!(cell, "{}", queue.last_recv_pid),
            (Field::FirstPid, Object::Segment(segment)) => write!(cell, "{}", segment.creator_pid),
            (Field::LastPid, Object::Segment(segment)) => write!(cell, "{}", segment.last_pid),
            (Field::FirstTime, Object::Queue(queue)) => write!(cell, "{}", ctime(queue.last_send)),
            (Field::LastTime, Object::Queue(queue)) => write!(cell, "{}", ctime(queue.last_recv)),
            (Field::FirstTime, Object::Segment(segment)) => {
                write!(cell, "{}", ctime(segment.last_attach))
            }
            (Field::LastTime, Object::Segment(segment)) => {
                write!(cell, "{}", ctime(segment.last_detach))
            }
            (Field::FirstTime, Object::SemaphoreSet(set)) => {
                write!(cell, "{}", ctime(set.last_op))
            }
            _ => Ok(()),
        };
    }

    /// Prints a size after a label, to which the unit is added unless it ends with `=`.
    fn size(&mut self, unit: Unit, label: &str, size: u64, end: &str) {
        let label = match unit {
            _ if label.ends_with('=') => label.to_owned(),
            Unit::Bytes => format!("{label} (bytes) = "),
            Unit::Kilobytes => format!("{label} (kbytes) = "),
            _ => format!("{label} = "),
        };
        match unit {
            Unit::Usual | Unit::Bytes => put!(self, "{label}{size}{end}"),
            Unit::Kilobytes => put!(self, "{label}{}{end}", size / 1024),
            Unit::Human => put!(self, "{label}{}{end}", human(size)),
        }
    }
}

/// Why a list ended early.
enum Ended {
    Unreadable(ReadError),
    NobodyReads,
}

impl From<ReadError> for Ended {
    fn from(error: ReadError) -> Ended {
        Ended::Unreadable(error)
    }
}

impl Unit {
    fn or(self, usual: Unit) -> Unit {
        if self == Unit::Usual { usual } else { self }
    }
}

/// The text for a time that is not set.
const NEVER: &str = "Not set";

fn ctime(time: Option<Time>) -> String {
    match time {
        Some(time) => local_time::ctime(time).unwrap_or_else(|| format!("@{}", time.0)),
        None => NEVER.to_owned(),
    }
}

/// A size in the largest unit of 1024 that fits, rounded to a tenth: 1.5K.
fn human(size: u64) -> String {
    let exponent = 10 * (size.checked_ilog2().unwrap_or(0) / 10);
    let unit = ["B", "K", "M", "G", "T", "P", "E"][(exponent / 10) as usize];
    let (whole, rest) = (size >> exponent, u128::from(size) & ((1 << exponent) - 1));
    // Rounds three digits after the point to one.
    match (((rest * 1000) >> exponent) + 50) / 100 {
        0 => format!("{whole}{unit}"),
        10 => format!("{}{unit}", whole + 1),
        tenths => format!("{whole}.{tenths}{unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded() {
        let show = human;
        assert_eq!(show(0), "0B");
        assert_eq!(show(1023), "1023B");
        assert_eq!(show(1024), "1K");
        assert_eq!(show(1536), "1.5K");
        assert_eq!(show(1024 + 50), "1K");
        assert_eq!(show(1024 + 52), "1.1K");
        assert_eq!(show((1 << 20) - 1), "1024K");
        assert_eq!(show(u64::MAX), "16E");
    }
}
