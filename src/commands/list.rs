//! `ipctool list`: every object, filtered, sorted, in any format.

mod rest;

use crate::kernel::Namespace;
use crate::kernel::namespace::complete;
use std::mem;

use rest::Rest;

use super::{now, select};
use crate::cli::List;
use crate::commands::Result;
use crate::exit::Status;
use crate::explain::Failure;
use crate::ipc::{Kind, Object, Observed};
use crate::kernel::sysv::huge_pages;
use crate::output::columns::{self, Preset};
use crate::output::stdout::{self, OutputError};
use crate::output::{Column, Format, Layout, Section, Style, renderer};

const VERB: &str = "list";

pub(super) fn run(args: List, namespace: &Namespace, mut style: Style) -> Result<Status> {
    let format = args.format.chosen();
    style.human_sizes = format == Format::Table && !args.style.bytes;
    style.time_format = args.style.time_format;
    style.numeric_perms = args.style.numeric_perms;
    let filter = select::filter(VERB, kinds(&args), args.filter)?;
    let preset = match (args.times, args.pids, args.creators) {
        (true, ..) => Preset::Times,
        (_, true, _) => Preset::Pids,
        (.., true) => Preset::Creators,
        _ => Preset::Usual,
    };
    let kinds: Vec<Kind> = filter.kinds().collect();
    let output = match (args.who, args.output.as_deref()) {
        (true, None) => Some("+waiting,users".to_owned()),
        (true, Some(output)) => Some(format!("{output},waiting,users")),
        (false, output) => output.map(str::to_owned),
    };
    let chosen = output.map(|text| choose(&text, &kinds)).transpose()?;
    let usual = preset == Preset::Usual && args.output.is_none();
    let mut shown = visible(Kind::Pshm, preset, chosen.as_ref(), format).into_iter();
    let rest = match usual || shown.any(|column| column.name == "status") {
        true => Rest::read(namespace, &filter),
        false => Rest::default(),
    };
    let beside = rest.columns(chosen.as_ref(), args.output.is_some());
    let layout = Layout {
        sections: kinds
            .iter()
            .map(|&kind| Section {
                title: format!("{}s", kind.noun()),
                columns: match kind {
                    Kind::Pshm => visible(kind, preset, beside.as_ref(), format),
                    _ => visible(kind, preset, chosen.as_ref(), format),
                },
                asked_for: !kind.is_posix() || filter.kinds.contains(&kind),
            })
            .collect(),
        chosen: chosen.and_then(|chosen| (!chosen.added).then_some(chosen.names)),
        headings: !args.no_headings,
    };
    let sort = args.sort.as_deref().map(|text| Sort::parse(text, &kinds)).transpose()?;
    let sorts_by = |name| sort.as_ref().is_some_and(|sort: &Sort| sort.name == name);
    let shows = |name| layout.fields().contains(&name) || sorts_by(name);
    // Costs a system call for each queue.
    let completed = format == Format::Table || shows("max_bytes");
    let huge_pages =
        (shows("status") || shows("rss")).then(|| huge_pages::Finder::new(namespace.handle()));
    // Costs a look at every process.
    let looks = filter.needs_users() || columns::ON_REQUEST.iter().any(|column| shows(column.name));
    let now = now();
    let mut observation = match looks {
        true => Some(select::observe(VERB, namespace, &filter, now, args.verbose)?),
        false => None,
    };
    let observed = observation.as_mut().map(|seen| mem::take(&mut seen.objects));
    let each = |visit: &mut dyn FnMut(Observed) -> Result<(), OutputError>| -> Result<()> {
        for mut observed in observed.into_iter().flatten() {
            complete(&mut observed.object);
            visit(observed)?;
        }
        if looks {
            return Ok(());
        }
        select::read_all(VERB, namespace, &filter, |mut object| {
            if !filter.may_match(&object, now) {
                return Ok(());
            }
            if completed {
                complete(&mut object);
            }
            if let (Some(finder), Object::Segment(segment)) = (&huge_pages, &mut object) {
                finder.complete(segment);
            }
            Ok(visit(Observed::from(object))?)
        })?;
        Ok(())
    };
    let rest = rest.observed(namespace, looks)?;
    // Right behind the objects of their kind.
    let each = |visit: &mut dyn FnMut(Observed) -> Result<(), OutputError>| -> Result<()> {
        let mut rest = rest.into_iter();
        each(&mut |observed| {
            if observed.kind() > Kind::Pshm {
                rest.by_ref().try_for_each(&mut *visit)?;
            }
            visit(observed)
        })?;
        Ok(rest.try_for_each(visit)?)
    };
    let section = |observed: &Observed| kinds.iter().position(|&kind| kind == observed.kind());
    let mut render = renderer(format, layout, &style, stdout::buffered()?).map_err(OutputError)?;
    let mut write = |observed: &Observed| match section(observed) {
        Some(section) => render.row(section, observed).map_err(OutputError),
        None => Ok(()),
    };
    match sort {
        None => each(&mut |observed| write(&observed))?,
        Some(sort) => {
            let mut all = Vec::new();
            each(&mut |observed| {
                all.push(observed);
                Ok(())
            })?;
            sort.apply(&mut all, &style);
            if !format.is_for_machines() {
                all.sort_by_key(section);
            }
            all.iter().try_for_each(write)?;
        }
    }
    render.finish().map_err(OutputError)?;
    if let Some(observation) = observation {
        observation.warn_uninspected(VERB);
    }
    Ok(Status::Done)
}

