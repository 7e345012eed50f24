//! `learn --check`: plays a lesson without anybody who sees it, and finds what would go wrong in front of people.

use std::collections::BTreeSet;

use super::drawn::Draw;
use super::player::Player;
use super::stage::{Answer, Ask, Heading, Item, ItemKind, Stage};
use super::world::{COLUMNS, Halt, ROWS};
use crate::ipc::count;
use crate::kernel::signals::Inbox;
use crate::lesson::{Block, Lesson, Need, Step};

/// The lines of a screen without its heading and its last line, which shows the keys.
const ROOM: usize = ROWS as usize - 2;

/// The longest line of a drawing or a source.
const WIDEST: usize = COLUMNS as usize - 2;

/// What is wrong with a lesson.
#[derive(Debug)]
pub(super) struct Finding {
    /// The line of its file.
    pub line: usize,
    /// What.
    pub what: String,
}

/// What was looked at.
#[derive(Debug, Default)]
pub(super) struct Rehearsed {
    pub findings: Vec<Finding>,
    pub screens: usize,
    pub conditions: usize,
}

/// Plays a lesson where there is this much.
pub(super) fn rehearse(
    lesson: &Lesson,
    present: &BTreeSet<Need>,
    inbox: &Inbox,
) -> Result<Rehearsed, Halt> {
    let mut player = Player::new(lesson, present, inbox)?;
    let steps = player.steps().to_vec();
    let mut measure = Measure::new(&steps);
    player.play(&mut measure)?;
    measure.end()?;
    let mut findings = measure.findings;
    let conditions = steps.iter().map(|step| step.conditions().count()).sum();
    let mut player = Player::new(lesson, present, inbox)?;
    for step in &steps {
        if step.conditions().next().is_some() && has_commands(step) {
            if all_hold_without(&mut player, step)? {
                let what = "the check holds even if the commands of the step are left out";
                findings.push(Finding { line: step.line, what: what.to_owned() });
            }
            player.rebuild()?;
        }
        player.rehearse(step, false)?;
    }
    findings.sort_by_key(|finding| finding.line);
    Ok(Rehearsed { findings, screens: steps.len(), conditions })
}

fn has_commands(step: &Step) -> bool {
    step.blocks.iter().any(|block| matches!(block, Block::Shell { .. }))
}

/// Whether the conditions of a step hold though its commands do not run. What it does stays out of the record.
fn all_hold_without(player: &mut Player<'_>, step: &Step) -> Result<bool, Halt> {
    let deeds = player.record().len();
    player.rehearse(step, true)?;
    let mut all = true;
    for condition in step.conditions() {
        all &= player.holds(condition)?;
    }
    player.forget(deeds);
    Ok(all)
}

/// A stage that measures.
struct Measure<'a> {
    draw: Draw,
    steps: &'a [&'a Step],
    /// The step that is being played, from 1 on.
    at: usize,
    lines: usize,
    last: Option<ItemKind>,
    findings: Vec<Finding>,
}

impl<'a> Measure<'a> {
    fn new(steps: &'a [&'a Step]) -> Measure<'a> {
        Measure { draw: Draw::plain(), steps, at: 0, lines: 0, last: None, findings: Vec::new() }
    }

    fn find(&mut self, line: usize, what: String) {
        self.findings.push(Finding { line, what });
    }

    fn add(&mut self, item: &Item<'_>) {
        self.lines += usize::from(item.kind().is_apart(self.last)) + self.draw.lines(item).len();
        self.last = Some(item.kind());
    }
}

impl Stage for Measure<'_> {
    fn begin(&mut self, heading: &Heading) -> Result<(), Halt> {
        self.end()?;
        self.at = heading.number;
        self.lines = 0;
        self.last = None;
        Ok(())
    }

    fn show(&mut self, item: &Item<'_>) -> Result<(), Halt> {
        let step = self.steps[self.at - 1];
        match item {
            Item::Condition { text, is_met: false, .. } => {
                let known = step.conditions().find(|condition| condition.text == *text);
                let line = known.map_or(step.line, |condition| condition.line);
                self.find(line, format!("the condition does not hold: {text}"));
            }
            Item::Picture { text, is_drawn: false } => {
                self.find(step.line, format!("a picture cannot be drawn: {}", text.trim_end()));
            }
            Item::Drawing(text) | Item::Source { content: text, .. }
                if text.lines().any(|line| line.chars().count() > WIDEST) =>
            {
                self.find(step.line, format!("a line has more than {WIDEST} characters"));
            }
            // The shell does not find it, or may not run it.
            Item::Output(text, 126 | 127) => {
                self.find(step.line, format!("a command cannot run: {}", text.trim_end()));
            }
            Item::Choices(choices) => {
                self.add(item);
                // The longest reply must have its place.
                let longest = choices
                    .iter()
                    .max_by_key(|choice| self.draw.lines(&Item::Reply(0, choice)).len());
                if let Some(choice) = longest {
                    self.add(&Item::Reply(0, choice));
                }
                return Ok(());
            }
            Item::Reply(..) => return Ok(()),
            _ => {}
        }
        self.add(item);
        Ok(())
    }

    fn ask(&mut self, _ask: Ask) -> Result<Answer, Halt> {
        Ok(Answer::On)
    }

    /// Ends the last screen.
    fn end(&mut self) -> Result<(), Halt> {
        if self.lines > ROOM {
            let step = self.steps[self.at - 1];
            let over = count(self.lines as u64 - ROOM as u64, "line");
            self.find(step.line, format!("the screen is {over} too long for 80x24"));
        }
        self.lines = 0;
        Ok(())
    }
}
