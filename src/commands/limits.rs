//! `ipctool limits`: shows limits and how much of each is used, or sets them.

mod set;

use std::io::{self, ErrorKind};

use super::everywhere::{Everywhere, outside};
use super::{report_all, report_each, resolve};
use crate::cli::Limits;
use crate::cli::LimitsOf;
use crate::commands::{Error, Result};
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::limit::{Allowance, Amount};
use crate::ipc::outcome::Outcome;
use crate::ipc::{CommandLine, Kind, Object, Reference, count};
use crate::kernel::Namespace;
use crate::kernel::io::os_error;
use crate::kernel::limits::{self, Limit, Load};
use crate::kernel::namespace::complete;
use crate::kernel::posix::dev_shm::Space;
use crate::kernel::process;
use crate::output::columns;
use crate::output::stdout::{self, OutputError};
use crate::output::{Format, Section, Style, write_rows};

const VERB: &str = "limits";

pub(super) fn run(args: Limits, namespace: &Namespace, mut style: Style) -> Result<Status> {
    let mut kinds: Vec<Kind> = Vec::new();
    let mut queues: Vec<Reference> = Vec::new();
    for operand in args.operands {
        match operand {
            LimitsOf::Kinds(some) => kinds.extend(some),
            LimitsOf::Queue(queue) => queues.push(queue),
        }
    }
    match (args.queue_bytes, queues.as_slice(), kinds.as_slice()) {
        (Some(bytes), [queue], []) => {
            let style = args.format.json.then_some(&style);
            return queue_bytes(namespace, queue, bytes, style);
        }
        (Some(_), ..) => {
            return Err(Failure::usage(VERB, "--queue-bytes needs one queue of System V").into());
        }
        (None, [queue, ..], _) => {
            let what = format!("{queue} is an object, but limits are those of kinds");
            let stat = CommandLine::new("ipctool stat").word(queue);
            let hint = format!("to see how full it is: {stat}");
            return Err(Failure::usage(VERB, what).with_hint(hint).into());
        }
        (None, [], _) => {}
    }
    if !args.set.is_empty() {
        return set::run(namespace, &args.set, args.persist, args.format.json.then_some(&style));
    }
    let format = args.format.chosen();
    style.human_sizes = format == Format::Table && !args.bytes;
    let question = Question {
        kinds: &kinds,
        is_check: args.check.is_some(),
        with_objects: args.check.is_some() && !args.no_objects,
    };
    let (mut allowances, is_whole) = match args.all_namespaces {
        true => survey_everywhere(question)?,
        false => {
            let outside = if question.is_wanted(Kind::Pmsg) { outside(namespace) } else { None };
            let elsewhere = outside.map(Everywhere::queues).unwrap_or_default();
            survey(namespace, question, &elsewhere)?
        }
    };
    if style.human_sizes {
        allowances.iter_mut().for_each(leave_out_the_unreachable);
    }
    if let Some(mark) = args.check {
        allowances.retain(|allowance| allowance.is_at(mark));
        // For a program an empty result is still a valid document.
        if allowances.is_empty() && !format.is_for_machines() {
            return Ok(if is_whole { Status::Done } else { Status::Failed });
        }
    }
    let has_findings = args.check.is_some() && !allowances.is_empty();
    let has_objects = allowances.iter().any(|allowance| allowance.object.is_some());
    let has_homes = allowances.iter().any(|allowance| allowance.home.is_some());
    let columns = columns::LIMIT.iter().filter(|column| match column.name {
        "ref" => format.is_for_machines() || has_objects,
        name => has_homes || !columns::is_home(name),
    });
    let section = Section::new(columns);
    write_rows(format, section, !args.no_headings, &allowances, &style, stdout::buffered()?)
        .map_err(OutputError)?;
    Ok(match (has_findings, is_whole) {
        (true, _) => Status::Findings,
        (false, true) => Status::Done,
        (false, false) => Status::Failed,
    })
}

/// Shows a person no number that means "no limit".
fn leave_out_the_unreachable(allowance: &mut Allowance) {
    if let (Some(limit), Amount::Of(value)) = (Limit::named(&allowance.name), allowance.limit)
        && limit.is_practically_unlimited(value)
    {
        allowance.limit = Amount::Unlimited;
    }
}

/// Which limits to look at.
#[derive(Clone, Copy)]
struct Question<'a> {
    /// Those of these kinds; of all, if none is given.
    kinds: &'a [Kind],
    /// Whether what cannot be seen is a failure.
    is_check: bool,
    /// Whether to add how full each queue is.
    with_objects: bool,
}

impl Question<'_> {
    fn is_wanted(&self, kind: Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }
}

/// The limits of every IPC namespace. Those of users and of the machine come once.
fn survey_everywhere(question: Question<'_>) -> Result<(Vec<Allowance>, bool)> {
    let mut everywhere = Everywhere::find()?;
    let (mut all, mut is_whole) = (Vec::new(), true);
    // Only where the limits of users are shown does it matter what is elsewhere.
    let first = everywhere.places.first().map(|place| place.identity);
    let outside = first.filter(|_| question.is_wanted(Kind::Pmsg)).map(|it| everywhere.outside(it));
    let elsewhere = outside.map(Everywhere::queues).unwrap_or_default();
    let found = everywhere.map(|_, namespace| {
        let (mut allowances, is_whole) = survey(namespace, question, &elsewhere)?;
        for allowance in &mut allowances {
            allowance.home = namespace.home().cloned();
        }
        Ok::<_, Error>((allowances, is_whole))
    });
    for (place_in_order, (number, found)) in found.into_iter().enumerate() {
        let (mut allowances, all_read) = found?;
        let place = &everywhere.places[number];
        is_whole &= all_read;
        let is_first = place_in_order == 0;
        allowances.retain(|allowance| match Limit::named(&allowance.name) {
            Some(limit) if !limit.is_of_namespace() => is_first,
            Some(limit) => place.kinds.iter().any(|&kind| limit.is_about(kind)),
            None => true,
        });
        all.extend(allowances);
    }
    everywhere.warn(VERB);
    let is_whole = is_whole && (everywhere.is_whole() || !question.is_check);
    Ok((all, is_whole))
}

