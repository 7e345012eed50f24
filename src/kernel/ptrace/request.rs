//! The requests of `ptrace(2)`, each for one thread that this thread traces and that is stopped, except where it says
//! otherwise.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::memory::Memory;
use super::numbers::Number;
use crate::kernel::call::Outcome;

// The kernel's numbers, which not every C library defines.
const PTRACE_CONT: u32 = 7;
const PTRACE_DETACH: u32 = 17;
const PTRACE_SYSCALL: u32 = 24;
const PTRACE_GETEVENTMSG: u32 = 0x4201;
const PTRACE_SEIZE: u32 = 0x4206;
const PTRACE_INTERRUPT: u32 = 0x4207;
const PTRACE_LISTEN: u32 = 0x4208;
const PTRACE_GET_SYSCALL_INFO: u32 = 0x420e;

/// Stops at system calls are not mistaken for SIGTRAP.
const PTRACE_O_TRACESYSGOOD: usize = 1;
/// New processes and threads are traced from their start.
const PTRACE_O_TRACE_NEW: usize = 1 << 1 | 1 << 2 | 1 << 3;
/// A stop after each `execve(2)`.
const PTRACE_O_TRACEEXEC: usize = 1 << 4;
/// A stop for each call that a filter names.
const PTRACE_O_TRACESECCOMP: usize = 1 << 7;
/// SIGKILL for all that are traced when the tracer ends.
const PTRACE_O_EXITKILL: usize = 1 << 20;

/// How the calls of a thread are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// A seccomp filter that was installed before its program began names them; others do not stop.
    Filter,
    /// It stops at each system call.
    EachCall,
}

/// How a stopped thread continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resume {
    /// Until something happens.
    Freely,
    /// Until the start or the end of a system call.
    ToCall,
    /// Not at all, until SIGCONT: it was stopped by a signal.
    Listen,
    /// It is not traced any more.
    Detached,
}

fn request(request: u32, thread: i32, address: usize, data: usize) -> Result<(), Errno> {
    // SAFETY: these requests take numbers, or a pointer to memory of the size that they fill; none changes the memory
    // of this process beyond that.
    let result = unsafe { libc::ptrace(request as _, thread, address, data) };
    if result < 0 { Err(Errno::last()) } else { Ok(()) }
}

/// Waits for threads that are traced. It takes a sleeping processor longer to wake up than a thread from one call to the
/// next, so a wait begins without sleeping, as long as that has been worth it.
#[derive(Debug)]
pub(super) struct Waiter {
    /// For how long to wait without sleeping.
    patience: Duration,
    /// How often in a row that was in vain, and how many waits are to sleep at once because of that.
    in_vain: u32,
    sleeps: u32,
}

impl Waiter {
    /// Waits as is best where a traced thread can run meanwhile, or not.
    pub fn new() -> Waiter {
        /// Longer than an idle thread takes from one call to the next.
        const PATIENCE: Duration = Duration::from_micros(20);
        let patience = match thread::available_parallelism() {
            Ok(processors) if processors.get() > 1 => PATIENCE,
            _ => Duration::ZERO,
        };
        Waiter { patience, in_vain: 0, sleeps: 0 }
    }

    /// Waits for a thread that is traced, or a child, to stop or to end: its id, and what `waitpid(2)` says about it.
    /// `EINTR` after a signal, `ECHILD` if there is none.
    pub fn wait(&mut self) -> Result<(i32, i32), Errno> {
        const MOST: u32 = 10;
        if self.sleeps > 0 {
            self.sleeps -= 1;
            return wait_for_any(0);
        }
        let began = Instant::now();
        while began.elapsed() < self.patience {
            match wait_for_any(libc::WNOHANG) {
                Ok((0, _)) => {}
                ready => {
                    self.in_vain = 0;
                    return ready;
                }
            }
        }
        self.in_vain = (self.in_vain + 1).min(MOST);
        self.sleeps = 1 << self.in_vain;
        wait_for_any(0)
    }
}

/// The same without waiting: `None` if nothing has happened.
pub(super) fn look() -> Option<(i32, i32)> {
    wait_for_any(libc::WNOHANG).ok().filter(|(thread, _)| *thread != 0)
}

