//! The state of a process, `/proc/PID/stat` in `proc_pid_stat(5)`, and whether it lives.

use std::io;

use nix::unistd;

use super::pids::{all, threads};
use super::proc_file;
use crate::ipc::Foreign;

/// The text of `/proc/PID/stat`.
pub(crate) struct Stat {
    text: Vec<u8>,
    /// The range of the name, which may contain blanks and parentheses.
    name: std::ops::Range<usize>,
}

impl Stat {
    pub(super) fn read(pid: i32) -> Option<Stat> {
        Stat::parse(proc_file::read(&format!("/proc/{pid}/stat")).ok()?)
    }

    /// The same for a process that may be gone: `None` if it is. Other errors leave its state unknown.
    pub(super) fn find(pid: i32) -> io::Result<Option<Stat>> {
        match proc_file::read(&format!("/proc/{pid}/stat")) {
            Ok(text) => Ok(Stat::parse(text)),
            // If /proc hides the processes of others, this error does not mean that the process is
            // gone.
            Err(error) if is_gone_error(&error) && is_gone(pid) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The text for the process that created this one, or has adopted it; `None` for the first process
    /// of its namespace.
    pub(super) fn of_parent(&self) -> io::Result<Option<Stat>> {
        match self.field(4).and_then(|parent| parent.parse().ok()) {
            None | Some(0) => Ok(None),
            Some(parent) => Stat::find(parent),
        }
    }

    pub(crate) fn parse(text: Vec<u8>) -> Option<Stat> {
        let start = text.iter().position(|&byte| byte == b'(')? + 1;
        let end = text.iter().rposition(|&byte| byte == b')')?;
        (start <= end).then_some(Stat { text, name: start..end })
    }

    pub(super) fn pid(&self) -> Option<i32> {
        let text = std::str::from_utf8(self.text.get(..self.name.start - 1)?).ok()?;
        text.trim().parse().ok()
    }

    pub(super) fn name(&self) -> &[u8] {
        &self.text[self.name.clone()]
    }

    /// The name in brackets, in place of a command line.
    pub(super) fn bracketed_name(&self) -> Foreign {
        Foreign::command([b"[", self.name(), b"]"].concat(), false)
    }

    /// The fields after the name.
    fn fields(&self) -> &str {
        std::str::from_utf8(&self.text[self.name.end + 1..]).unwrap_or_default()
    }

    /// A field by its number in `proc_pid_stat(5)`, from 3 on.
    pub(super) fn field(&self, number: usize) -> Option<&str> {
        self.fields().split_ascii_whitespace().nth(number - 3)
    }

    pub(in crate::kernel) fn started(&self) -> Option<i64> {
        self.field(22)?.parse().ok()
    }

    /// The `PF_…` flags of `linux/sched.h`.
    pub(super) fn flags(&self) -> Option<u64> {
        self.field(9)?.parse().ok()
    }

    pub(super) fn is_kernel_thread(&self) -> bool {
        const PF_KTHREAD: u64 = 0x0020_0000;
        self.flags().is_some_and(|flags| flags & PF_KTHREAD != 0)
    }

    /// How many threads it has, including a zombie.
    fn threads(&self) -> Option<u64> {
        self.field(20)?.parse().ok()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.is_zombie() && self.threads().is_none_or(|threads| threads <= 1)
    }

    /// Whether the described thread, the first one of a process, is a zombie.
    fn is_zombie(&self) -> bool {
        matches!(self.field(3), Some("Z" | "X"))
    }

    /// Whether that thread is a zombie or about to end: it never waits for anything again.
    fn is_leaving(&self) -> bool {
        self.is_zombie() || self.flags().is_some_and(|flags| flags & PF_EXITING != 0)
    }
}

/// The flag of a thread that is about to end, `linux/sched.h`.
pub(super) const PF_EXITING: u64 = 4;

/// Whether an error means that a process, a thread or a descriptor does not exist any more, or that the
/// kernel has no such file. Other errors leave that unknown.
pub(in crate::kernel) fn is_gone_error(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH))
}

/// Whether a process has certainly ended or is about to: all of its threads have or are.
pub fn has_left(pid: i32) -> bool {
    match threads(pid) {
        Ok(threads) => threads.into_iter().all(|thread| has_thread_left(pid, thread)),
        Err(error) => is_gone_error(&error),
    }
}

/// Whether a thread of a process has certainly ended or is about to.
pub fn has_thread_left(pid: i32, thread: i32) -> bool {
    match proc_file::read(&format!("/proc/{pid}/task/{thread}/stat")) {
        Ok(text) => Stat::parse(text).is_some_and(|stat| stat.is_leaving()),
        Err(error) => is_gone_error(&error),
    }
}

/// When a process started, in ticks since boot; `None` if it has ended, and for a kernel thread.
pub(in crate::kernel) fn started(pid: i32) -> Option<i64> {
    let stat = Stat::read(pid)?;
    if stat.has_ended() || stat.is_kernel_thread() { None } else { stat.started() }
}

/// Whether certainly no process has this pid. One that may not be inspected exists.
pub fn is_gone(pid: i32) -> bool {
    let exists = nix::sys::signal::kill(unistd::Pid::from_raw(pid), None);
    if exists == Err(nix::errno::Errno::ESRCH) {
        return true;
    }
    Stat::read(pid).is_some_and(|stat| stat.has_ended())
}

/// Whether this process is stopped by a signal (SIGSTOP, or a debugger), `T` in `proc_pid_stat(5)`.
pub fn is_stopped(pid: i32) -> bool {
    Stat::read(pid).is_some_and(|stat| matches!(stat.field(3), Some("T" | "t")))
}

/// The processes whose program has this name (its first 15 bytes, `comm` in `proc_pid_comm(5)`).
pub fn named(name: &str) -> impl Iterator<Item = i32> {
    let is_named = move |stat: Stat| stat.name() == name.as_bytes() && !stat.has_ended();
    all().filter(move |&pid| Stat::read(pid).is_some_and(is_named))
}

/// Whether this is a kernel thread, which has no user memory.
pub fn is_kernel_thread(pid: i32) -> bool {
    Stat::read(pid).is_some_and(|stat| stat.is_kernel_thread())
}

/// Converts ticks of the kernel to nanoseconds.
pub(super) fn since_boot(ticks: i64) -> Option<i64> {
    Some(ticks.saturating_mul(1_000_000_000 / ticks_per_second()?))
}

#[allow(clippy::useless_conversion, reason = "a long has 32 bits on some machines")]
pub(in crate::kernel) fn ticks_per_second() -> Option<i64> {
    unistd::sysconf(unistd::SysconfVar::CLK_TCK).ok()?.map(i64::from)
}

/// The size of a page in bytes.
pub fn page_size() -> u64 {
    let size = unistd::sysconf(unistd::SysconfVar::PAGE_SIZE);
    size.ok().flatten().and_then(|size| size.try_into().ok()).unwrap_or(4096)
}
