//! The checks: pure functions of what was seen of the system.

use super::memory::{self, DevShm};
use crate::ipc::finding::{Check, Finding, Severity};
use crate::ipc::limit::Allowance;
use crate::ipc::object::Queue;
use crate::ipc::user::{Role, State};
use crate::ipc::{
    Heirs, Key, Known, Object, PosixQueue, Reference, Segment, Time, User, Verdict, count,
};
use crate::kernel::accounts;
use crate::kernel::sysctl::Limit;
use crate::output::escape::shell_word;
use crate::output::style::{age, human_size};

/// What was seen of the system.
pub(super) struct Facts {
    /// All objects, with all that is known of them.
    pub known: Vec<Known>,
    /// Who may come back to one that nobody uses now.
    pub heirs: Heirs,
    /// All limits.
    pub allowances: Vec<Allowance>,
    /// From how many per cent on a limit is near.
    pub threshold: u64,
    /// Whether logind removes the objects of those who log out; nothing without logind.
    pub removes_ipc: Option<bool>,
    /// The file system of POSIX shared memory, where there is one and somebody is to look.
    pub dev_shm: Option<DevShm>,
    /// The time of all this.
    pub now: Time,
}

/// What one check finds.
pub(super) fn examine(check: Check, facts: &Facts) -> Vec<Finding> {
    match check {
        Check::LimitNear => limit_near(facts),
        Check::PmsgLimit => pmsg_limit(facts),
        Check::RemoveIpc => remove_ipc(facts).into_iter().collect(),
        Check::ShmFull => memory::shm_full(facts),
        Check::ShmDeleted => memory::shm_deleted(facts),
        Check::RmidForced => memory::rmid_forced(facts),
        _ => facts.known.iter().flat_map(|known| object(check, known, facts)).collect(),
    }
}

/// A reference as a shell takes it.
fn word(reference: &Reference) -> String {
    shell_word(&reference.to_string())
}

/// What a check of single objects finds in one.
fn object(check: Check, known: &Known, facts: &Facts) -> Option<Finding> {
    let reference = known.reference();
    let named = word(&reference);
    let (severity, why, fix) = match (check, &known.object) {
        (Check::Orphan, _) => orphan(known, facts)?,
        (Check::FtokFailed, _) if known.permissions().key == Key::FTOK_FAILED => (
            Severity::Warning,
            "its key is what ftok returns when its path is missing: every program with that mistake meets here".to_owned(),
            // Whoever uses it now would be hit.
            match known.is_unused() {
                Verdict::Yes => format!("ipctool rm {named}"),
                _ => format!("ipctool stat {named}"),
            },
        ),
        (Check::MarkedAttached, Object::Segment(segment)) => marked_attached(known, segment)?,
        (Check::QueueFull, Object::Queue(queue)) => queue_full(known, queue)?,
        (Check::QueueFull, Object::PosixQueue(queue)) => posix_queue_full(known, queue)?,
        (Check::StuckSemaphore, Object::SemaphoreSet(_)) => stuck_semaphore(known)?,
        (Check::WorldWritable, _) if known.permissions().mode.bits() & 0o002 != 0 => (
            Severity::Warning,
            format!("mode {} lets every user write it", known.permissions().mode),
            format!("ipctool chmod o-w {named}"),
        ),
        (Check::LockedOut, _) => locked_out(known)?,
        (Check::DeadSenderBacklog, Object::Queue(queue)) => dead_sender_backlog(known, queue)?,
        _ => return None,
    };
    Some(Finding { check, severity, reference: Some(reference), why, fix })
}

type Diagnosis = (Severity, String, String);

fn orphan(known: &Known, facts: &Facts) -> Option<Diagnosis> {
    let heirs = &facts.heirs;
    let is_orphan =
        known.is_orphan().and(|| heirs.are_none_of(known)).and(|| heirs.is_settled(known));
    if is_orphan != Verdict::Yes {
        return None;
    }
    // One that was never used may be about to be. Of POSIX objects nobody knows.
    let severity = match known.recorded().next() {
        None if !known.kind().is_posix() => Severity::Note,
        _ => Severity::Warning,
    };
    let since = known.last_operation().map_or(String::new(), |last| age(last, facts.now));
    let why = format!("{}; last touched {since}", known.orphan_proof());
    let remove = format!("ipctool rm {}", word(&known.reference()));
    let fix = match known.messages() {
        Some(1..) => format!("{} && {remove}", save(known)),
        _ => remove,
    };
    Some((severity, why, fix))
}

/// The command that takes all messages off a queue into a file.
fn save(known: &Known) -> String {
    let reference = known.reference();
    // Not longer than a file system takes.
    let name: String = reference.to_string().replace([':', '/'], "-").chars().take(60).collect();
    let file = shell_word(&format!("{name}.jsonl"));
    format!("ipctool recv {} --all --json >> {file}", word(&reference))
}

