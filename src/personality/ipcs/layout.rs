//! The tables of `ipcs`: their columns, headings and widths.

use super::Format;
use crate::kernel::sysv::proc_table::Table;

/// A table of objects of one kind.
pub(super) struct Layout {
    /// The title above it, between dashes.
    pub title: &'static str,
    /// Its columns from left to right.
    pub columns: &'static [Column],
}

/// A column of a table. Wider text is cut only if the column says so.
pub(super) struct Column {
    /// Its heading.
    pub heading: &'static str,
    /// The width of the heading.
    pub heading_width: usize,
    /// Which value of an object it shows.
    pub field: Field,
    /// The text between it and the column to its left.
    pub gap: &'static str,
    /// Its width.
    pub width: usize,
    /// The maximum number of bytes of text.
    pub cut: usize,
    /// How shorter text is aligned.
    pub align: Align,
    /// Whether a time omits the day of the week.
    pub without_day: bool,
}

/// The alignment of text in a column.
pub(super) enum Align {
    Left,
    Right,
}

/// A value of an object.
#[derive(Clone, Copy)]
pub(super) enum Field {
    Key,
    Id,
    Owner,
    OwnersGroup,
    Creator,
    CreatorsGroup,
    Mode,
    /// Bytes of payload, or of memory.
    Size,
    HumanSize,
    /// The number of messages, attaches or semaphores.
    Count,
    Status,
    /// The last sender, or the creator.
    FirstPid,
    /// The last receiver, or the last process that attached or detached.
    LastPid,
    /// The last send, attach or operation.
    FirstTime,
    /// The last receive or detach.
    LastTime,
    Changed,
}

const fn column(heading: &'static str, width: usize, field: Field) -> Column {
    Column {
        heading,
        heading_width: width,
        field,
        gap: " ",
        width,
        cut: usize::MAX,
        align: Align::Left,
        without_day: false,
    }
}

impl Column {
    const fn heading_width(self, heading_width: usize) -> Column {
        Column { heading_width, ..self }
    }

    const fn gap(self, gap: &'static str) -> Column {
        Column { gap, ..self }
    }

    const fn cut(self, cut: usize) -> Column {
        Column { cut, ..self }
    }

    const fn right(self) -> Column {
        Column { align: Align::Right, ..self }
    }
}

const fn key() -> Column {
    column("key", 10, Field::Key)
}

const fn id(heading: &'static str) -> Column {
    column(heading, 10, Field::Id)
}

/// An id in the tables of times, where it is narrower.
const fn short_id(heading: &'static str) -> Column {
    column(heading, 8, Field::Id)
}

const fn owner() -> Column {
    column("owner", 10, Field::Owner).cut(10)
}

const fn mode() -> Column {
    column("perms", 10, Field::Mode)
}

/// `Nov 21 22:23:13`
const fn time(heading: &'static str, field: Field) -> Column {
    Column { without_day: true, ..column(heading, 20, field).cut(16) }
}

/// `Sat Nov 21 22:23:13 2026`
const fn long_time(heading: &'static str, field: Field) -> Column {
    column(heading, 26, field).cut(24)
}

/// A static table.
macro_rules! table {
    ($title:literal: $($column:expr),+ $(,)?) => {
        const { &Layout { title: $title, columns: &[$($column),+] } }
    };
}

/// The tables of owners differ only in the title and the name of the id.
macro_rules! creators {
    ($title:literal, $id:literal) => {
        table!($title:
            id($id),
            mode(),
            column("cuid", 10, Field::Creator),
            column("cgid", 10, Field::CreatorsGroup),
            column("uid", 10, Field::Owner),
            column("gid", 10, Field::OwnersGroup),
        )
    };
}

/// The table of a kind in a format; `None` if there is none.
pub(super) fn of(kind: Table, format: Format, human: bool) -> Option<&'static Layout> {
    Some(match (kind, format) {
        (Table::Msg, Format::Creators) => creators!("Message Queues Creators/Owners", "msqid"),
        (Table::Shm, Format::Creators) => {
            creators!("Shared Memory Segment Creators/Owners", "shmid")
        }
        (Table::Sem, Format::Creators) => creators!("Semaphore Arrays Creators/Owners", "semid"),
        (Table::Msg, Format::Times) => table!("Message Queues Send/Recv/Change Times":
            short_id("msqid"),
            owner(),
            time("send", Field::FirstTime),
            time("recv", Field::LastTime),
            time("change", Field::Changed),
        ),
        (Table::Shm, Format::Times) => table!("Shared Memory Attach/Detach/Change Times":
            id("shmid"),
            owner(),
            time("attached", Field::FirstTime),
            time("detached", Field::LastTime),
            time("changed", Field::Changed),
        ),
        (Table::Sem, Format::Times) => table!("Semaphore Operation/Change Times":
            short_id("semid"),
            owner(),
            long_time("last-op", Field::FirstTime).gap("  "),
            long_time("last-changed", Field::Changed),
        ),
        (Table::Msg, Format::Pids) => table!("Message Queues PIDs":
            short_id("msqid").heading_width(10),
            owner(),
            column("lspid", 5, Field::FirstPid).heading_width(10).gap("  ").right(),
            column("lrpid", 5, Field::LastPid).heading_width(10).gap("     ").right(),
        ),
        (Table::Shm, Format::Pids) => table!("Shared Memory Creator/Last-op PIDs":
            id("shmid"),
            owner(),
            column("cpid", 10, Field::FirstPid),
            column("lpid", 10, Field::LastPid),
        ),
        (Table::Sem, Format::Pids) => return None,
        (Table::Msg, _) if human => table!("Message Queues":
            key(),
            id("msqid"),
            owner(),
            mode(),
            column("size", 12, Field::HumanSize),
            column("messages", 12, Field::Count),
        ),
        (Table::Msg, _) => table!("Message Queues":
            key(),
            id("msqid"),
            owner(),
            mode(),
            column("used-bytes", 12, Field::Size),
            column("messages", 12, Field::Count),
        ),
        (Table::Shm, _) if human => table!("Shared Memory Segments":
            key(),
            id("shmid"),
            owner(),
            mode(),
            column("size", 10, Field::HumanSize),
            column("nattch", 10, Field::Count),
            column("status", 12, Field::Status),
        ),
        (Table::Shm, _) => table!("Shared Memory Segments":
            key(),
            id("shmid"),
            owner(),
            mode(),
            column("bytes", 10, Field::Size),
            column("nattch", 10, Field::Count),
            column("status", 12, Field::Status),
        ),
        (Table::Sem, _) => table!("Semaphore Arrays":
            key(),
            id("semid"),
            owner(),
            mode(),
            column("nsems", 10, Field::Count),
        ),
    })
}
