//! The signals that end a process by default, and their handling: `signal(7)`, `sigaction(2)`,
//! `sigprocmask(2)`.
//!
//! The system calls are made directly: the C library reserves two or three real-time signals and leaves
//! them out of every set, but they end a process like the others.
#![allow(unsafe_code)]

use std::io;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use nix::errno::Errno;

/// A set of the kernel's 64 signals, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::kernel) struct Set(pub u64);

const SET_SIZE: usize = size_of::<Set>();

impl Set {
    /// Whether a signal is in it.
    pub fn contains(self, signal: i32) -> bool {
        self.0 & bit(signal) != 0
    }

    /// Adds a signal.
    pub fn add(&mut self, signal: i32) {
        self.0 |= bit(signal);
    }

    /// The first signal that is in both sets.
    pub fn first_in(self, other: Set) -> Option<i32> {
        match self.0 & other.0 {
            0 => None,
            both => Some(both.trailing_zeros() as i32 + 1),
        }
    }

    /// The blocked signals.
    pub fn blocked() -> io::Result<Set> {
        Set::default().change(libc::SIG_BLOCK)
    }

    /// The blocked signals that are pending.
    pub fn pending() -> Set {
        let mut set = Set::default();
        // SAFETY: the pointer is to a set of this size, which the call fills.
        unsafe { libc::syscall(libc::SYS_rt_sigpending, &raw mut set, SET_SIZE) };
        set
    }

    /// Adds this set to the blocked signals (`SIG_BLOCK`), removes it (`SIG_UNBLOCK`) or replaces them
    /// (`SIG_SETMASK`); returns the ones blocked before. Async-signal-safe.
    pub fn change(self, how: i32) -> io::Result<Set> {
        let mut before = Set::default();
        // SAFETY: the pointers are to sets of this size; the call reads one and fills the other.
        let result = unsafe {
            let (set, before) = (&raw const self, &raw mut before);
            libc::syscall(libc::SYS_rt_sigprocmask, how, set, before, SET_SIZE)
        };
        if result == 0 { Ok(before) } else { Err(io::Error::last_os_error()) }
    }
}

fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

/// The signals that end a process by default and can be caught: all except SIGKILL and those that are
/// ignored or stop the process by default.
pub(in crate::kernel) fn signals() -> impl Iterator<Item = i32> {
    let ignored = [libc::SIGCHLD, libc::SIGCONT, libc::SIGURG, libc::SIGWINCH];
    let stop = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
    (1..=libc::SIGRTMAX()).filter(move |signal| {
        *signal != libc::SIGKILL && !ignored.contains(signal) && !stop.contains(signal)
    })
}

/// Whether a signal reports a fault. Unless another process sent it, the program cannot continue.
fn reports_fault(signal: i32) -> bool {
    matches!(
        signal,
        libc::SIGSEGV | libc::SIGBUS | libc::SIGFPE | libc::SIGILL | libc::SIGTRAP | libc::SIGSYS
    )
}

/// The action for a signal, the kernel's `struct sigaction`. The handler comes first, and no
/// architecture has a larger structure.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct Action([usize; 8]);

impl Action {
    fn of(signal: i32) -> io::Result<Action> {
        let mut action = Action::default();
        change(signal, ptr::null(), &raw mut action)?;
        Ok(action)
    }

    fn set(self, signal: i32) -> io::Result<()> {
        change(signal, &raw const self, ptr::null_mut())
    }
}

fn change(signal: i32, new: *const Action, old: *mut Action) -> io::Result<()> {
    // SAFETY: each pointer is null or to an action, which is large enough; a new action has the handler
    // of another signal, or none.
    let result = unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, new, old, SET_SIZE) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Whether a signal is ignored.
pub(in crate::kernel) fn is_ignored(signal: i32) -> bool {
    Action::of(signal).is_ok_and(|action| action.0[0] == libc::SIG_IGN)
}

/// Resets a signal to its default action. Async-signal-safe.
pub(in crate::kernel) fn set_default(signal: i32) -> io::Result<()> {
    // SIG_DFL is 0.
    Action::default().set(signal)
}

/// Ignores a signal. Async-signal-safe.
pub(in crate::kernel) fn ignore(signal: i32) -> io::Result<()> {
    let mut action = Action::default();
    action.0[0] = libc::SIG_IGN;
    action.set(signal)
}

/// Passes every deadly signal that is not ignored to `note`, which must be async-signal-safe. A signal
/// that reports a fault of this program still ends it.
pub(in crate::kernel) fn catch(note: fn(i32)) -> io::Result<()> {
    NOTE.store(note as *mut (), Ordering::Relaxed);
    let mut like = None;
    for signal in signals().filter(|&signal| !is_ignored(signal)) {
        match (install(signal, handle), like) {
            (Ok(()), _) => like = like.or(Some(Action::of(signal)?)),
            // The C library reserves this signal.
            (Err(error), Some(action)) if error.raw_os_error() == Some(libc::EINVAL) => {
                action.set(signal)?;
            }
            (Err(error), _) => return Err(error),
        }
    }
    Ok(())
}

