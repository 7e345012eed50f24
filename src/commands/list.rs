//! `ipctool list`: every object, filtered, sorted, in any format.

mod by;
mod choice;
mod collection;
mod namespaces;
mod rest;
mod rows;
mod sort;

use std::collections::HashSet;

use choice::{Choice, Looked};
use collection::Collection;
use rest::Rest;
use sort::Sort;

use crate::cli::{List, StyleArgs};
use crate::commands::everywhere::{self, Elsewhere, Everywhere};
use crate::commands::reader::Depth;
use crate::commands::{Error, Result, is_watched, remark, select};
use crate::exit::Status;
use crate::explain::Failure;
use crate::ipc::tally::By;
use crate::ipc::{Filter, Kind, Observed};
use crate::kernel::{Namespace, process};
use crate::output::columns::Preset;
use crate::output::stdout::{self, OutputError};
use crate::output::{Format, Layout, Style};

const VERB: &str = "list";

pub(super) fn run(mut args: List, namespace: &Namespace, style: Style) -> Result<Status> {
    let of_process = args.filter.pid.filter(|_| !args.all_namespaces && namespace.home().is_none());
    let elsewhere = of_process.and_then(|process| Elsewhere::of_process(namespace, process.pid()));
    let namespace = elsewhere.as_ref().map_or(namespace, |there| there.namespace());
    let format = match (args.null, args.format.chosen()) {
        (false, format) => format,
        (true, _) if args.format.format.is_none_or(|format| format == Format::Plain) => {
            Format::Plain
        }
        (true, _) => return Err(Failure::usage(VERB, "--null is for the plain format only").into()),
    };
    let mut style = styled(style, &args.style, format);
    let (asked_for, preset) = (kinds(&args), preset(&args));
    let filter = Filter::new(asked_for, args.filter.conditions());
    if args.namespaces {
        return match filter.has_conditions() {
            true => {
                Err(Failure::usage(VERB, "--namespaces lists no objects, which filters are for")
                    .into())
            }
            false => namespaces::run(&args, format, &style),
        };
    }
    let everywhere = if args.all_namespaces { Some(Everywhere::find()?) } else { None };
    let looked = match (&everywhere, namespace.home()) {
        (Some(_), _) => Looked::All,
        (None, Some(_)) => Looked::Named,
        (None, None) => Looked::Own,
    };
    let kinds: Vec<Kind> = filter.kinds().collect();
    if let Some(by) = args.by {
        // Where an object lives is known without a look at its users.
        let needs_users = by.needs_users() && (by != By::Container || looked == Looked::Own);
        let depth = Depth::for_columns(format, |name| needs_users && name == "users");
        let verbose = args.verbose;
        let mut collection =
            Collection::new(namespace, &filter, depth, Rest::default(), everywhere, verbose);
        let rows = by::run(by, &args, format, &mut collection, &style)?;
        collection.warn_uninspected();
        select::warn_cautions(VERB, &filter);
        if rows == 0 && !format.is_for_machines() {
            remark_empty(&filter, &style);
        }
        return Ok(Status::Done);
    }
    let choice = Choice::parse(preset, args.output.as_deref(), args.who, &kinds, looked)?;
    let sort = args.sort.as_deref().map(|text| Sort::parse(text, &kinds)).transpose()?;
    let rest = match choice.shows_rest(format) {
        true if everywhere.is_none() => Rest::read(namespace, &filter),
        _ => Rest::default(),
    };
    let beside = rest.columns(choice.chosen.as_ref(), choice.is_by_name);
    let layout = Layout {
        sections: choice.sections(&filter, beside.as_ref(), format),
        chosen: choice.fields(),
        headings: !args.no_headings,
        has_nul_ends: args.null,
    };
    let depth = Depth::for_columns(format, |name| {
        layout.fields().contains(&name) || sort.as_ref().is_some_and(|sort| sort.name == name)
    });
    let is_mixed = everywhere.is_some();
    let mut collection = Collection::new(namespace, &filter, depth, rest, everywhere, args.verbose);
    let listing = Listing { kinds, layout, format, is_mixed };
    let is_empty = listing.write(&mut collection, sort.as_ref(), &mut style)? == 0;
    collection.warn_uninspected();
    select::warn_cautions(VERB, &filter);
    if !format.is_for_machines() {
        if is_empty {
            remark_empty(&filter, &style);
        }
        if looked == Looked::Own && is_watched(&style) {
            remark_others(namespace, &style);
        }
    }
    Ok(Status::Done)
}

