//! All metrics, a table for each type of thing. Names and units are as Prometheus recommends: base units, in the
//! plural, at the end.

use super::{Aged, Family, Findings, Metric, Number, OfKind, Scene, Site};
use crate::ipc::limit::{Allowance, Unit};
use crate::ipc::summary::Measure;
use crate::ipc::{Kind, Object};
use crate::kernel::posix::dev_shm::Space;

const BYTES: Option<&str> = Some("bytes");
const SECONDS: Option<&str> = Some("seconds");
const RATIO: Option<&str> = Some("ratio");

fn whole(number: u64) -> Option<Number> {
    Some(Number::Whole(number))
}

/// Metrics of the look itself.
pub(super) static RUN: &[Metric<Scene>] = &[
    Metric {
        name: "ipc_namespaces",
        unit: None,
        help: "IPC namespaces that were looked at",
        value: |scene| {
            let mut all: Vec<u64> = scene.sites.iter().map(|site| site.home.namespace).collect();
            all.sort_unstable();
            all.dedup();
            whole(all.len() as u64)
        },
    },
    Metric {
        name: "ipc_namespaces_unreadable",
        unit: None,
        help: "IPC namespaces that may not be entered",
        value: |scene| whole(scene.unreadable),
    },
    Metric {
        name: "ipc_processes_uninspected",
        unit: None,
        help: "Processes that may not be inspected, and may use an object or live in another namespace",
        value: |scene| whole(scene.uninspected),
    },
    Metric {
        name: "ipctool_scrape_duration",
        unit: SECONDS,
        help: "How long it took to look at everything",
        value: |scene| Some(Number::Real(scene.duration.as_secs_f64())),
    },
    Metric {
        name: "ipctool_scrape_errors",
        unit: None,
        help: "What could not be looked at: kinds, places, files",
        value: |scene| whole(scene.errors),
    },
];

const BUILD_INFO: (&str, &str) = ("ipctool_build_info", "The version of ipctool");

/// The version of this program, always 1.
pub(super) fn build_info() -> Family {
    let labels = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
    let (name, help) = BUILD_INFO;
    Family { name, unit: None, help, series: vec![(labels, Number::Whole(1))] }
}

/// Metrics of an IPC namespace.
pub(super) static SITE: &[Metric<Site>] = &[Metric {
    name: "ipc_namespace_processes",
    unit: None,
    help: "Processes that live in the IPC namespace (with --all-namespaces)",
    value: |site| site.processes.map(Number::Whole),
}];

/// Metrics of all objects of a kind in a place.
pub(super) static KIND: &[Metric<OfKind>] = &[
    Metric {
        name: "ipc_objects",
        unit: None,
        help: "Objects of the kind",
        value: |of| of.summary.count.map(Number::Whole),
    },
    Metric {
        name: "ipc_objects_memory",
        unit: BYTES,
        help: "Memory that the content of all objects of the kind takes, swapped out or not",
        value: |of| of.summary.memory.map(Number::Whole),
    },
    Metric {
        name: "ipc_objects_size",
        unit: BYTES,
        help: "Sizes of all memory of the kind, or what all of its queues may hold",
        value: |of| of.summary.size.map(Number::Whole),
    },
    Metric {
        name: "ipc_objects_messages",
        unit: None,
        help: "Messages on all queues of the kind",
        value: |of| of.messages.map(Number::Whole),
    },
    Metric {
        name: "ipc_objects_fullest",
        unit: RATIO,
        help: "How full the fullest queue of the kind is; 1 is full",
        value: |of| match of.summary.fullest.as_ref()?.measure {
            Measure::Fill { used, limit, .. } => Some(Number::ratio(used, limit)),
            Measure::Bytes(_) | Measure::Semaphores(_) => None,
        },
    },
    Metric {
        name: "ipc_objects_summed",
        unit: None,
        help: "Objects of the kind that have no series of their own but are summed as ref=\"other\"",
        value: |of| of.summary.count.map(|_| Number::Whole(of.summed)),
    },
];

fn counted(limit: &Allowance, number: Option<u64>) -> Option<Number> {
    number.filter(|_| limit.unit != Unit::Bytes).map(Number::Whole)
}

fn in_bytes(limit: &Allowance, number: Option<u64>) -> Option<Number> {
    number.filter(|_| limit.unit == Unit::Bytes).map(Number::Whole)
}

