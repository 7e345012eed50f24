//! What a lesson shows and asks, whatever shows it.

use crate::lesson::{Choice, Text};

use super::world::Halt;

/// The heading of a screen.
#[derive(Clone, Debug)]
pub(super) struct Heading {
    /// What it is about.
    pub title: String,
    /// Its number, from 1 on, and how many there are.
    pub number: usize,
    pub total: usize,
}

/// A piece of a screen.
#[derive(Clone, Debug)]
pub(super) enum Item<'a> {
    Text(&'a Text),
    List(&'a [Text]),
    /// Lines as they are.
    Drawing(&'a str),
    /// A file that the lesson has written.
    Source {
        file: &'a str,
        content: &'a str,
    },
    /// A command as it is typed.
    Command(&'a str),
    /// The calls that the last command made.
    Calls(&'a [String]),
    /// What it printed, and its status.
    Output(&'a str, u8),
    /// Objects, and whether they could be drawn.
    Picture {
        text: &'a str,
        is_drawn: bool,
    },
    /// A condition, and whether it is met.
    Condition {
        text: &'a str,
        is_met: bool,
    },
    /// A condition of a task that is not met yet.
    Missing(&'a str),
    /// The answers of a question.
    Choices(&'a [Choice]),
    /// What is said to an answer: which one it is.
    Reply(usize, &'a Choice),
    /// What is said in the course of the lesson.
    Remark(&'a str),
}

/// What decides about the empty line between two pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ItemKind {
    Command,
    Calls,
    Output,
    Condition,
    Other,
}

impl Item<'_> {
    pub fn kind(&self) -> ItemKind {
        match self {
            Item::Command(_) => ItemKind::Command,
            Item::Calls(_) => ItemKind::Calls,
            Item::Output(..) => ItemKind::Output,
            Item::Condition { .. } | Item::Missing(_) => ItemKind::Condition,
            Item::Text(_)
            | Item::List(_)
            | Item::Drawing(_)
            | Item::Source { .. }
            | Item::Picture { .. }
            | Item::Choices(_)
            | Item::Reply(..)
            | Item::Remark(_) => ItemKind::Other,
        }
    }
}

impl ItemKind {
    /// Whether there is an empty line between it and the piece before it. Commands look as in a session at a shell.
    pub fn is_apart(self, before: Option<ItemKind>) -> bool {
        use ItemKind::{Calls, Command, Condition, Output};
        !matches!(
            (before, self),
            (Some(Command | Calls), Calls | Output)
                | (Some(Command | Calls | Output), Command)
                | (Some(Condition), Condition)
        )
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// Whether to run the command that was typed.
    Run,
    /// Whether to go on to the next screen.
    On,
    /// To do something in the shell.
    Task,
    /// To choose one of so many answers.
    Question(usize),
}

impl Ask {
    /// Whether this digit, from 1 on, is one of the answers.
    pub fn has_answer(self, digit: char) -> bool {
        let number = digit.to_digit(10).map(|number| number as usize);
        matches!((self, number), (Ask::Question(count), Some(number)) if (1..=count).contains(&number))
    }
}

/// How a screen is left before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Back to the screen before.
    Back,
    /// This screen once more.
    Again,
    /// Enough.
    Quit,
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Go on: run the command, show the solution or the answer, or turn to the next screen.
    On,
    /// Leave the screen.
    Leave(Turn),
    /// A shell.
    Try,
    /// The answer with this number, from 0 on.
    Choose(usize),
}

/// Where a lesson is played.
pub(super) trait Stage {
    /// Begins a screen.
    fn begin(&mut self, heading: &Heading) -> Result<(), Halt>;

    /// Adds something to it.
    fn show(&mut self, item: &Item<'_>) -> Result<(), Halt>;

    /// Something is done that nobody sees, which may take a moment.
    fn work(&mut self) -> Result<(), Halt> {
        Ok(())
    }

    /// What follows is the solution of a task.
    fn solve(&mut self) -> Result<(), Halt> {
        Ok(())
    }

    /// Asks. Without anybody to ask, it goes on.
    fn ask(&mut self, _ask: Ask) -> Result<Answer, Halt> {
        Ok(Answer::On)
    }

    /// Leaves the terminal to a shell while this runs.
    fn lend_to_shell(&mut self, run: &mut dyn FnMut() -> Result<(), Halt>) -> Result<(), Halt> {
        run()
    }

    /// Everything has been shown.
    fn end(&mut self) -> Result<(), Halt> {
        Ok(())
    }
}
