//! What `ipctool metrics` tells: the registry of metrics, and the text in which Prometheus reads them, `OpenMetrics
//! 1.0`. Nothing is looked at here.
//!
//! A metric is an entry in one of the tables of [`registry`]: name, unit, help and the function that takes its
//! value. Labels carry neither a process id nor a time, so that series live as long as what they tell of.

mod registry;
mod text;

pub use text::{CONTENT_TYPE, text};

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::ipc::finding::Severity;
use crate::ipc::limit::Allowance;
use crate::ipc::summary::Summary;
use crate::ipc::{Home, Kind, Object, Observed, Reference, Snapshot, Time};
use crate::kernel::posix::dev_shm::Space;
use crate::kernel::process::accounts;

/// Everything that one look showed.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The places.
    pub sites: Vec<Site>,
    /// How many IPC namespaces may not be entered.
    pub unreadable: u64,
    /// How many processes could not be inspected, and may use an object or live elsewhere.
    pub uninspected: u64,
    /// How many kinds, places and files could not be looked at.
    pub errors: u64,
    /// How long the look took.
    pub duration: Duration,
    /// When it began.
    pub now: Time,
}

/// A place with objects.
#[derive(Clone, Debug)]
pub struct Site {
    /// The IPC namespace.
    pub home: Arc<Home>,
    /// The kinds that were looked for.
    pub kinds: Vec<Kind>,
    /// How many processes live in the namespace; `None` if nobody counted.
    pub processes: Option<u64>,
    /// The objects of each kind in one line.
    pub summaries: Vec<Summary>,
    /// How many messages are on the queues of a kind; `None` if that is unknown of one of them.
    pub messages: BTreeMap<Kind, Option<u64>>,
    /// The limits.
    pub allowances: Vec<Allowance>,
    /// The `/dev/shm`.
    pub space: Option<Space>,
    /// How many findings of a check there are, and how many objects they are about.
    pub findings: BTreeMap<(&'static str, Severity), Findings>,
    /// The objects that may have series of their own.
    pub objects: Vec<Observed>,
}

/// The findings of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// How many there are.
    pub findings: u64,
    /// How many objects they are about.
    pub objects: u64,
}

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A count or a size.
    Whole(u64),
    /// A share or a time.
    Real(f64),
}

impl Number {
    /// `used` as a share of `limit`. All of nothing is 1.
    fn ratio(used: u64, limit: u64) -> Number {
        Number::Real(match (used, limit) {
            (0, 0) => 0.0,
            (_, 0) => 1.0,
            _ => used as f64 / limit as f64,
        })
    }
}

/// The names and values of the labels of a series.
type Labels = Vec<(&'static str, String)>;

/// A metric of things of one type.
struct Metric<T: 'static> {
    /// Its name, without the unit.
    name: &'static str,
    /// Its unit, in the plural, which ends its full name.
    unit: Option<&'static str>,
    /// What it tells, as a sentence without a full stop.
    help: &'static str,
    /// Its value for a thing; `None` if it has none.
    value: fn(&T) -> Option<Number>,
}

/// All series of a metric.
#[derive(Debug)]
struct Family {
    name: &'static str,
    unit: Option<&'static str>,
    help: &'static str,
    series: Vec<(Labels, Number)>,
}

impl Family {
    /// The series of a metric for these things.
    fn of<'a, T: 'a>(
        metric: &Metric<T>,
        things: impl IntoIterator<Item = (Labels, &'a T)>,
    ) -> Family {
        let value = |(labels, thing)| Some((labels, (metric.value)(thing)?));
        let values = things.into_iter().filter_map(value);
        Family::with(metric.name, metric.unit, metric.help, values)
    }

    /// These series. Of several with the same labels the first counts, since two would make the whole text
    /// invalid.
    fn with(
        name: &'static str,
        unit: Option<&'static str>,
        help: &'static str,
        values: impl Iterator<Item = (Labels, Number)>,
    ) -> Family {
        let mut seen = HashSet::new();
        let series = values.filter(|(labels, _)| seen.insert(labels.clone())).collect();
        Family { name, unit, help, series }
    }
}

/// The objects of a kind in a place.
struct OfKind {
    summary: Summary,
    messages: Option<u64>,
    /// How many of them have no series of their own.
    summed: u64,
}

/// An object at a time.
struct Aged<'a> {
    observed: &'a Observed,
    now: Time,
}

