//! Creates private IPC objects: an IPC namespace, and a mount namespace with an empty `/dev/shm` and
//! `/dev/mqueue`. `ipc_namespaces(7)`, `mount_namespaces(7)`, `user_namespaces(7)`.
#![allow(unsafe_code)]

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork, getegid, geteuid};

use super::Namespace;
use crate::kernel::limits;
use crate::kernel::process::{self, CAP_SYS_ADMIN};

/// The steps, each of which the kernel may refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Creates the namespaces.
    Unshare,
    /// Maps the user and group in a new user namespace.
    Map,
    /// Stops mounts from propagating to the host.
    Propagation,
    /// Mounts an empty `/dev/shm`.
    Shm,
    /// Mounts an empty `/dev/mqueue`.
    Mqueue,
    /// Starts a child that tries the other steps.
    Fork,
    /// Mounts a `/proc` with the processes of a new process namespace.
    Proc,
}

/// Why the namespaces cannot be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The kernel refused a step.
    #[error("{}: {} ({errno:?})", step.name(), errno.desc())]
    Refused {
        /// The step.
        step: Step,
        /// The error.
        errno: Errno,
    },
    /// It would take a user namespace, in which the capabilities of the caller have no effect.
    #[error("unshare: {} ({:?}) without CAP_SYS_ADMIN, and in a user namespace the command would lose your other privileges", Errno::EPERM.desc(), Errno::EPERM)]
    Costly,
}

impl Forbidden {
    /// Whether permission is lacking.
    pub fn is_permission(self) -> bool {
        match self {
            Forbidden::Refused { errno, .. } => matches!(errno, Errno::EPERM | Errno::EACCES),
            Forbidden::Costly => true,
        }
    }
}

impl Step {
    const ALL: [Step; 7] = [
        Step::Unshare,
        Step::Map,
        Step::Propagation,
        Step::Shm,
        Step::Mqueue,
        Step::Fork,
        Step::Proc,
    ];

    fn name(self) -> &'static str {
        match self {
            Step::Unshare => "unshare",
            Step::Map => "uid_map",
            Step::Propagation => "mount /",
            Step::Shm => "mount /dev/shm",
            Step::Mqueue => "mount /dev/mqueue",
            Step::Fork => "fork",
            Step::Proc => "mount /proc",
        }
    }

    fn refused(self, errno: Errno) -> Forbidden {
        Forbidden::Refused { step: self, errno }
    }
}

/// How to create and enter the namespaces.
#[derive(Debug)]
pub struct Plan {
    /// Whether it takes a user namespace.
    by_user: bool,
    uid: u32,
    gid: u32,
    /// The location of `/dev/shm` and its mount options; `None` if it does not exist.
    shm: Option<(PathBuf, MsFlags, String)>,
    /// Where POSIX queues are mounted, if anywhere.
    mqueue: Option<PathBuf>,
    /// The capabilities that the caller cannot have.
    beyond: u64,
    /// Whether children are in a process namespace of their own.
    has_processes: bool,
}

