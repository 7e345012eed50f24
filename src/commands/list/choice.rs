//! The columns of a listing: those of a preset, of `--output` and of `--who`.

use super::VERB;
use crate::commands::chosen::{self, Chosen};
use crate::explain::Failure;
use crate::ipc::{Filter, Kind, Observed};
use crate::output::columns::{self, Preset};
use crate::output::{Column, Format, Section};

/// The columns that the user chose.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    preset: Preset,
    /// The columns that were named, if any.
    pub chosen: Option<Chosen>,
    /// Whether `--output` was given.
    pub is_by_name: bool,
    /// Which places are looked at.
    pub places: Looked,
}

/// Which places a listing looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looked {
    /// That of this process.
    Own,
    /// One that the user named.
    Named,
    /// All of them.
    All,
}

impl Choice {
    /// Reads `--output`; `--who` adds its columns.
    pub fn parse(
        preset: Preset,
        output: Option<&str>,
        who: bool,
        kinds: &[Kind],
        places: Looked,
    ) -> Result<Choice, Failure> {
        let text = match (who, output) {
            (true, None) => Some("+waiting,users".to_owned()),
            (true, Some(output)) => Some(format!("{output},waiting,users")),
            (false, output) => output.map(str::to_owned),
        };
        let chosen = text.map(|text| Chosen::parse(VERB, &text, kinds)).transpose()?;
        Ok(Choice { preset, chosen, is_by_name: output.is_some(), places })
    }

    /// Whether to list files in `/dev/shm` that are not objects: only with the usual columns or `status`.
    pub fn shows_rest(&self, format: Format) -> bool {
        let is_usual = self.preset == Preset::Usual && !self.is_by_name;
        let mut columns = self.visible(Kind::Pshm, self.chosen.as_ref(), format);
        is_usual || columns.any(|column| column.name == "status")
    }

    /// A section for each kind that passes the filter. The one of POSIX shared memory has the columns that
    /// `beside` chooses.
    pub fn sections(
        &self,
        filter: &Filter,
        beside: Option<&Chosen>,
        format: Format,
    ) -> Vec<Section<Observed>> {
        let section = |kind: Kind| {
            let chosen = if kind == Kind::Pshm { beside } else { self.chosen.as_ref() };
            Section {
                title: format!("{}s", kind.noun()),
                columns: self.visible(kind, chosen, format).collect(),
                asked_for: filter.kinds.contains(&kind) && !filter.has_conditions(),
                kept: chosen.map_or(Vec::new(), |chosen| chosen.names.clone()),
                margin: 0,
            }
        };
        filter.kinds().map(section).collect()
    }

    /// The columns that are shown for a kind.
    fn visible(
        &self,
        kind: Kind,
        chosen: Option<&Chosen>,
        format: Format,
    ) -> impl Iterator<Item = &'static Column<Observed>> + use<> {
        let names = chosen::names(chosen, || self.usual(kind, format));
        let find = move |name| columns::with_requests(kind).find(|column| column.name == name);
        names.into_iter().filter_map(find)
    }

    /// The columns that are shown if the user names none. Machine formats carry every column that costs
    /// no extra system call.
    fn usual(&self, kind: Kind, format: Format) -> Vec<&'static str> {
        let mut names: Vec<&str> = match format.is_for_machines() {
            true => columns::of_kind(kind).map(|column| column.name).collect(),
            false => columns::preset(self.preset, kind, format == Format::Table).to_vec(),
        };
        let shows_home = match self.places {
            Looked::Own => false,
            // A person knows what was asked for.
            Looked::Named => format.is_for_machines(),
            Looked::All => true,
        };
        if shows_home {
            // The reference stays first.
            names.splice(1..1, columns::home());
        }
        names
    }

    /// The fields of every record, if the user named all of them.
    pub fn fields(&self) -> Option<Vec<&'static str>> {
        let chosen = self.chosen.as_ref().filter(|chosen| !chosen.added);
        chosen.map(|chosen| chosen.names.clone())
    }
}
