//! How far something has come that takes long, for a person at a terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::print_error;
use crate::ipc::{Reference, count, duration};
use crate::output::stdout;

/// A bar on standard error, which appears if it takes longer than a moment, and goes at the end. Where that is no
/// terminal, there is none.
pub(super) struct Progress {
    bar: ProgressBar,
    start: Instant,
    is_shown: bool,
    /// What is peeked at, and whether a person was told how long that takes.
    peeking: Option<(&'static str, String)>,
}

/// How long to work before it shows, and before the whole time is estimated.
const MOMENT: Duration = Duration::from_millis(500);

/// From which time on an estimate is worth a line.
const LONG: Duration = Duration::from_secs(5);

impl Progress {
    /// Of so many bytes.
    pub fn of_bytes(total: u64) -> Progress {
        Progress::new(total, "{bar:30} {bytes}/{total_bytes}, {eta} left")
    }

    /// Of a look at all of so many messages of a queue. The kernel counts from the first message to each one, so the
    /// time grows with the square of their number.
    pub fn of_peeking(verb: &'static str, queue: &Reference, total: u64) -> Progress {
        let mut progress = Progress::new(total, "{bar:30} {pos}/{len} messages");
        progress.peeking = Some((verb, queue.to_string()));
        progress.unless_seen()
    }

    /// Nothing, if what is done appears on the same terminal.
    pub fn unless_seen(mut self) -> Progress {
        self.is_shown |= stdout::is_terminal();
        self
    }

    fn new(total: u64, template: &str) -> Progress {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        Progress { bar, start: Instant::now(), is_shown: false, peeking: None }
    }

    /// Writes something else, without the bar in between.
    pub fn aside<R>(&self, write: impl FnOnce() -> R) -> R {
        self.bar.suspend(write)
    }

    /// So much is done.
    pub fn advance_to(&mut self, done: u64) {
        // A look at the clock takes longer than a short step.
        if self.peeking.is_some() && !done.is_multiple_of(256) {
            return;
        }
        if !self.is_shown && self.start.elapsed() >= MOMENT {
            self.is_shown = true;
            self.say_how_long(done);
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(done);
    }

    /// Tells how long a look at all messages takes.
    fn say_how_long(&mut self, done: u64) {
        let (Some((verb, queue)), Some(total)) = (self.peeking.take(), self.bar.length()) else {
            return;
        };
        let share = total as f64 / done.max(1) as f64;
        let whole = self.start.elapsed().mul_f64((share * share).max(1.0));
        if whole >= LONG {
            let messages = count(total, "message");
            let whole = duration::show(Duration::from_secs(whole.as_secs()));
            print_error(format_args!(
                "{verb} {queue}: the kernel looks at all messages before the one that it shows: {messages} take about {whole}"
            ));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
