//! Options that several verbs share.

use clap::builder::{
    BoolValueParser, MapValueParser, PossibleValue, PossibleValuesParser, TypedValueParser,
    ValueParserFactory,
};
use clap::{ArgAction, Args, ValueEnum, ValueHint};

use crate::ipc::filter::{self, Condition};
use crate::ipc::{self, Expected, Kind, Reference, Target};
use crate::kernel::process::accounts;
use crate::output::{Format, TimeFormat};

/// A kind by its name, which the completions know, or by the word that is accepted besides.
pub(super) fn kind() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.map(|kind| match kind {
        Kind::Msg => PossibleValue::new(kind.name()).alias("queue"),
        Kind::Pmsg => PossibleValue::new(kind.name()).alias("mq"),
        _ => PossibleValue::new(kind.name()),
    }))
    .try_map(|name| name.parse::<Kind>())
}

/// The format of a listing.
#[derive(Debug, Args)]
pub struct FormatArgs {
    /// Format; by default 'table' on a terminal and 'plain' elsewhere
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub format: Option<Format>,
    /// One JSON array, as '--format json'
    #[arg(short = 'J', long, conflicts_with = "format")]
    pub json: bool,
}

impl FormatArgs {
    /// The format that was asked for, or else the one that fits standard output.
    pub fn chosen(&self) -> Format {
        match self.format {
            _ if self.json => Format::Json,
            Some(format) => format,
            None => Format::fitting(),
        }
    }
}

/// How values look to a person.
#[derive(Debug, Args)]
pub struct StyleArgs {
    /// Sizes in bytes
    #[arg(short = 'b', long)]
    pub bytes: bool,
    /// How times are written in tables and plain text
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub time_format: TimeFormat,
    /// Modes in octal
    #[arg(short = 'P', long)]
    pub numeric_perms: bool,
}

