//! Options that several verbs share.

use std::time::Duration;

use clap::builder::{
    BoolValueParser, MapValueParser, PossibleValue, PossibleValuesParser, TypedValueParser,
    ValueParserFactory,
};
use clap::{ArgAction, Args, ValueEnum, ValueHint};

use crate::ipc::attribution::expected::InvalidExpected;
use crate::ipc::duration::{self, InvalidDuration};
use crate::ipc::filter::{self, Condition};
use crate::ipc::kind::Family;
use crate::ipc::reference::InvalidReference;
use crate::ipc::tally::By;
use crate::ipc::{self, Expected, Kind, Operand, Reference, Target};
use crate::kernel::process::accounts::{self, NoAccount};
use crate::output::{Format, TimeFormat};

/// A kind by its name, which the completions offer, or by another word for it.
pub(super) fn kind() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(
        Kind::ALL
            .map(|kind| PossibleValue::new(kind.name()).help(kind.help()).aliases(kind.aliases())),
    )
    .try_map(|name| name.parse::<Kind>())
}

/// The format of a listing.
#[derive(Debug, Args)]
pub struct FormatArgs {
    /// Output format; table on a terminal and plain elsewhere by default
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub format: Option<Format>,
    /// Print one JSON array, same as --format json
    #[arg(short = 'J', long, conflicts_with = "format")]
    pub json: bool,
}

impl FormatArgs {
    /// Whether the user asked for one.
    pub fn is_chosen(&self) -> bool {
        self.json || self.format.is_some()
    }

    /// The format that the user asked for, or else the one that suits standard output.
    pub fn chosen(&self) -> Format {
        match self.format {
            _ if self.json => Format::Json,
            Some(format) => format,
            None => Format::fitting(),
        }
    }
}

/// How values look in tables and plain text.
#[derive(Debug, Args)]
pub struct StyleArgs {
    /// Show sizes in bytes
    #[arg(short = 'b', long)]
    pub bytes: bool,
    /// Format of times in tables and plain text
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub time_format: TimeFormat,
    /// Show modes in octal
    #[arg(short = 'P', long)]
    pub numeric_perms: bool,
}

/// Declares the options of the filters, and makes conditions of those that were given. A filter is a
/// field here, whose type is a condition of [`ipc::filter`] or holds some.
macro_rules! filters {
    ($($(#[$about:meta])+ pub $name:ident: $condition:ty,)+) => {
        /// Conditions for objects. An object must meet all of them.
        #[derive(Debug, Args)]
        #[command(next_help_heading = "Filters")]
        pub struct Filters {
            $($(#[$about])+ pub $name: $condition,)+
        }

        impl Filters {
            /// The conditions that were asked for.
            pub fn conditions(&mut self) -> Vec<Box<dyn Condition>> {
                [$(std::mem::take(&mut self.$name).asked_for()),+].into_iter().flatten().collect()
            }
        }
    };
}

filters! {
    /// Objects owned by this user
    #[arg(long, value_name = "USER", value_hint = ValueHint::Username, value_parser = owner)]
    pub owner: Option<filter::Owner>,
    /// System V objects created by this user
    ///
    /// POSIX objects have no record of their creator, so they never match.
    #[arg(long, value_name = "USER", value_hint = ValueHint::Username, value_parser = creator)]
    pub creator: Option<filter::Creator>,
    /// Objects owned by this group
    #[arg(long, value_name = "GROUP", value_parser = group)]
    pub group: Option<filter::Group>,
    /// System V objects with this key, or one of a range: 0x100-0x1ff
    ///
    /// A key is in decimal, octal (0…) or hex (0x…), and in decimal may have a sign, as some programs
    /// print it. A range includes both ends.
    #[arg(long, value_name = "KEY[-KEY]", allow_hyphen_values = true)]
    pub key: Option<filter::Keyed>,
    /// POSIX objects whose name matches: '/torch_*'
    ///
    /// In a pattern, '*' stands for any characters, '?' for one, and '[…]' for one of a set, as in a
    /// shell; quote it, so that the shell leaves it alone. A '*' also matches a dot at the start of a
    /// name. The slash may be left out.
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true)]
    pub name: Option<filter::Named>,
    /// Shared memory of this size; +SIZE: at least, -SIZE: at most
    ///
    /// SIZE is in bytes, or as 64K, 2M, 1GiB.
    #[arg(long, value_name = "[+-]SIZE", allow_hyphen_values = true)]
    pub size: Option<filter::Sized>,
    /// Queues with no message
    #[arg(long, action = ArgAction::SetTrue)]
    pub empty: Flag<filter::Empty>,
    /// Objects with no operation for this long: 30s, 10m, 2h, 7d
    ///
    /// A bare number is seconds. For a POSIX object the kernel records only when its content last
    /// changed by a system call, and a semaphore is used without one. Add --unused to spare objects
    /// that a process still holds.
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub idle: Option<filter::Idle>,
    /// Segments already marked for destruction
    #[arg(long, action = ArgAction::SetTrue)]
    pub marked: Flag<filter::Marked>,
    /// Objects that this process created, last used, holds or waits for
    ///
    /// A process holds an object that it has attached, mapped or open.
    #[arg(long, value_name = "PID", allow_hyphen_values = true)]
    pub pid: Option<filter::UsedBy>,
    /// Objects that no process holds or waits for
    ///
    /// A process holds an object that it has attached, mapped or open.
    #[arg(long, action = ArgAction::SetTrue)]
    pub unused: Flag<filter::Unused>,
    /// Unused objects whose recorded processes are all gone
    ///
    /// An orphan is unused (see --unused), and every process that the kernel recorded for it is gone.
    /// POSIX objects have no such record. Never-used objects match as well; add --idle to spare new
    /// ones.
    ///
    /// 'certain', the default, also skips what a living process may come back to. An older process of
    /// the same user that uses another object of the same kind is a sign of that. POSIX shared memory
    /// and semaphores that changed within the last hour are skipped too, unless you name their kind,
    /// because any program may put files into /dev/shm. 'likely' leaves out both rules.
    #[arg(
        long,
        value_name = "HOW",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "certain"
    )]
    pub orphan: Option<filter::Orphan>,
    /// Objects to leave out, by key, name or owner
    ///
    /// Use it for objects that are kept on purpose. Separate several by commas, or repeat the option.
    /// A decimal number is both a key and a user id.
    #[arg(long, value_name = "KEY|/NAME|USER", value_delimiter = ',', value_parser = expected)]
    pub ignore: Vec<Expected>,
}