/// Metrics of a limit.
pub(super) static LIMIT: &[Metric<Allowance>] = &[
    Metric {
        name: "ipc_limit",
        unit: None,
        help: "A limit that counts things, or a switch; none where there is no limit",
        value: |limit| counted(limit, limit.limit.number()),
    },
    Metric {
        name: "ipc_limit_used",
        unit: None,
        help: "How much of a limit that counts things is used",
        value: |limit| counted(limit, limit.used),
    },
    Metric {
        name: "ipc_limit",
        unit: BYTES,
        help: "A limit in bytes; none where there is no limit",
        value: |limit| in_bytes(limit, limit.limit.number()),
    },
    Metric {
        name: "ipc_limit_used",
        unit: BYTES,
        help: "How much of a limit in bytes is used",
        value: |limit| in_bytes(limit, limit.used),
    },
    Metric {
        name: "ipc_limit_used",
        unit: RATIO,
        help: "Which share of a limit is used; 1 is all of it. Not of pools, which are made to be used up",
        value: |limit| {
            let both = limit.used.zip(limit.limit.number()).filter(|_| !limit.is_pool);
            both.map(|(used, limit)| Number::ratio(used, limit))
        },
    },
];

/// Metrics of a `/dev/shm`.
pub(super) static SPACE: &[Metric<Space>] = &[
    Metric {
        name: "ipc_dev_shm_size",
        unit: BYTES,
        help: "Capacity of /dev/shm; none where there is no limit",
        value: |space| space.bytes.map(Number::Whole),
    },
    Metric {
        name: "ipc_dev_shm_used",
        unit: BYTES,
        help: "Memory that all files in /dev/shm take, deleted ones included",
        value: |space| whole(space.used_bytes),
    },
    Metric {
        name: "ipc_dev_shm_inodes",
        unit: None,
        help: "Inodes that /dev/shm may have; none where there is no limit",
        value: |space| space.inodes.map(Number::Whole),
    },
    Metric {
        name: "ipc_dev_shm_inodes_used",
        unit: None,
        help: "Inodes that /dev/shm has; none where they are not counted",
        value: |space| space.inodes.map(|_| Number::Whole(space.used_inodes)),
    },
];

/// Metrics of the findings of a check.
pub(super) static FINDING: &[Metric<Findings>] = &[
    Metric {
        name: "ipc_findings",
        unit: None,
        help: "Findings of a check of ipctool doctor",
        value: |found| whole(found.findings),
    },
    Metric {
        name: "ipc_finding_objects",
        unit: None,
        help: "Objects that the findings of a check are about",
        value: |found| whole(found.objects),
    },
];

