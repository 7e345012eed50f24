//! `ipcs -i`: details of one object.

use std::io::Write;

use super::{Listing, Unit, ctime, put};
use crate::ipc::sysv::Semaphore;
use crate::ipc::{Object, Permissions, Queue, Reference, Segment, SemaphoreSet, Time};
use crate::kernel::StatusError;
use crate::kernel::sysv::proc_table::Table;
use crate::kernel::sysv::{msg, sem};
use crate::personality::util_linux::session::Result;

impl Listing<'_> {
    /// Prints the details of one object. A missing object is a warning, not a failure.
    pub(super) fn details(&mut self, kind: Table, id: i32) -> Result<()> {
        match self.session.namespace.status(&Reference::id(kind.kind(), id)) {
            Err(StatusError::Call(_)) => self.session.warn(format!("id {id} not found")),
            Err(error) => return Err(self.session.fail(error.to_string())),
            Ok(Object::Queue(queue)) => self.queue(&queue),
            Ok(Object::Segment(segment)) => self.segment(&segment),
            Ok(Object::SemaphoreSet(set)) => {
                let failed = "semctl(GETVAL) failed";
                let semaphores = sem::semaphores(id, set.nsems)
                    .map_err(|error| self.session.fail_with(failed, error.errno))?;
                self.set(&set, &semaphores);
            }
            // Objects of other kinds have no id.
            Ok(_) => {}
        }
        Ok(())
    }

    fn queue(&mut self, queue: &Queue) {
        let Permissions { uid, gid, cuid, cgid, mode, .. } = queue.permissions;
        // Without read permission, the details are not shown.
        let may_read = msg::check_readable(queue.id).is_ok();
        let max_bytes = queue.max_bytes.filter(|_| may_read).unwrap_or(0);
        put!(self, "\nMessage Queue msqid={}\n", queue.id);
        put!(
            self,
            "uid={uid}\tgid={gid}\tcuid={cuid}\tcgid={cgid}\tmode={}\n",
            c_octal(mode.bits())
        );
        let is_human = self.unit == Unit::Human;
        self.size(self.unit, if is_human { "csize=" } else { "cbytes=" }, queue.bytes, "\t");
        self.size(self.unit, if is_human { "qsize=" } else { "qbytes=" }, max_bytes, "\t");
        put!(self, "qnum={}\t", queue.messages);
        put!(self, "lspid={}\tlrpid={}\n", queue.last_send_pid, queue.last_recv_pid);
        put!(self, "send_time={:26}\n", ctime(queue.last_send));
        put!(self, "rcv_time={:26}\n", ctime(queue.last_recv));
        put!(self, "change_time={:26}\n\n", ctime(queue.changed));
    }

    fn segment(&mut self, segment: &Segment) {
        let Permissions { uid, gid, cuid, cgid, mode, .. } = segment.permissions;
        put!(self, "\nShared memory Segment shmid={}\n", segment.id);
        put!(self, "uid={uid}\tgid={gid}\tcuid={cuid}\tcgid={cgid}\n");
        let raw_mode = mode.bits() | segment.status.bits();
        put!(self, "mode={}\taccess_perms={}\n", c_octal(raw_mode), c_octal(mode.bits()));
        let label = if self.unit == Unit::Human { "size=" } else { "bytes=" };
        self.size(self.unit, label, segment.size, "\t");
        put!(self, "lpid={}\tcpid={}\t", segment.last_pid, segment.creator_pid);
        put!(self, "nattch={}\n", segment.attached);
        put!(self, "att_time={:26}\n", ctime(segment.last_attach));
        put!(self, "det_time={:26}\n", ctime(segment.last_detach));
        put!(self, "change_time={:26}\n\n", ctime(segment.changed.or(Some(Time(0)))));
    }

    fn set(&mut self, set: &SemaphoreSet, semaphores: &[Semaphore]) {
        let Permissions { uid, gid, cuid, cgid, mode, .. } = set.permissions;
        put!(self, "\nSemaphore Array semid={}\n", set.id);
        put!(self, "uid={uid}\t gid={gid}\t cuid={cuid}\t cgid={cgid}\n");
        let mode = c_octal(mode.bits());
        put!(self, "mode={mode}, access_perms={mode}\n");
        put!(self, "nsems = {}\n", set.nsems);
        put!(self, "otime = {:26}\n", ctime(set.last_op));
        put!(self, "ctime = {:26}\n", ctime(set.changed.or(Some(Time(0)))));
        let mut line = |cells: [&str; 5]| {
            for (place, cell) in cells.into_iter().enumerate() {
                put!(self, "{cell:10}{}", if place < 4 { " " } else { "\n" });
            }
        };
        line(["semnum", "value", "ncount", "zcount", "pid"]);
        for Semaphore { index, value, ncount, zcount, last_pid } in semaphores {
            let numbers = [*index, *value, *ncount, *zcount].map(|number| number.to_string());
            let [index, value, ncount, zcount] = numbers.each_ref().map(String::as_str);
            line([index, value, ncount, zcount, &last_pid.to_string()]);
        }
        self.print("\n");
    }
}

/// Octal with a leading 0, except for 0 itself: `%#o` of C.
fn c_octal(bits: u32) -> String {
    if bits == 0 { "0".to_owned() } else { format!("0{bits:o}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octal_as_c_has_it() {
        assert_eq!((c_octal(0), c_octal(0o644)), ("0".to_owned(), "0644".to_owned()));
    }
}