/// Tells a person of objects elsewhere.
fn remark_others(namespace: &Namespace, style: &Style) {
    match everywhere::occupied(namespace) {
        0 => {}
        1 => remark(style, "1 other IPC namespace holds objects: ipctool list -A"),
        number => {
            remark(style, &format!("{number} other IPC namespaces hold objects: ipctool list -A"));
        }
    }
}

fn styled(mut style: Style, args: &StyleArgs, format: Format) -> Style {
    style.human_sizes = format == Format::Table && !args.bytes;
    style.time_format = args.time_format;
    style.numeric_perms = args.numeric_perms;
    style
}

fn kinds(args: &List) -> Vec<Kind> {
    let flags = [(args.queues, Kind::Msg), (args.shmems, Kind::Shm), (args.semaphores, Kind::Sem)];
    let flagged = flags.into_iter().filter_map(|(is_set, kind)| is_set.then_some(kind));
    args.kinds.iter().copied().chain(flagged).collect()
}

fn preset(args: &List) -> Preset {
    match (args.times, args.pids, args.creators) {
        (true, ..) => Preset::Times,
        (_, true, _) => Preset::Pids,
        (.., true) => Preset::Creators,
        _ => Preset::Usual,
    }
}

/// Explains to a person why nothing is listed. A table already says so if kinds were all that was asked for.
fn remark_empty(filter: &Filter, style: &Style) {
    if filter.has_conditions() {
        remark(style, "no object matches");
    } else if filter.kinds.is_empty() {
        remark(style, "no IPC objects");
    }
}

/// The output of a listing.
struct Listing {
    /// The kind of each section of the layout.
    kinds: Vec<Kind>,
    layout: Layout<Observed>,
    format: Format,
    /// Whether the kinds come again for each place.
    is_mixed: bool,
}

impl Listing {
    /// Writes each object as it is read, or all at the end if they must be sorted or if colours mark the
    /// processes that are gone. If one kind cannot be read, a table shows nothing, because it would claim
    /// that there are no such objects; the other formats show what was read. Returns the number of
    /// objects.
    fn write(
        self,
        collection: &mut Collection<'_>,
        sort: Option<&Sort>,
        style: &mut Style,
    ) -> Result<u64> {
        let Listing { kinds, layout, format, is_mixed } = self;
        let section = |observed: &Observed| kinds.iter().position(|&kind| kind == observed.kind());
        let marks = style.screen.color && format.has_colors();
        let is_for_people = !format.is_for_machines();
        let gathers = sort.is_some() || marks || (is_mixed && is_for_people);
        let (mut gathered, read) = match gathers {
            true => collection.all(),
            false => (Vec::new(), Ok(())),
        };
        if let Some(sort) = sort {
            sort.apply(&mut gathered, style);
        }
        if is_for_people {
            gathered.sort_by_key(section);
        }
        if marks {
            let shown = gathered.iter().filter_map(|one| Some(layout.pids(section(one)?, one)));
            let pids: HashSet<i32> = shown.flatten().collect();
            style.gone = pids.into_iter().filter(|&pid| process::is_gone(pid)).collect();
        }
        let mut render = format.begin(layout, style, stdout::buffered()?).map_err(OutputError)?;
        let mut written = 0;
        let mut write = |observed: &Observed| match section(observed) {
            Some(section) => {
                written += 1;
                render.row(section, observed).map_err(OutputError)
            }
            None => Ok(()),
        };
        let read = match gathers {
            true => {
                gathered.iter().try_for_each(write)?;
                read
            }
            false => collection.each(&mut |observed| write(&observed)),
        };
        match read {
            Err(error @ Error::Output(_)) => Err(error),
            Err(error) if format == Format::Table => Err(error),
            // A JSON array without its end cannot be read at all.
            read => {
                render.finish().map_err(OutputError)?;
                read.map(|()| written)
            }
        }
    }
}