impl Plan {
    /// Plans how this process enters new namespaces. If it has capabilities, but not the required ones,
    /// it may use a user namespace only with `at_any_price`.
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
            mqueue: mqueue.is_dir().then(|| mqueue.to_owned()),
            beyond: !process::capabilities("CapBnd:"),
            has_processes: false,
        })
    }

    /// Mounts POSIX queues in this directory where there is no `/dev/mqueue`.
    pub fn or_mqueue_at(mut self, directory: PathBuf) -> Plan {
        self.mqueue.get_or_insert(directory);
        self
    }

    /// Whether it takes a user namespace, so that capabilities concern nothing outside.
    pub fn is_by_user(&self) -> bool {
        self.by_user
    }

    /// Where POSIX queues are mounted, if anywhere.
    pub fn mqueue(&self) -> Option<&Path> {
        self.mqueue.as_deref()
    }

    /// Starts the first child, and all of its descendants, in a process namespace of their own. That child has to call
    /// [`mount_proc`], and when it ends, so do the others. `pid_namespaces(7)`.
    pub fn with_processes(mut self) -> Plan {
        self.has_processes = true;
        self
    }

    /// Tries [`Plan::enter`] in a child, because a failure half-way cannot be undone.
    pub fn try_out(&self) -> Result<(), Forbidden> {
        in_child(|| {
            self.enter_anew()?;
            if self.has_processes {
                // The first child is the first process of the namespace.
                in_child(|| mount_proc().map_err(|errno| Step::Proc.refused(errno)))?;
            }
            Ok(())
        })
    }

    /// Moves this process into new namespaces without IPC objects. It must have one thread. Returns the
    /// IPC namespace, and the capabilities (a bit each) that commands must not gain there: those that
    /// the caller cannot have.
    ///
    /// Also copies the limits, as far as that is permitted. It is not permitted for ordinary users.
    pub fn enter(&self) -> Result<(Namespace, u64), Forbidden> {
        let limits = limits::texts();
        self.enter_anew()?;
        for (name, text) in limits {
            if limits::read(name).is_ok_and(|now| now != text) {
                let _ = limits::write(name, text.trim());
            }
        }
        Ok((Namespace::own(), if self.by_user { self.beyond } else { 0 }))
    }

    /// The same with the limits that the kernel gives to a new namespace.
    pub fn enter_anew(&self) -> Result<(), Forbidden> {
        let mut flags = CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWNS;
        flags.set(CloneFlags::CLONE_NEWPID, self.has_processes);
        if self.by_user {
            flags |= CloneFlags::CLONE_NEWUSER;
        }
        unshare(flags).map_err(|errno| Step::Unshare.refused(errno))?;
        if self.by_user {
            for (file, text) in [
                // Linux before 3.19 has no such file and does not need it.
                ("setgroups", "deny".to_owned()),
                ("uid_map", format!("{0} {0} 1", self.uid)),
                ("gid_map", format!("{0} {0} 1", self.gid)),
            ] {
                match fs::write(format!("/proc/self/{file}"), text) {
                    Err(error)
                        if file == "setgroups" && error.kind() == io::ErrorKind::NotFound => {}
                    result => result.map_err(|error| {
                        Step::Map.refused(Errno::from_raw(error.raw_os_error().unwrap_or_default()))
                    })?,
                }
            }
        }
        let none = None::<&str>;
        // Mounts here do not propagate to the host, but mounts of the host still appear here.
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none)
            .map_err(|errno| Step::Propagation.refused(errno))?;
        if let Some((path, flags, options)) = &self.shm {
            mount(Some("tmpfs"), path, Some("tmpfs"), *flags, Some(options.as_str()))
                .map_err(|errno| Step::Shm.refused(errno))?;
        }
        if let Some(path) = &self.mqueue {
            let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
            mount(Some("mqueue"), path, Some("mqueue"), flags, none)
                .map_err(|errno| Step::Mqueue.refused(errno))?;
        }
        Ok(())
    }
}

/// Whether a process without capabilities in namespaces like these can make a user namespace and an IPC namespace of its
/// own. Tries it in a child.
pub fn may_nest() -> bool {
    let nest = || {
        Plan::new(true)?.enter_anew()?;
        let refused = |errno| Step::Unshare.refused(errno);
        process::give_up_capabilities(false).map_err(refused)?;
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWIPC).map_err(refused)
    };
    in_child(nest).is_ok()
}

/// Does this in a child, which then ends. This process must have one thread.
fn in_child(run: impl FnOnce() -> Result<(), Forbidden>) -> Result<(), Forbidden> {
    let refused = |errno| Step::Fork.refused(errno);
    let (reader, writer) = nix::unistd::pipe().map_err(refused)?;
    // SAFETY: this process has one thread, so the child may do anything that this process may.
    match unsafe { fork() }.map_err(refused)? {
        ForkResult::Child => {
            if let Err(Forbidden::Refused { step, errno }) = run() {
                let place = Step::ALL.iter().position(|&other| other == step).unwrap_or(0);
                let message = [place as i32, errno as i32].map(i32::to_ne_bytes).concat();
                let _ = File::from(writer).write_all(&message);
            }
            // SAFETY: ends the process immediately.
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

/// Mounts a `/proc` for the process namespace of this process, in a new mount namespace: its parent keeps its own. The
/// settings of the machine in `/proc/sys` cannot be changed there. Async-signal-safe.
pub fn mount_proc() -> nix::Result<()> {
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS)?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "/proc", Some("proc"), flags, none)?;
    mount(Some("/proc/sys"), "/proc/sys", none, MsFlags::MS_BIND, none)?;
    let closed = flags | MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    mount(none, "/proc/sys", none, closed, none)
}

/// Takes away what is mounted in a directory, in the mount namespace of this process.
pub fn unmount(directory: &Path) -> io::Result<()> {
    Ok(umount2(directory, MntFlags::MNT_DETACH)?)
}

/// The real location of `/dev/shm`, and options for a mount like it: its flags and its size.
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
            // 0 means no limit, in the file system as in the mount options.
            let bytes = space.blocks().saturating_mul(space.block_size() as u64);
            options += &format!(",size={bytes},nr_inodes={}", space.files());
        }
    }
    Some((path, flags, options))
}
