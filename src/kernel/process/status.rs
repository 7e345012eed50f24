//! Fields of `/proc/PID/status`: `proc_pid_status(5)`.

use super::proc_file;

/// The real, effective, saved and file system user ids of a process, from `/proc/PID/status`.
pub(super) fn uids(pid: i32) -> Option<[u32; 4]> {
    uids_in(&proc_file::read_to_string(&format!("/proc/{pid}/status")).ok()?)
}

/// The user ids in the text of that file.
pub(super) fn uids_in(status: &str) -> Option<[u32; 4]> {
    let line = field(status, "Uid:")?;
    let mut uids = [0; 4];
    let mut words = line.split_ascii_whitespace();
    for uid in &mut uids {
        *uid = words.next()?.parse().ok()?;
    }
    Some(uids)
}

/// How often the thread in this directory of `/proc` went to sleep, and whether a signal stopped it:
/// `voluntary_ctxt_switches` and `State` in `proc_pid_status(5)`.
pub(super) fn sleep(directory: &str) -> Option<(u64, bool)> {
    let status = proc_file::read_to_string(&format!("{directory}/status")).ok()?;
    let switches = field(&status, "voluntary_ctxt_switches:")?.parse().ok()?;
    Some((switches, field(&status, "State:")?.starts_with(['T', 't'])))
}

/// A field in the text of that file, by its label with the colon.
pub(in crate::kernel) fn field<'a>(status: &'a str, label: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(label)).map(str::trim)
}