/// A metric of an object.
pub(super) struct ObjectMetric {
    pub name: &'static str,
    pub unit: Option<&'static str>,
    pub help: &'static str,
    /// Whether the values of several objects can be summed.
    pub adds_up: bool,
    pub value: fn(&Aged<'_>) -> Option<Number>,
}

/// Metrics of an object.
pub(super) static OBJECT: &[ObjectMetric] = &[
    ObjectMetric {
        name: "ipc_queue_messages",
        unit: None,
        help: "Messages on a queue",
        adds_up: true,
        value: |aged| aged.observed.object.messages().map(Number::Whole),
    },
    ObjectMetric {
        name: "ipc_queue",
        unit: BYTES,
        help: "Bytes of the messages on a queue, without their types",
        adds_up: true,
        value: |aged| match &aged.observed.object {
            Object::Queue(queue) => whole(queue.bytes),
            Object::PosixQueue(queue) => queue.bytes.map(Number::Whole),
            _ => None,
        },
    },
    ObjectMetric {
        name: "ipc_queue_max",
        unit: BYTES,
        help: "Bytes that a System V queue may hold: msg_qbytes",
        adds_up: true,
        value: |aged| match &aged.observed.object {
            Object::Queue(queue) => queue.max_bytes.map(Number::Whole),
            _ => None,
        },
    },
    ObjectMetric {
        name: "ipc_queue_max_messages",
        unit: None,
        help: "Messages that a POSIX queue may hold: mq_maxmsg",
        adds_up: true,
        value: |aged| match &aged.observed.object {
            Object::PosixQueue(queue) => queue.max_messages.map(Number::Whole),
            _ => None,
        },
    },
    ObjectMetric {
        name: "ipc_queue_fill",
        unit: RATIO,
        help: "How full a queue is; 1 is full",
        adds_up: false,
        value: |aged| {
            let (used, limit) = match &aged.observed.object {
                Object::Queue(queue) => queue.fill()?,
                Object::PosixQueue(queue) => queue.fill()?,
                _ => return None,
            };
            Some(Number::ratio(used, limit))
        },
    },
    ObjectMetric {
        name: "ipc_memory_size",
        unit: BYTES,
        help: "Size of shared memory",
        adds_up: true,
        value: |aged| match &aged.observed.object {
            Object::Segment(segment) => whole(segment.size),
            Object::PosixMemory(memory) => whole(memory.size),
            _ => None,
        },
    },
    ObjectMetric {
        name: "ipc_memory_resident",
        unit: BYTES,
        help: "Memory that a segment or an object of POSIX takes",
        adds_up: true,
        value: |aged| match &aged.observed.object {
            Object::Segment(segment) => segment.rss.map(Number::Whole),
            Object::PosixMemory(memory) => whole(memory.rss),
            _ => None,
        },
    },
    ObjectMetric {
        name: "ipc_memory_swapped",
        unit: BYTES,
        help: "Bytes of a segment that are swapped out",
        adds_up: true,
        value: |aged| match &aged.observed.object {
            Object::Segment(segment) => segment.swap.map(Number::Whole),
            _ => None,
        },
    },
    ObjectMetric {
        name: "ipc_memory_attached",
        unit: None,
        help: "How many times a segment is attached",
        adds_up: true,
        value: |aged| match &aged.observed.object {
            Object::Segment(segment) => whole(segment.attached),
            _ => None,
        },
    },
    ObjectMetric {
        name: "ipc_set_semaphores",
        unit: None,
        help: "Semaphores in a set",
        adds_up: true,
        value: |aged| match &aged.observed.object {
            Object::SemaphoreSet(set) => whole(set.nsems),
            _ => None,
        },
    },
    ObjectMetric {
        name: "ipc_semaphore_value",
        unit: None,
        help: "Value of a POSIX semaphore",
        adds_up: false,
        value: |aged| match &aged.observed.object {
            Object::PosixSemaphore(semaphore) => {
                semaphore.state.map(|state| Number::Whole(state.value.into()))
            }
            _ => None,
        },
    },
    ObjectMetric {
        name: "ipc_object_waiters",
        unit: None,
        help: "Threads that wait to send, to receive, or for a semaphore, as far as they can be seen",
        adds_up: true,
        value: |aged| {
            let counted = aged.observed.semaphores.iter().flatten();
            let counted: u64 = counted.map(|one| u64::from(one.ncount + one.zcount)).sum();
            match aged.observed.kind() {
                Kind::Msg | Kind::Sem | Kind::Pmsg | Kind::Psem => {
                    whole(aged.observed.waiting().max(counted))
                }
                Kind::Shm | Kind::Pshm => None,
            }
        },
    },
    ObjectMetric {
        name: "ipc_object_idle",
        unit: SECONDS,
        help: "Time since an object was last created, changed or used, as far as the kernel records that",
        adds_up: false,
        value: |aged| {
            let last = aged.observed.object.last_operation()?;
            whole(last.age(aged.now).as_secs())
        },
    },
];

/// Every metric: its full name and its help, sorted by name.
pub(super) fn all() -> Vec<(String, &'static str)> {
    fn of<T>(table: &[Metric<T>]) -> impl Iterator<Item = (String, &'static str)> {
        table.iter().map(|metric| (full(metric.name, metric.unit), metric.help))
    }
    let (info, about) = BUILD_INFO;
    let objects = OBJECT.iter().map(|metric| (full(metric.name, metric.unit), metric.help));
    let mut all: Vec<_> = of(RUN)
        .chain(of(SITE))
        .chain(of(KIND))
        .chain(of(LIMIT))
        .chain(of(SPACE))
        .chain(of(FINDING))
        .chain(objects)
        .chain([(info.to_owned(), about)])
        .collect();
    all.sort();
    all
}

fn full(name: &str, unit: Option<&str>) -> String {
    match unit {
        Some(unit) => format!("{name}_{unit}"),
        None => name.to_owned(),
    }
}