/// All families of a scene. At most `most` objects have series of their own: the fullest queues and the largest
/// memory. The others of a kind and place are summed.
fn families(scene: &Scene, most: usize) -> Vec<Family> {
    let (chosen, rest) = choose(scene, most);
    let mut families: Vec<Family> = Vec::new();
    let run = |metric| Family::of(metric, [(Labels::new(), scene)]);
    families.extend(registry::RUN.iter().map(run));
    families.push(registry::build_info());
    let sites = || scene.sites.iter().map(|site| (of_home(&site.home), site));
    families.extend(registry::SITE.iter().map(|metric| Family::of(metric, sites())));
    let kinds = of_kinds(scene, &rest);
    families.extend(registry::KIND.iter().map(|metric| Family::of(metric, labelled(&kinds))));
    let limits = || scene.sites.iter().flat_map(limits);
    families.extend(registry::LIMIT.iter().map(|metric| Family::of(metric, limits())));
    let with_space = |site: &Site| site.space.map(|space| (of_home(&site.home), space));
    let spaces: Vec<_> = scene.sites.iter().filter_map(with_space).collect();
    families.extend(registry::SPACE.iter().map(|metric| Family::of(metric, labelled(&spaces))));
    let findings = || scene.sites.iter().flat_map(findings);
    families.extend(registry::FINDING.iter().map(|metric| Family::of(metric, findings())));
    families.extend(of_objects(scene, chosen, &rest));
    families.retain(|family| !family.series.is_empty());
    families
}

/// Things with their labels, for one more metric.
fn labelled<T>(things: &[(Labels, T)]) -> impl Iterator<Item = (Labels, &T)> {
    things.iter().map(|(labels, thing)| (labels.clone(), thing))
}

/// The objects of each kind in each place.
fn of_kinds(scene: &Scene, rest: &Rest<'_>) -> Vec<(Labels, OfKind)> {
    let mut kinds = Vec::new();
    for (number, site) in scene.sites.iter().enumerate() {
        for summary in &site.summaries {
            let kind = summary.kind;
            let labels = with_home(vec![("kind", kind.name().to_owned())], &site.home);
            let summed = rest.get(&(number, kind)).map_or(0, |rest| rest.len() as u64);
            let messages = site.messages.get(&kind).copied().flatten();
            kinds.push((labels, OfKind { summary: summary.clone(), messages, summed }));
        }
    }
    kinds
}

/// The limits of a place.
fn limits(site: &Site) -> impl Iterator<Item = (Labels, &Allowance)> {
    site.allowances.iter().map(|limit| {
        let user = limit.user.map(|uid| accounts::user(uid).to_string()).unwrap_or_default();
        let labels = vec![("limit", limit.name.to_string()), ("user", user)];
        (with_home(labels, &site.home), limit)
    })
}

/// The findings in a place.
fn findings(site: &Site) -> impl Iterator<Item = (Labels, &Findings)> {
    site.findings.iter().map(|(&(check, severity), findings)| {
        let labels = vec![("check", check.to_owned()), ("severity", severity.name().to_owned())];
        (with_home(labels, &site.home), findings)
    })
}

