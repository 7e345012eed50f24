//! Looks at everything that the metrics tell of.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use super::VERB;
use crate::commands::diagnosis::{self, All};
use crate::commands::everywhere::Everywhere;
use crate::commands::select::{self, Search};
use crate::commands::{Result, now};
use crate::doctor::{CHECKS, Check, Diagnosis, NEAR, Question};
use crate::explain::{Failure, Reason};
use crate::ipc::{Filter, Home, Kind, Observed, Reference, Time};
use crate::kernel::Namespace;
use crate::kernel::namespace::Place;
use crate::kernel::process::Length;
use crate::kernel::process::uses::Missed;
use crate::metrics::{self, Findings, Scene, Site};

/// Where to look, and what gets series of its own.
pub(super) struct Looker<'a> {
    pub namespace: &'a Namespace,
    pub is_everywhere: bool,
    pub filter: Filter,
    /// How many objects have series of their own at most.
    pub most: usize,
}

impl Looker<'_> {
    /// Looks once. Prints what could not be looked at.
    pub fn text(&self) -> Result<String> {
        let start = Instant::now();
        let now = now();
        let mut scene = match self.is_everywhere {
            true => everywhere(now)?,
            false => here(self.namespace, now)?,
        };
        self.keep_selected(&mut scene)?;
        scene.duration = start.elapsed();
        let failed = |_| Failure::new(VERB, "", "the text cannot be made", Reason::Failed);
        Ok(metrics::text(&scene, self.most).map_err(failed)?)
    }

    /// Leaves series of their own to the objects that pass the filter.
    fn keep_selected(&self, scene: &mut Scene) -> Result<()> {
        let kinds: Vec<Kind> = self.filter.kinds().collect();
        let of_kind = |reference: &Reference| kinds.contains(&reference.kind);
        scene.sites.iter_mut().for_each(|site| site.keep(of_kind));
        if !self.filter.has_conditions() {
            return Ok(());
        }
        let (filter, now, commands) = (&self.filter, scene.now, Length::Shown);
        let search = Search { verb: VERB, filter, now, verbose: false, commands };
        let selected = match self.is_everywhere {
            true => search.observe_everywhere(&mut Everywhere::find()?)?,
            false => search.observe(self.namespace)?,
        };
        let place = |observed: &Observed| observed.home.as_ref().map(|home| home.namespace);
        let selected: HashSet<(Option<u64>, Reference)> =
            selected.objects.iter().map(|one| (place(one), one.reference())).collect();
        for site in &mut scene.sites {
            let number = self.is_everywhere.then_some(site.home.namespace);
            let number = number.or(self.namespace.home().map(|home| home.namespace));
            site.keep(|reference| selected.contains(&(number, reference.clone())));
        }
        select::warn_cautions(VERB, &self.filter);
        Ok(())
    }
}

fn question<'a>(checks: &'a [&'static Check], now: Time) -> Question<'a> {
    Question {
        checks,
        ignore: &[],
        threshold: NEAR,
        now,
        is_quick: false,
        elsewhere: None,
        inspection: None,
    }
}

fn here(namespace: &Namespace, now: Time) -> Result<Scene> {
    let checks: Vec<&Check> = CHECKS.iter().collect();
    let home = match namespace.home() {
        Some(home) => home.clone(),
        None => Place::own()?.home,
    };
    let diagnosis = diagnosis::of(VERB, question(&checks, now), namespace)?;
    let (errors, missed) = (errors(&diagnosis), diagnosis.missed.clone());
    let site = site(home, Kind::ALL.to_vec(), None, diagnosis);
    Ok(Scene { sites: vec![site], errors, ..scene(&missed, now) })
}

fn everywhere(now: Time) -> Result<Scene> {
    let checks: Vec<&Check> = CHECKS.iter().collect();
    let All { everywhere, found, missed } = diagnosis::of_all(VERB, question(&checks, now))?;
    everywhere.warn(VERB);
    let mut all = scene(&missed, now);
    all.unreadable = everywhere.unreadable();
    all.uninspected = all.uninspected.max(everywhere.uninspected());
    all.errors = everywhere.failed();
    for (place, diagnosis) in found {
        all.errors += errors(&diagnosis);
        let processes = place.seen().processes;
        all.sites.push(site(place.home.clone(), place.kinds, Some(processes), diagnosis));
    }
    all.sites.sort_by_key(|site| site.home.namespace);
    Ok(all)
}

fn scene(missed: &Missed, now: Time) -> Scene {
    Scene {
        sites: Vec::new(),
        unreadable: 0,
        uninspected: missed.processes,
        errors: 0,
        duration: std::time::Duration::ZERO,
        now,
    }
}

/// How much could not be looked at.
fn errors(diagnosis: &Diagnosis) -> u64 {
    (diagnosis.unlisted.len() as u64).max(u64::from(!diagnosis.is_whole))
}

fn site(home: Arc<Home>, kinds: Vec<Kind>, processes: Option<u64>, diagnosis: Diagnosis) -> Site {
    let Diagnosis { findings, objects, unlisted, allowances, space, .. } = diagnosis;
    // A check that finds nothing is told of, too, so that an alert can end.
    let none = |check: &Check| ((check.name, check.severity), Findings::default());
    let mut found: BTreeMap<_, Findings> = CHECKS.iter().map(none).collect();
    for finding in findings {
        let of_check = found.entry((finding.check, finding.severity)).or_default();
        of_check.findings += 1;
        of_check.objects += finding.references.len() as u64;
    }
    // Each /dev/shm is told of once.
    let space = space.filter(|_| kinds.iter().any(|kind| kind.is_in_dev_shm()));
    let mut site = Site::new(home, kinds, unlisted, objects);
    site.processes = processes;
    site.allowances = allowances;
    site.space = space;
    site.findings = found;
    site
}
