//! Skips tests, or parts of them, that cannot run here.
//!
//! Each is printed with its reason. With `STRICT=1` in the environment, as in `.ci/run`, it fails
//! instead, unless only another user could run it:
//!
//! - What takes root is skipped by an ordinary user, and the other way round. That is no gap, because
//!   `.ci/run` runs the tests as both.
//! - What takes a capability that even root may lack, as in a container, is skipped without it.

use std::io::Write;
use std::os::unix::fs::MetadataExt;

/// What a skipped test would have needed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Something that this machine lacks: a program, a permission, a newer kernel.
    Machine,
    /// To be run by root.
    Root,
    /// To be run by anybody but root.
    OrdinaryUser,
    /// To be run with the capability that has this number, `capabilities(7)`.
    Capability(u32),
}

/// The number of that capability.
pub const CAP_SYS_RESOURCE: u32 = 24;

/// Skips a test, or a part of one, and says why. All tests that skip anything call this.
///
/// # Panics
///
/// With `STRICT=1`, unless it would run as another user.
#[track_caller]
pub fn skip(needs: Needs, reason: &str) {
    let needs_another_user = match needs {
        Needs::Machine => false,
        Needs::Root => !is_root(),
        Needs::OrdinaryUser => is_root(),
        Needs::Capability(capability) => !has(capability),
    };
    let is_strict = std::env::var("STRICT").is_ok_and(|value| value == "1");
    assert!(needs_another_user || !is_strict, "skipped, and STRICT=1 forbids that: {reason}");
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    // Straight to standard error: what a test prints is shown only if it fails.
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {reason}");
}

/// Whether root runs the tests; if not, the part that takes root is skipped.
#[track_caller]
pub fn only_root(reason: &str) -> bool {
    if !is_root() {
        skip(Needs::Root, reason);
    }
    is_root()
}

/// Whether an ordinary user runs the tests; if not, the part for them is skipped.
#[track_caller]
pub fn only_ordinary_user(reason: &str) -> bool {
    if is_root() {
        skip(Needs::OrdinaryUser, reason);
    }
    !is_root()
}

/// Whether the tests run with this capability; if not, the part that takes it is skipped.
#[track_caller]
pub fn only_with(capability: u32, reason: &str) -> bool {
    if !has(capability) {
        skip(Needs::Capability(capability), reason);
    }
    has(capability)
}

/// Whether every process can be inspected. Ordinary users cannot inspect even their own in the
/// namespaces of other tests, so it is in doubt what those use.
#[track_caller]
pub fn sees_everybody() -> bool {
    only_root("only root can inspect every process")
}

fn has(capability: u32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    effective.expect("the kernel lists capabilities") >> capability & 1 == 1
}

/// Whether the test runs as root.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").expect("/proc is mounted").uid() == 0
}
