//! The lessons of `ipctool learn`, as data: one Markdown file each in `lessons/`, and how such a file is read.
//!
//! A lesson is text, commands, pictures, checks and questions. What plays it knows nothing of any lesson.

mod course;
mod parse;
mod text;

use std::collections::BTreeSet;

pub use course::{all, find};
pub use parse::{Mistake, read};
pub use text::{Look, Span, Text};

/// A lesson.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lesson {
    /// What people type, as in `ipctool learn queue`.
    pub name: String,
    /// What it is called.
    pub title: String,
    /// What there is to see, in a few words.
    pub about: String,
    /// What it cannot do without.
    pub needs: BTreeSet<Need>,
    /// Its screens. The first one is the opening, under the title.
    pub steps: Vec<Step>,
}

/// What a lesson, or a step of it, needs from the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// Root with all rights, which the commands keep.
    Root,
    /// A C compiler.
    Cc,
    /// POSIX message queues.
    PosixQueues,
    /// Further namespaces inside of that of the lesson.
    Namespaces,
}

impl Need {
    /// All of them.
    pub const ALL: [Need; 4] = [Need::Root, Need::Cc, Need::PosixQueues, Need::Namespaces];

    /// Its name in a lesson.
    pub fn name(self) -> &'static str {
        match self {
            Need::Root => "root",
            Need::Cc => "cc",
            Need::PosixQueues => "posix-queues",
            Need::Namespaces => "namespaces",
        }
    }

    /// What it is, in words.
    pub fn describe(self) -> &'static str {
        match self {
            Need::Root => "root with CAP_SYS_ADMIN, because its commands act for several users",
            Need::Cc => "a C compiler (cc)",
            Need::PosixQueues => "POSIX message queues, which this kernel or sandbox does not have",
            Need::Namespaces => "user namespaces, which a user may not make here",
        }
    }

    fn by_name(name: &str) -> Option<Need> {
        Need::ALL.into_iter().find(|need| need.name() == name)
    }
}

/// One screen, with one idea.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its heading.
    pub title: String,
    /// The line of the file where it begins.
    pub line: usize,
    /// It exists only with these.
    pub only_with: BTreeSet<Need>,
    /// It exists only without these.
    pub only_without: BTreeSet<Need>,
    /// What it consists of, from the top down.
    pub blocks: Vec<Block>,
}

impl Step {
    /// Whether it exists where there is this much.
    pub fn is_for(&self, present: &BTreeSet<Need>) -> bool {
        self.only_with.is_subset(present) && self.only_without.is_disjoint(present)
    }

    /// All conditions of its checks.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.blocks.iter().flat_map(|block| match block {
            Block::Check(conditions) => conditions.as_slice(),
            _ => &[],
        })
    }

    /// What decides whether it exists.
    pub fn depends_on(&self) -> impl Iterator<Item = &Need> {
        self.only_with.iter().chain(&self.only_without)
    }

    /// Whether the student is to do something.
    pub fn is_task(&self) -> bool {
        let is_solution =
            |block: &Block| matches!(block, Block::Shell { part: Part::Solution, .. });
        self.blocks.iter().any(is_solution)
    }
}

/// A part of a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A paragraph.
    Text(Text),
    /// A list, an item each.
    List(Vec<Text>),
    /// Lines as they are.
    Drawing(String),
    /// Commands for the shell.
    Shell {
        /// The commands, in their order.
        commands: Vec<String>,
        /// Which part they play.
        part: Part,
        /// Which of the calls that they make are shown.
        calls: Calls,
    },
    /// A file that is written to the directory of the lesson.
    Source {
        /// Its name.
        file: String,
        /// Its content.
        content: String,
        /// Whether it is shown.
        is_shown: bool,
    },
    /// References of objects to draw.
    Picture(Vec<String>),
    /// What must be so.
    Check(Vec<Condition>),
    /// A question with its answers.
    Question(Vec<Choice>),
}

/// Which part commands play in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// They are shown as they are typed.
    Shown,
    /// They run, but nobody sees them.
    Hidden,
    /// They are what the student is to find.
    Solution,
}

/// Which IPC calls of a command are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Calls {
    /// All that `ipctool` makes.
    All,
    /// Only those with these names. `msgctl/IPC_SET` is the call with that flag or command.
    Only(Vec<String>),
}

impl Calls {
    /// None.
    pub const NONE: Calls = Calls::Only(Vec::new());
}

/// Something that must be so, which the shell finds out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// In words.
    pub text: String,
    /// Shell commands with status 0 if it is so.
    pub test: String,
    /// The line of the file.
    pub line: usize,
}

/// A possible answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The answer.
    pub answer: Text,
    /// Whether it is right.
    pub is_right: bool,
    /// What is said to it.
    pub reply: Vec<Text>,
}
