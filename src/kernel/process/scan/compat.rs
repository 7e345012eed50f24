//! The system calls in which a thread may sleep, by number: those of this machine, and those of 32-bit
//! programs on a 64-bit kernel, which have numbers of their own and, on x86, the old `ipc(2)`.
//! `/proc/PID/syscall` does not show which kind a number is. The numbers of the other kind that are
//! translated here are of calls in which no native program sleeps.

/// A call in which a thread may sleep, whatever its number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sleep {
    /// `msgsnd(2)`.
    Send,
    /// `msgrcv(2)`.
    Receive,
    /// `semop(2)` or `semtimedop(2)`.
    Operate,
    /// `mq_timedsend(2)`.
    TimedSend,
    /// `mq_timedreceive(2)`.
    TimedReceive,
    /// `futex(2)`.
    Futex,
    /// `restart_syscall(2)`, with the arguments of the interrupted call.
    Restart,
}

/// A call with its arguments.
type Call = (Sleep, [u64; 6]);

/// Translates a number and its arguments to the call that a 64-bit program would have made; `None` if no
/// thread sleeps in it. `peek` reads two 32-bit words from the memory of the thread.
pub(super) fn understand(
    number: i64,
    arguments: [u64; 6],
    peek: impl FnOnce(u64) -> Option<[u32; 2]>,
) -> Option<Call> {
    match native(number) {
        Some(sleep) => Some((sleep, arguments)),
        None => other(number, arguments, peek),
    }
}

/// The numbers of this machine.
#[cfg(not(target_arch = "x86"))]
#[allow(clippy::useless_conversion, reason = "a long has 32 bits on some machines")]
fn native(number: i64) -> Option<Sleep> {
    Some(match libc::c_long::try_from(number).ok()? {
        libc::SYS_msgsnd => Sleep::Send,
        libc::SYS_msgrcv => Sleep::Receive,
        libc::SYS_semop | libc::SYS_semtimedop => Sleep::Operate,
        libc::SYS_mq_timedsend => Sleep::TimedSend,
        libc::SYS_mq_timedreceive => Sleep::TimedReceive,
        libc::SYS_futex => Sleep::Futex,
        libc::SYS_restart_syscall => Sleep::Restart,
        _ => return None,
    })
}

/// From asm/unistd_64.h: this may be a 32-bit program on a 64-bit kernel.
#[cfg(target_arch = "x86")]
fn native(number: i64) -> Option<Sleep> {
    Some(match number {
        69 => Sleep::Send,
        70 => Sleep::Receive,
        65 | 220 => Sleep::Operate,
        242 => Sleep::TimedSend,
        243 => Sleep::TimedReceive,
        202 => Sleep::Futex,
        219 => Sleep::Restart,
        _ => return None,
    })
}

/// From asm/unistd_32.h, and for the x32 ABI.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn other(
    number: i64,
    arguments: [u64; 6],
    peek: impl FnOnce(u64) -> Option<[u32; 2]>,
) -> Option<Call> {
    /// The bit that marks a number of the x32 ABI.
    const X32: i64 = 0x4000_0000;
    let [id, pointer, size, wanted, flags, rest] = arguments;
    Some(match number {
        117 => return ipc(arguments, peek),
        400 => (Sleep::Send, arguments),
        401 => (Sleep::Receive, [id, pointer, size, long(wanted), flags, rest]),
        420 => (Sleep::Operate, arguments),
        240 | 422 => (Sleep::Futex, arguments),
        279 | 418 => (Sleep::TimedSend, arguments),
        280 | 419 => (Sleep::TimedReceive, arguments),
        // In a 64-bit program this is read(2).
        0 if cfg!(target_arch = "x86") => (Sleep::Restart, arguments),
        _ if number & X32 != 0 => (native(number & !X32)?, arguments),
        _ => return None,
    })
}

/// `ipc(2)`: its first argument contains the call and, in the upper 16 bits, its version.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn ipc(arguments: [u64; 6], peek: impl FnOnce(u64) -> Option<[u32; 2]>) -> Option<Call> {
    let [call, first, second, third, pointer, fifth] = arguments;
    Some(match call & 0xffff {
        // SEMOP, SEMTIMEDOP
        1 | 4 => (Sleep::Operate, [first, pointer, second, 0, 0, 0]),
        // MSGSND
        11 => (Sleep::Send, [first, pointer, second, third, 0, 0]),
        // MSGRCV: version 0 has the type in memory, after the pointer to the message.
        12 => {
            let wanted = match call >> 16 {
                0 => peek(pointer).map_or(0, |[_, wanted]| wanted.into()),
                _ => fifth,
            };
            (Sleep::Receive, [first, pointer, second, long(wanted), third, 0])
        }
        _ => return None,
    })
}

