//! The seccomp filter that stops a program at the calls that are traced, and at no other: `seccomp(2)`.
//!
//! Not from a library: the one for this ends a program of another kind, such as a 32-bit one, which here runs on.
#![allow(unsafe_code)]

use std::fs;
use std::mem::offset_of;

use libc::{
    BPF_ABS, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, SECCOMP_RET_ALLOW, SECCOMP_RET_TRACE,
    seccomp_data, sock_filter, sock_fprog,
};
use nix::errno::Errno;

use super::numbers::{ARCHITECTURE, Traced};

/// The filter, ready to be installed.
#[derive(Debug)]
pub(super) struct Filter(Vec<sock_filter>);

impl Filter {
    /// A filter that names these calls.
    pub fn new(traced: impl IntoIterator<Item = Traced>) -> Filter {
        let mut program = vec![
            load(offset_of!(seccomp_data, arch)),
            // Programs of another kind are not traced.
            unless_equal(ARCHITECTURE, 1),
            skip(1),
            give(SECCOMP_RET_ALLOW),
            load(offset_of!(seccomp_data, nr)),
        ];
        // The kernel runs this once for each number that it does not depend on more for, and remembers the answer.
        for Traced { number, only_if } in traced {
            match only_if {
                None => program.extend([unless_equal(number, 1), give(SECCOMP_RET_TRACE)]),
                Some((argument, value)) => program.extend([
                    unless_equal(number, 4),
                    load(low_half(argument)),
                    unless_equal(value, 1),
                    give(SECCOMP_RET_TRACE),
                    give(SECCOMP_RET_ALLOW),
                ]),
            }
        }
        program.push(give(SECCOMP_RET_ALLOW));
        Filter(program)
    }

    /// Whether the kernel has filters that stop a program.
    pub fn is_possible() -> bool {
        let actions = fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail");
        // Before Linux 4.14 there is no such file.
        actions.is_ok_and(|actions| actions.split_whitespace().any(|action| action == "trace"))
    }

    /// Installs it in this process, for good. Async-signal-safe. `EINVAL` if the kernel has no filters.
    pub fn install(&self) -> Result<(), Errno> {
        const SECCOMP_SET_MODE_FILTER: libc::c_ulong = 1;
        /// Without this flag some kernels make every program with a filter slower, `PR_SPEC_STORE_BYPASS`.
        const SECCOMP_FILTER_FLAG_SPEC_ALLOW: libc::c_ulong = 4;
        let length = u16::try_from(self.0.len()).map_err(|_| Errno::E2BIG)?;
        let program = sock_fprog { len: length, filter: self.0.as_ptr().cast_mut() };
        let install = |flags: libc::c_ulong| {
            // SAFETY: the pointer is to a program of this length, which the call reads.
            let result = unsafe {
                libc::syscall(libc::SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &raw const program)
            };
            if result < 0 { Err(Errno::last()) } else { Ok(()) }
        };
        // EINVAL also before Linux 4.17, which does not have the flag.
        let install = || match install(SECCOMP_FILTER_FLAG_SPEC_ALLOW) {
            Err(Errno::EINVAL) => install(0),
            result => result,
        };
        match install() {
            // Without CAP_SYS_ADMIN a filter takes a promise: no program that it executes gets more rights. A traced
            // program would get none anyway.
            Err(Errno::EACCES) => {
                promise_no_new_privileges()?;
                install()
            }
            result => result,
        }
    }
}

fn promise_no_new_privileges() -> Result<(), Errno> {
    // The call always reads five numbers.
    const NONE: libc::c_ulong = 0;
    const YES: libc::c_ulong = 1;
    // SAFETY: takes plain numbers.
    let result = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, YES, NONE, NONE, NONE) };
    if result < 0 { Err(Errno::last()) } else { Ok(()) }
}

fn instruction(code: u32, if_true: u8, if_false: u8, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: if_true, jf: if_false, k }
}

/// Loads a number of the call.
fn load(offset: usize) -> sock_filter {
    instruction(BPF_LD | BPF_W | BPF_ABS, 0, 0, offset as u32)
}

/// Skips this many instructions unless the loaded number is this one.
fn unless_equal(number: u32, skipped: u8) -> sock_filter {
    instruction(BPF_JMP | BPF_JEQ | BPF_K, 0, skipped, number)
}

fn skip(skipped: u32) -> sock_filter {
    instruction(BPF_JMP | libc::BPF_JA, 0, 0, skipped)
}

fn give(answer: u32) -> sock_filter {
    instruction(BPF_RET | BPF_K, 0, 0, answer)
}

/// Where the low half of an argument is.
fn low_half(argument: usize) -> usize {
    let half = if cfg!(target_endian = "big") { 4 } else { 0 };
    offset_of!(seccomp_data, args) + 8 * argument + half
}