fn wait_for_any(options: i32) -> Result<(i32, i32), Errno> {
    let mut status = 0;
    // SAFETY: the pointer is to a number that outlives the call.
    let thread = unsafe { libc::waitpid(-1, &mut status, libc::__WALL | options) };
    if thread < 0 { Err(Errno::last()) } else { Ok((thread, status)) }
}

/// Begins to trace a thread, which need not be stopped, and goes on. `EPERM` if that is not permitted or if somebody
/// else traces it, `ESRCH` if it is not there.
pub(super) fn seize(thread: i32, manner: Manner) -> Result<(), Errno> {
    let options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACE_NEW | PTRACE_O_TRACEEXEC;
    let more = match manner {
        // Without a tracer, the calls that the filter names would fail.
        Manner::Filter => PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL,
        Manner::EachCall => 0,
    };
    request(PTRACE_SEIZE, thread, 0, options | more)
}

/// Stops a thread that runs.
pub(super) fn interrupt(thread: i32) -> Result<(), Errno> {
    request(PTRACE_INTERRUPT, thread, 0, 0)
}

/// Lets a thread continue, with a signal that it gets, or 0.
pub(super) fn resume(thread: i32, how: Resume, signal: i32) -> Result<(), Errno> {
    let number = match how {
        Resume::Freely => PTRACE_CONT,
        Resume::ToCall => PTRACE_SYSCALL,
        Resume::Listen => PTRACE_LISTEN,
        Resume::Detached => PTRACE_DETACH,
    };
    request(number, thread, 0, signal as usize)
}

/// The number that belongs to an event: the new thread, or the former id of a thread that executed a program.
pub(super) fn event_message(thread: i32) -> Option<i32> {
    let mut message: libc::c_ulong = 0;
    request(PTRACE_GETEVENTMSG, thread, 0, (&raw mut message).addr()).ok()?;
    i32::try_from(message).ok()
}

/// A system call at which a thread has stopped.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stop {
    /// Before it.
    Entry {
        /// The kind of program that makes it, `AUDIT_ARCH_X86_64` for example.
        architecture: u32,
        number: Number,
        arguments: [u64; 6],
    },
    /// Behind it.
    Exit(Outcome),
    /// It is no stop at a call.
    Other,
}

/// `struct ptrace_syscall_info`, up to its longest form.
#[repr(C)]
struct Info {
    op: u8,
    flags: [u8; 3],
    arch: u32,
    instruction_pointer: u64,
    stack_pointer: u64,
    /// Of a stop at the entry: the number of the call, and its arguments. At the exit: the result, and whether it is an
    /// error.
    values: [u64; 8],
}

/// The system call at which a thread has stopped. `EIO` before Linux 5.3.
pub(super) fn stop(thread: i32) -> Result<Stop, Errno> {
    const NONE: u8 = 0;
    const EXIT: u8 = 2;
    let mut info = MaybeUninit::<Info>::zeroed();
    request(PTRACE_GET_SYSCALL_INFO, thread, size_of::<Info>(), info.as_mut_ptr().addr())?;
    // SAFETY: zero is a valid value of every field, and so is what the call writes.
    let Info { op, arch, values, .. } = unsafe { info.assume_init() };
    let [first, arguments @ .., _] = values;
    Ok(match op {
        NONE => Stop::Other,
        EXIT => Stop::Exit(outcome(first as i64, arguments[0] as u8 != 0)),
        _ => Stop::Entry { architecture: arch, number: Number(first), arguments },
    })
}

/// The kernel repeats the call unless a handler runs.
pub(super) const ERESTARTNOHAND: i32 = 514;

fn outcome(value: i64, is_error: bool) -> Outcome {
    // The kernel's own errors that a program never sees: the call is repeated, or becomes EINTR.
    const RESTARTS: std::ops::RangeInclusive<i64> = 512..=516;
    match -value {
        error if is_error && RESTARTS.contains(&error) => Outcome::Interrupted(error as i32),
        error if is_error => Outcome::Failed(Errno::from_raw(error as i32)),
        _ => Outcome::Returned(value),
    }
}

