//! `doctor --all-namespaces`.

use super::{VERB, warn};
use crate::commands::everywhere::Everywhere;
use crate::commands::{Result, select};
use crate::doctor::{Diagnosis, Question, diagnose};
use crate::ipc::{Filter, Kind, Object};
use crate::kernel::process::scan::ScanScope;
use crate::kernel::process::uses::Inspection;

/// Diagnoses every IPC namespace, with one inspection of the processes. What holds for the machine and its
/// users is found once.
pub(super) fn diagnose_all(question: Question<'_>) -> Result<Diagnosis> {
    let mut everywhere = Everywhere::find()?;
    let found = everywhere
        .map(|_, namespace| select::snapshot(VERB, namespace, &Filter::default()))
        .into_iter()
        .map(|(number, snapshot)| Ok((everywhere.places[number].clone(), snapshot?)));
    let seen = found.collect::<Result<Vec<_>>>()?;
    let objects = || seen.iter().flat_map(|(_, snapshot)| &snapshot.objects);
    let scope = ScanScope::to_judge(objects());
    let inspection = Inspection::of_all(seen.iter().map(|(place, _)| place.identity), &scope)?;
    let first = seen.first().map(|(place, _)| place.identity);
    let others = seen.iter().filter(|(place, _)| Some(place.identity) != first);
    let queues = others.flat_map(|(_, snapshot)| snapshot.of_kind(Kind::Pmsg));
    let queues: Vec<Object> = queues.cloned().collect();
    let mut all = Diagnosis { is_whole: everywhere.is_whole(), ..Diagnosis::default() };
    for (number, (place, snapshot)) in seen.into_iter().enumerate() {
        let elsewhere = (number == 0).then_some(queues.as_slice());
        let question = Question { elsewhere, inspection: Some(&inspection), ..question };
        let diagnosis = Everywhere::visit(&place, |namespace| {
            Ok(diagnose(question, namespace, snapshot, &mut warn)?)
        })?;
        // One that is gone by now has no problems any more.
        if let Some(diagnosis) = diagnosis {
            all.findings.extend(diagnosis.findings);
            all.objects += diagnosis.objects;
            all.is_whole &= diagnosis.is_whole;
        }
    }
    all.findings.sort_by_key(|finding| finding.severity);
    all.missed = inspection.missed();
    everywhere.warn(VERB);
    Ok(all)
}
