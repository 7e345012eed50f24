//! The overview for programs: one object in JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::Facts;
use crate::ipc::home::Residence;
use crate::ipc::limit::Allowance;
use crate::ipc::summary::{Fullest, Measure, Summary};
use crate::output::formats::json;
use crate::output::stdout;

#[derive(Serialize)]
struct Record<'a> {
    kinds: Vec<KindRecord>,
    limits: Vec<LimitRecord<'a>>,
    dev_shm: Option<ShmRecord>,
    findings: FindingsRecord<'a>,
    namespaces: Option<NamespacesRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_from: Option<VantageRecord<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    all_namespaces: Option<Vec<ResidenceRecord>>,
}

#[derive(Serialize)]
struct VantageRecord<'a> {
    process_namespace: Option<u64>,
    dev_shm: Option<&'a str>,
}

#[derive(Serialize)]
struct ResidenceRecord {
    ns: u64,
    container: Option<String>,
    processes: u64,
    objects: u64,
    memory: Option<u64>,
}

#[derive(Serialize)]
struct KindRecord {
    kind: &'static str,
    count: Option<u64>,
    memory: Option<u64>,
    size: Option<u64>,
    fullest: Option<FullestRecord>,
}

#[derive(Serialize)]
struct FullestRecord {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<String>,
    used: Option<u64>,
    limit: Option<u64>,
    size: Option<u64>,
    unit: &'static str,
}

#[derive(Serialize)]
struct LimitRecord<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<String>,
    limit: Option<u64>,
    used: Option<u64>,
    percent: Option<f64>,
    unit: &'static str,
    user: Option<u32>,
}

#[derive(Serialize)]
struct ShmRecord {
    size: Option<u64>,
    used: u64,
    inodes: Option<u64>,
    used_inodes: u64,
}

#[derive(Serialize)]
struct FindingsRecord<'a> {
    error: usize,
    warning: usize,
    note: usize,
    checks: &'a [&'static str],
    complete: bool,
}

#[derive(Serialize)]
struct NamespacesRecord {
    others: usize,
    processes: usize,
    complete: bool,
}

pub(super) fn write(facts: &Facts) -> io::Result<()> {
    let Facts { kinds, limits, dev_shm, findings, census, vantage, residences } = facts;
    let record = Record {
        kinds: kinds.iter().map(kind).collect(),
        limits: limits.iter().map(limit).collect(),
        dev_shm: dev_shm.map(|space| ShmRecord {
            size: space.bytes,
            used: space.used_bytes,
            inodes: space.inodes,
            used_inodes: space.used_inodes,
        }),
        findings: FindingsRecord {
            error: findings.errors,
            warning: findings.warnings,
            note: findings.notes,
            checks: &findings.checks,
            complete: findings.is_whole,
        },
        namespaces: census.map(|census| NamespacesRecord {
            others: census.others,
            processes: census.seen,
            complete: census.is_whole,
        }),
        seen_from: vantage.as_ref().map(|vantage| VantageRecord {
            process_namespace: vantage.process_namespace,
            dev_shm: vantage.device.as_deref(),
        }),
        all_namespaces: residences.as_ref().map(|all| {
            let record = |one: &Residence| ResidenceRecord {
                ns: one.home.namespace,
                container: one.home.container.clone(),
                processes: one.processes,
                objects: one.total(),
                memory: one.memory,
            };
            all.iter().map(record).collect()
        }),
    };
    let mut out = stdout::buffered().map_err(|error| error.0)?;
    json::write(&mut out, &record)?;
    out.write_all(b"\n")?;
    out.flush()
}

fn kind(summary: &Summary) -> KindRecord {
    let Summary { kind, count, memory, size, fullest } = summary;
    let fullest = fullest.as_ref().map(|Fullest { home, reference, measure }| {
        let (used, limit, size, unit) = match *measure {
            Measure::Fill { used, limit, is_bytes } => {
                (Some(used), Some(limit), None, if is_bytes { "bytes" } else { "messages" })
            }
            Measure::Bytes(bytes) => (None, None, Some(bytes), "bytes"),
            Measure::Semaphores(count) => (None, None, Some(count), "semaphores"),
        };
        let ns = home.as_ref().map(|home| home.namespace);
        let container = home.as_ref().and_then(|home| home.container.clone());
        FullestRecord { reference: reference.to_string(), ns, container, used, limit, size, unit }
    });
    KindRecord { kind: kind.name(), count: *count, memory: *memory, size: *size, fullest }
}

fn limit(allowance: &Allowance) -> LimitRecord<'_> {
    LimitRecord {
        name: &allowance.name,
        ns: allowance.home.as_ref().map(|home| home.namespace),
        container: allowance.home.as_ref().and_then(|home| home.container.clone()),
        limit: allowance.limit.number(),
        used: allowance.used,
        percent: allowance.percent(),
        unit: allowance.unit.name(),
        user: allowance.user,
    }
}