/// The families of objects: series of those that were chosen, and sums of the others.
fn of_objects(scene: &Scene, chosen: Vec<(&Site, &Observed)>, rest: &Rest<'_>) -> Vec<Family> {
    let aged = |observed| Aged { observed, now: scene.now };
    let chosen = chosen.into_iter();
    let chosen: Vec<(Labels, Aged<'_>)> =
        chosen.map(|(site, observed)| (of_object(observed, &site.home), aged(observed))).collect();
    let family = |metric: &registry::ObjectMetric| {
        let values =
            labelled(&chosen).filter_map(|(labels, aged)| Some((labels, (metric.value)(aged)?)));
        let mut family = Family::with(metric.name, metric.unit, metric.help, values);
        for (&(number, kind), objects) in rest.iter().filter(|_| metric.adds_up) {
            let values = objects.iter().filter_map(|&observed| (metric.value)(&aged(observed)));
            if let Some(sum) = values.reduce(add) {
                family.series.push((of_rest(kind, &scene.sites[number].home), sum));
            }
        }
        family
    };
    registry::OBJECT.iter().map(family).collect()
}

fn add(one: Number, other: Number) -> Number {
    match (one, other) {
        (Number::Whole(one), Number::Whole(other)) => Number::Whole(one.saturating_add(other)),
        (one, other) => Number::Real(real(one) + real(other)),
    }
}

fn real(number: Number) -> f64 {
    match number {
        Number::Whole(number) => number as f64,
        Number::Real(number) => number,
    }
}

/// Objects without series of their own, by place and kind.
type Rest<'a> = BTreeMap<(usize, Kind), Vec<&'a Observed>>;

/// The objects that have series of their own, in the order of the places, and the others.
fn choose(scene: &Scene, most: usize) -> (Vec<(&Site, &Observed)>, Rest<'_>) {
    let mut all: Vec<(usize, &Observed)> = Vec::new();
    for (number, site) in scene.sites.iter().enumerate() {
        all.extend(site.objects.iter().map(|observed| (number, observed)));
    }
    let mut rest = Rest::new();
    if all.len() > most {
        all.sort_by_cached_key(|&(number, observed)| {
            let (share, bytes) = weight(&observed.object);
            (std::cmp::Reverse((share, bytes)), number, observed.reference().to_string())
        });
        for (number, observed) in all.split_off(most) {
            rest.entry((number, observed.kind())).or_default().push(observed);
        }
        all.sort_by_key(|&(number, observed)| (number, observed.kind()));
    }
    let of_site = |(number, observed): (usize, _)| (&scene.sites[number], observed);
    (all.into_iter().map(of_site).collect(), rest)
}

/// How full a queue is, in millionths, and how large an object is.
fn weight(object: &Object) -> (u64, u64) {
    let share = |(used, limit): (u64, u64)| {
        (u128::from(used) * 1_000_000 / u128::from(limit.max(1))).min(u128::from(u64::MAX)) as u64
    };
    match object {
        Object::Queue(queue) => (queue.fill().map_or(0, share), queue.bytes),
        Object::PosixQueue(queue) => (queue.fill().map_or(0, share), queue.bytes.unwrap_or(0)),
        Object::Segment(segment) => (0, segment.size),
        Object::PosixMemory(memory) => (0, memory.size),
        Object::SemaphoreSet(set) => (0, set.nsems),
        Object::PosixSemaphore(_) => (0, 0),
    }
}

/// The labels that tell where.
fn of_home(home: &Home) -> Labels {
    with_home(Labels::new(), home)
}

fn with_home(mut labels: Labels, home: &Home) -> Labels {
    labels.push(("ns", home.namespace.to_string()));
    labels.push(("container", home.container.clone().unwrap_or_default()));
    labels
}

fn of_object(observed: &Observed, home: &Home) -> Labels {
    let permissions = observed.permissions();
    let key = match permissions.key {
        crate::ipc::Key::PRIVATE => String::new(),
        key => key.to_string(),
    };
    let labels = vec![
        ("kind", observed.kind().name().to_owned()),
        ("ref", observed.reference().to_string()),
        ("key", key),
        ("owner", accounts::user(permissions.uid).to_string()),
    ];
    with_home(labels, home)
}

fn of_rest(kind: Kind, home: &Home) -> Labels {
    let labels = vec![
        ("kind", kind.name().to_owned()),
        ("ref", "other".to_owned()),
        ("key", String::new()),
        ("owner", String::new()),
    ];
    with_home(labels, home)
}

impl Site {
    /// Sums up the objects of a place.
    pub fn new(
        home: Arc<Home>,
        kinds: Vec<Kind>,
        unlisted: Vec<Kind>,
        objects: Vec<Observed>,
    ) -> Site {
        let plain = objects.iter().map(|observed| observed.object.clone()).collect();
        let snapshot = Snapshot { objects: plain, unlisted };
        let summaries = kinds.iter().map(|&kind| Summary::of(kind, &snapshot)).collect();
        let queues = kinds.iter().copied().filter(|kind| matches!(kind, Kind::Msg | Kind::Pmsg));
        let messages = queues.map(|kind| {
            let messages = snapshot.of_kind(kind).map(Object::messages);
            let is_listed = !snapshot.unlisted.contains(&kind);
            (kind, messages.sum::<Option<u64>>().filter(|_| is_listed))
        });
        let messages = messages.collect();
        Site {
            home,
            kinds,
            processes: None,
            summaries,
            messages,
            allowances: Vec::new(),
            space: None,
            findings: BTreeMap::new(),
            objects,
        }
    }

    /// Leaves series of their own to these objects.
    pub fn keep(&mut self, is_kept: impl Fn(&Reference) -> bool) {
        self.objects.retain(|observed| is_kept(&observed.reference()));
    }
}

/// Every metric: its full name and its help, sorted by name.
pub fn all() -> Vec<(String, &'static str)> {
    registry::all()
}

#[cfg(test)]
mod tests;