fn marked_attached(known: &Known, segment: &Segment) -> Option<Diagnosis> {
    if !segment.status.is_marked() {
        return None;
    }
    let holders = present(known, |role| *role == Role::Attached);
    let size = human_size(segment.size);
    let times = count(segment.attached, "time");
    let why = format!(
        "removed, but its {size} stay in memory while it is attached {times}{}",
        names(&holders)
    );
    let fix = match holders.as_slice() {
        [] => format!("ipctool stat {}", word(&known.reference())),
        holders => {
            let pids: Vec<_> = holders.iter().map(|user| user.pid.to_string()).collect();
            format!("kill {}", pids.join(" "))
        }
    };
    Some((Severity::Note, why, fix))
}

fn queue_full(known: &Known, queue: &Queue) -> Option<Diagnosis> {
    let most = queue.max_bytes?;
    let blocked = present(known, |role| matches!(role, Role::WaitsToSend(_)));
    let is_full = queue.bytes >= most || queue.messages >= most;
    if !is_full && blocked.is_empty() {
        return None;
    }
    let severity = if blocked.is_empty() { Severity::Warning } else { Severity::Error };
    let held = count(queue.messages, "message");
    let mut why = format!("{held} fill {} of {most} bytes", queue.bytes);
    if !blocked.is_empty() {
        why += &format!(
            ", and {} blocked sending{}",
            count(blocked.len() as u64, "thread"),
            names(&blocked)
        );
    }
    // Room for the largest message that somebody wants to send, too.
    let largest = blocked.iter().map(|user| match user.role {
        Role::WaitsToSend(size) => size,
        _ => 0,
    });
    let needed = queue.bytes.saturating_add(largest.max().unwrap_or(0));
    let more = most.saturating_mul(2).max(needed).max(1024);
    Some((severity, why, format!("ipctool limits --queue-bytes {more} {}", known.reference())))
}

fn posix_queue_full(known: &Known, queue: &PosixQueue) -> Option<Diagnosis> {
    let blocked = present(known, |role| matches!(role, Role::WaitsToSend(_)));
    if !queue.is_full() {
        return None;
    }
    let most = queue.max_messages?;
    let (severity, mut why) = match blocked.len() as u64 {
        0 => (Severity::Warning, format!("it holds all of {most} messages (mq_maxmsg)")),
        threads => (
            Severity::Error,
            format!(
                "it holds all of {most} messages (mq_maxmsg), and {} blocked sending{}",
                count(threads, "thread"),
                names(&blocked)
            ),
        ),
    };
    why += "; its size was set when it was made";
    Some((severity, why, save(known)))
}

fn stuck_semaphore(known: &Known) -> Option<Diagnosis> {
    let gone = |index| {
        known.recorded().find(|user| {
            matches!(&user.role, Role::LastOperation(numbers) if numbers.contains(&index))
                && user.state != State::Alive
        })
    };
    let semaphores = known.semaphores.as_ref()?.iter();
    let mut waited_for =
        semaphores.filter(|semaphore| semaphore.value == 0 && semaphore.ncount > 0);
    let (semaphore, last) =
        waited_for.find_map(|semaphore| Some((semaphore, gone(semaphore.index)?)))?;
    let waiters = present(known, |role| matches!(role, Role::WaitsOnSemaphores(_)));
    let (index, id) = (semaphore.index, known.id()?);
    let why = format!(
        "semaphore {index} is 0, {} for it{}, and process {}, which operated last, is gone",
        match semaphore.ncount {
            1 => "1 process waits".to_owned(),
            number => format!("{number} processes wait"),
        },
        names(&waiters),
        last.pid,
    );
    // As much as the most modest of them waits for.
    let wishes = waiters.iter().filter_map(|user| match &user.role {
        Role::WaitsOnSemaphores(operations) => {
            operations.iter().find(|operation| u32::from(operation.semaphore) == index)
        }
        _ => None,
    });
    let wish = wishes.map(|operation| operation.change.unsigned_abs()).filter(|&wish| wish > 0);
    let more = wish.min().unwrap_or(1);
    let fix = format!("perl -e 'semop({id}, pack(\"s3\", {index}, {more}, 0)) or die $!'");
    Some((Severity::Error, why, fix))
}

fn locked_out(known: &Known) -> Option<Diagnosis> {
    let mode = known.permissions().mode;
    let lost = match (mode.bits() & 0o400, mode.bits() & 0o200) {
        (0, 0) => "read and write",
        (0, _) => "read",
        (_, 0) => "write",
        _ => return None,
    };
    let why = format!("mode {mode} does not let its own owner {lost} it");
    Some((Severity::Warning, why, format!("ipctool chmod u+rw {}", word(&known.reference()))))
}

