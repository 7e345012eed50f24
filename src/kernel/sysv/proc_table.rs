//! Reads the tables in `/proc/sysvipc`, `proc_sysvipc(5)`.

use crate::ipc::Foreign;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::ipc::Object;
use crate::ipc::sysv::{Queue, Segment, SegmentStatus, SemaphoreSet};
use crate::ipc::{Key, Kind, Mode, Permissions, Time};
use crate::kernel::error::ReadError;
use crate::kernel::limits::slot_bits;
use crate::kernel::namespace::{ids, inside};

/// A System V kind, which has a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `/proc/sysvipc/msg`.
    Msg,
    /// `/proc/sysvipc/shm`.
    Shm,
    /// `/proc/sysvipc/sem`.
    Sem,
}

impl Table {
    /// All tables.
    pub const ALL: [Table; 3] = [Table::Msg, Table::Shm, Table::Sem];

    /// The kind of its objects.
    pub fn kind(self) -> Kind {
        match self {
            Table::Msg => Kind::Msg,
            Table::Shm => Kind::Shm,
            Table::Sem => Kind::Sem,
        }
    }

    /// Its file name in the directory of the tables.
    fn file(self) -> &'static str {
        match self {
            Table::Msg => "msg",
            Table::Shm => "shm",
            Table::Sem => "sem",
        }
    }
}

/// Passes each object of one table in this directory, from the kernel's slot `first` on, to `visit` as it is
/// read, in the order of the slots. `visit` can stop by returning an error.
pub fn read<E: From<ReadError>>(
    directory: &Path,
    table: Table,
    first: i32,
    mut visit: impl FnMut(Object) -> Result<(), E>,
) -> Result<(), E> {
    let path = directory.join(table.file());
    let io_error = |error| ReadError::of_table(&path, error);
    // The file shows the namespace of who opens it.
    let mut file = inside(|| File::open(&path)).map_err(io_error)?;
    // The kernel returns at most a page at a time, however large the buffer.
    let mut buffer = [0; 8192];
    let mut filled = 0;
    let mut is_heading = true;
    // The bits of an id that are the slot.
    let slots = if first == 0 { 0 } else { (1 << slot_bits()) - 1 };
    loop {
        let count = match file.read(&mut buffer[filled..]) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(io_error(error).into()),
        };
        filled += count;
        let mut start = 0;
        while let Some(length) = buffer[start..filled].iter().position(|&byte| byte == b'\n') {
            let line = &buffer[start..start + length];
            start += length + 1;
            if std::mem::take(&mut is_heading) {
                continue;
            }
            let object = parse(table, line).ok_or_else(|| malformed(&path, line))?;
            if first == 0 || object.id().is_none_or(|id| id & slots >= first) {
                visit(object)?;
            }
        }
        if count == 0 {
            // The kernel writes no incomplete or endless lines.
            return match filled - start {
                0 => Ok(()),
                _ => Err(malformed(&path, &buffer[start..filled]).into()),
            };
        }
        buffer.copy_within(start..filled, 0);
        filled -= start;
    }
}

fn malformed(path: &Path, line: &[u8]) -> ReadError {
    let path = Foreign::from(path);
    ReadError::Malformed { path, line: String::from_utf8_lossy(line).into_owned() }
}

