//! The system calls of 32-bit programs on a 64-bit kernel. They have numbers of their own and, for
//! System V IPC, the old `ipc(2)`. `/proc/PID/syscall` does not show which kind a number is; the
//! numbers translated here are of calls in which no 64-bit program sleeps.

/// A call with its arguments.
type Call = (i64, [u64; 6]);

/// Translates a call of a 32-bit program to the call that a 64-bit one would make; other calls stay as
/// they are. `peek` reads two 32-bit words from the memory of the thread.
#[cfg(target_arch = "x86_64")]
pub(super) fn native(
    (number, arguments): Call,
    peek: impl FnOnce(u64) -> Option<[u32; 2]>,
) -> Call {
    // From asm/unistd_32.h.
    const IPC: i64 = 117;
    const MSGSND: i64 = 400;
    const MSGRCV: i64 = 401;
    const SEMTIMEDOP_TIME64: i64 = 420;
    const FUTEX: [i64; 2] = [240, 422];
    const MQ_TIMEDSEND: [i64; 2] = [279, 418];
    const MQ_TIMEDRECEIVE: [i64; 2] = [280, 419];
    /// The bit that marks a number of the x32 ABI.
    const X32: i64 = 0x4000_0000;
    match number {
        IPC => ipc(arguments, peek).unwrap_or((number, arguments)),
        MSGSND => (libc::SYS_msgsnd, arguments),
        MSGRCV => {
            let [id, pointer, size, wanted, flags, rest] = arguments;
            (libc::SYS_msgrcv, [id, pointer, size, long(wanted), flags, rest])
        }
        SEMTIMEDOP_TIME64 => (libc::SYS_semtimedop, arguments),
        _ if FUTEX.contains(&number) => (libc::SYS_futex, arguments),
        _ if MQ_TIMEDSEND.contains(&number) => (libc::SYS_mq_timedsend, arguments),
        _ if MQ_TIMEDRECEIVE.contains(&number) => (libc::SYS_mq_timedreceive, arguments),
        _ if number & X32 != 0 => (number & !X32, arguments),
        _ => (number, arguments),
    }
}

/// 32-bit calls are not translated on other machines.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn native(call: Call, _: impl FnOnce(u64) -> Option<[u32; 2]>) -> Call {
    call
}

/// `ipc(2)`: its first argument contains the call and, in the upper 16 bits, its version.
#[cfg(target_arch = "x86_64")]
fn ipc(arguments: [u64; 6], peek: impl FnOnce(u64) -> Option<[u32; 2]>) -> Option<Call> {
    let [call, first, second, third, pointer, fifth] = arguments;
    Some(match call & 0xffff {
        // SEMOP, SEMTIMEDOP
        1 | 4 => (libc::SYS_semop, [first, pointer, second, 0, 0, 0]),
        // MSGSND
        11 => (libc::SYS_msgsnd, [first, pointer, second, third, 0, 0]),
        // MSGRCV: version 0 has the type in memory, after the pointer to the message.
        12 => {
            let wanted = match call >> 16 {
                0 => peek(pointer).map_or(0, |[_, wanted]| wanted.into()),
                _ => fifth,
            };
            (libc::SYS_msgrcv, [first, pointer, second, long(wanted), third, 0])
        }
        _ => return None,
    })
}

/// A 32-bit `long`.
#[cfg(target_arch = "x86_64")]
fn long(word: u64) -> u64 {
    i64::from(word as i32) as u64
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn calls_of_32_bits() {
        let of = |number, arguments| native((number, arguments), |_| Some([0xbeef, -7i32 as u32]));
        let seven = -7i64 as u64;
        let receive = (libc::SYS_msgrcv, [5, 0x7f, 100, seven, 0x2000, 0]);
        assert_eq!(of(401, [5, 0x7f, 100, 0xffff_fff9, 0x2000, 0]), receive);
        assert_eq!(of(117, [0x1_000c, 5, 100, 0x2000, 0x7f, 0xffff_fff9]), receive);
        assert_eq!(of(117, [12, 5, 100, 0x2000, 0x7f, 0]), receive);
        assert_eq!(of(117, [11, 5, 100, 0, 0x7f, 0]), (libc::SYS_msgsnd, [5, 0x7f, 100, 0, 0, 0]));
        assert_eq!(of(117, [1, 5, 2, 0, 0x7f, 0]), (libc::SYS_semop, [5, 0x7f, 2, 0, 0, 0]));
        assert_eq!(of(420, [5, 0x7f, 2, 0, 0, 0]).0, libc::SYS_semtimedop);
        assert_eq!(of(0x4000_0000 | 70, [5, 0, 0, 0, 0, 0]).0, libc::SYS_msgrcv);
        // setresuid(2) of a 64-bit program.
        assert_eq!(of(117, [1000, 1000, 1000, 0, 0, 0]), (117, [1000, 1000, 1000, 0, 0, 0]));
    }
}
