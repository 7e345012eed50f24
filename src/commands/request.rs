//! What the user asks a command to act on: objects that are named, or that a filter selects.

use crate::cli::Selecting;
use crate::commands::select;
use crate::explain::{Failure, Reason};
use crate::ipc::filter::Named;
use crate::ipc::posix::Pattern;
use crate::ipc::{Filter, Key, Kind, Name, Operand, Reference, Target};
use crate::kernel::{CallError, Errno, Namespace};

/// The objects that a command acts on.
#[derive(Debug)]
pub(super) struct Request {
    /// The objects that were named.
    pub named: Vec<Reference>,
    /// Why an argument names no object.
    pub failures: Vec<Failure>,
    /// The filter, if there is one: from options, or from patterns in references.
    pub filter: Option<Filter>,
}

/// The words of a verb for a request that makes no sense.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage {
    pub verb: &'static str,
    /// Nothing is named and no filter given.
    pub nothing: &'static str,
    /// References and the options of filters are combined.
    pub both: &'static str,
}

impl Request {
    /// Reads a request. `is_all` is whether the user asked for every object of these kinds.
    pub fn read(
        usage: Usage,
        namespace: &Namespace,
        operands: &[Operand],
        mut selecting: Selecting,
        is_all: bool,
    ) -> Result<Request, Failure> {
        let Usage { verb, nothing, both } = usage;
        let operands: Vec<Operand> =
            operands.iter().map(|operand| literally(namespace, operand)).collect();
        let has_kinds = !selecting.kinds.is_empty();
        let patterns: Vec<_> = operands.iter().filter_map(pattern).collect();
        let of_patterns: Option<Vec<Kind>> = patterns.iter().map(|(kind, _)| *kind).collect();
        let kinds = match of_patterns {
            Some(of_patterns) if !has_kinds => of_patterns,
            _ => selecting.kinds,
        };
        let filter = Filter::new(kinds, selecting.filter.conditions());
        let names_some = operands.len() > patterns.len();
        // A named object is meant whatever its state, so filters make no sense with references.
        if names_some && (is_all || has_kinds || filter.has_conditions()) {
            return Err(Failure::usage(verb, both));
        }
        let filter = filter.and((!patterns.is_empty()).then_some(Named(patterns)));
        let has_filter = is_all || has_kinds || filter.is_narrow();
        if !names_some && !has_filter {
            return Err(Failure::usage(verb, nothing));
        }
        let mut request = Request { named: Vec::new(), failures: Vec::new(), filter: None };
        for operand in &operands {
            match operand {
                Operand::One(reference) => request.named.push(reference.clone()),
                Operand::Bare(target) => match only_one(verb, namespace, target) {
                    Ok(reference) => request.named.push(reference),
                    Err(failure) => request.failures.push(failure),
                },
                Operand::Like(..) => {}
            }
        }
        if has_filter {
            select::warn_cautions(verb, &filter);
            request.filter = Some(filter);
        }
        Ok(request)
    }
}

/// A pattern that is the name of an object means this object, and no other: a program that takes the name from
/// a variable does not think of patterns.
fn literally(namespace: &Namespace, operand: &Operand) -> Operand {
    let Operand::Like(kind, pattern) = operand else { return operand.clone() };
    let text = pattern.to_string();
    let named = |kind: Kind| {
        let name = Name::parse(kind, &text).ok()?;
        exists(namespace, Reference::name(kind, name)).ok()
    };
    let kinds: Vec<Kind> = match kind {
        Some(kind) => vec![*kind],
        None => Kind::ALL.into_iter().filter(|kind| kind.is_posix()).collect(),
    };
    match kinds.into_iter().find_map(named) {
        Some(reference) if kind.is_some() => Operand::One(reference),
        Some(Reference { target, .. }) => Operand::Bare(target),
        None => operand.clone(),
    }
}

fn pattern(operand: &Operand) -> Option<(Option<Kind>, Pattern)> {
    match operand {
        Operand::Like(kind, pattern) => Some((*kind, pattern.clone())),
        Operand::One(_) | Operand::Bare(_) => None,
    }
}

/// The one object with this key or name, by its id if it has one.
fn only_one(
    verb: &'static str,
    namespace: &Namespace,
    target: &Target,
) -> Result<Reference, Failure> {
    let mut found = Vec::new();
    for reference in candidates(target) {
        match namespace.resolve(&reference).and_then(|resolved| exists(namespace, resolved)) {
            Ok(resolved) => found.push(resolved),
            Err(error) if error.is_missing() || is_impossible(error) => {}
            Err(error) => return Err(Failure::of_call(verb, &reference, error)),
        }
    }
    let what = match target {
        Target::Name(_) => "name",
        Target::Key(_) | Target::Id(_) => "key",
    };
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            let hint = match target {
                Target::Key(Key::FTOK_FAILED) => Key::FTOK_CAUTION,
                _ => "to see what exists: ipctool list",
            };
            let missing = format!("no object has this {what}");
            Err(Failure::new(verb, target, missing, Reason::NothingThere).with_hint(hint))
        }
        [first, ..] => {
            let all: Vec<_> = found.iter().map(Reference::to_string).collect();
            let several = format!("several objects have this {what}: {}", all.join(", "));
            Err(Failure::new(verb, target, several, Reason::Usage)
                .with_hint(format!("name the one that you mean, such as {first}")))
        }
    }
}

/// The objects that may be meant.
fn candidates(target: &Target) -> Vec<Reference> {
    let of = |kind: Kind| match target {
        Target::Key(_) | Target::Id(_) if kind.is_posix() => None,
        Target::Key(_) | Target::Id(_) => Some(Reference { kind, target: target.clone() }),
        Target::Name(_) if !kind.is_posix() => None,
        // Not every name can be that of each kind.
        Target::Name(name) => {
            Name::parse(kind, &name.to_string()).ok().map(|name| Reference::name(kind, name))
        }
    };
    Kind::ALL.into_iter().filter_map(of).collect()
}

/// The reference, if its object exists.
fn exists(namespace: &Namespace, reference: Reference) -> Result<Reference, CallError> {
    match namespace.read(&reference) {
        // It exists, but may not be opened.
        Err(CallError { errno: Errno::EACCES | Errno::EPERM, .. }) | Ok(_) => Ok(reference),
        Err(error) => Err(error),
    }
}

/// Whether this kernel cannot have such an object at all.
fn is_impossible(error: CallError) -> bool {
    matches!(error.errno, Errno::ENOSYS | Errno::EINVAL | Errno::ENAMETOOLONG)
}
