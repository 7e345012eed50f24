//! The system call in which a thread is, `proc_pid_syscall(5)`. Its number and arguments show what the
//! thread waits on.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::compat::{self, Sleep};
use super::holds::Holds;
use super::scope::ScanScope;
use crate::ipc::Kind;
use crate::ipc::message::Wanted;
use crate::ipc::posix::FileIdentity;
use crate::ipc::process::role::Role;
use crate::ipc::sysv::Operation;
use crate::kernel::io::file_identity::identity_at;
use crate::kernel::process::stat::is_gone_error;

/// The system call in which a thread is.
pub(crate) struct SystemCall {
    /// `None` if no thread sleeps in it.
    sleep: Option<Sleep>,
    arguments: [u64; 6],
}

impl SystemCall {
    /// Parses the text of `syscall` in this directory of `/proc/PID/task`, for 64-bit and 32-bit
    /// programs.
    pub(crate) fn parse(text: &[u8], directory: &str) -> Option<SystemCall> {
        let mut words = std::str::from_utf8(text).ok()?.split_ascii_whitespace();
        // "running" is not a call.
        let number = words.next()?.parse().ok()?;
        let mut arguments = [0u64; 6];
        for argument in &mut arguments {
            *argument = u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?;
        }
        let peek = |address| {
            let mut bytes = [0; 8];
            let memory = File::open(format!("{directory}/mem")).ok()?;
            memory.read_exact_at(&mut bytes, address).ok()?;
            let (words, _) = bytes.as_chunks();
            Some([u32::from_ne_bytes(*words.first()?), u32::from_ne_bytes(*words.get(1)?)])
        };
        let call = match compat::understand(number, arguments, peek) {
            Some((sleep, arguments)) => SystemCall { sleep: Some(sleep), arguments },
            None => SystemCall { sleep: None, arguments },
        };
        Some(call)
    }

    /// The System V object that the thread waits on, if any.
    pub(crate) fn waits_on(&self, directory: &str) -> Option<(Kind, i32, Role)> {
        let arguments = &self.arguments;
        let id = arguments[0] as i32;
        Some(match self.sleep? {
            Sleep::Send => (Kind::Msg, id, Role::WaitsToSend(arguments[2])),
            Sleep::Receive => {
                let except = arguments[4] as i32 & libc::MSG_EXCEPT != 0;
                let wanted = Wanted::from_number(arguments[3] as i64, except);
                (Kind::Msg, id, Role::WaitsToReceive(wanted))
            }
            Sleep::Operate => {
                let operations = operations(directory, arguments[1], arguments[2]);
                (Kind::Sem, id, Role::WaitsOnSemaphores(operations))
            }
            Sleep::TimedSend | Sleep::TimedReceive | Sleep::Futex | Sleep::Restart => return None,
        })
    }

    /// The POSIX object that it waits on: a queue by its descriptor, a semaphore by its address.
    pub(super) fn waits_on_file(
        &self,
        directory: &str,
        holds: &Holds,
        scope: &ScanScope,
    ) -> io::Result<Option<(FileIdentity, Role)>> {
        let [first, second, third, ..] = self.arguments;
        let queue = |role| {
            let path = format!("{directory}/fd/{}", first as i32);
            match identity_at(Path::new(&path)) {
                Ok(file) => Ok(scope.wanted(file).map(|(file, _)| (file, role))),
                // Closed meanwhile, or the thread woke up.
                Err(error) if is_gone_error(&error) => Ok(None),
                Err(error) => Err(error),
            }
        };
        let semaphore = || Some((holds.semaphore_at(first)?, Role::WaitsForIncrease));
        match self.sleep {
            Some(Sleep::TimedSend) => queue(Role::WaitsToSend(third)),
            Some(Sleep::TimedReceive) => queue(Role::WaitsToReceive(Wanted::Any)),
            Some(Sleep::Futex) => {
                const FUTEX_CMD_MASK: u64 = 0x7f;
                let command = (second & FUTEX_CMD_MASK) as i32;
                let waits = matches!(command, libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET);
                Ok(if waits { semaphore() } else { None })
            }
            // A call that was stopped and continues, with its original arguments.
            Some(Sleep::Restart) => Ok(semaphore()),
            Some(Sleep::Send | Sleep::Receive | Sleep::Operate) | None => Ok(None),
        }
    }
}

/// The operations that a thread waits for, read from its memory. Operations that add never wait.
fn operations(directory: &str, address: u64, count: u64) -> Vec<Operation> {
    /// The size of `struct sembuf`: number, operation and flags, two bytes each.
    const SIZE: usize = 6;
    // The kernel's default of SEMOPM is 500.
    let mut bytes = vec![0; count.min(500) as usize * SIZE];
    let memory = File::open(format!("{directory}/mem"));
    if memory.and_then(|memory| memory.read_exact_at(&mut bytes, address)).is_err() {
        return Vec::new();
    }
    let operations = bytes.chunks_exact(SIZE).map(|bytes| Operation {
        semaphore: u16::from_ne_bytes([bytes[0], bytes[1]]),
        change: i16::from_ne_bytes([bytes[2], bytes[3]]),
    });
    operations.filter(|operation| operation.change <= 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn calls_that_sleep_on_an_object() {
        // libc does not define these numbers for 32-bit x86.
        #[cfg(target_arch = "x86")]
        let (send, take) = (400, 401);
        #[cfg(not(target_arch = "x86"))]
        let (send, take) = (libc::SYS_msgsnd, libc::SYS_msgrcv);
        let of = |call: libc::c_long, arguments: &str| {
            let text = format!("{call} {arguments} 0x7ffd 0x7f00\n");
            SystemCall::parse(text.as_bytes(), "/nowhere")
                .and_then(|call| call.waits_on("/nowhere"))
        };
        let receive = |wanted| Some((Kind::Msg, 5, Role::WaitsToReceive(wanted)));
        assert_eq!(of(take, "0x5 0x7f 0x64 0x7 0x0 0x0"), receive(Wanted::Type(7)));
        assert_eq!(of(take, "0x5 0x7f 0x64 0x0 0x0 0x0"), receive(Wanted::Any));
        assert_eq!(of(take, "0x5 0x7f 0x64 0xfffffffffffffff9 0x0 0x0"), receive(Wanted::UpTo(7)));
        assert_eq!(of(take, "0x5 0x7f 0x64 0x7 0x2000 0x0"), receive(Wanted::Except(7)));
        assert_eq!(
            of(send, "0x8000 0x7f 0x64 0x0 0x0 0x0"),
            Some((Kind::Msg, 32768, Role::WaitsToSend(0x64)))
        );
        assert_eq!(of(libc::SYS_exit, "0x5 0x7f 0x64 0x7 0x0 0x0"), None);
        assert!(SystemCall::parse(b"running\n", "").is_none());
        assert!(SystemCall::parse(b"-1 0x7ffd 0x7f00\n", "").is_none());
    }

    proptest! {
        #[test]
        fn no_text_panics(bytes: Vec<u8>, text in "[0-9a-fx -]{0,100}") {
            for bytes in [&bytes, text.as_bytes()] {
                let _ = SystemCall::parse(bytes, "/nowhere").and_then(|call| call.waits_on(""));
            }
        }
    }
}
