//! `ipctool learn`: lessons, live in the terminal.

mod calls;
mod drawn;
mod keeper;
mod page;
mod player;
mod progress;
mod rehearsal;
mod sheet;
mod stage;
mod terminal;
mod world;

pub use calls::record as record_calls;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use drawn::Draw;
use page::Page;
use player::Player;
use rehearsal::{Rehearsed, rehearse};
use stage::Stage;
use terminal::Terminal;
use world::Halt;

use super::{Result, command, print_error};
use crate::cli::Learn;
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::{Foreign, count};
use crate::kernel::Namespace;
use crate::kernel::io::os_error;
use crate::kernel::namespace::create;
use crate::kernel::process;
use crate::kernel::signals::Inbox;
use crate::lesson::{self, Lesson, Need, Step};
use crate::output::columns::{self, Listed};
use crate::output::full_screen::restore_in_panic;
use crate::output::{OutputError, Section, Style, stdout, write_rows};

const VERB: &str = "learn";

pub(super) fn run(args: Learn, namespace: &Namespace, style: &Style) -> Result<Status> {
    if let Some(world) = args.world {
        return keeper::run(world == "privileged");
    }
    let is_list = args.lessons.is_empty() && !args.forget;
    if !is_list && (args.format.is_chosen() || args.no_headings) {
        let what = "--format, --json and --no-headings are for the list of lessons";
        return Err(Failure::usage(VERB, what).into());
    }
    if args.forget {
        return forget(&args.lessons, style);
    }
    if args.check {
        return check(&args.lessons, namespace);
    }
    let [name] = args.lessons.as_slice() else {
        if is_list {
            return list(&args, style);
        }
        let what = "one lesson at a time; only --check takes several";
        return Err(Failure::usage(VERB, what).into());
    };
    let lesson = find(name)?;
    let present = present(&lesson);
    needs_are_met(&lesson, &present)?;
    let is_alone = !(io::stdin().is_terminal() && is_screen());
    if is_alone && !(args.auto || args.markdown || args.asciicast) {
        let failure = Failure::new(VERB, name, "this is no terminal", Reason::Usage);
        return Err(failure
            .with_hint("--auto plays the lesson without keys, --markdown prints it as a page")
            .into());
    }
    let inbox = Inbox::open()?;
    let played = play(&args, &lesson, &present, style, &inbox);
    // From here on signals end this process again.
    inbox.close()?;
    let is_done = match played {
        Ok(is_done) => is_done,
        Err(halt) => return halted(halt, name),
    };
    match is_done {
        None => Ok(Status::Done),
        Some(unmet) if unmet > 0 => {
            let what = match unmet {
                1 => "a condition does not hold".to_owned(),
                _ => format!("{unmet} conditions do not hold"),
            };
            Err(Failure::new(VERB, name, what, Reason::Failed).into())
        }
        Some(_) if is_alone || args.auto || !is_of_course(&lesson) => Ok(Status::Done),
        Some(_) => {
            if let Err(error) = progress::note(&lesson.name) {
                print_error(format_args!(
                    "{VERB} {name}: cannot note that it is done: {}",
                    os_error::describe(&error)
                ));
            }
            Ok(Status::Done)
        }
    }
}

/// Plays a lesson. Returns how many of its conditions did not hold; nothing if it was left before its end.
fn play(
    args: &Learn,
    lesson: &Lesson,
    present: &BTreeSet<Need>,
    style: &Style,
    inbox: &Inbox,
) -> Result<Option<usize>, Halt> {
    let mut player = Player::new(lesson, present, inbox)?;
    let mut stage: Box<dyn Stage + '_> = if args.markdown {
        Box::new(Page::markdown()?)
    } else if args.asciicast {
        let size = (world::COLUMNS, world::ROWS);
        Box::new(Terminal::recorded(&lesson.title, size, args.big, args.speed)?)
    } else if !is_screen() {
        Box::new(Page::plain(Draw::new(style.screen, args.big))?)
    } else {
        restore_in_panic();
        match args.auto {
            true => Box::new(Terminal::timed(style.color, args.big, args.speed, inbox)?),
            false => Box::new(Terminal::with_keys(style.color, args.big, inbox)?),
        }
    };
    let is_done = player.play(stage.as_mut())?;
    drop(stage);
    Ok(is_done.then(|| player.unmet()))
}

/// What follows from a halt in this lesson.
fn halted(halt: Halt, lesson: &str) -> Result<Status> {
    match halt {
        Halt::Signal(signal) => Ok(Status::Signal(signal)),
        Halt::NoWorld(status) => Ok(status),
        Halt::Left(_) => Ok(Status::Done),
        Halt::Error(error) => match error.into_failure(VERB) {
            None => Ok(Status::Done),
            Some(mut failure) => {
                if failure.subject.is_empty() {
                    failure.subject = lesson.to_owned();
                }
                Err(failure.into())
            }
        },
    }
}

