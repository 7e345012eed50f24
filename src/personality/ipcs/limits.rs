//! `ipcs -l` and `ipcs -u`: the limits, and the totals of all objects.

use std::io::Write;

use super::{Listing, Unit, put};
use crate::kernel::process;
use crate::kernel::sysv::proc_table::Table;
use crate::kernel::sysv::totals::{self, SegmentLimits};

impl Listing<'_> {
    /// Prints the limits of a kind.
    pub(super) fn limits(&mut self, kind: Table) {
        let printed = match kind {
            Table::Msg => self.queue_limits().ok_or("message"),
            Table::Shm => self.segment_limits().ok_or("shared memory"),
            Table::Sem => self.set_limits().ok_or("semaphore"),
        };
        if let Err(kind) = printed {
            self.print(&format!("unable to fetch {kind} limits\n"));
        }
    }

    fn queue_limits(&mut self) -> Option<()> {
        let limits = totals::queue_limits().ok()?;
        self.print("------ Messages Limits --------\n");
        put!(self, "max queues system wide = {}\n", limits.msgmni);
        let unit = self.unit.or(Unit::Bytes);
        self.size(unit, "max size of message", limits.msgmax as u64, "\n");
        self.size(unit, "default max size of queue", limits.msgmnb as u64, "\n");
        Some(())
    }

    fn segment_limits(&mut self) -> Option<()> {
        let SegmentLimits { shmmni, shmmax, shmmin, shmall, .. } = totals::segment_limits().ok()?;
        self.print("------ Shared Memory Limits --------\n");
        put!(self, "max number of segments = {shmmni}\n");
        self.size(self.unit.or(Unit::Kilobytes), "max seg size", shmmax, "\n");
        // Rounded down to whole pages if the product overflows.
        let pages_of = |size: u64| shmall.checked_mul(size).unwrap_or(u64::MAX - u64::MAX % size);
        let label = "max total shared memory";
        match self.unit {
            Unit::Usual => {
                put!(self, "{label} (kbytes) = {}\n", pages_of(process::page_size() / 1024));
            }
            unit => self.size(unit, label, pages_of(process::page_size()), "\n"),
        }
        self.size(self.unit.or(Unit::Bytes), "min seg size", shmmin, "\n");
        Some(())
    }

    fn set_limits(&mut self) -> Option<()> {
        let limits = totals::set_limits().ok()?;
        self.print("------ Semaphore Limits --------\n");
        put!(self, "max number of arrays = {}\n", limits.semmni);
        put!(self, "max semaphores per array = {}\n", limits.semmsl);
        put!(self, "max semaphores system wide = {}\n", limits.semmns);
        put!(self, "max ops per semop call = {}\n", limits.semopm);
        put!(self, "semaphore max value = {}\n", limits.semvmx);
        Some(())
    }

    /// Prints the totals over all objects of a kind.
    pub(super) fn summary(&mut self, kind: Table) {
        let printed = match kind {
            Table::Msg => self.queue_summary().ok_or("message queues"),
            Table::Shm => self.segment_summary().ok_or("shared memory"),
            Table::Sem => self.set_summary().ok_or("semaphores"),
        };
        if let Err(kinds) = printed {
            self.print(&format!("kernel not configured for {kinds}\n"));
        }
    }

    fn queue_summary(&mut self) -> Option<()> {
        let sums = totals::queues().ok()?;
        self.print("------ Messages Status --------\n");
        put!(self, "allocated queues = {}\n", sums.queues);
        put!(self, "used headers = {}\n", sums.messages);
        let end = if self.unit == Unit::Usual { " bytes\n" } else { "\n" };
        self.size(self.unit, "used space", sums.bytes as u64, end);
        Some(())
    }

    fn segment_summary(&mut self) -> Option<()> {
        let sums = totals::segments().ok()?;
        self.print("------ Shared Memory Status --------\n");
        put!(self, "segments allocated {}\n", sums.segments);
        put!(self, "pages allocated {}\n", sums.pages);
        put!(self, "pages resident  {}\n", sums.resident);
        put!(self, "pages swapped   {}\n", sums.swapped);
        let (attempts, successes) = (sums.swap_attempts, sums.swap_successes);
        put!(self, "Swap performance: {attempts} attempts\t {successes} successes\n");
        Some(())
    }

    fn set_summary(&mut self) -> Option<()> {
        let sums = totals::sets().ok()?;
        self.print("------ Semaphore Status --------\n");
        put!(self, "used arrays = {}\n", sums.sets);
        put!(self, "allocated semaphores = {}\n", sums.semaphores);
        Some(())
    }
}