/// Lets a call start again that failed with `EINTR` only because its thread was interrupted in order to be traced, unless
/// a handler runs; whether it was such a call. Others do so by themselves. `signal(7)`, "Interruption of system calls
/// and library functions by stop signals".
#[cfg(target_arch = "x86_64")]
pub(super) fn repeat_call(thread: i32) -> Result<bool, Errno> {
    /// Calls that leave nothing half-done.
    const REPEATED: [libc::c_long; 6] = [
        libc::SYS_semop,
        libc::SYS_semtimedop,
        libc::SYS_epoll_wait,
        libc::SYS_epoll_pwait,
        libc::SYS_epoll_pwait2,
        libc::SYS_rt_sigtimedwait,
    ];
    let mut registers = registers(thread)?;
    let is_interrupted = registers.rax as i64 == -i64::from(libc::EINTR);
    if !is_interrupted || !REPEATED.contains(&(registers.orig_rax as libc::c_long)) {
        return Ok(false);
    }
    registers.rax = -i64::from(ERESTARTNOHAND) as u64;
    set_registers(thread, &registers)?;
    Ok(true)
}

/// Lets a call fail with `EINTR` that would start again.
#[cfg(target_arch = "x86_64")]
pub(super) fn fail_call(thread: i32) -> Result<(), Errno> {
    let mut registers = registers(thread)?;
    if registers.rax as i64 == -i64::from(ERESTARTNOHAND) {
        registers.rax = -i64::from(libc::EINTR) as u64;
        set_registers(thread, &registers)?;
    }
    Ok(())
}

/// Lets a call that is about to begin, and has a timeout as its fourth argument, wait this long. Returns the argument that
/// it had, which it must have again when the call ends.
#[cfg(target_arch = "x86_64")]
pub(super) fn shorten(thread: i32, left: Duration) -> Result<u64, Errno> {
    /// Below its stack pointer a thread may use this many bytes; what is below those is free.
    const RED_ZONE: u64 = 128;
    const ALIGNMENT: u64 = 16;
    let mut registers = registers(thread)?;
    let place = (registers.rsp - RED_ZONE - 2 * ALIGNMENT) & !(ALIGNMENT - 1);
    let time = [left.as_secs(), left.subsec_nanos().into()];
    Memory(thread).write(place, &time)?;
    let original = registers.r10;
    registers.r10 = place;
    set_registers(thread, &registers)?;
    Ok(original)
}

/// Gives a call its fourth argument back.
#[cfg(target_arch = "x86_64")]
pub(super) fn restore(thread: i32, original: u64) -> Result<(), Errno> {
    let mut registers = registers(thread)?;
    registers.r10 = original;
    set_registers(thread, &registers)
}

#[cfg(target_arch = "x86_64")]
fn registers(thread: i32) -> Result<libc::user_regs_struct, Errno> {
    const PTRACE_GETREGS: u32 = 12;
    let mut registers = MaybeUninit::<libc::user_regs_struct>::zeroed();
    request(PTRACE_GETREGS, thread, 0, registers.as_mut_ptr().addr())?;
    // SAFETY: the call filled it.
    Ok(unsafe { registers.assume_init() })
}

#[cfg(target_arch = "x86_64")]
fn set_registers(thread: i32, registers: &libc::user_regs_struct) -> Result<(), Errno> {
    const PTRACE_SETREGS: u32 = 13;
    request(PTRACE_SETREGS, thread, 0, (&raw const *registers).addr())
}

/// Elsewhere the kernel does not show what that would take.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn repeat_call(_: i32) -> Result<bool, Errno> {
    Ok(false)
}

/// See [`repeat_call`].
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn fail_call(_: i32) -> Result<(), Errno> {
    Ok(())
}

/// See [`repeat_call`].
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn shorten(_: i32, _: Duration) -> Result<u64, Errno> {
    Err(Errno::ENOSYS)
}

/// See [`repeat_call`].
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn restore(_: i32, _: u64) -> Result<(), Errno> {
    Ok(())
}