/// The filters of verbs that act on what they select.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
pub struct Selecting {
    /// Objects of these kinds
    #[arg(long = "kind", value_name = "KIND,…", value_delimiter = ',', value_parser = kind())]
    pub kinds: Vec<Kind>,
    /// Which objects.
    #[command(flatten)]
    pub filter: Filters,
}

/// The value of an option of the filters.
trait Asked {
    /// The condition that it asks for, if it was given.
    fn asked_for(self) -> Option<Box<dyn Condition>>;
}

impl<C: Condition + 'static> Asked for Option<C> {
    fn asked_for(self) -> Option<Box<dyn Condition>> {
        self.map(|condition| Box::new(condition) as _)
    }
}

impl Asked for Vec<Expected> {
    fn asked_for(self) -> Option<Box<dyn Condition>> {
        if self.is_empty() { None } else { Some(Box::new(filter::NoneOf(self))) }
    }
}

/// A condition that is asked for by an option without a value.
#[derive(Clone, Debug)]
pub struct Flag<C>(Option<C>);

impl<C> Default for Flag<C> {
    fn default() -> Flag<C> {
        Flag(None)
    }
}

impl<C: Condition + 'static> Asked for Flag<C> {
    fn asked_for(self) -> Option<Box<dyn Condition>> {
        self.0.asked_for()
    }
}

impl<C: Clone + Default + Send + Sync + 'static> ValueParserFactory for Flag<C> {
    type Parser = MapValueParser<BoolValueParser, fn(bool) -> Flag<C>>;

    fn value_parser() -> Self::Parser {
        BoolValueParser::new().map(|is_given| Flag(is_given.then(C::default)))
    }
}

impl ValueEnum for By {
    fn value_variants<'a>() -> &'a [By] {
        &By::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

impl ValueEnum for filter::Orphan {
    fn value_variants<'a>() -> &'a [filter::Orphan] {
        &[filter::Orphan::Certain, filter::Orphan::Likely]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            filter::Orphan::Certain => PossibleValue::new("certain")
                .help("Orphans that no living process is likely to come back to"),
            filter::Orphan::Likely => PossibleValue::new("likely")
                .help("All unused objects whose recorded processes are gone"),
        })
    }
}

fn owner(name: &str) -> Result<filter::Owner, NoAccount> {
    accounts::user_id(name).map(filter::Owner)
}

fn creator(name: &str) -> Result<filter::Creator, NoAccount> {
    accounts::user_id(name).map(filter::Creator)
}

fn group(name: &str) -> Result<filter::Group, NoAccount> {
    accounts::group_id(name).map(filter::Group)
}

/// Objects that are kept on purpose.
pub(super) fn expected(text: &str) -> Result<Expected, InvalidExpected> {
    Expected::parse(text, |name| accounts::user_id(name).ok())
}

