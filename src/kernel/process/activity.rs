//! Which processes ran since some moment. A process whose threads slept the whole time has created and
//! used nothing meanwhile. `proc_pid_status(5)`.

use std::collections::{BTreeSet, HashMap};
use std::io;

use super::command::{Length, command};
use super::pids::{all, all_visible, threads};
use super::proc_file;
use super::stat::{Stat, has_thread_left, is_gone_error};
use super::status::{uids, uids_in};
use crate::ipc::ProcessName;
use crate::ipc::attribution::leak::Neighbour;
use crate::kernel::namespace::identity::{Handle, Identity};

/// The state of all processes at one moment.
#[derive(Debug, Default)]
pub struct Activity(HashMap<i32, Moment>);

/// The state of a process at one moment.
#[derive(Debug)]
struct Moment {
    /// When it started, in ticks since boot; distinguishes it from a later process with its pid.
    started: i64,
    uids: Option<[u32; 4]>,
    /// How often each of its threads was taken off a processor, if all of them slept; otherwise `None`.
    /// A thread that runs must be taken off again before it can sleep, which changes this number.
    asleep: Option<Vec<(i32, u64)>>,
}

impl Moment {
    fn of(pid: i32, stat: &Stat) -> Option<Moment> {
        let status = proc_file::read_to_string(&format!("/proc/{pid}/status")).unwrap_or_default();
        let (uids, asleep) = (uids_in(&status), asleep(pid, &status));
        Some(Moment { started: stat.started()?, uids, asleep })
    }
}

/// How often each thread of a process was taken off a processor; `None` if one of them is running or
/// cannot be read. `status` is the text for the first thread.
fn asleep(pid: i32, status: &str) -> Option<Vec<(i32, u64)>> {
    let of_thread = |thread| match thread == pid {
        true => switches(status),
        false => {
            switches(&proc_file::read_to_string(&format!("/proc/{pid}/task/{thread}/status")).ok()?)
        }
    };
    threads(pid).ok()?.into_iter().map(|thread| Some((thread, of_thread(thread)?))).collect()
}

/// How often a thread was taken off a processor; `None` if it is running or ready to run.
fn switches(status: &str) -> Option<u64> {
    let value =
        |label: &str| Some(status.lines().find_map(|line| line.strip_prefix(label))?.trim());
    if value("State:")?.starts_with('R') {
        return None;
    }
    let count = |label| value(label)?.parse::<u64>().ok();
    count("voluntary_ctxt_switches:")?.checked_add(count("nonvoluntary_ctxt_switches:")?)
}

/// Whether a thread of a process is in this IPC namespace, or may be. A thread that is about to end has
/// no namespace any more.
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
    /// Records the current state of all processes.
    pub fn now() -> Activity {
        let moment = |pid| {
            let stat = Stat::read(pid).filter(|stat| !stat.is_kernel_thread())?;
            Some((pid, Moment::of(pid, &stat)?))
        };
        Activity(all().filter_map(moment).collect())
    }

    /// The living processes in this process's IPC namespace that did not sleep all the time since,
    /// except this process and those for which `is_known` returns true. Fails if not all processes are
    /// visible.
    pub fn disturbed(
        &self,
        namespace: &Handle,
        is_known: impl Fn(i32) -> bool,
        length: Length,
    ) -> io::Result<Vec<Neighbour>> {
        let own = std::process::id() as i32;
        let here = namespace.identity()?;
        let is_init_elsewhere = Identity::of_host().is_some_and(|host| host != here);
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

    /// The earlier state of a process, if it is still the same process.
    fn before(&self, pid: i32, stat: &Stat) -> Option<&Moment> {
        self.0.get(&pid).filter(|before| stat.started() == Some(before.started))
    }

    /// Whether a process has slept all the time since.
    fn sleeps_on(&self, pid: i32, stat: &Stat) -> bool {
        let before = self.before(pid, stat).and_then(|before| before.asleep.as_ref());
        before.is_some() && Moment::of(pid, stat).is_some_and(|now| now.asleep.as_ref() == before)
    }

    /// The users as whom a process may have run since: a server starts as root and then changes its
    /// user. `None` if that is unknown.
    fn uids_since(&self, stat: &Stat) -> Option<BTreeSet<u32>> {
        let mut since = BTreeSet::new();
        let mut ancestor = None;
        // Pids are read one after the other and may be reused meanwhile, so the chain of parents can
        // have a loop.
        for _ in 0..100 {
            let stat = ancestor.as_ref().unwrap_or(stat);
            let pid = stat.pid()?;
            since.extend(uids(pid)?);
            if let Some(before) = self.before(pid, stat) {
                since.extend(before.uids?);
                return Some(since);
            }
            // It is new, so it started as a user as whom its parent ran.
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
        // A process that did not exist, or was not seen asleep, may have done anything.
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
