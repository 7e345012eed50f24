//! The columns that a user chooses with `--output`.

use crate::explain::Failure;
use crate::ipc::Kind;
use crate::output::columns;

/// The value of `--output`.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub names: Vec<&'static str>,
    /// Whether they are added to the usual columns instead of replacing them.
    pub added: bool,
}

impl Chosen {
    /// Reads the value of `--output` of this verb, for these kinds.
    pub fn parse(verb: &'static str, text: &str, kinds: &[Kind]) -> Result<Chosen, Failure> {
        let (added, list) = match text.strip_prefix('+') {
            Some(list) => (true, list),
            None => (false, text),
        };
        let mut names = Vec::new();
        for name in list.split(',') {
            let name = column_name(verb, name, kinds)?;
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(Chosen { names, added })
    }
}

/// The names of the columns to show: those that were chosen, the usual ones, or both.
pub(super) fn names(
    chosen: Option<&Chosen>,
    usual: impl FnOnce() -> Vec<&'static str>,
) -> Vec<&'static str> {
    match chosen {
        Some(Chosen { names, added: false }) => names.clone(),
        chosen => {
            let mut names = usual();
            for name in chosen.map_or(&[][..], |chosen| &chosen.names) {
                if !names.contains(name) {
                    names.push(name);
                }
            }
            names
        }
    }
}

/// The column with this name, if one of the kinds has it.
pub(super) fn column_name(
    verb: &'static str,
    name: &str,
    kinds: &[Kind],
) -> Result<&'static str, Failure> {
    let all = || kinds.iter().flat_map(|&kind| columns::with_requests(kind));
    let found = all().find(|column| column.name.eq_ignore_ascii_case(name));
    found.map(|column| column.name).ok_or_else(|| {
        let mut known: Vec<_> = Vec::new();
        for column in all() {
            if !known.contains(&column.name) {
                known.push(column.name);
            }
        }
        let kinds: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
        Failure::usage(verb, format!("there is no column '{name}' for {}", kinds.join(", ")))
            .with_hint(format!("columns: {}", known.join(" ")))
    })
}