/// A signal handler: the number of the signal, information about it, and the state of the program.
type Handler = extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void);

/// Installs a handler through the C library, which knows how to return from it.
pub(in crate::kernel) fn install(signal: i32, handler: Handler) -> io::Result<()> {
    // SAFETY: zero is a valid value of every field, and the handlers of this program are
    // async-signal-safe.
    let result = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as usize;
        action.sa_flags = libc::SA_SIGINFO;
        libc::sigaction(signal, &action, ptr::null_mut())
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The function that was passed to [`catch`].
static NOTE: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

extern "C" fn handle(signal: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // The interrupted code may be about to read errno.
    let errno = Errno::last_raw();
    // SAFETY: the kernel passes a siginfo_t to a handler with SA_SIGINFO. Codes above 0 are from the
    // kernel.
    if reports_fault(signal) && unsafe { (*info).si_code } > 0 {
        let _ = set_default(signal);
        // SAFETY: takes plain numbers. The signal arrives when this handler returns.
        unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), libc::gettid(), signal) };
    } else {
        let note = NOTE.load(Ordering::Relaxed);
        if !note.is_null() {
            // SAFETY: `catch` stored it as such a function.
            let note: fn(i32) = unsafe { std::mem::transmute(note) };
            note(signal);
        }
    }
    Errno::set_raw(errno);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_end_a_process() {
        let all: Vec<_> = signals().collect();
        // 31 standard signals less 9, and all real-time signals, including those that the C library
        // hides.
        assert_eq!(all.len(), 22 + 33);
        for signal in [libc::SIGABRT, libc::SIGSYS, libc::SIGXFSZ, 32, 33, libc::SIGRTMAX()] {
            assert!(all.contains(&signal), "{signal}");
        }
        for signal in [libc::SIGKILL, libc::SIGSTOP, libc::SIGCHLD, libc::SIGURG] {
            assert!(!all.contains(&signal), "{signal}");
        }
    }

    /// How a child that does this ends: its status, or 128 plus the number of the signal.
    fn in_child(act: fn() -> i32) -> i32 {
        let mut status = 0;
        // SAFETY: the child only makes system calls, and ends.
        unsafe {
            let pid = libc::fork();
            if pid == 0 {
                let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
                libc::setrlimit(libc::RLIMIT_CORE, &none);
                libc::_exit(act());
            }
            libc::waitpid(pid, &mut status, 0);
        }
        match libc::WIFSIGNALED(status) {
            true => 128 + libc::WTERMSIG(status),
            false => libc::WEXITSTATUS(status),
        }
    }

    static NOTED: std::sync::atomic::AtomicI32 = std::sync::atomic::AtomicI32::new(0);

    fn catch_all() {
        // The parent may have ignored these signals.
        for signal in signals() {
            let _ = set_default(signal);
        }
        let _ = catch(|signal| NOTED.store(signal, Ordering::Relaxed));
    }

    #[test]
    fn what_is_sent_is_noted() {
        let end = in_child(|| {
            catch_all();
            for signal in signals() {
                // SAFETY: takes plain numbers.
                unsafe { libc::kill(libc::getpid(), signal) };
                if NOTED.load(Ordering::Relaxed) != signal {
                    return signal;
                }
            }
            0
        });
        assert_eq!(end, 0, "the signal that was not noted");
    }

    #[test]
    fn a_fault_is_the_end() {
        let end = in_child(|| {
            catch_all();
            // SAFETY: the memory is mapped without any rights in order to be accessed.
            unsafe {
                let page = libc::mmap(
                    ptr::null_mut(),
                    4096,
                    libc::PROT_NONE,
                    libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                    -1,
                    0,
                );
                ptr::read_volatile(page.cast::<u8>()).into()
            }
        });
        assert_eq!(end, 128 + libc::SIGSEGV);
        let end = in_child(|| {
            catch_all();
            // SAFETY: ends this process.
            unsafe { libc::abort() }
        });
        assert_eq!(end, 128 + libc::SIGABRT);
    }

    #[test]
    fn sets() {
        let mut set = Set::default();
        set.add(1);
        set.add(64);
        assert_eq!((set.contains(1), set.contains(2), set.contains(64)), (true, false, true));
        assert_eq!(set.first_in(Set(u64::MAX - 1)), Some(64));
        assert_eq!(set.first_in(Set(2)), None);
    }
}
