//! Who has done anything since some moment: a process whose threads have slept all the time has made and
//! used nothing meanwhile. `proc_pid_status(5)`

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;

use super::scan;
use super::{
    Length, Stat, all, all_visible, command, has_thread_left, is_gone_error, threads, uids, uids_in,
};
use crate::ipc::ProcessName;
use crate::ipc::attribution::leak::Neighbour;
use crate::kernel::namespace::identity::{Handle, Identity};

/// What all processes did at some moment.
#[derive(Debug, Default)]
pub struct Activity(HashMap<i32, Moment>);

/// What a process did at some moment.
#[derive(Debug)]
struct Moment {
    /// When it started, in ticks since the machine did: another one may get its number.
    started: i64,
    uids: Option<[u32; 4]>,
    /// How often each of its threads had been taken off a processor, if all of them slept. To run again
    /// a thread must be put back on one, and be taken off it once more to sleep.
    asleep: Option<Vec<(i32, u64)>>,
}

impl Moment {
    fn of(pid: i32, stat: &Stat) -> Option<Moment> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let (uids, asleep) = (uids_in(&status), asleep(pid, &status));
        Some(Moment { started: stat.started()?, uids, asleep })
    }
}

/// How often each thread of a process has been taken off a processor; nothing if one of them runs, or
/// that cannot be read. `status` is that of the first thread, the process's own.
fn asleep(pid: i32, status: &str) -> Option<Vec<(i32, u64)>> {
    let of_thread = |thread| match thread == pid {
        true => switches(status),
        false => switches(&fs::read_to_string(format!("/proc/{pid}/task/{thread}/status")).ok()?),
    };
    threads(pid).ok()?.into_iter().map(|thread| Some((thread, of_thread(thread)?))).collect()
}

/// How often a thread has been taken off a processor, if it is on none and does not wait for one.
fn switches(status: &str) -> Option<u64> {
    let value =
        |label: &str| Some(status.lines().find_map(|line| line.strip_prefix(label))?.trim());
    if value("State:")?.starts_with('R') {
        return None;
    }
    let count = |label| value(label)?.parse::<u64>().ok();
    count("voluntary_ctxt_switches:")?.checked_add(count("nonvoluntary_ctxt_switches:")?)
}

/// Whether a thread of a process lives in this IPC namespace, or that cannot be told. One that is about to
/// end has none any more.
fn may_be_in(here: Identity, pid: i32) -> bool {
    let is_here = |thread| match Identity::of_thread(pid, thread) {
        Err(_) => !has_thread_left(pid, thread),
        Ok(namespace) => namespace == here,
    };
    match threads(pid) {
        Ok(threads) => threads.into_iter().any(is_here),
        Err(error) => !is_gone_error(&error),
    }
}

impl Activity {
    /// What they do now.
    pub fn now() -> Activity {
        let moment = |pid| {
            let stat = Stat::read(pid).filter(|stat| !stat.is_kernel_thread())?;
            Some((pid, Moment::of(pid, &stat)?))
        };
        Activity(all().filter_map(moment).collect())
    }

    /// The processes in the IPC namespace of this one that live now, and have not slept all the time
    /// since, but for this one and those of which `is_known` holds. An error where not all processes can
    /// be seen.
    pub fn disturbed(
        &self,
        namespace: &Handle,
        is_known: impl Fn(i32) -> bool,
        length: Length,
    ) -> io::Result<Vec<Neighbour>> {
        let own = std::process::id() as i32;
        let here = namespace.identity()?;
        let is_init_elsewhere = scan::is_init_elsewhere(here)?;
        let is_other =
            |&pid: &i32| pid != own && !is_known(pid) && !(pid == 1 && is_init_elsewhere);
        let pids = all_visible()?.into_iter().filter(is_other);
        Ok(pids.filter_map(|pid| self.find_disturbed(pid, here, length)).collect())
    }

    fn find_disturbed(&self, pid: i32, here: Identity, length: Length) -> Option<Neighbour> {
        let stat = Stat::read(pid);
        if let Some(stat) = &stat
            && (stat.is_kernel_thread() || stat.has_ended() || self.sleeps_on(pid, stat))
        {
            return None;
        }
        if !may_be_in(here, pid) {
            return None;
        }
        let name = || stat.as_ref().map(Stat::bracketed_name);
        let command = command(pid, length).or_else(name);
        let uids = stat.as_ref().and_then(|stat| self.uids_since(stat));
        Some(Neighbour { name: ProcessName { pid, command }, uids })
    }

    /// What a process did then, if it is the same.
    fn before(&self, pid: i32, stat: &Stat) -> Option<&Moment> {
        self.0.get(&pid).filter(|before| stat.started() == Some(before.started))
    }

    /// Whether a process has slept since.
    fn sleeps_on(&self, pid: i32, stat: &Stat) -> bool {
        let before = self.before(pid, stat).and_then(|before| before.asleep.as_ref());
        before.is_some() && Moment::of(pid, stat).is_some_and(|now| now.asleep.as_ref() == before)
    }

    /// The users as whom a process can have run since: a server begins as root, and then gives that up.
    /// Nothing where that cannot be known.
    fn uids_since(&self, stat: &Stat) -> Option<BTreeSet<u32>> {
        let mut since = BTreeSet::new();
        let mut ancestor = None;
        // A process namespace has no circles, but these are read one after the other.
        for _ in 0..100 {
            let stat = ancestor.as_ref().unwrap_or(stat);
            let pid = stat.pid()?;
            since.extend(uids(pid)?);
            if let Some(before) = self.before(pid, stat) {
                since.extend(before.uids?);
                return Some(since);
            }
            // It is new: it began as one of those as whom its parent ran.
            match stat.of_parent().ok()? {
                Some(parent) => ancestor = Some(parent),
                None => return Some(since),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_sleeps_on_is_not_disturbed_and_who_was_woken_is() {
        let mut child =
            Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let pid = child.id() as i32;
        // Until it waits for the first line.
        let mut before = Activity::now();
        for _ in 0..1000 {
            let looked = Activity::now();
            let threads = |activity: &Activity| activity.0.get(&pid)?.asleep.clone();
            if threads(&looked).is_some() && threads(&looked) == threads(&before) {
                break;
            }
            before = looked;
            thread::sleep(Duration::from_millis(5));
        }
        let is_disturbed = |before: &Activity| {
            let all = before.disturbed(&Handle::own(), |_| false, Length::Shown).unwrap();
            all.into_iter().find(|one| one.name.pid == pid)
        };
        assert_eq!(is_disturbed(&before), None);
        // Who was not there, or not seen to sleep, may have done anything.
        assert!(is_disturbed(&Activity::default()).is_some());
        child.stdin.as_mut().unwrap().write_all(b"wake\n").unwrap();
        let woken = (0..1000).find_map(|_| {
            thread::sleep(Duration::from_millis(5));
            is_disturbed(&before)
        });
        let woken = woken.expect("it was woken");
        assert_eq!(woken.name.to_string(), format!("{pid} (cat)"));
        assert_eq!(woken.uids, uids(pid).map(BTreeSet::from));
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