/// Objects by reference, or with ipcrm's flags.
#[derive(Debug, Args)]
pub struct References {
    /// Objects: KIND:ID, KIND:0xKEY, KIND:/NAME or KIND:/PATTERN
    ///
    /// KIND may be left out before a key or a name that one object has. A pattern is a filter: it
    /// selects the POSIX objects whose name matches (see --name), of all kinds if KIND is left out.
    #[arg(value_name = "REF", value_hint = ValueHint::Other)]
    pub references: Vec<Operand>,
    /// Message queue with this id
    #[arg(short = 'q', long, value_name = "ID", allow_hyphen_values = true, value_parser = ipcrm_id)]
    pub queue_id: Vec<i32>,
    /// Message queue with this key
    #[arg(short = 'Q', long, value_name = "KEY", allow_hyphen_values = true)]
    pub queue_key: Vec<ipc::Key>,
    /// Shared memory segment with this id
    #[arg(short = 'm', long, value_name = "ID", allow_hyphen_values = true, value_parser = ipcrm_id)]
    pub shmem_id: Vec<i32>,
    /// Shared memory segment with this key
    #[arg(short = 'M', long, value_name = "KEY", allow_hyphen_values = true)]
    pub shmem_key: Vec<ipc::Key>,
    /// Semaphore set with this id
    #[arg(short = 's', long, value_name = "ID", allow_hyphen_values = true, value_parser = ipcrm_id)]
    pub semaphore_id: Vec<i32>,
    /// Semaphore set with this key
    #[arg(short = 'S', long, value_name = "KEY", allow_hyphen_values = true)]
    pub semaphore_key: Vec<ipc::Key>,
}

impl References {
    /// All of these objects.
    pub fn all(&self) -> Vec<Operand> {
        let mut all = self.references.clone();
        for (kind, ids, keys) in [
            (Kind::Msg, &self.queue_id, &self.queue_key),
            (Kind::Shm, &self.shmem_id, &self.shmem_key),
            (Kind::Sem, &self.semaphore_id, &self.semaphore_key),
        ] {
            let by_id = ids.iter().map(|&id| Reference::id(kind, id));
            let by_key = keys.iter().map(|&key| Reference { kind, target: Target::Key(key) });
            all.extend(by_id.chain(by_key).map(Operand::One));
        }
        all
    }
}

/// Text that is no id.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not an id: an id is a number from 0 to {most}", most = i32::MAX)]
struct InvalidId(String);

/// An id as `ipcrm` reads it: decimal, octal or hexadecimal.
fn ipcrm_id(text: &str) -> Result<i32, InvalidId> {
    match ipc::Key::from_number(text) {
        Ok(ipc::Key(id @ 0..)) => Ok(id),
        _ => Err(InvalidId(text.to_owned())),
    }
}

pub(super) fn queue(text: &str) -> Result<Reference, InvalidReference> {
    Reference::of_family(Family::Queues, text)
}

pub(super) fn semaphore(text: &str) -> Result<Reference, InvalidReference> {
    Reference::of_family(Family::Semaphores, text)
}

pub(super) fn memory(text: &str) -> Result<Reference, InvalidReference> {
    Reference::of_family(Family::Memory, text)
}

/// What chmod and chown have in common.
#[derive(Debug, Args)]
pub struct Changing {
    /// Objects: KIND:ID, KIND:0xKEY, KIND:/NAME or KIND:/PATTERN
    ///
    /// KIND may be left out before a key or a name that one object has. A pattern is a filter: it
    /// selects the POSIX objects whose name matches (see --name), of all kinds if KIND is left out.
    #[arg(value_name = "REF", value_hint = ValueHint::Other)]
    pub references: Vec<Operand>,
    /// Suppress the warning when you lose access
    #[arg(short = 'f', long)]
    pub force: bool,
    /// Print what would be changed, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Change what a filter selects without asking for confirmation
    #[arg(short = 'y', long)]
    pub yes: bool,
    /// Print the old and the new value
    ///
    /// With a filter, also list the objects skipped as uncertain, with the reason, on standard error.
    #[arg(short = 'v', long)]
    pub verbose: bool,
    /// Print one JSON array: each object before and after, or why it failed
    ///
    /// With --dry-run, each object has "ref", "key", "owner" and "reason".
    #[arg(short = 'J', long)]
    pub json: bool,
    /// Which objects.
    #[command(flatten)]
    pub selecting: Selecting,
}

/// The shortest time between two looks.
const SHORTEST: Duration = Duration::from_millis(50);

/// Text that is no interval.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidInterval {
    #[error(transparent)]
    Malformed(#[from] InvalidDuration),
    #[error("'{0}' is too short: the shortest interval is 50ms")]
    Short(String),
}

/// The time between two looks, at least 50 ms.
pub(super) fn interval(text: &str) -> Result<Duration, InvalidInterval> {
    match duration::parse(text)? {
        interval if interval < SHORTEST => Err(InvalidInterval::Short(text.to_owned())),
        interval => Ok(interval),
    }
}