/// Declares the options of the filters, and makes conditions of those that were given. A filter is a
/// field here, whose type is a condition of [`ipc::filter`] or holds some.
macro_rules! filters {
    ($($(#[$about:meta])+ pub $name:ident: $condition:ty,)+) => {
        /// Which objects are meant. All conditions must hold.
        #[derive(Debug, Args)]
        #[command(next_help_heading = "Filters")]
        pub struct Filters {
            $($(#[$about])+ pub $name: $condition,)+
        }

        impl Filters {
            /// The conditions that were asked for.
            pub fn conditions(self) -> Vec<Box<dyn Condition>> {
                [$(self.$name.asked_for()),+].into_iter().flatten().collect()
            }
        }
    };
}

filters! {
    /// Owned by this user
    #[arg(long, value_name = "USER", value_hint = ValueHint::Username, value_parser = owner)]
    pub owner: Option<filter::Owner>,
    /// Made by this user, of System V
    #[arg(long, value_name = "USER", value_hint = ValueHint::Username, value_parser = creator)]
    pub creator: Option<filter::Creator>,
    /// Owned by this group
    #[arg(long, value_name = "GROUP", value_parser = group)]
    pub group: Option<filter::Group>,
    /// With this key, in decimal, octal (0…) or hexadecimal (0x…)
    #[arg(long, value_name = "KEY")]
    pub key: Option<filter::Keyed>,
    /// A queue with no message
    #[arg(long, action = ArgAction::SetTrue)]
    pub empty: Flag<filter::Empty>,
    /// Nothing has happened to it for this long: 30s, 10m, 2h, 7d; a bare number is seconds. Of a
    /// POSIX object only the time counts at which its content last changed by a system call, and a
    /// semaphore is used without one: '--unused' besides spares what somebody holds
    #[arg(long, value_name = "DURATION")]
    pub idle: Option<filter::Idle>,
    /// A segment already marked for destruction
    #[arg(long, action = ArgAction::SetTrue)]
    pub marked: Flag<filter::Marked>,
    /// This process made it, used it last, has it attached, mapped or open, or waits on it
    #[arg(long, value_name = "PID")]
    pub pid: Option<filter::UsedBy>,
    /// Nobody has it attached, mapped or open, or waits on it
    #[arg(long, action = ArgAction::SetTrue)]
    pub unused: Flag<filter::Unused>,
    /// Unused, every process that the kernel recorded for it is gone, and nobody living looks like its
    /// heir. 'certain', the default, leaves out what a process may come back to: an older one of the
    /// same user that uses another object of its kind; and of /dev/shm, where any file may lie, what was
    /// touched within the hour, unless its kind is given. 'likely' takes these, too. What nobody has
    /// used yet counts: '--idle' spares what was made just now
    #[arg(
        long,
        value_name = "HOW",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "certain"
    )]
    pub orphan: Option<filter::Orphan>,
    /// Never these, which are kept on purpose; may be repeated. A decimal number is a key as well as
    /// a user id
    #[arg(long, value_name = "KEY|/NAME|USER", value_delimiter = ',', value_parser = expected)]
    pub ignore: Vec<Expected>,
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

impl ValueEnum for filter::Orphan {
    fn value_variants<'a>() -> &'a [filter::Orphan] {
        &[filter::Orphan::Certain, filter::Orphan::Likely]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            filter::Orphan::Certain => {
                PossibleValue::new("certain").help("No living process may come back to it")
            }
            filter::Orphan::Likely => {
                PossibleValue::new("likely").help("Unused, and every recorded process gone")
            }
        })
    }
}

fn owner(name: &str) -> anyhow::Result<filter::Owner> {
    accounts::user_id(name).map(filter::Owner)
}

fn creator(name: &str) -> anyhow::Result<filter::Creator> {
    accounts::user_id(name).map(filter::Creator)
}

fn group(name: &str) -> anyhow::Result<filter::Group> {
    accounts::group_id(name).map(filter::Group)
}

/// What is kept on purpose.
pub(super) fn expected(text: &str) -> anyhow::Result<Expected> {
    Ok(Expected::parse(text, |name| accounts::user_id(name).ok())?)
}

/// Objects by reference, or with ipcrm's flags.
#[derive(Debug, Args)]
pub struct References {
    /// Objects: KIND:ID, KIND:0xKEY or KIND:/NAME
    #[arg(value_name = "REF", value_hint = ValueHint::Other)]
    pub references: Vec<Reference>,
    /// Queue by id
    #[arg(short = 'q', long, value_name = "ID", value_parser = ipcrm_id)]
    pub queue_id: Vec<i32>,
    /// Queue by key
    #[arg(short = 'Q', long, value_name = "KEY")]
    pub queue_key: Vec<ipc::Key>,
    /// Segment by id
    #[arg(short = 'm', long, value_name = "ID", value_parser = ipcrm_id)]
    pub shmem_id: Vec<i32>,
    /// Segment by key
    #[arg(short = 'M', long, value_name = "KEY")]
    pub shmem_key: Vec<ipc::Key>,
    /// Semaphore set by id
    #[arg(short = 's', long, value_name = "ID", value_parser = ipcrm_id)]
    pub semaphore_id: Vec<i32>,
    /// Semaphore set by key
    #[arg(short = 'S', long, value_name = "KEY")]
    pub semaphore_key: Vec<ipc::Key>,
}

impl References {
    /// All of them, as references.
    pub fn all(&self) -> Vec<Reference> {
        let mut all = self.references.clone();
        for (kind, ids, keys) in [
            (Kind::Msg, &self.queue_id, &self.queue_key),
            (Kind::Shm, &self.shmem_id, &self.shmem_key),
            (Kind::Sem, &self.semaphore_id, &self.semaphore_key),
        ] {
            all.extend(ids.iter().map(|&id| Reference::id(kind, id)));
            all.extend(keys.iter().map(|&key| Reference { kind, target: Target::Key(key) }));
        }
        all
    }
}

/// An id as `ipcrm` reads it: decimal, octal or hexadecimal.
fn ipcrm_id(text: &str) -> anyhow::Result<i32> {
    match ipc::Key::from_number(text) {
        Ok(ipc::Key(id @ 0..)) => Ok(id),
        _ => anyhow::bail!("'{text}' is not an id: an id is a number from 0 to {}", i32::MAX),
    }
}

pub(super) fn queue(text: &str) -> anyhow::Result<Reference> {
    Reference::to_queue(text)
}

/// What all changes of owner and mode have in common.
#[derive(Debug, Args)]
pub struct Changing {
    /// Objects: KIND:ID, KIND:0xKEY or KIND:/NAME
    #[arg(value_name = "REF", required = true, value_hint = ValueHint::Other)]
    pub references: Vec<Reference>,
    /// Do not warn who locks themselves out
    #[arg(short = 'f', long)]
    pub force: bool,
    /// Print old and new
    #[arg(short = 'v', long)]
    pub verbose: bool,
}
