//! A diagnosis of one place, or of every IPC namespace.

use std::thread;

use super::everywhere::{Everywhere, outside};
use super::{Result, print_error, select};
use crate::doctor::{Case, Diagnosis, Question, REST, diagnose};
use crate::ipc::{Filter, Kind, Object};
use crate::kernel::Namespace;
use crate::kernel::namespace::Place;
use crate::kernel::process::scan::ScanScope;
use crate::kernel::process::uses::{Inspection, Missed};

/// Diagnoses a namespace. Prints what could not be looked at.
pub(super) fn of(
    verb: &'static str,
    question: Question<'_>,
    namespace: &Namespace,
) -> Result<Diagnosis> {
    let snapshot = select::snapshot(verb, namespace, &Filter::default())?;
    let queues = match question.checks.iter().any(|check| check.name == "pmsg-limit") {
        true => outside(namespace).map(Everywhere::queues).unwrap_or_default(),
        false => Vec::new(),
    };
    let question = Question { elsewhere: Some(&queues), ..question };
    Ok(diagnose(question, namespace, snapshot, &mut warn(verb))?)
}

/// What was found in all places.
pub(super) struct All {
    /// The places, and what may not be looked at.
    pub everywhere: Everywhere,
    /// The diagnosis of each place that could be looked at.
    pub found: Vec<(Place, Diagnosis)>,
    /// The uninspected processes that may matter.
    pub missed: Missed,
}

/// Diagnoses every IPC namespace, with one inspection of the processes and one pause. What holds for the
/// machine and its users is found once. Prints what could not be looked at in the places.
pub(super) fn of_all(verb: &'static str, question: Question<'_>) -> Result<All> {
    let mut everywhere = Everywhere::find()?;
    let found = everywhere
        .map(|_, namespace| select::snapshot(verb, namespace, &Filter::default()))
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
    let (mut found, mut stuck) = (Vec::new(), Vec::new());
    for (number, (place, snapshot)) in seen.into_iter().enumerate() {
        let elsewhere = (number == 0).then_some(queues.as_slice());
        let question = Question { elsewhere, inspection: Some(&inspection), ..question };
        // In a place that is gone by now nothing is wrong any more.
        let opened = Everywhere::visit(&place, |namespace| {
            let case = Case::open(question, namespace, snapshot, &mut warn(verb))?;
            Ok(match case.may_be_stuck() {
                true => Err(case),
                false => Ok(case.close()),
            })
        })?;
        match opened {
            Some(Ok(diagnosis)) => found.push((place, diagnosis)),
            Some(Err(case)) => stuck.push((place, case)),
            None => {}
        }
    }
    if !stuck.is_empty() {
        thread::sleep(REST);
    }
    for (place, mut case) in stuck {
        let closed = Everywhere::visit(&place, |namespace| {
            case.look_again(namespace);
            Ok(case.close())
        })?;
        found.extend(closed.map(|diagnosis| (place, diagnosis)));
    }
    Ok(All { everywhere, found, missed: inspection.missed() })
}

fn warn(verb: &'static str) -> impl FnMut(String) {
    move |gap| print_error(format_args!("{verb}: {gap}"))
}
