//! Memory in `/dev/shm` that has no name any more but exists while a process has it open or mapped. It
//! is found through these processes: `/proc/PID/fd` and `/proc/PID/maps`, `proc(5)`.
#![deny(unsafe_code)]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Space, Tree, USUAL_PATH, of};
use crate::ipc::posix::MemoryStatus;
use crate::ipc::{Kind, Name, Object, PosixMemory};
use crate::kernel::io::file_identity::identity_at;
use crate::kernel::io::os_error;
use crate::kernel::process;
use crate::kernel::process::scan::maps::{Maps, Which};
use crate::kernel::process::{is_gone_error, mounts};

/// Files without a name that processes still use.
#[derive(Debug, Default)]
pub struct Removed {
    /// The ones that can be inspected, in the order of their names and inodes.
    pub objects: Vec<Object>,
    /// How many more bytes are in use by files that were not found.
    pub hidden_bytes: u64,
    /// The processes that have such files mapped, if the caller may not inspect the mappings.
    pub hidden_in: Vec<i32>,
    /// How many processes could not be inspected and may use some.
    pub uninspected: u64,
    /// The error of such an inspection, if it is not a lack of permission.
    pub error: Option<String>,
}

impl Removed {
    /// Finds the files that use memory but have no name in `tree`. Inspects the processes only if more
    /// memory is in use than the names account for. `before` is the space before the names were read.
    pub fn find(tree: &Tree, before: &Space) -> io::Result<Removed> {
        let now = Space::read(&tree.shm)?;
        // A file that was created or removed meanwhile is in only one of the two.
        let used = before.used_bytes.min(now.used_bytes);
        let inodes = before.used_inodes.min(now.used_inodes);
        let named = Names::of(tree);
        let counts = now.is_tmpfs && now.inodes.is_some() && tree.unread.is_empty();
        if counts && used <= named.bytes && inodes <= named.inodes {
            return Ok(Removed::default());
        }
        let mut search = Search::new(&named)?;
        search.look_at_processes()?;
        let removed = search.finish();
        let held: u64 = removed.memory().map(|memory| memory.rss).sum();
        // Files that could not be read have names, but their memory is unknown.
        let is_known = now.is_tmpfs && tree.unread.is_empty();
        let used = used.min(Space::read(&tree.shm)?.used_bytes);
        let hidden_bytes =
            if is_known { used.saturating_sub(named.bytes).saturating_sub(held) } else { 0 };
        Ok(Removed { hidden_bytes, ..removed })
    }

    /// The files as shared memory.
    pub fn memory(&self) -> impl Iterator<Item = &PosixMemory> {
        self.objects.iter().filter_map(Object::memory)
    }

    /// What could not be found, as a sentence; `None` if nothing is missing.
    pub fn gap(&self) -> Option<String> {
        let bytes = self.hidden_bytes;
        let helps = self.error.is_none() && process::uid() != 0;
        let advice = if helps { "; run as root to see them" } else { "" };
        let error = self.error.as_ref().map_or(String::new(), |error| format!(": {error}"));
        let processes = if self.uninspected == 1 { "process" } else { "processes" };
        Some(match (self.hidden_in.as_slice(), self.uninspected) {
            ([], 0) if bytes == 0 => return None,
            ([], 0) => format!(
                "{bytes} bytes in {USUAL_PATH} belong to removed files, which no visible process uses"
            ),
            // Most processes that cannot be inspected use no such files.
            ([], _) if bytes == 0 && self.error.is_none() => return None,
            ([], number) => format!(
                "{bytes} bytes in {USUAL_PATH} belong to removed files that were not found: {number} {processes} could not be inspected{error}{advice}"
            ),
            (pids, _) => {
                let pids: Vec<_> = pids.iter().map(i32::to_string).collect();
                format!(
                    "removed files in {USUAL_PATH}, mapped by {}, cannot be inspected{advice}",
                    pids.join(", ")
                )
            }
        })
    }
}

/// The memory that files with names account for.
struct Names {
    device: u64,
    files: HashSet<u64>,
    bytes: u64,
    inodes: u64,
}

impl Names {
    fn of(tree: &Tree) -> Names {
        let mut files = HashSet::new();
        let new = |data: &&Metadata| files.insert(data.ino());
        // st_blocks is in units of 512 bytes, whatever the block size.
        let bytes =
            tree.entries.iter().map(|(_, data)| data).filter(new).map(|data| data.blocks() * 512);
        let bytes = bytes.sum();
        Names {
            device: tree.shm.device(),
            files,
            bytes,
            // The directory itself has one, and so does each name.
            inodes: tree.entries.len() as u64 + 1,
        }
    }
}

struct Search<'a> {
    named: &'a Names,
    found: BTreeMap<(Name, u64), Object>,
    seen: HashSet<u64>,
    /// Mapped files that the caller may not inspect, with the process.
    closed: HashMap<u64, i32>,
    removed: Removed,
}

