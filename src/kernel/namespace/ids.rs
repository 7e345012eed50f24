//! User and group ids in another user namespace, and what they are in that of the caller:
//! `user_namespaces(7)`, "User and group ID mappings".
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, pause, pipe, read, write};

/// What the kernel shows for an id that has no mapping, `/proc/sys/kernel/overflowuid`.
const OVERFLOW: u32 = 65534;

/// The mappings of the ids of users or of groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Map(Vec<Extent>);

/// This many ids from `inside` on are, outside, those from `outside` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Extent {
    inside: u32,
    outside: u32,
    count: u32,
}

/// The mappings of a user namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct IdMaps {
    users: Map,
    groups: Map,
}

/// The user namespace in which calls are made.
#[derive(Clone, Debug)]
pub(super) struct Entered {
    pub ids: IdMaps,
    /// Whether this process itself lives there from now on; otherwise only its children go there.
    pub for_good: bool,
}

thread_local! {
    static ENTERED: RefCell<Option<Entered>> = const { RefCell::new(None) };
}

impl Entered {
    /// What is in effect.
    pub(super) fn now() -> Option<Entered> {
        ENTERED.with_borrow(Option::clone)
    }

    /// Takes effect; returns what was in effect before.
    pub(super) fn set(entered: Option<Entered>) -> Option<Entered> {
        ENTERED.replace(entered)
    }
}

/// The user, as the caller knows it, for an id that a call returned.
pub(in crate::kernel) fn user_outside(uid: u32) -> u32 {
    with_ids(uid, |ids| ids.users.to_outside(uid))
}

/// The group, likewise.
pub(in crate::kernel) fn group_outside(gid: u32) -> u32 {
    with_ids(gid, |ids| ids.groups.to_outside(gid))
}

/// The id for a call that means this user. An id that no call accepts if the user has none there.
pub(in crate::kernel) fn user_inside(uid: u32) -> u32 {
    with_ids(uid, |ids| ids.users.to_inside(uid))
}

/// The group, likewise.
pub(in crate::kernel) fn group_inside(gid: u32) -> u32 {
    with_ids(gid, |ids| ids.groups.to_inside(gid))
}

fn with_ids(same: u32, translate: impl FnOnce(&IdMaps) -> u32) -> u32 {
    ENTERED.with_borrow(|entered| entered.as_ref().map_or(same, |entered| translate(&entered.ids)))
}

/// The user of the calling process as it was before it entered another user namespace.
pub(in crate::kernel) fn own_user(uid: u32) -> u32 {
    if lives_there() { user_outside(uid) } else { uid }
}

/// The group, likewise.
pub(in crate::kernel) fn own_group(gid: u32) -> u32 {
    if lives_there() { group_outside(gid) } else { gid }
}

fn lives_there() -> bool {
    ENTERED.with_borrow(|entered| entered.as_ref().is_some_and(|entered| entered.for_good))
}

/// Whether calls are made in another user namespace, in which this process has every capability.
pub(in crate::kernel) fn is_elsewhere() -> bool {
    ENTERED.with_borrow(Option::is_some)
}

impl Map {
    /// Reads `/proc/PID/uid_map` or `gid_map`. The ids outside are those of the reader.
    fn parse(text: &str) -> Map {
        let extent = |line: &str| {
            let mut words = line.split_ascii_whitespace().map_while(|word| word.parse().ok());
            Some(Extent { inside: words.next()?, outside: words.next()?, count: words.next()? })
        };
        Map(text.lines().filter_map(extent).collect())
    }

    fn to_outside(&self, id: u32) -> u32 {
        let found = self.0.iter().find_map(|one| {
            let place = id.checked_sub(one.inside).filter(|place| *place < one.count)?;
            one.outside.checked_add(place)
        });
        found.unwrap_or(OVERFLOW)
    }

    fn to_inside(&self, id: u32) -> u32 {
        let found = self.0.iter().find_map(|one| {
            let place = id.checked_sub(one.outside).filter(|place| *place < one.count)?;
            one.inside.checked_add(place)
        });
        found.unwrap_or(u32::MAX)
    }
}

impl IdMaps {
    /// The mappings of a user namespace, from a child that has entered it. `enter` is what the child does
    /// for that; it makes only system calls. Fails if that fails.
    pub(super) fn of(enter: impl FnOnce() -> nix::Result<()>) -> io::Result<IdMaps> {
        let (ready, tell) = pipe()?;
        // SAFETY: the child makes only system calls, and never returns.
        let child = match unsafe { fork() }? {
            ForkResult::Child => {
                // SAFETY: takes plain numbers.
                unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
                let has_entered = u8::from(enter().is_ok());
                // The end of the pipe tells nothing: a child of another thread may hold it open.
                let _ = write(&tell, &[has_entered]);
                loop {
                    pause();
                }
            }
            ForkResult::Parent { child } => child,
        };
        let maps = match has_entered(&ready) {
            true => IdMaps::of_process(child),
            false => Err(io::ErrorKind::PermissionDenied.into()),
        };
        let _ = kill(child, Signal::SIGKILL);
        let _ = waitpid(child, None);
        maps
    }

    fn of_process(pid: Pid) -> io::Result<IdMaps> {
        let read = |file| fs::read_to_string(format!("/proc/{pid}/{file}"));
        Ok(IdMaps { users: Map::parse(&read("uid_map")?), groups: Map::parse(&read("gid_map")?) })
    }
}

/// How long a child may take to enter a namespace.
const PATIENCE: u16 = 5000;

/// Whether the child says that it has entered the namespace. It may be killed before it says anything.
fn has_entered(ready: &OwnedFd) -> bool {
    let mut said = [0];
    let mut wait = [PollFd::new(ready.as_fd(), PollFlags::POLLIN)];
    poll(&mut wait, PATIENCE) == Ok(1) && read(ready, &mut said) == Ok(1) && said == [1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_rootless_container() {
        let map =
            Map::parse("         0       1000          1\n         1     100000      65536\n");
        for (inside, outside) in [(0, 1000), (1, 100_000), (33, 100_032), (65536, 165_535)] {
            assert_eq!(map.to_outside(inside), outside);
            assert_eq!(map.to_inside(outside), inside);
        }
        assert_eq!(map.to_outside(65537), OVERFLOW);
        assert_eq!(map.to_inside(0), u32::MAX, "the caller's root has no id there");
        assert_eq!(Map::parse("").to_outside(0), OVERFLOW);
        assert_eq!(Map::parse("0 0 4294967295").to_inside(7), 7);
    }
}