/// Parses a line of `/proc/sysvipc/{msg,shm,sem}`. Columns that newer kernels append are ignored;
/// columns that older ones lack (`rss` and `swap` of segments) become `None`.
pub fn parse(table: Table, line: &[u8]) -> Option<Object> {
    let mut fields = Fields { rest: line };
    let key = Key(fields.signed()?.try_into().ok()?);
    let id = fields.id()?;
    let raw_mode = fields.octal()?;
    let mode = Mode::from_bits(raw_mode);
    Some(match table {
        Table::Msg => {
            let bytes = fields.unsigned()?;
            let messages = fields.unsigned()?;
            let last_send_pid = fields.id()?;
            let last_recv_pid = fields.id()?;
            let permissions = fields.permissions(key, mode)?;
            Object::Queue(Queue {
                id,
                permissions,
                bytes,
                messages,
                max_bytes: None,
                last_send_pid,
                last_recv_pid,
                last_send: fields.time()?,
                last_recv: fields.time()?,
                changed: fields.time()?,
            })
        }
        Table::Shm => {
            let size = fields.unsigned()?;
            let creator_pid = fields.id()?;
            let last_pid = fields.id()?;
            let attached = fields.unsigned()?;
            let permissions = fields.permissions(key, mode)?;
            Object::Segment(Segment {
                id,
                permissions,
                size,
                attached,
                status: SegmentStatus::from_mode(raw_mode),
                huge_page: None,
                creator_pid,
                last_pid,
                last_attach: fields.time()?,
                last_detach: fields.time()?,
                changed: fields.time()?,
                rss: fields.unsigned(),
                swap: fields.unsigned(),
            })
        }
        Table::Sem => {
            let nsems = fields.unsigned()?;
            let permissions = fields.permissions(key, mode)?;
            Object::SemaphoreSet(SemaphoreSet {
                id,
                permissions,
                nsems,
                last_op: fields.time()?,
                changed: fields.time()?,
            })
        }
    })
}

/// The numbers of a line, from left to right. Each method takes the next one; `None` if it is missing
/// or out of range.
struct Fields<'a> {
    rest: &'a [u8],
}

