//! What there is at the moment: objects, accounts, processes; and the words of this program.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::sync::OnceLock;

use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter};

use super::candidate;
use crate::cli;
use crate::doctor::CHECKS;
use crate::ipc::kind::Family;
use crate::ipc::{Key, Kind, Object, Reference, Target, count};
use crate::kernel::Namespace;
use crate::kernel::limits::Limit;
use crate::kernel::namespace::{Manner, Places, Where};
use crate::kernel::process::accounts;
use crate::kernel::sysv::listing::Detail;
use crate::lesson;
use crate::output::columns;
use crate::output::style::human_size;

/// With more objects than this, the kinds are offered first.
const MOST: usize = 500;

type Candidates = Vec<CompletionCandidate>;

/// Where the command line sends its command.
static PLACE: OnceLock<Where> = OnceLock::new();

/// Offers from now on what there is at the place that `--in` names in these words.
pub(super) fn look_where(words: &[OsString]) {
    let mut words = words.iter().filter_map(|word| word.to_str());
    while let Some(word) = words.next().filter(|word| *word != "--") {
        let place = match word.strip_prefix("--in") {
            Some("") => words.next(),
            Some(place) => place.strip_prefix('='),
            None => None,
        };
        if let Some(Ok(place)) = place.map(str::parse) {
            let _ = PLACE.set(place);
            return;
        }
    }
}

/// The objects of these kinds. What cannot be listed is left out.
fn objects(kinds: impl IntoIterator<Item = Kind>) -> Vec<Object> {
    let list = |namespace: &Namespace| {
        let of_kind = |kind| {
            namespace
                .snapshot_in([kind], Detail::WithoutMemory)
                .map_or_else(|_| Vec::new(), |all| all.objects)
        };
        kinds.into_iter().flat_map(of_kind).collect()
    };
    let Some(place) = PLACE.get() else { return list(&Namespace::own()) };
    let Some(namespace) = place.find().ok().and_then(|place| place.open().ok()) else {
        return Vec::new();
    };
    let Ok(_stay) = namespace.enter(Manner::ByCall) else { return Vec::new() };
    list(&namespace)
}

/// References of objects that begin like this, or by key if it begins with a key.
pub(super) fn references(current: &OsStr, family: Option<Family>) -> Candidates {
    let Some(current) = current.to_str() else { return Vec::new() };
    let is_wanted = |kind: &Kind| family.is_none_or(|family| kind.family() == family);
    let (kinds, start): (Vec<Kind>, _) = match current.split_once(':') {
        Some((kind, _)) => (kind.parse().into_iter().filter(is_wanted).collect(), true),
        None => (Kind::ALL.into_iter().filter(is_wanted).collect(), false),
    };
    let all = objects(kinds.iter().copied());
    if !start && all.len() > MOST {
        let of_kind = |kind: &Kind| candidate(format!("{kind}:"), kind.noun());
        let begins = |kind: &&Kind| kind.name().starts_with(current);
        return kinds.iter().filter(begins).map(of_kind).collect();
    }
    let mut found: Vec<_> = all
        .iter()
        .map(|object| (object.reference().to_string(), object))
        .filter(|(reference, _)| reference.starts_with(current))
        .map(|(reference, object)| candidate(reference, described(object)))
        .collect();
    // A key names an object as well.
    for object in &all {
        let key = object.permissions().key;
        let reference = Reference { kind: object.kind(), target: Target::Key(key) }.to_string();
        if key != Key::PRIVATE && current.contains("0x") && reference.starts_with(current) {
            found.push(candidate(reference, described(object)));
        }
    }
    found
}

/// Key, owner and size of an object.
fn described(object: &Object) -> String {
    let permissions = object.permissions();
    let mut parts = Vec::new();
    if permissions.key != Key::PRIVATE {
        parts.push(permissions.key.to_string());
    }
    parts.push(accounts::user(permissions.uid).to_string());
    parts.extend(match object {
        Object::Queue(queue) => Some(count(queue.messages, "message")),
        Object::Segment(segment) => Some(human_size(segment.size)),
        Object::SemaphoreSet(set) => Some(count(set.nsems, "semaphore")),
        Object::PosixQueue(queue) => queue.messages.map(|messages| count(messages, "message")),
        Object::PosixMemory(memory) => Some(human_size(memory.size)),
        Object::PosixSemaphore(semaphore) => {
            semaphore.state.map(|state| format!("value {}", state.value))
        }
    });
    parts.join(", ")
}

/// Completes the last word of a list that is separated by commas, after one of the signs, if any.
fn in_list(
    current: &OsStr,
    signs: &[char],
    all: impl IntoIterator<Item = (String, String)>,
) -> Candidates {
    let Some(current) = current.to_str() else { return Vec::new() };
    let place = current.rfind(',').map_or(0, |comma| comma + 1);
    let (mut before, mut word) = current.split_at(place);
    if place == 0
        && let Some(rest) = word.strip_prefix(signs)
    {
        (before, word) = current.split_at(current.len() - rest.len());
    }
    let used: Vec<&str> = before.split([',', '+', '-']).collect();
    all.into_iter()
        .filter(|(value, _)| value.starts_with(word) && !used.contains(&value.as_str()))
        .map(|(value, help)| candidate(format!("{before}{value}"), help))
        .collect()
}

pub(super) fn columns(current: &OsStr) -> Candidates {
    let mut all: Vec<(String, String)> = Vec::new();
    for column in Kind::ALL.into_iter().flat_map(columns::with_requests) {
        if all.iter().all(|(name, _)| name != column.name) {
            all.push((column.name.to_owned(), column.help.to_owned()));
        }
    }
    in_list(current, &['+', '-'], all)
}