/// Whether standard output is a terminal on which something can be drawn.
fn is_screen() -> bool {
    stdout::is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Whether it is a lesson of the course, and no file.
fn is_of_course(lesson: &Lesson) -> bool {
    lesson::find(&lesson.name) == Some(lesson)
}

/// A lesson of the course by its name, or one in a file.
fn find(name: &str) -> Result<Lesson, Failure> {
    if let Some(lesson) = lesson::find(name) {
        return Ok(lesson.clone());
    }
    if name.contains('/') || name.ends_with(".md") {
        return read(name);
    }
    let failure = Failure::new(VERB, name, "no such lesson", Reason::NothingThere);
    Err(failure
        .with_hint("'ipctool learn' lists them; a file of your own has a '/' or ends with .md"))
}

/// A lesson in a file.
fn read(path: &str) -> Result<Lesson, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        let reason = match error.kind() {
            io::ErrorKind::NotFound => Reason::NothingThere,
            io::ErrorKind::PermissionDenied => Reason::NotPermitted,
            _ => Reason::Failed,
        };
        Failure::new(VERB, Foreign::from(Path::new(path)), os_error::describe(&error), reason)
    })?;
    let stem = Path::new(path).file_stem().unwrap_or_default().to_string_lossy();
    lesson::read(&stem, &text).map_err(|mistake| {
        Failure::new(
            VERB,
            format!("{}:{}", Foreign::from(Path::new(path)), mistake.line),
            mistake.what,
            Reason::Failed,
        )
    })
}

/// What of all that a lesson or a step of it may need is here.
fn present(lesson: &Lesson) -> BTreeSet<Need> {
    let is_asked = |need: &Need| {
        let mut by_steps = lesson.steps.iter().flat_map(Step::depends_on);
        lesson.needs.contains(need) || by_steps.any(|one| one == need)
    };
    let has = |need: &Need| match need {
        Need::Root => process::may_act_for_others(),
        Need::Cc => command::is_there("cc".as_ref()),
        Need::PosixQueues => Path::new("/proc/sys/fs/mqueue").exists(),
        Need::Namespaces => create::may_nest(),
    };
    Need::ALL.into_iter().filter(is_asked).filter(has).collect()
}

/// Says at once what is missing.
fn needs_are_met(lesson: &Lesson, present: &BTreeSet<Need>) -> Result<(), Failure> {
    let Some(missing) = lesson.needs.difference(present).next() else { return Ok(()) };
    let reason = if *missing == Need::Root { Reason::NotPermitted } else { Reason::Failed };
    let what = format!("the lesson needs {}", missing.describe());
    Err(Failure::new(VERB, &lesson.name, what, reason))
}

/// Lists the lessons.
fn list(args: &Learn, style: &Style) -> Result<Status> {
    let listed =
        |lesson: &'static Lesson| Listed { lesson, is_done: progress::is_done(&lesson.name) };
    let lessons: Vec<_> = lesson::all().iter().map(listed).collect();
    let section = Section::new(&columns::LESSON);
    let mut out = stdout::buffered()?;
    write_rows(args.format.chosen(), section, !args.no_headings, &lessons, style, &mut out)
        .and_then(|()| out.flush())
        .map_err(OutputError)?;
    if !args.format.chosen().is_for_machines() {
        super::remark(style, "ipctool learn LESSON plays one");
    }
    Ok(Status::Done)
}

/// Forgets that these lessons were done, or all.
fn forget(lessons: &[String], style: &Style) -> Result<Status> {
    for name in lessons {
        if lesson::find(name).is_none() {
            return Err(Failure::new(VERB, name, "no such lesson", Reason::NothingThere).into());
        }
    }
    let forgotten = progress::forget(lessons).map_err(|error| {
        let what = format!("cannot forget: {}", os_error::describe(&error));
        Failure::new(VERB, "", what, Reason::Failed)
    })?;
    if forgotten == 0 {
        super::remark(style, "no lesson was marked as done");
    }
    Ok(Status::Done)
}

/// Plays lessons for those who write them, and prints what is wrong.
fn check(files: &[String], namespace: &Namespace) -> Result<Status> {
    // Before the inbox holds back the signals that end a read.
    let lessons: Vec<_> = files
        .iter()
        .map(|file| {
            let lesson = find(file)?;
            let present = present(&lesson);
            needs_are_met(&lesson, &present)?;
            Ok((lesson, present))
        })
        .collect();
    let inbox = Inbox::open()?;
    let mut status = Status::Done;
    for (file, lesson) in files.iter().zip(lessons) {
        let rehearsed = lesson
            .map_err(|failure: Failure| Halt::Error(failure.into()))
            .and_then(|(lesson, present)| rehearse(&lesson, &present, &inbox));
        let Rehearsed { findings, screens, conditions } = match rehearsed {
            Ok(rehearsed) => rehearsed,
            Err(halt) => match halted(halt, file) {
                Err(error) => {
                    status = status.and(super::end(VERB, namespace, error));
                    continue;
                }
                ended => return ended,
            },
        };
        let mut text = String::new();
        for finding in &findings {
            text += &format!("{file}:{}: {}\n", finding.line, finding.what);
            status = status.and(Status::Failed);
        }
        if findings.is_empty() {
            let screens = count(screens as u64, "screen");
            let conditions = count(conditions as u64, "condition");
            text = format!("{file}: {screens}, {conditions}: all good\n");
        }
        stdout::print(&text)?;
    }
    inbox.close()?;
    Ok(status)
}
