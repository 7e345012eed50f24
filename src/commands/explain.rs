//! Looks at the system once in order to explain failures.

use std::collections::HashSet;
use std::path::Path;

use super::{everywhere, print_error};
use crate::exit::Status;
use crate::explain::{self, Explanation, Facts, Failure, Notice, Privileges, Wanted};
use crate::ipc::outcome::Failed;
use crate::ipc::{Kind, Permissions, Target};
use crate::kernel::call::is_traced;
use crate::kernel::limits::{self, Limit, slot_bits};
use crate::kernel::memory::Memory;
use crate::kernel::namespace::complete;
use crate::kernel::posix::dev_shm::{Removed, Space, Tree};
use crate::kernel::process::Subject;
use crate::kernel::process::accounts::{group, user};
use crate::kernel::process::uses::observe_all;
use crate::kernel::sysv::msg;
use crate::kernel::{Namespace, ReadError, process};

/// Explains any number of failures by one look at the namespace.
pub fn explain(namespace: &Namespace, failures: &[Failure]) -> Vec<Explanation> {
    explain_for(Subject::Own, namespace, failures)
}

/// Explains failures of calls that this process or another one made in this namespace.
pub(super) fn explain_for(
    subject: Subject,
    namespace: &Namespace,
    failures: &[Failure],
) -> Vec<Explanation> {
    let mut wanted = Wanted::default();
    failures.iter().for_each(|failure| failure.want(&mut wanted));
    let facts = look(subject, namespace, &wanted);
    let explained = failures.iter().map(|failure| failure.explain(&facts));
    let Some(home) = namespace.home() else { return explained.collect() };
    // The commands in a hint are for the place where the failures were.
    explained
        .map(|one| Explanation { hint: one.hint.map(|hint| home.address(&hint)), ..one })
        .collect()
}

/// Prints a failure, and returns its status.
pub fn report(namespace: &Namespace, failure: Failure) -> Status {
    report_all(namespace, &[failure])
}

/// Prints failures, and returns the status for all of them.
pub fn report_all(namespace: &Namespace, failures: &[Failure]) -> Status {
    report_each(namespace, failures).0
}

/// Prints failures. Returns the status for all of them, and each as `--json` shows it.
pub fn report_each(namespace: &Namespace, failures: &[Failure]) -> (Status, Vec<Failed>) {
    let mut status = Status::Done;
    let explained = failures.iter().zip(explain(namespace, failures));
    let failed = explained.map(|(failure, explained)| {
        print_error(Notice::of(failure, &explained));
        status = status.and(explained.reason.into());
        Failed {
            reference: failure.subject.clone(),
            error: explained.what,
            errno: failure.errno().map(|errno| format!("{errno:?}")),
        }
    });
    let failed = failed.collect();
    (status, failed)
}

/// Looks at what is wanted, and at nothing else.
fn look(subject: Subject, namespace: &Namespace, wanted: &Wanted) -> Facts {
    let mut facts = Facts { page_size: process::page_size(), ..Facts::default() };
    look_at_objects(namespace, wanted, &mut facts);
    if wanted.privileges {
        look_at_privileges(subject, namespace, wanted, &mut facts);
    }
    if wanted.limits {
        let value = |limit: Limit| Some((limit, limit.value_for(subject)?));
        facts.limits = Limit::ALL.into_iter().filter_map(value).collect();
        facts.is_out_of_descriptors = subject.is_out_of_descriptors();
        facts.privileges.uid = subject.uid();
    }
    if wanted.memory {
        facts.memory = Memory::read().ok();
        let group = limits::read("vm.hugetlb_shm_group").unwrap_or_default();
        facts.huge_page_group = group.trim().parse().unwrap_or(0);
        facts.locked_bytes = limits::locked_bytes(subject);
    }
    if wanted.space {
        facts.space = Space::read(namespace.shm()).ok();
    }
    for reference in &wanted.impostors {
        if let Target::Name(name) = &reference.target {
            if namespace.shm().is_something_else(reference) {
                facts.taken.insert(reference.clone());
            }
            if namespace.shm().musl_semaphore(name).is_some() {
                facts.musl.insert(name.clone());
            }
        }
    }
    if wanted.removed {
        let find = || {
            let before = Space::read(namespace.shm()).ok()?;
            let removed = Removed::find(&Tree::read(namespace.shm()), &before).ok()?;
            observe_all(namespace, removed.objects).ok()
        };
        facts.removed = find().unwrap_or_default();
    }
    // Who reads a trace looks for the calls of the command.
    if !wanted.elsewhere.is_empty() && !is_traced() {
        facts.elsewhere = everywhere::find_elsewhere(namespace, &wanted.elsewhere);
    }
    if wanted.charged {
        facts.charged = everywhere::charged_elsewhere(namespace, subject.uid());
    }
    if wanted.parts {
        facts.signs = explain::signs().filter(|sign| Path::new(sign).exists()).collect();
        facts.has_receiving = msg::has_receiving();
    }
    if wanted.parts || wanted.privileges {
        facts.confinement = subject.confinement();
    }
    facts
}

fn look_at_objects(namespace: &Namespace, wanted: &Wanted, facts: &mut Facts) {
    let mut kinds = wanted.kinds.clone();
    for reference in &wanted.objects {
        match namespace.read(reference) {
            Ok(mut object) => {
                complete(&mut object);
                facts.objects.insert(reference.clone(), object);
            }
            // If the call is forbidden, /proc/sysvipc shows the object.
            Err(error) if !error.is_missing() && !reference.kind.is_posix() => {
                kinds.insert(reference.kind);
            }
            Err(_) => {}
        }
    }
    for kind in kinds {
        match namespace.snapshot([kind]) {
            Ok(listed) => facts.snapshot.objects.extend(listed.objects),
            Err(error) => {
                facts.queues_are_hidden |= matches!(error, ReadError::Queues(_));
                facts.snapshot.unlisted.push(kind);
            }
        }
    }
    if !facts.snapshot.objects.is_empty() {
        facts.index = facts.snapshot.index(slot_bits());
    }
}

fn look_at_privileges(subject: Subject, namespace: &Namespace, wanted: &Wanted, facts: &mut Facts) {
    let handle = namespace.handle();
    facts.directory = namespace.shm().directory_permissions();
    let find = |reference| {
        let listed = || facts.index.find(&facts.snapshot, reference);
        facts.objects.get(reference).or_else(listed).map(|object| *object.permissions())
    };
    let of_objects: Vec<Permissions> = wanted.objects.iter().filter_map(find).collect();
    facts.privileges = Privileges {
        process: match subject {
            Subject::Own => None,
            Subject::Other { pid, .. } => Some(pid),
        },
        system_v: subject.caller(handle, Kind::Msg),
        posix: subject.caller(handle, Kind::Pmsg),
        uid: subject.uid(),
        may_give_away: subject.may_give_away(),
        owns_namespace: subject.owns(handle),
        has_every_id: process::has_every_id(),
        unmapped: of_objects
            .iter()
            .map(|permissions| (permissions.uid, permissions.gid))
            .filter(|&(uid, gid)| !process::are_mapped(uid, gid))
            .collect(),
    };
    let all = || of_objects.iter().chain(&facts.directory);
    let uids: HashSet<u32> = all()
        .flat_map(|permissions| [permissions.uid, permissions.cuid])
        .chain([facts.privileges.uid])
        .collect();
    let gids: HashSet<u32> = all().map(|permissions| permissions.gid).collect();
    facts.users = uids.into_iter().map(|uid| (uid, user(uid))).collect();
    facts.groups = gids.into_iter().map(|gid| (gid, group(gid))).collect();
}