fn dead_sender_backlog(known: &Known, queue: &Queue) -> Option<Diagnosis> {
    let has_strangers = known.users.as_ref().is_none_or(|users| users.has_strangers);
    let mut recorded = known.recorded().peekable();
    recorded.peek()?;
    if queue.messages == 0 || has_strangers || !recorded.all(|user| user.state != State::Alive) {
        return None;
    }
    let held = count(queue.messages, "message");
    let lie = if queue.messages == 1 { "lies" } else { "lie" };
    let why = format!(
        "{held} ({}) {lie} there, and whoever sent or received is gone",
        count(queue.bytes, "byte")
    );
    Some((Severity::Warning, why, save(known)))
}

/// The bytes that users are charged for POSIX queues, each of whom has a limit of his own.
fn pmsg_limit(facts: &Facts) -> Vec<Finding> {
    let near = facts.allowances.iter().filter(|allowance| allowance.is_at(facts.threshold));
    let of_users = near.filter_map(|allowance| Some((allowance, allowance.user?)));
    of_users
        .map(|(allowance, uid)| {
            let (used, limit) = (allowance.used.unwrap_or(0), allowance.limit.unwrap_or(0));
            let name = accounts::user(uid);
            let why = format!(
                "the POSIX queues of {name} take {used} of {limit} bytes, {:.0} %: {} counts their capacity, whatever lies on them",
                allowance.percent().unwrap_or(0.0),
                allowance.name,
            );
            let severity = severity_at(allowance);
            let fix = format!("ipctool rm --kind pmsg --owner {} --orphan --dry-run", shell_word(&name.as_raw()));
            Finding { check: Check::PmsgLimit, severity, reference: None, why, fix }
        })
        .collect()
}

/// A limit that is reached stops somebody now.
fn severity_at(allowance: &Allowance) -> Severity {
    if allowance.is_at(100) { Severity::Error } else { Severity::Warning }
}

fn limit_near(facts: &Facts) -> Vec<Finding> {
    let of_all = facts.allowances.iter().filter(|allowance| allowance.user.is_none());
    let near = of_all.filter(|allowance| allowance.is_at(facts.threshold));
    near.map(|allowance| {
        let (used, limit) = (allowance.used.unwrap_or(0), allowance.limit.unwrap_or(0));
        let severity = severity_at(allowance);
        let name = allowance.name;
        let range = Limit::find(name).and_then(Limit::range);
        let fix = match range {
            Some(range) if limit < *range.end() => {
                let more = limit.saturating_mul(2).clamp(1, *range.end());
                format!("ipctool limits --set {name}={more}")
            }
            _ => "ipctool rm --orphan --dry-run".to_owned(),
        };
        let percent = allowance.percent().unwrap_or(0.0);
        let why =
            format!("{used} of {limit} ({}) are used, {percent:.0} %: {name}", allowance.help);
        Finding { check: Check::LimitNear, severity, reference: None, why, fix }
    })
    .collect()
}

fn remove_ipc(facts: &Facts) -> Option<Finding> {
    if facts.removes_ipc != Some(true) {
        return None;
    }
    // What logind takes for a user of the system it leaves alone; nobody never logs in.
    let is_person = |uid: &u32| *uid >= 1000 && *uid != 65_534;
    let mut owners: Vec<u32> =
        facts.known.iter().map(|known| known.permissions().uid).filter(is_person).collect();
    owners.sort_unstable();
    owners.dedup();
    if owners.is_empty() {
        return None;
    }
    let names: Vec<_> = owners.iter().map(|&uid| accounts::user(uid).to_string()).collect();
    Some(Finding {
        check: Check::RemoveIpc,
        severity: Severity::Warning,
        reference: None,
        why: format!(
            "systemd-logind removes all objects of a user whose last session ends (RemoveIPC is not 'no'), and these users own some: {}",
            names.join(", ")
        ),
        fix: "mkdir -p /etc/systemd/logind.conf.d && printf '[Login]\\nRemoveIPC=no\\n' > /etc/systemd/logind.conf.d/remove-ipc.conf && systemctl restart systemd-logind".to_owned(),
    })
}

/// Those who have to do with an object now, in such a role.
fn present(known: &Known, is_such: impl Fn(&Role) -> bool) -> Vec<&User> {
    known.users().iter().filter(|user| is_such(&user.role)).collect()
}

/// `: 12 (perl x.pl), 34 (writer)`, or nothing.
pub(super) fn names(users: &[&User]) -> String {
    let name = |user: &&User| match &user.command {
        Some(command) => format!("{} ({command})", user.pid),
        None => user.pid.to_string(),
    };
    match users {
        [] => String::new(),
        users => format!(": {}", users.iter().map(name).collect::<Vec<_>>().join(", ")),
    }
}