impl<'a> Search<'a> {
    fn new(named: &'a Names) -> io::Result<Search<'a>> {
        process::check_proc().map_err(io::Error::other)?;
        let (found, seen, closed) = Default::default();
        Ok(Search { named, found, seen, closed, removed: Removed::default() })
    }

    fn look_at_processes(&mut self) -> io::Result<()> {
        let mut maps = Maps::default();
        for pid in process::listed()? {
            let pid = pid?;
            match self.look_at(pid, &mut maps) {
                Ok(()) => {}
                Err(error) if is_gone_error(&error) => {}
                Err(error) => self.miss(pid, &error),
            }
        }
        // Mounted with hidepid=2, /proc does not even show that other processes exist.
        if !fs::exists("/proc/1").unwrap_or(false) {
            self.removed.uninspected += 1;
        }
        Ok(())
    }

    fn look_at(&mut self, pid: i32, maps: &mut Maps) -> io::Result<()> {
        let directory = format!("/proc/{pid}");
        match self.look_in(pid, &directory, maps) {
            // The first thread may have ended while others live.
            Err(error) if is_gone_error(&error) => {
                for thread in process::threads(pid)? {
                    match self.look_in(pid, &format!("{directory}/task/{thread}"), maps) {
                        Err(error) if is_gone_error(&error) => {}
                        seen => return seen,
                    }
                }
                Ok(())
            }
            seen => seen,
        }
    }

    fn look_in(&mut self, pid: i32, directory: &str, maps: &mut Maps) -> io::Result<()> {
        for entry in fs::read_dir(format!("{directory}/fd"))? {
            let path = entry?.path();
            match identity_at(&path) {
                Ok(file) if file.device == self.named.device => self.look_at_descriptor(&path)?,
                Ok(_) => {}
                // Closed meanwhile.
                Err(error) if is_gone_error(&error) => {}
                Err(error) => return Err(error),
            }
        }
        maps.each(directory, Which::Files, &mut |mapping| {
            if mapping.device != self.named.device || !self.is_new(mapping.inode) {
                return Ok(());
            }
            match fs::metadata(mapping.link(directory)) {
                Ok(data) => self.add(mapping.name, &data),
                // It takes privileges over the whole machine.
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    if mapping.name.ends_with(DELETED) {
                        self.closed.insert(mapping.inode, pid);
                    }
                }
                Err(error) if is_gone_error(&error) => {}
                Err(error) => return Err(error),
            }
            Ok(())
        })
    }

    fn look_at_descriptor(&mut self, path: &Path) -> io::Result<()> {
        let scope = || Ok((fs::metadata(path)?, fs::read_link(path)?));
        match scope() {
            Ok((data, name)) if self.is_new(data.ino()) => {
                self.add(name.as_os_str().as_bytes(), &data);
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(error) if is_gone_error(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn is_new(&self, inode: u64) -> bool {
        !self.named.files.contains(&inode) && !self.seen.contains(&inode)
    }

    /// Adds a file without a name, under the name that the kernel remembers.
    fn add(&mut self, path: &[u8], data: &Metadata) {
        if data.nlink() > 0 || !data.is_file() || data.dev() != self.named.device {
            return;
        }
        self.seen.insert(data.ino());
        let path = path.strip_suffix(DELETED).unwrap_or(path);
        let prefix = format!("{USUAL_PATH}/");
        let name = path.strip_prefix(prefix.as_bytes()).unwrap_or_else(|| {
            // The name on another mount of that file system.
            path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
        });
        let name = Name::of_file(OsStr::from_bytes(name));
        // The content of shared memory is never read.
        let open = || Err(io::ErrorKind::NotFound.into());
        let mut object = of(Kind::Pshm, name.clone(), data, open);
        if let Object::PosixMemory(memory) = &mut object {
            memory.status = MemoryStatus::Deleted;
        }
        self.found.insert((name, data.ino()), object);
    }

    /// Records that a process could not be inspected and may use such files.
    fn miss(&mut self, pid: i32, error: &io::Error) {
        let reaches =
            mounts::devices_of(pid).is_none_or(|devices| devices.contains(&self.named.device));
        if process::is_kernel_thread(pid) || !reaches {
            return;
        }
        self.removed.uninspected += 1;
        if error.kind() != ErrorKind::PermissionDenied {
            self.removed.error.get_or_insert_with(|| os_error::describe(error));
        }
    }

    fn finish(mut self) -> Removed {
        self.closed.retain(|inode, _| !self.seen.contains(inode));
        let mut pids: Vec<_> = self.closed.into_values().collect();
        pids.sort_unstable();
        pids.dedup();
        Removed { objects: self.found.into_values().collect(), hidden_in: pids, ..self.removed }
    }
}

/// What the kernel appends to the name of a removed file.
const DELETED: &[u8] = b" (deleted)";