fn kinds(args: &List) -> Vec<Kind> {
    let flags = [(args.queues, Kind::Msg), (args.shmems, Kind::Shm), (args.semaphores, Kind::Sem)];
    let flagged = flags.into_iter().filter_map(|(is_set, kind)| is_set.then_some(kind));
    args.kinds.iter().copied().chain(flagged).collect()
}

/// What `--output` says.
#[derive(Clone, Debug)]
struct Chosen {
    names: Vec<&'static str>,
    /// Besides the usual columns, and not instead of them.
    added: bool,
}

fn choose(text: &str, kinds: &[Kind]) -> Result<Chosen, Failure> {
    let (added, list) = match text.strip_prefix('+') {
        Some(list) => (true, list),
        None => (false, text),
    };
    let mut names = Vec::new();
    for name in list.split(',') {
        let name = column_name(name, kinds)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(Chosen { names, added })
}

/// The column that the user means, if one of the kinds has it.
fn column_name(name: &str, kinds: &[Kind]) -> Result<&'static str, Failure> {
    let mut all = kinds.iter().flat_map(|&kind| columns::with_requests(kind));
    all.find(|column| column.name.eq_ignore_ascii_case(name)).map(|column| column.name).ok_or_else(
        || {
            let mut known: Vec<_> = Vec::new();
            for column in kinds.iter().flat_map(|&kind| columns::with_requests(kind)) {
                if !known.contains(&column.name) {
                    known.push(column.name);
                }
            }
            let kinds: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
            Failure::usage(VERB, format!("there is no column '{name}' for {}", kinds.join(", ")))
                .with_hint(format!("columns: {}", known.join(" ")))
        },
    )
}

/// The columns of a kind that are to be seen.
fn visible(
    kind: Kind,
    preset: Preset,
    chosen: Option<&Chosen>,
    format: Format,
) -> Vec<&'static Column<Observed>> {
    let find = |name: &&str| columns::with_requests(kind).find(|column| column.name == *name);
    let usual = columns::preset(preset, kind);
    match chosen {
        Some(chosen) if !chosen.added => chosen.names.iter().filter_map(find).collect(),
        chosen => {
            // Machines are told everything that can be had for nothing.
            let mut names: Vec<&str> = match format.is_for_machines() {
                true => columns::of_kind(kind).map(|column| column.name).collect(),
                false => usual.to_vec(),
            };
            for name in chosen.map_or(&[][..], |chosen| &chosen.names) {
                if !names.contains(name) {
                    names.push(name);
                }
            }
            names.iter().filter_map(find).collect()
        }
    }
}

/// What `--sort` says.
struct Sort {
    name: &'static str,
    descending: bool,
}

impl Sort {
    fn parse(text: &str, kinds: &[Kind]) -> Result<Sort, Failure> {
        let (descending, name) = match text.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, text),
        };
        Ok(Sort { name: column_name(name, kinds)?, descending })
    }

    /// Sorts, leaving equals as they were and what is missing at the end.
    fn apply(&self, objects: &mut [Observed], style: &Style) {
        use crate::output::Value;
        fn value<'a>(observed: &'a Observed, name: &str) -> Value<'a> {
            let column = columns::with_requests(observed.kind()).find(|column| column.name == name);
            column.map_or(Value::Missing, |column| (column.value)(observed))
        }
        objects.sort_by(|a, b| {
            let (a, b) = (value(a, self.name), value(b, self.name));
            let is_missing = |value: &Value<'_>| *value == Value::Missing;
            let order = a.compare(&b, &style.names);
            if self.descending && !is_missing(&a) && !is_missing(&b) {
                order.reverse()
            } else {
                order
            }
        });
    }
}
