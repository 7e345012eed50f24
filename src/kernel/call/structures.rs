//! Formats the structures of calls as `strace(1)` does.

use std::fmt;

use super::flags::Octal;
use super::layout::key;
use super::value::Structure;

/// A uid or a gid; -1 leaves it unchanged.
pub(super) struct Id(pub u32);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            u32::MAX => f.write_str("-1"),
            id => write!(f, "{id}"),
        }
    }
}

/// The attributes of a POSIX queue, with flags as names or as a number.
pub(super) struct Attributes<'a, F>(pub F, pub &'a libc::mq_attr);

impl<F: fmt::Display> fmt::Display for Attributes<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Attributes(flags, attr) = self;
        write!(
            f,
            "{{mq_flags={flags}, mq_maxmsg={}, mq_msgsize={}, mq_curmsgs={}}}",
            attr.mq_maxmsg, attr.mq_msgsize, attr.mq_curmsgs
        )
    }
}

/// The permissions of a System V object.
struct Permissions<'a> {
    permissions: &'a libc::ipc_perm,
    /// Whether to show only the fields that `IPC_SET` uses.
    is_settable: bool,
}

impl fmt::Display for Permissions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let libc::ipc_perm { uid, gid, cuid, cgid, mode, .. } = *self.permissions;
        let (uid, gid, cuid, cgid) = (Id(uid), Id(gid), Id(cuid), Id(cgid));
        write!(f, "{{uid={uid}, gid={gid}, mode={}", Octal(mode.into()))?;
        if !self.is_settable {
            let key = key(self.permissions) as u32;
            write!(f, ", key={key}, cuid={cuid}, cgid={cgid}")?;
        }
        f.write_str("}")
    }
}

fn whole(permissions: &libc::ipc_perm) -> Permissions<'_> {
    Permissions { permissions, is_settable: false }
}

fn settable(permissions: &libc::ipc_perm) -> Permissions<'_> {
    Permissions { permissions, is_settable: true }
}

/// A structure with all fields that strace shows.
pub(super) struct Whole<'a>(pub Structure<'a>);

impl fmt::Display for Whole<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Structure::Msqid(q) => write!(
                f,
                "{{msg_perm={}, msg_stime={}, msg_rtime={}, msg_ctime={}, msg_qnum={}, msg_qbytes={}, \
                 msg_lspid={}, msg_lrpid={}}}",
                whole(&q.msg_perm),
                q.msg_stime,
                q.msg_rtime,
                q.msg_ctime,
                q.msg_qnum,
                q.msg_qbytes,
                q.msg_lspid,
                q.msg_lrpid
            ),
            Structure::Shmid(s) => write!(
                f,
                "{{shm_perm={}, shm_segsz={}, shm_cpid={}, shm_lpid={}, shm_nattch={}, shm_atime={}, \
                 shm_dtime={}, shm_ctime={}}}",
                whole(&s.shm_perm),
                s.shm_segsz,
                s.shm_cpid,
                s.shm_lpid,
                s.shm_nattch,
                s.shm_atime,
                s.shm_dtime,
                s.shm_ctime
            ),
            Structure::Semid(s) => write!(
                f,
                "{{sem_perm={}, sem_otime={}, sem_ctime={}, sem_nsems={}}}",
                whole(&s.sem_perm),
                s.sem_otime,
                s.sem_ctime,
                s.sem_nsems
            ),
            Structure::Msginfo(i) => write!(
                f,
                "{{msgpool={}, msgmap={}, msgmax={}, msgmnb={}, msgmni={}, msgssz={}, msgtql={}, \
                 msgseg={}}}",
                i.msgpool, i.msgmap, i.msgmax, i.msgmnb, i.msgmni, i.msgssz, i.msgtql, i.msgseg
            ),
            Structure::Shminfo(i) => write!(
                f,
                "{{shmmax={}, shmmin={}, shmmni={}, shmseg={}, shmall={}}}",
                i.shmmax, i.shmmin, i.shmmni, i.shmseg, i.shmall
            ),
            Structure::ShmUsage(i) => write!(
                f,
                "{{used_ids={}, shm_tot={}, shm_rss={}, shm_swp={}, swap_attempts={}, \
                 swap_successes={}}}",
                i.used_ids, i.shm_tot, i.shm_rss, i.shm_swp, i.swap_attempts, i.swap_successes
            ),
            Structure::Seminfo(i) => write!(
                f,
                "{{semmap={}, semmni={}, semmns={}, semmnu={}, semmsl={}, semopm={}, semume={}, \
                 semusz={}, semvmx={}, semaem={}}}",
                i.semmap,
                i.semmni,
                i.semmns,
                i.semmnu,
                i.semmsl,
                i.semopm,
                i.semume,
                i.semusz,
                i.semvmx,
                i.semaem
            ),
        }
    }
}

/// A structure with the fields that `IPC_SET` uses.
pub(super) struct Settable<'a>(pub Structure<'a>);

impl fmt::Display for Settable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Structure::Msqid(q) => {
                write!(f, "{{msg_perm={}, msg_qbytes={}}}", settable(&q.msg_perm), q.msg_qbytes)
            }
            Structure::Shmid(s) => write!(f, "{{shm_perm={}}}", settable(&s.shm_perm)),
            Structure::Semid(s) => write!(f, "{{sem_perm={}}}", settable(&s.sem_perm)),
            // No call reads these structures.
            Structure::Msginfo(_)
            | Structure::Shminfo(_)
            | Structure::ShmUsage(_)
            | Structure::Seminfo(_) => write!(f, "{}", Whole(self.0)),
        }
    }
}