/// From the EABI of 32-bit Arm.
#[cfg(target_arch = "aarch64")]
fn other(
    number: i64,
    arguments: [u64; 6],
    _: impl FnOnce(u64) -> Option<[u32; 2]>,
) -> Option<Call> {
    let [id, pointer, size, wanted, flags, rest] = arguments;
    Some(match number {
        301 => (Sleep::Send, arguments),
        302 => (Sleep::Receive, [id, pointer, size, long(wanted), flags, rest]),
        298 | 312 | 420 => (Sleep::Operate, arguments),
        240 | 422 => (Sleep::Futex, arguments),
        276 | 418 => (Sleep::TimedSend, arguments),
        277 | 419 => (Sleep::TimedReceive, arguments),
        0 => (Sleep::Restart, arguments),
        _ => return None,
    })
}

/// On other machines, only the numbers that all 32-bit machines share are translated.
#[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
fn other(
    number: i64,
    arguments: [u64; 6],
    _: impl FnOnce(u64) -> Option<[u32; 2]>,
) -> Option<Call> {
    let sleep = match number {
        418 => Sleep::TimedSend,
        419 => Sleep::TimedReceive,
        420 => Sleep::Operate,
        422 => Sleep::Futex,
        _ => return None,
    };
    Some((sleep, arguments))
}

/// A 32-bit `long`.
#[cfg(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64"))]
fn long(word: u64) -> u64 {
    i64::from(word as i32) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(target_arch = "x86"))]
    #[allow(clippy::useless_conversion, reason = "a long has 32 bits on some machines")]
    fn calls_of_this_machine() {
        let of = |number: libc::c_long| understand(number.into(), [5; 6], |_| None);
        for (number, sleep) in [
            (libc::SYS_msgsnd, Sleep::Send),
            (libc::SYS_msgrcv, Sleep::Receive),
            (libc::SYS_semop, Sleep::Operate),
            (libc::SYS_semtimedop, Sleep::Operate),
            (libc::SYS_mq_timedsend, Sleep::TimedSend),
            (libc::SYS_mq_timedreceive, Sleep::TimedReceive),
            (libc::SYS_futex, Sleep::Futex),
            (libc::SYS_restart_syscall, Sleep::Restart),
        ] {
            assert_eq!(of(number), Some((sleep, [5; 6])), "{number}");
        }
        for number in [libc::SYS_read, libc::SYS_ppoll, libc::SYS_wait4, -1, 9999] {
            assert_eq!(of(number), None, "{number}");
        }
    }

    #[test]
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    fn calls_of_32_bits_and_of_64() {
        let of =
            |number, arguments| understand(number, arguments, |_| Some([0xbeef, -7i32 as u32]));
        let seven = -7i64 as u64;
        let receive = Some((Sleep::Receive, [5, 0x7f, 100, seven, 0x2000, 0]));
        assert_eq!(of(401, [5, 0x7f, 100, 0xffff_fff9, 0x2000, 0]), receive);
        assert_eq!(of(117, [0x1_000c, 5, 100, 0x2000, 0x7f, 0xffff_fff9]), receive);
        assert_eq!(of(117, [12, 5, 100, 0x2000, 0x7f, 0]), receive);
        let send = Some((Sleep::Send, [5, 0x7f, 100, 0, 0, 0]));
        assert_eq!(of(117, [11, 5, 100, 0, 0x7f, 0]), send);
        let operate = Some((Sleep::Operate, [5, 0x7f, 2, 0, 0, 0]));
        assert_eq!(of(117, [1, 5, 2, 0, 0x7f, 0]), operate);
        assert_eq!(of(420, [5, 0x7f, 2, 0, 0, 0]), operate);
        for number in [65, 0x4000_0000 | 65, 220] {
            assert_eq!(of(number, [5, 0x7f, 2, 0, 0, 0]), operate);
        }
        assert_eq!(of(70, [5, 0x7f, 100, seven, 0x2000, 0]), receive);
        // setresuid(2) of a 64-bit program.
        assert_eq!(of(117, [1000, 1000, 1000, 0, 0, 0]), None);
    }

    #[test]
    #[cfg(target_arch = "aarch64")]
    fn calls_of_32_bits() {
        let of = |number, arguments| understand(number, arguments, |_| None);
        let seven = -7i64 as u64;
        assert_eq!(
            of(302, [5, 0, 9, 0xffff_fff9, 0, 0]),
            Some((Sleep::Receive, [5, 0, 9, seven, 0, 0]))
        );
        assert_eq!(of(298, [5, 0x7f, 2, 0, 0, 0]), Some((Sleep::Operate, [5, 0x7f, 2, 0, 0, 0])));
    }
}
