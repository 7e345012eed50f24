//! A world of IPC objects of one's own: an IPC namespace, and a mount namespace with an empty
//! `/dev/shm` and `/dev/mqueue`. `ipc_namespaces(7)`, `mount_namespaces(7)`, `user_namespaces(7)`.
#![allow(unsafe_code)]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork, getegid, geteuid};

use super::Namespace;
use crate::kernel::limits;
use crate::kernel::process::{self, CAP_SYS_ADMIN};

/// The steps, each of which may be forbidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// New namespaces.
    Unshare,
    /// The user and the group in a new user namespace.
    Map,
    /// Mounts that do not spread.
    Propagation,
    /// The empty `/dev/shm`.
    Shm,
    /// The empty `/dev/mqueue`.
    Mqueue,
    /// A child to try it out in.
    Fork,
}

/// Why there is no namespace to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The kernel refused.
    #[error("{}: {} ({errno:?})", step.name(), errno.desc())]
    Refused {
        /// What.
        step: Step,
        /// Why.
        errno: Errno,
    },
    /// It would take a user namespace, in which capabilities that the caller has count no more.
    #[error("unshare: {} ({:?}) without CAP_SYS_ADMIN, and a user namespace would take your other privileges from the command", Errno::EPERM.desc(), Errno::EPERM)]
    Costly,
}

impl Forbidden {
    /// Whether it is a matter of permission.
    pub fn is_permission(self) -> bool {
        match self {
            Forbidden::Refused { errno, .. } => matches!(errno, Errno::EPERM | Errno::EACCES),
            Forbidden::Costly => true,
        }
    }
}

impl Step {
    const ALL: [Step; 6] =
        [Step::Unshare, Step::Map, Step::Propagation, Step::Shm, Step::Mqueue, Step::Fork];

    fn name(self) -> &'static str {
        match self {
            Step::Unshare => "unshare",
            Step::Map => "uid_map",
            Step::Propagation => "mount /",
            Step::Shm => "mount /dev/shm",
            Step::Mqueue => "mount /dev/mqueue",
            Step::Fork => "fork",
        }
    }

    fn refused(self, errno: Errno) -> Forbidden {
        Forbidden::Refused { step: self, errno }
    }
}

/// How to enter, and what to find there.
#[derive(Debug)]
pub struct Plan {
    /// Whether it takes a user namespace.
    by_user: bool,
    uid: u32,
    gid: u32,
    /// Where `/dev/shm` is, and its options; nothing where there is none.
    shm: Option<(PathBuf, MsFlags, String)>,
    mqueue: Option<&'static Path>,
    /// The capabilities that the caller cannot have.
    beyond: u64,
}

impl Plan {
    /// How this process would enter. With capabilities, but not those that it takes, it does so
    /// only where `at_any_price`.
    pub fn new(at_any_price: bool) -> Result<Plan, Forbidden> {
        let capabilities = process::capabilities("CapEff:");
        let by_user = capabilities >> CAP_SYS_ADMIN & 1 == 0;
        if by_user && capabilities != 0 && !at_any_price {
            return Err(Forbidden::Costly);
        }
        let mqueue = Path::new("/dev/mqueue");
        Ok(Plan {
            by_user,
            uid: geteuid().as_raw(),
            gid: getegid().as_raw(),
            shm: shm_options(),
            mqueue: mqueue.is_dir().then_some(mqueue),
            beyond: !process::capabilities("CapBnd:"),
        })
    }

