//! `ipctool watch`: a line for each object that appears, changes or goes.

mod event;
mod json;
mod lines;
mod text;

use std::time::{Duration, Instant};

use event::Event;
use jiff::Timestamp;
use json::Json;
use lines::Lines;
use text::Text;

use crate::cli::Watch;
use crate::commands::chosen::Chosen;
use crate::commands::looker::Looker;
use crate::commands::reader::Depth;
use crate::commands::{Result, end, print_error, say_each_once, select};
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::changes::{Change, View};
use crate::ipc::{Filter, Kind};
use crate::kernel::Namespace;
use crate::kernel::limits::slot_bits;
use crate::kernel::signals::{self, INTERRUPT, wait};
use crate::output::{Format, Style};

const VERB: &str = "watch";

/// No sleep is longer than this, so that no time is too large for the kernel.
const LONGEST_SLEEP: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn run(mut args: Watch, namespace: &Namespace, style: Style) -> Result<Status> {
    let filter = Filter::new(std::mem::take(&mut args.kinds), args.filter.conditions());
    let kinds: Vec<Kind> = filter.kinds().collect();
    let chosen =
        args.output.as_deref().map(|text| Chosen::parse(VERB, text, &kinds)).transpose()?;
    let form = match args.json {
        true => {
            let is_placed = args.all_namespaces || namespace.home().is_some();
            Form::Json(Json::new(&kinds, chosen.as_ref(), is_placed, style))
        }
        false => Form::Text(Text::new(&kinds, chosen.as_ref(), args.all_namespaces, style)),
    };
    signals::catch_signals().map_err(|error| {
        Failure::new(VERB, "", format!("cannot catch signals: {error}"), Reason::Failed)
    })?;
    // Each look would say the same again.
    say_each_once();
    let looker = Looker {
        verb: VERB,
        namespace,
        is_everywhere: args.all_namespaces,
        filter: &filter,
        depth: form.depth(),
    };
    let lines = Lines::new()?;
    let watch = Run { args: &args, looker, form, lines, left: args.count };
    watch.run(&filter)
}

/// How events are printed.
enum Form {
    Text(Text),
    Json(Json),
}

impl Form {
    fn depth(&self) -> Depth {
        match self {
            Form::Text(text) => Depth::for_columns(Format::Plain, |name| text.shows(name)),
            Form::Json(json) => Depth::for_columns(Format::Jsonl, |name| json.shows(name)),
        }
    }

    /// Appends the line of an event; nothing if no column that counts has changed.
    fn write(&self, time: Timestamp, event: &Event<'_>, line: &mut Vec<u8>) -> Result<()> {
        match self {
            Form::Text(text) => text.write(time, event, line),
            Form::Json(json) => json.write(time, event, line)?,
        }
        Ok(())
    }
}

/// Why a watch ends.
enum End {
    /// All lines that were asked for are written.
    Enough,
    /// A signal arrived.
    Signal(i32),
    /// The reader of the output is gone.
    Abandoned,
    /// The time is up, or no object is left.
    Over,
}

/// A watch that runs.
struct Run<'a> {
    args: &'a Watch,
    looker: Looker<'a>,
    form: Form,
    lines: Lines,
    /// How many lines are still to be written; `None` for any number.
    left: Option<u64>,
}

