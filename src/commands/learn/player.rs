//! Plays a lesson: runs what its file says in a world, and shows it on a stage.

use std::collections::BTreeSet;

use super::stage::{Answer, Ask, Heading, Item, Stage, Turn};
use super::world::{Done, Halt, World};
use crate::ipc::command_line::shell_word;
use crate::kernel::signals::Inbox;
use crate::lesson::{Block, Calls, Choice, Condition, Lesson, Need, Part, Step};

/// What has been done in the world, to do it again in another one.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    /// Shell commands.
    Run(String),
    /// A file.
    Write(String, String),
}

/// A lesson that is being played.
pub(super) struct Player<'a> {
    steps: Vec<&'a Step>,
    keeps_rights: bool,
    inbox: &'a Inbox,
    world: World<'a>,
    /// What was done since the world was made.
    deeds: Vec<Deed>,
    /// Whether the student was in the world, so that it may not be as the lesson made it.
    is_touched: bool,
    /// The last command that was shown in this step.
    last: Done,
    /// How many conditions did not hold.
    unmet: usize,
}

impl<'a> Player<'a> {
    /// Where there is this much.
    pub fn new(
        lesson: &'a Lesson,
        present: &BTreeSet<Need>,
        inbox: &'a Inbox,
    ) -> Result<Player<'a>, Halt> {
        let keeps_rights = lesson.needs.contains(&Need::Root);
        Ok(Player {
            steps: lesson.steps.iter().filter(|step| step.is_for(present)).collect(),
            keeps_rights,
            inbox,
            world: World::open(keeps_rights, inbox)?,
            deeds: Vec::new(),
            is_touched: false,
            last: Done::default(),
            unmet: 0,
        })
    }

    /// How many conditions did not hold.
    pub fn unmet(&self) -> usize {
        self.unmet
    }

    /// What was done in the world.
    pub fn record(&self) -> &[Deed] {
        &self.deeds
    }

    /// Leaves out of a new world what was done after the first so many deeds.
    pub fn forget(&mut self, count: usize) {
        self.deeds.truncate(count);
    }

    /// The steps that exist here.
    pub fn steps(&self) -> &[&'a Step] {
        &self.steps
    }

    /// Plays the lesson to its end, and returns whether it got there.
    pub fn play(&mut self, stage: &mut dyn Stage) -> Result<bool, Halt> {
        // The number of deeds before each step.
        let mut starts = vec![0];
        let mut at = 0;
        while at < self.steps.len() {
            match self.play_step(at, stage) {
                Ok(()) => {
                    at += 1;
                    starts.truncate(at);
                    starts.push(self.deeds.len());
                    continue;
                }
                Err(Halt::Left(Turn::Quit)) => return Ok(false),
                Err(Halt::Left(Turn::Back)) => at = at.saturating_sub(1),
                Err(Halt::Left(Turn::Again)) => {}
                Err(halt) => return Err(halt),
            }
            self.deeds.truncate(starts[at]);
            self.rebuild()?;
        }
        stage.end()?;
        Ok(true)
    }

    /// Makes a new world in which the same was done.
    pub fn rebuild(&mut self) -> Result<(), Halt> {
        // Both at once would share what the kernel allows to a user.
        self.world.end();
        self.world = World::open(self.keeps_rights, self.inbox)?;
        for deed in std::mem::take(&mut self.deeds) {
            self.act(deed)?;
        }
        self.is_touched = false;
        Ok(())
    }

    /// Does something in the world.
    pub fn act(&mut self, deed: Deed) -> Result<Done, Halt> {
        self.act_and_record(deed, &Calls::NONE)
    }

    /// The same, and records these calls.
    fn act_and_record(&mut self, deed: Deed, calls: &Calls) -> Result<Done, Halt> {
        let done = match &deed {
            Deed::Run(commands) => self.world.run(commands, calls)?,
            Deed::Write(file, content) => {
                self.world.write(file, content)?;
                Done::default()
            }
        };
        self.deeds.push(deed);
        Ok(done)
    }

    /// The world as the lesson made it.
    fn be_ready(&mut self) -> Result<(), Halt> {
        if self.is_touched { self.rebuild() } else { Ok(()) }
    }

    fn play_step(&mut self, at: usize, stage: &mut dyn Stage) -> Result<(), Halt> {
        let step = self.steps[at];
        let total = self.steps.len();
        stage.begin(&Heading { title: step.title.clone(), number: at + 1, total })?;
        self.last = Done::default();
        for block in &step.blocks {
            self.play_block(step, block, stage)?;
        }
        self.ask_on(Ask::On, stage)
    }

    /// Asks whether to go on, until that is answered.
    fn ask_on(&mut self, ask: Ask, stage: &mut dyn Stage) -> Result<(), Halt> {
        while self.ask(ask, stage)? != Answer::On {}
        Ok(())
    }

    /// Asks, and lets the student into the shell, or leaves the screen, if that is the answer.
    fn ask(&mut self, ask: Ask, stage: &mut dyn Stage) -> Result<Answer, Halt> {
        let answer = stage.ask(ask)?;
        match answer {
            Answer::Leave(turn) => return Err(Halt::Left(turn)),
            Answer::Try => {
                self.is_touched = true;
                stage.lend_to_shell(&mut || self.world.try_it())?;
                if !self.world.is_alive() {
                    self.rebuild()?;
                }
            }
            Answer::On | Answer::Choose(_) => {}
        }
        Ok(answer)
    }

    fn play_block(
        &mut self,
        step: &Step,
        block: &Block,
        stage: &mut dyn Stage,
    ) -> Result<(), Halt> {
        match block {
            Block::Text(text) => stage.show(&Item::Text(text))?,
            Block::List(texts) => stage.show(&Item::List(texts))?,
            Block::Drawing(text) => stage.show(&Item::Drawing(text))?,
            Block::Source { file, content, is_shown } => {
                self.be_ready()?;
                self.act(Deed::Write(file.clone(), content.clone()))?;
                if *is_shown {
                    stage.show(&Item::Source { file, content })?;
                }
            }
            Block::Shell { commands, part, calls } => {
                self.play_commands(step, commands, *part, calls, stage)?;
            }
            Block::Picture(references) => {
                self.be_ready()?;
                let references: Vec<_> = references.iter().map(shell_word).collect();
                let references = references.join(" ");
                // What it says beside the picture is shown only if there is none.
                let command = format!("ipctool stat --picture {references}");
                let command = format!("{command} 2>/dev/null || {command}");
                let drawn = self.world.run(&command, &Calls::NONE)?;
                let is_drawn = drawn.status == 0;
                stage.show(&Item::Picture { text: &drawn.output, is_drawn })?;
            }
            Block::Check(conditions) => {
                self.be_ready()?;
                for Condition { text, test, .. } in conditions {
                    let is_met = self.world.holds(test, &self.last)?;
                    self.unmet += usize::from(!is_met);
                    stage.show(&Item::Condition { text, is_met })?;
                }
            }
            Block::Question(choices) => self.pose(choices, stage)?,
        }
        Ok(())
    }

    fn play_commands(
        &mut self,
        step: &Step,
        commands: &[String],
        part: Part,
        calls: &Calls,
        stage: &mut dyn Stage,
    ) -> Result<(), Halt> {
        if part == Part::Solution {
            let is_done = self.set_task(step, stage)?;
            self.be_ready()?;
            if is_done {
                // The world goes on with the solution of the lesson, whatever the student's own was.
                for command in commands {
                    self.last = self.act(Deed::Run(command.clone()))?;
                }
                return Ok(());
            }
            stage.solve()?;
        }
        for command in commands {
            if part == Part::Hidden {
                stage.work()?;
                self.be_ready()?;
                self.act(Deed::Run(command.clone()))?;
                continue;
            }
            stage.show(&Item::Command(command))?;
            // Who asked for the solution need not ask for each of its commands.
            if part == Part::Shown {
                self.ask_on(Ask::Run, stage)?;
            }
            self.be_ready()?;
            let done = self.act_and_record(Deed::Run(command.clone()), calls)?;
            if !done.calls.is_empty() {
                stage.show(&Item::Calls(&done.calls))?;
            }
            if !done.output.is_empty() {
                stage.show(&Item::Output(&done.output, done.status))?;
            }
            self.last = done;
        }
        Ok(())
    }

    /// Lets the student do a task. Returns whether it is done.
    fn set_task(&mut self, step: &Step, stage: &mut dyn Stage) -> Result<bool, Halt> {
        loop {
            match self.ask(Ask::Task, stage)? {
                Answer::On => return Ok(false),
                Answer::Try => {}
                Answer::Leave(_) | Answer::Choose(_) => continue,
            }
            let mut is_done = true;
            for Condition { text, test, .. } in step.conditions() {
                let is_met = self.world.holds(test, &Done::default())?;
                is_done &= is_met;
                if !is_met {
                    stage.show(&Item::Missing(text))?;
                }
            }
            if is_done {
                stage.show(&Item::Remark("Well done."))?;
                return Ok(true);
            }
        }
    }

    /// Poses a question until the answer is right, or nobody wants to answer.
    fn pose(&mut self, choices: &[Choice], stage: &mut dyn Stage) -> Result<(), Halt> {
        stage.show(&Item::Choices(choices))?;
        loop {
            let number = match self.ask(Ask::Question(choices.len()), stage)? {
                Answer::Choose(number) => number,
                Answer::On => choices.iter().position(|choice| choice.is_right).unwrap_or(0),
                Answer::Leave(_) | Answer::Try => continue,
            };
            let Some(choice) = choices.get(number) else { continue };
            stage.show(&Item::Reply(number, choice))?;
            if choice.is_right {
                return Ok(());
            }
        }
    }

    /// Does everything of a step that nobody has to see, but for its commands if these are left out.
    pub fn rehearse(&mut self, step: &Step, leaves_out: bool) -> Result<(), Halt> {
        self.last = Done::default();
        for block in &step.blocks {
            match block {
                Block::Source { file, content, .. } => {
                    self.act(Deed::Write(file.clone(), content.clone()))?;
                }
                Block::Shell { commands, .. } if !leaves_out => {
                    for command in commands {
                        self.last = self.act(Deed::Run(command.clone()))?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a condition holds now.
    pub fn holds(&mut self, condition: &Condition) -> Result<bool, Halt> {
        self.world.holds(&condition.test, &self.last)
    }
}