    /// Whether [`Plan::enter`] would succeed: a child tries. What fails half-way could not be
    /// undone.
    pub fn try_out(&self) -> Result<(), Forbidden> {
        let refused = |errno| Step::Fork.refused(errno);
        let (reader, writer) = nix::unistd::pipe().map_err(refused)?;
        // SAFETY: this process has one thread, so the child may do whatever this one may.
        match unsafe { fork() }.map_err(refused)? {
            ForkResult::Child => {
                if let Err(Forbidden::Refused { step, errno }) = self.enter_alone() {
                    let place = Step::ALL.iter().position(|&other| other == step).unwrap_or(0);
                    let message = [place as i32, errno as i32].map(i32::to_ne_bytes).concat();
                    let _ = File::from(writer).write_all(&message);
                }
                // SAFETY: ends the process without a word to anybody.
                unsafe { libc::_exit(0) }
            }
            ForkResult::Parent { child } => {
                drop(writer);
                let mut message = Vec::new();
                let _ = File::from(reader).read_to_end(&mut message);
                let _ = waitpid(child, None);
                let word = |place: usize| {
                    let bytes = message.get(place..place + 4)?;
                    Some(i32::from_ne_bytes(bytes.try_into().ok()?))
                };
                match word(0).zip(word(4)) {
                    None => Ok(()),
                    Some((place, errno)) => {
                        Err(Step::ALL[place as usize].refused(Errno::from_raw(errno)))
                    }
                }
            }
        }
    }

    /// Moves this process into new namespaces, in which no IPC object exists. It must have one
    /// thread. Returns them and the capabilities (a bit each) that commands must not gain there: those that
    /// the caller cannot have.
    ///
    /// The limits go with it as far as that is permitted, which an ordinary user is not.
    pub fn enter(&self) -> Result<(Namespace, u64), Forbidden> {
        let limits = limits::texts();
        self.enter_alone()?;
        for (name, text) in limits {
            if limits::read(name).is_ok_and(|now| now != text) {
                let _ = limits::write(name, text.trim());
            }
        }
        Ok((Namespace::own(), if self.by_user { self.beyond } else { 0 }))
    }

    fn enter_alone(&self) -> Result<(), Forbidden> {
        let mut flags = CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWNS;
        if self.by_user {
            flags |= CloneFlags::CLONE_NEWUSER;
        }
        unshare(flags).map_err(|errno| Step::Unshare.refused(errno))?;
        if self.by_user {
            for (file, text) in [
                // Linux before 3.19 has no such file, and needs none.
                ("setgroups", "deny".to_owned()),
                ("uid_map", format!("{0} {0} 1", self.uid)),
                ("gid_map", format!("{0} {0} 1", self.gid)),
            ] {
                match fs::write(format!("/proc/self/{file}"), text) {
                    Err(error)
                        if file == "setgroups" && error.kind() == std::io::ErrorKind::NotFound => {}
                    result => result.map_err(|error| {
                        Step::Map.refused(Errno::from_raw(error.raw_os_error().unwrap_or_default()))
                    })?,
                }
            }
        }
        let none = None::<&str>;
        // What is mounted here stays here; what the host mounts still comes in.
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none)
            .map_err(|errno| Step::Propagation.refused(errno))?;
        if let Some((path, flags, options)) = &self.shm {
            mount(Some("tmpfs"), path, Some("tmpfs"), *flags, Some(options.as_str()))
                .map_err(|errno| Step::Shm.refused(errno))?;
        }
        if let Some(path) = self.mqueue {
            let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
            mount(Some("mqueue"), path, Some("mqueue"), flags, none)
                .map_err(|errno| Step::Mqueue.refused(errno))?;
        }
        Ok(())
    }
}

/// Where `/dev/shm` really is, and how to mount one like it: the caller's flags and its size.
fn shm_options() -> Option<(PathBuf, MsFlags, String)> {
    let path = fs::canonicalize("/dev/shm").ok()?;
    let data = fs::metadata(&path).ok().filter(fs::Metadata::is_dir)?;
    let mut options = format!("mode={:o}", data.mode() & 0o7777);
    let mut flags = MsFlags::empty();
    if let (Ok(space), Ok(about)) = (statfs(&path), statvfs(&path)) {
        for (is, so) in [
            (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
            (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
            (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
        ] {
            if about.flags().contains(is) {
                flags |= so;
            }
        }
        if space.filesystem_type() == TMPFS_MAGIC {
            // 0 stands for no limit in both directions.
            let bytes = space.blocks().saturating_mul(space.block_size() as u64);
            options += &format!(",size={bytes},nr_inodes={}", space.files());
        }
    }
    Some((path, flags, options))
}