impl Run<'_> {
    fn run(mut self, filter: &Filter) -> Result<Status> {
        let start = Instant::now();
        let time = Timestamp::now();
        let mut view = self.looker.look()?;
        select::warn_cautions(VERB, filter);
        let mut has_failed = view.gaps.has_errors;
        let end = match self.begin(&view, time)? {
            Some(end) => end,
            None => self.go_on(start, &mut view, &mut has_failed)?,
        };
        let status = match end {
            End::Signal(signal) if signal != INTERRUPT => return Ok(Status::Signal(signal)),
            End::Over if self.is_empty(&view) && view.may_miss_objects() => {
                print_error(format_args!(
                    "{VERB}: some objects may be out of sight, so it is not known whether all are gone"
                ));
                Status::Failed
            }
            End::Enough | End::Signal(_) | End::Abandoned | End::Over if has_failed => {
                Status::Failed
            }
            End::Enough | End::Signal(_) | End::Abandoned | End::Over => Status::Done,
        };
        Ok(status)
    }

    /// Tells what is there at first.
    fn begin(&mut self, view: &View, time: Timestamp) -> Result<Option<End>> {
        if self.args.initial
            && let Some(end) = self.tell(time, view.present())?
        {
            return Ok(Some(end));
        }
        Ok(self.is_over(view).then_some(End::Over))
    }

    /// Whether the end of all objects is waited for, and none is seen.
    fn is_empty(&self, view: &View) -> bool {
        self.args.until_gone && view.objects.is_empty()
    }

    /// Whether no object is left, as far as can be seen.
    fn is_over(&self, view: &View) -> bool {
        self.is_empty(view) && view.gaps.unsettled.is_empty()
    }

    /// Looks again at each tick. The ticks are on a grid from the start, so they do not drift; those that
    /// pass during a look are skipped.
    fn go_on(&mut self, start: Instant, view: &mut View, has_failed: &mut bool) -> Result<End> {
        let deadline = self.args.duration.and_then(|time| start.checked_add(time));
        let slot_bits = slot_bits();
        let (unlisted, closed) = (view.gaps.kinds.clone(), view.gaps.closed.clone());
        loop {
            let tick = next_tick(start, self.args.interval);
            let is_last = deadline.is_some_and(|deadline| tick.is_none_or(|tick| deadline <= tick));
            if let Some(end) = self.rest(if is_last { deadline } else { tick }) {
                return Ok(end);
            }
            let time = Timestamp::now();
            match self.looker.look() {
                Ok(later) => {
                    // Something is wrong if what could be looked at before cannot be now.
                    let gaps = &later.gaps;
                    *has_failed |= gaps.has_errors
                        || !gaps.kinds.is_subset(&unlisted)
                        || !gaps.closed.is_subset(&closed);
                    let changes = view.follow(later, slot_bits);
                    if let Some(end) = self.tell(time, changes)? {
                        return Ok(end);
                    }
                    if self.is_over(view) {
                        return Ok(End::Over);
                    }
                }
                // Nothing is known, so nothing has changed.
                Err(error) => {
                    end(VERB, self.looker.namespace, error);
                    *has_failed = true;
                }
            }
            if is_last {
                return Ok(End::Over);
            }
        }
    }

    /// Waits until this time. `None` is for ever.
    fn rest(&self, until: Option<Instant>) -> Option<End> {
        loop {
            if let Some(signal) = signals::pending() {
                return Some(End::Signal(signal));
            }
            if self.lines.is_abandoned() {
                return Some(End::Abandoned);
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            match left {
                Some(Duration::ZERO) => return None,
                left => {
                    let time = left.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP);
                    if !self.lines.wait_abandoned(time) {
                        wait::sleep(time);
                    }
                }
            }
        }
    }

    /// Prints the events of a look.
    fn tell(
        &mut self,
        time: Timestamp,
        changes: impl IntoIterator<Item = Change>,
    ) -> Result<Option<End>> {
        let mut line = Vec::new();
        let mut told = Ok(());
        'all: for change in changes {
            for event in Event::of(&change) {
                if self.left == Some(0) {
                    break 'all;
                }
                line.clear();
                self.form.write(time, &event, &mut line)?;
                if line.is_empty() {
                    continue;
                }
                told = self.lines.add(&line);
                if told.is_err() {
                    break 'all;
                }
                self.left = self.left.map(|left| left - 1);
            }
        }
        match (told.and_then(|()| self.lines.flush()), signals::pending()) {
            // The signal has ended the write.
            (Err(_), Some(signal)) => Ok(Some(End::Signal(signal))),
            (Err(error), None) => Err(error.into()),
            (Ok(()), _) => Ok((self.left == Some(0)).then_some(End::Enough)),
        }
    }
}

/// The next point of a grid; `None` if it is beyond the range of the clock.
fn next_tick(start: Instant, interval: Duration) -> Option<Instant> {
    start.checked_add(tick_after(start.elapsed(), interval)?)
}

/// The first multiple of an interval after this time.
fn tick_after(elapsed: Duration, interval: Duration) -> Option<Duration> {
    let number = elapsed.as_nanos() / interval.as_nanos() + 1;
    let nanos = number.checked_mul(interval.as_nanos())?;
    Some(Duration::from_nanos(u64::try_from(nanos).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_do_not_drift_and_late_ones_are_left_out() {
        let tick = |elapsed, interval| {
            let of = Duration::from_millis;
            tick_after(of(elapsed), of(interval)).map(|tick| tick.as_millis())
        };
        assert_eq!(tick(0, 50), Some(50));
        assert_eq!(tick(49, 50), Some(50));
        // The look at 50 took 3 ms, the one at 100 took 120 ms.
        assert_eq!((tick(53, 50), tick(220, 50)), (Some(100), Some(250)));
        assert_eq!(tick(100, 50), Some(150));
        assert_eq!(tick(10, u64::MAX), None);
    }
}