impl Fields<'_> {
    #[inline]
    fn digits(&mut self, radix: u8) -> Option<u64> {
        let mut value: u64 = 0;
        let mut length = 0;
        for &byte in self.rest {
            let digit = byte.wrapping_sub(b'0');
            if digit >= radix {
                break;
            }
            value = value.checked_mul(radix.into())?.checked_add(digit.into())?;
            length += 1;
        }
        let (digits, rest) = self.rest.split_at(length);
        self.rest = rest;
        let ends_well = rest.first().is_none_or(|&next| next == b' ');
        (!digits.is_empty() && ends_well).then_some(value)
    }

    #[inline]
    fn skip_blanks(&mut self) {
        let blanks = self.rest.iter().take_while(|&&byte| byte == b' ').count();
        self.rest = &self.rest[blanks..];
    }

    fn unsigned(&mut self) -> Option<u64> {
        self.skip_blanks();
        self.digits(10)
    }

    fn octal(&mut self) -> Option<u32> {
        self.skip_blanks();
        self.digits(8)?.try_into().ok()
    }

    fn signed(&mut self) -> Option<i64> {
        self.skip_blanks();
        match self.rest {
            [b'-', rest @ ..] => {
                self.rest = rest;
                0i64.checked_sub_unsigned(self.digits(10)?)
            }
            _ => self.digits(10)?.try_into().ok(),
        }
    }

    /// An id or a pid: 32 bits, never negative.
    fn id(&mut self) -> Option<i32> {
        self.unsigned()?.try_into().ok()
    }

    fn time(&mut self) -> Option<Option<Time>> {
        Some(Time::from_kernel(self.unsigned()?.try_into().ok()?))
    }

    fn permissions(&mut self, key: Key, mode: Mode) -> Option<Permissions> {
        let mut user_or_group = || u32::try_from(self.unsigned()?).ok();
        Some(Permissions {
            key,
            uid: ids::user_outside(user_or_group()?),
            gid: ids::group_outside(user_or_group()?),
            cuid: ids::user_outside(user_or_group()?),
            cgid: ids::group_outside(user_or_group()?),
            mode,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_queue() {
        let line = b"     48879      32768   660         30          3      123      456  1000   100     0     0 1700000001 1700000002 1700000003";
        let Some(Object::Queue(queue)) = parse(Table::Msg, line) else { panic!("not understood") };
        assert_eq!((queue.id, queue.bytes, queue.messages), (32768, 30, 3));
        assert_eq!((queue.last_send_pid, queue.last_recv_pid), (123, 456));
        assert_eq!(queue.permissions.key, Key(0xbeef));
        assert_eq!((queue.permissions.uid, queue.permissions.cgid), (1000, 0));
        assert_eq!(queue.permissions.mode.bits(), 0o660);
        assert_eq!(queue.last_recv, Some(Time(1_700_000_002)));
        assert_eq!(queue.changed, Some(Time(1_700_000_003)));
    }

    #[test]
    fn a_segment_with_a_negative_key_and_every_status() {
        let line = b"        -1          5  3600  18446744073692774399     9     0     18446744073709551615 4294967295     0     0     0          0          0 1700000000        8192            4096";
        let Some(Object::Segment(segment)) = parse(Table::Shm, line) else {
            panic!("not understood")
        };
        assert_eq!(segment.permissions.key, Key::FTOK_FAILED);
        assert_eq!(segment.size, 18_446_744_073_692_774_399);
        assert_eq!(segment.attached, u64::MAX);
        assert_eq!(segment.permissions.uid, u32::MAX);
        assert_eq!(segment.status_names().collect::<Vec<_>>(), ["dest", "locked"]);
        assert_eq!((segment.rss, segment.swap), (Some(8192), Some(4096)));
        assert_eq!(segment.last_attach, None);
    }

    #[test]
    fn older_kernels_tell_less_and_newer_ones_more() {
        let line = b"0 5 600 4096 9 0 0 0 0 0 0 0 0 1700000000";
        let Some(Object::Segment(segment)) = parse(Table::Shm, line) else {
            panic!("not understood")
        };
        assert_eq!((segment.rss, segment.swap), (None, None));
        assert!(parse(Table::Sem, b"0 5 600 3 0 0 0 0 0 1700000000 77 columns to come").is_some());
    }

    #[test]
    fn half_a_line_is_not_an_object() {
        for line in [
            "",
            " ",
            "1",
            "1 2 600",
            "1 2 600 3 0 0 0 0 0",
            "1 2 8 3 0 0 0 0 0 0",
            "1 -2 600 3 0 0 0 0 0 0",
        ] {
            assert_eq!(parse(Table::Sem, line.as_bytes()), None, "{line:?}");
        }
        assert_eq!(parse(Table::Sem, b"1 2x 600 3 0 0 0 0 0 0"), None);
        assert_eq!(parse(Table::Sem, b"1 99999999999 600 3 0 0 0 0 0 0"), None);
        assert_eq!(parse(Table::Sem, b"1 2 600 99999999999999999999 0 0 0 0 0 0"), None);
    }

    #[test]
    fn a_table_can_be_read_from_a_slot_on() {
        let directory = tempfile::tempdir().unwrap();
        let line = |id: i32| format!("0 {id} 600 1 0 0 0 0 0 0\n");
        let text = format!("heading\n{}{}{}", line(0), line(32_769), line(2));
        std::fs::write(directory.path().join("sem"), text).unwrap();
        let ids = |first| {
            let mut ids = Vec::new();
            let read = read(directory.path(), Table::Sem, first, |object| {
                ids.extend(object.id());
                Ok::<_, ReadError>(())
            });
            read.unwrap();
            ids
        };
        assert_eq!(ids(0), [0, 32_769, 2]);
        assert_eq!(ids(1), [32_769, 2]);
        assert_eq!(ids(2), [2]);
    }

    proptest! {
        #[test]
        fn every_set_the_kernel_can_print_is_understood(
            key: i32, id in 0..=i32::MAX, mode in 0u32..0o1000, nsems: u32,
            ids: [u32; 4], last_op in 0i64..=i64::MAX, changed in 0i64..=i64::MAX,
        ) {
            let [uid, gid, cuid, cgid] = ids;
            // The format in the kernel's ipc/sem.c.
            let line = format!(
                "{key:10} {id:10}  {mode:4o} {nsems:10} {uid:5} {gid:5} {cuid:5} {cgid:5} {last_op:10} {changed:10}"
            );
            let expected = Object::SemaphoreSet(SemaphoreSet {
                id,
                permissions: Permissions { key: Key(key), uid, gid, cuid, cgid, mode: Mode::from_bits(mode) },
                nsems: nsems.into(),
                last_op: Time::from_kernel(last_op),
                changed: Time::from_kernel(changed),
            });
            prop_assert_eq!(parse(Table::Sem, line.as_bytes()), Some(expected));
        }

        #[test]
        fn no_line_panics(line: Vec<u8>, numbers in "[ 0-9-]{0,200}") {
            for table in Table::ALL {
                let _ = parse(table, &line);
                let _ = parse(table, numbers.as_bytes());
            }
        }
    }
}