/// Every limit with its use in an IPC namespace; `elsewhere` are objects of others, which take up limits of
/// users all the same. Prints what could not be read, and returns whether everything could.
fn survey(
    namespace: &Namespace,
    question: Question<'_>,
    elsewhere: &[Object],
) -> Result<(Vec<Allowance>, bool)> {
    let Question { is_check, with_objects, .. } = question;
    let is_wanted = |kind: Kind| question.is_wanted(kind);
    let mut failures = Vec::new();
    let mut failed = |name: &str, error: &io::Error| {
        let what = format!("it cannot be read: {}", os_error::describe(error));
        failures.push(Failure::new(VERB, name, what, Reason::Failed));
    };
    let mut snapshot =
        namespace.snapshot(Kind::SYSTEM_V.into_iter().filter(|&kind| is_wanted(kind)))?;
    let mut unseen = None;
    if is_wanted(Kind::Pmsg) {
        match namespace.snapshot([Kind::Pmsg]) {
            Ok(queues) => snapshot.objects.extend(queues.objects),
            Err(error) => {
                snapshot.unlisted.push(Kind::Pmsg);
                unseen = Some(error);
            }
        }
    }
    let space = match Space::read(namespace.shm()) {
        _ if !is_wanted(Kind::Pshm) && !is_wanted(Kind::Psem) => None,
        Ok(space) => Some(space),
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                failed("/dev/shm", &error);
            }
            None
        }
    };
    let load = Load { snapshot: &snapshot, space: space.as_ref(), elsewhere };
    let mut warn = |limit: Limit, error| failed(limit.name(), &error);
    let mut allowances = limits::survey(load, process::uid(), &mut warn);
    allowances.retain(|allowance| {
        Limit::named(&allowance.name).is_none_or(|limit| {
            Kind::ALL.into_iter().any(|kind| is_wanted(kind) && limit.is_about(kind))
        })
    });
    if with_objects {
        let (of_objects, unread) = fills(&mut snapshot.objects);
        allowances.extend(of_objects);
        if unread > 0 {
            let what = format!("how full they are is unknown: {}", count(unread, "queue"));
            failures.push(Failure::new(VERB, "queues", what, Reason::Failed));
        }
    }
    // Many systems have no POSIX queues for an ordinary user, so this is no failure. A check, however, must not
    // pass what it has not seen.
    let is_whole = failures.is_empty() && !(is_check && unseen.is_some());
    if let Some(error) = unseen {
        let what = format!("its use is unknown: {error}");
        failures.push(Failure::of_reading(VERB, "RLIMIT_MSGQUEUE", &error).with_message(what));
    }
    report_all(namespace, &failures);
    Ok((allowances, is_whole))
}

/// How full each queue is, and of how many that is unknown. A queue that is removed meanwhile is neither.
fn fills(objects: &mut [Object]) -> (Vec<Allowance>, u64) {
    let mut fills = Vec::new();
    let mut unread = 0;
    for object in objects {
        complete(object);
        let (unknown, known): (Vec<_>, Vec<_>) =
            Allowance::of_object(object).into_iter().partition(Allowance::is_unknown);
        unread += u64::from(!unknown.is_empty());
        fills.extend(known);
    }
    (fills, unread)
}

/// Sets `msg_qbytes` of one queue.
fn queue_bytes(
    namespace: &Namespace,
    reference: &Reference,
    bytes: u64,
    json: Option<&Style>,
) -> Result<Status> {
    let set = set_queue_bytes(namespace, reference, bytes);
    let Some(style) = json else {
        let (resolved, before) = set?;
        stdout::print(&format!("{resolved}: {before} → {bytes}\n"))?;
        return Ok(Status::Done);
    };
    let (status, outcome) = match set {
        Ok((resolved, before)) => {
            let (before, after) = (before.to_string(), bytes.to_string());
            (Status::Done, Outcome::Done { subject: resolved.to_string(), before, after })
        }
        Err(failure) => {
            let (status, failed) = report_each(namespace, &[failure]);
            let failed = failed.into_iter().map(Outcome::Failed).collect::<Vec<_>>();
            set::write_json(&failed, style)?;
            return Ok(status);
        }
    };
    set::write_json(&[outcome], style)?;
    Ok(status)
}

/// Returns the queue, by id, and the number of bytes before.
fn set_queue_bytes(
    namespace: &Namespace,
    reference: &Reference,
    bytes: u64,
) -> Result<(Reference, u64), Failure> {
    let resolved = resolve(VERB, namespace, reference)?;
    let before = namespace
        .set_max_bytes(&resolved, bytes)
        .map_err(|error| Failure::of_queue_bytes(VERB, reference, bytes, error))?;
    Ok((resolved, before))
}