pub(super) fn kinds(current: &OsStr) -> Candidates {
    in_list(current, &[], Kind::ALL.map(|kind| (kind.name().to_owned(), kind.noun().to_owned())))
}

/// The IPC namespaces that can be seen, by their containers where they have any.
pub(super) fn places(current: &OsStr) -> Candidates {
    let Some(current) = current.to_str() else { return Vec::new() };
    let places = Places::find().map_or_else(|_| Vec::new(), |places| places.all);
    let mut names: Vec<(String, u64)> =
        places.iter().map(|place| (place.home.name(), place.seen().processes)).collect();
    names.dedup();
    names
        .into_iter()
        .filter(|(name, _)| name.starts_with(current))
        .map(|(name, processes)| candidate(name, processes_of(processes)))
        .collect()
}

fn processes_of(number: u64) -> String {
    let noun = if number == 1 { "process" } else { "processes" };
    format!("IPC namespace of {number} {noun}")
}

pub(super) fn checks(current: &OsStr) -> Candidates {
    in_list(current, &[], CHECKS.iter().map(|one| (one.name.to_owned(), one.help.to_owned())))
}

/// The lessons of the course, or files where a path begins.
pub(super) fn lessons(current: &OsStr) -> Candidates {
    if current.as_encoded_bytes().iter().any(|byte| b"./~".contains(byte)) {
        return PathCompleter::file().complete(current);
    }
    let all = lesson::all().iter();
    in_list(current, &[], all.map(|lesson| (lesson.name.clone(), lesson.title.clone())))
}

pub(super) fn verbs(current: &OsStr) -> Candidates {
    let root = cli::with_drop_ins();
    let about = |verb: &clap::Command| verb.get_about().map(ToString::to_string);
    let verbs = root.get_subcommands();
    in_list(
        current,
        &[],
        verbs.map(|verb| (verb.get_name().to_owned(), about(verb).unwrap_or_default())),
    )
}

/// The first and the given column of a file such as `/etc/passwd`.
fn accounts_in(path: &str, column: usize) -> Vec<(String, String)> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let entry = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?.to_owned();
        Some((name, fields.nth(column - 1).unwrap_or_default().to_owned()))
    };
    text.lines().filter_map(entry).collect()
}

fn all_users() -> Vec<(String, String)> {
    let mut all = accounts_in("/etc/passwd", 2);
    // An owner need not be in the file.
    for object in objects(Kind::ALL) {
        let owner = accounts::user(object.permissions().uid).to_string();
        if all.iter().all(|(name, _)| *name != owner) {
            all.push((owner, "owns objects".to_owned()));
        }
    }
    all
}

pub(super) fn users(current: &OsStr) -> Candidates {
    in_list(current, &[], all_users())
}

pub(super) fn groups(current: &OsStr) -> Candidates {
    in_list(current, &[], accounts_in("/etc/group", 2))
}

/// A user, or after a colon a group.
pub(super) fn owners(current: &OsStr) -> Candidates {
    match current.to_str().and_then(|text| text.split_once(':')) {
        None => users(current),
        Some((user, group)) => groups(OsStr::new(group))
            .into_iter()
            .map(|one| one.add_prefix(format!("{user}:")))
            .collect(),
    }
}

fn all_keys() -> Vec<(String, String)> {
    let all = objects(Kind::SYSTEM_V);
    let keyed = all.iter().filter(|object| object.permissions().key != Key::PRIVATE);
    let entry = |object: &Object| {
        let key = object.permissions().key.to_string();
        (key, object.reference().to_string())
    };
    keyed.map(entry).collect()
}

pub(super) fn keys(current: &OsStr) -> Candidates {
    in_list(current, &[], all_keys())
}

fn all_names() -> Vec<(String, String)> {
    let all = objects(Kind::ALL.into_iter().filter(|kind| kind.is_posix()));
    let entry = |object: &Object| match object.reference().target {
        Target::Name(name) => Some((name.to_string(), object.kind().noun().to_owned())),
        Target::Id(_) | Target::Key(_) => None,
    };
    all.iter().filter_map(entry).collect()
}

pub(super) fn names(current: &OsStr) -> Candidates {
    in_list(current, &[], all_names())
}

/// Keys, names and users.
pub(super) fn kept(current: &OsStr) -> Candidates {
    in_list(current, &[], all_keys().into_iter().chain(all_names()).chain(all_users()))
}

pub(super) fn processes(current: &OsStr) -> Candidates {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let entry = |entry: fs::DirEntry| {
        let pid = entry.file_name().to_str()?.to_owned();
        if !pid.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let name = fs::read_to_string(entry.path().join("comm")).ok()?;
        Some((pid, name.trim().to_owned()))
    };
    in_list(current, &[], entries.filter_map(entry))
}

/// Limits that can be set, with `=`; the present value is the description.
pub(super) fn settings(current: &OsStr) -> Candidates {
    let settable = Limit::ALL.into_iter().filter(|limit| limit.range().is_some());
    let entry = |limit: Limit| {
        let value = limit.value().map_or_else(|| "unknown".to_owned(), |value| value.to_string());
        (format!("{}=", limit.name()), format!("{}; now {value}", limit.help()))
    };
    let all = settable.map(entry).chain([(
        "kernel.sem=".to_owned(),
        "semmsl, semmns, semopm and semmni at once".to_owned(),
    )]);
    let Some(current) = current.to_str() else { return Vec::new() };
    let begins = |(name, _): &(String, String)| {
        name.get(..current.len()).is_some_and(|start| start.eq_ignore_ascii_case(current))
    };
    all.filter(begins).map(|(name, help)| candidate(name, help)).collect()
}
