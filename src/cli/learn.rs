//! The verb that teaches.

use clap::{Args, ValueHint};

use super::options::FormatArgs;
use super::page::{self, Group, List, Page};
use crate::lesson;

/// How fast a lesson is played, as a factor.
fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.1..=1000.0).contains(&speed) => Ok(speed),
        _ => Err("it is a factor between 0.1 and 1000, such as 2".to_owned()),
    }
}

/// Teach IPC in lessons, live in the terminal
///
/// Without LESSON, lists the lessons. With one, plays it in an IPC namespace of its own, in which no IPC object of the
/// machine can be touched: text, the command as it is typed, the system calls it makes (as --trace prints them), its
/// real output, pictures of the objects, and checks against the state of the kernel. The commands of a lesson have no
/// privileges, also if you are root. At its end, all of its processes and objects are gone.
///
/// Keys: Enter goes on, b goes back (the objects are made again as they were on that screen), r begins the screen
/// again, t opens a shell in the lesson, and q leaves. In that shell, ipctool and every other command work; exit
/// returns, and the lesson says what is still missing. Whatever you did there, it goes on with the objects that it
/// needs.
///
/// LESSON may also be a file of your own, with a '/' in its name or .md at its end. The handbook says how to write one
/// (docs/teaching.md).
///
/// Lessons that you have finished are marked in the list.
#[derive(Debug, Args)]
pub struct Learn {
    /// Lesson to play, or a file with one; a list of all by default
    #[arg(value_name = "LESSON", value_hint = ValueHint::Other)]
    pub lessons: Vec<String>,
    /// Play the lesson without keys, at reading speed
    ///
    /// In a pipe or a file there are no pauses, and the screens follow each other. If a check fails, the status is 1.
    #[arg(long, requires = "lessons", conflicts_with_all = ["check", "forget"])]
    pub auto: bool,
    /// Read faster or slower by this factor, with --auto or --asciicast
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, allow_hyphen_values = true, value_parser = speed, conflicts_with_all = ["check", "forget", "markdown"])]
    pub speed: f64,
    /// Use fewer words a line, for a projector
    #[arg(long, requires = "lessons", conflicts_with_all = ["check", "forget", "markdown"])]
    pub big: bool,
    /// Play the lesson, and print it as a page in Markdown
    #[arg(long, requires = "lessons", conflicts_with_all = ["check", "forget", "asciicast"])]
    pub markdown: bool,
    /// Play the lesson, and print a recording for asciinema
    #[arg(long, requires = "lessons", conflicts_with_all = ["check", "forget"])]
    pub asciicast: bool,
    /// Check lessons for those who write them
    ///
    /// Plays each LESSON and prints what would go wrong in front of people: a screen that is too long for a terminal
    /// of 80 columns and 24 lines, a condition that does not hold, and a check that holds even if the commands of its
    /// step are left out.
    #[arg(long, requires = "lessons", conflicts_with = "forget")]
    pub check: bool,
    /// Forget that you have done LESSON, or all lessons
    #[arg(long)]
    pub forget: bool,
    /// Keep the world of a lesson; learn calls itself with it.
    #[arg(long, hide = true, value_parser = ["plain", "privileged"])]
    pub world: Option<String>,
    /// Output format of the list.
    #[command(flatten)]
    pub format: FormatArgs,
    /// Omit the headings
    #[arg(long)]
    pub no_headings: bool,
}

pub(super) const LEARN: Page = Page {
    command: "learn",
    synopsis: &[
        "ipctool learn [--format FORMAT | -J] [--no-headings]",
        "ipctool learn [--big] LESSON",
        "ipctool learn --auto [--speed FACTOR] [--big] LESSON",
        "ipctool learn --markdown LESSON",
        "ipctool learn --asciicast [--speed FACTOR] [--big] LESSON",
        "ipctool learn --check LESSON…",
        "ipctool learn --forget [LESSON]",
    ],
    lists: || {
        let lesson = |lesson: &lesson::Lesson| (lesson.name.clone(), lesson.title.clone());
        vec![List {
            title: "LESSONS",
            introduction: "The course. Each lesson takes five to ten minutes and can be played by itself.",
            groups: vec![Group::new("Lessons", lesson::all().iter().map(lesson))],
        }]
    },
    statuses: &[
        page::DONE,
        (
            "1",
            "a check failed, the lesson needs something that is not here, or --check found mistakes",
        ),
        page::USAGE,
        ("3", "no such lesson"),
        ("5", "a namespace for the lesson is not permitted, or the lesson needs root"),
        page::SIGNAL,
    ],
    environment: &[
        (
            "XDG_STATE_HOME",
            "The lessons that were done are in ipctool/learn below it; ~/.local/state by default.",
        ),
        ("TMPDIR", "Where a lesson has its directory while it is played; /tmp by default."),
        page::NO_COLOR,
        page::TERM,
        page::LOCALE,
    ],
    files: &[
        ("~/.local/state/ipctool/learn/LESSON", "An empty file for each lesson that was done."),
        page::SYSVIPC,
    ],
    notes: &[
        "A lesson needs an IPC namespace and a mount namespace. Root can make them, in a container only with CAP_SYS_ADMIN; other users can where the kernel lets them make user namespaces.",
        "The shell of a lesson reaches the same files as every shell of yours. Its IPC objects are its own, and so are its processes where a process namespace is permitted; many containers do not permit it.",
        "Some screens need a C compiler (cc). Without one, the lesson says so and goes on with what ipctool itself can show.",
    ],
    examples: &[
        ("List the lessons", "ipctool learn"),
        ("Begin with the first one", "ipctool learn queue"),
        ("Show one on a projector, by itself", "ipctool learn types --auto --big"),
        ("Read one as a page", "ipctool learn queue --markdown > queue.md"),
        (
            "Record one, half as fast again",
            "ipctool learn queue --asciicast --speed 1.5 > queue.cast",
        ),
        ("Check a lesson of your own", "ipctool learn --check ./mine.md"),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-stat(1)",
        "ipctool-trace(1)",
        "sysvipc(7)",
        "mq_overview(7)",
        "sem_overview(7)",
        "shm_overview(7)",
    ],
    ..Page::EMPTY
};
