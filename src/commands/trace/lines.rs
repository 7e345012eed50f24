//! The calls as lines: of text, as strace(1) prints them, or of JSON.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::hints::Hint;
use super::output::Output;
use crate::cli::Trace;
use crate::ipc::foreign::escape;
use crate::ipc::{Key, Project};
use crate::kernel::call::{Event, Outcome};
use crate::kernel::descendants::child::Ended;
use crate::kernel::ptrace::TracedCall;
use crate::kernel::signals;
use crate::output::formats::json::write_text;
use crate::output::style::{ALARM, ASIDE, NOTE};
use crate::output::{Screen, Style};

/// Prints what happens.
pub(super) struct Lines<'a> {
    args: &'a Trace,
    pub output: Output,
    screen: Screen,
    zone: Option<TimeZone>,
    /// Whether lines say which thread they are about: there is, or was, more than one.
    pub has_several: bool,
    line: String,
}

/// Something that a process leaves when it ends, or held.
#[derive(Debug, serde::Serialize)]
pub(super) struct Remains {
    /// `left`, `taken` or `attached`.
    pub what: &'static str,
    #[serde(rename = "ref")]
    pub reference: String,
    /// What a person should know about it.
    pub text: String,
}

impl<'a> Lines<'a> {
    pub fn new(args: &'a Trace, output: Output, style: &Style) -> Lines<'a> {
        let screen = output.screen(style.color);
        let zone = args.timestamps.then(TimeZone::system);
        Lines { args, output, screen, zone, has_several: false, line: String::new() }
    }

    /// A call that has ended, or that waits.
    pub fn call(&mut self, call: &TracedCall, hint: Option<&Hint>, waits: bool) {
        let Some(event) = call.event(self.args.shown) else { return };
        self.line.clear();
        // Writing to a string cannot fail.
        let _ = match self.args.json {
            true => self.record(call, &event, hint, waits),
            false => self.text(call, &event, hint, waits),
        };
        self.output.write(self.line.as_bytes());
    }

    fn text(
        &mut self,
        call: &TracedCall,
        event: &Event<'_>,
        hint: Option<&Hint>,
        waits: bool,
    ) -> std::fmt::Result {
        self.start(call.thread, call.time)?;
        let text = event.to_string();
        let (made, result) = text.rsplit_once(") = ").unwrap_or((&text, ""));
        match call.outcome {
            _ if waits => write!(self.line, "{made} <unfinished ...>")?,
            Outcome::Failed(_) if self.screen.color => {
                write!(self.line, "{made}) = {ALARM}{result}{ALARM:#}")?;
            }
            _ => self.line.push_str(&text),
        }
        if self.args.durations && !waits {
            write!(self.line, " <{:.6}>", call.duration.as_secs_f64())?;
        }
        self.line.push('\n');
        match hint.filter(|hint| !hint.is_repeated) {
            Some(hint) => self.below("hint", &hint.text),
            None => Ok(()),
        }
    }

    /// The pid and the time, if they are wanted.
    fn start(&mut self, thread: i32, time: SystemTime) -> std::fmt::Result {
        if self.has_several {
            write!(self.line, "[pid {thread:>5}] ")?;
        }
        if let (Some(zone), Ok(time)) = (&self.zone, Timestamp::try_from(time)) {
            write!(self.line, "{} ", time.to_zoned(zone.clone()).strftime("%H:%M:%S%.6f"))?;
        }
        Ok(())
    }

    /// A line below that of a call.
    fn below(&mut self, label: &str, text: &str) -> std::fmt::Result {
        match self.screen.color {
            true => write!(self.line, "    {NOTE}{label}:{NOTE:#} ")?,
            false => write!(self.line, "    {label}: ")?,
        }
        escape(text.as_bytes(), "", &mut self.line)?;
        self.line.push('\n');
        Ok(())
    }

    /// The `stat` of a path from which a key was made, or was to be made.
    pub fn path_of_key(&mut self, call: &TracedCall, key: Option<(Key, Project)>) {
        let Some(event) = call.event(self.args.shown).filter(|_| !self.args.json) else { return };
        self.line.clear();
        let _ = self.start(call.thread, call.time);
        let mut text = event.to_string();
        if let Some((key, project)) = key {
            let _ = write!(text, " /* ftok with project {:#x}: {key} */", project.number());
        }
        let _ = match self.screen.color {
            true => writeln!(self.line, "{ASIDE}{text}{ASIDE:#}"),
            false => writeln!(self.line, "{text}"),
        };
        self.output.write(self.line.as_bytes());
    }

    /// A process that has ended.
    pub fn exited(&mut self, pid: i32, how: Ended, remains: &[Remains]) {
        self.line.clear();
        let _ = match self.args.json {
            true => self.exit_record(pid, how, remains),
            false => self.exit_text(pid, how, remains),
        };
        self.output.write(self.line.as_bytes());
    }

    fn exit_text(&mut self, pid: i32, how: Ended, remains: &[Remains]) -> std::fmt::Result {
        self.start(pid, SystemTime::now())?;
        match how {
            Ended::Status(status) => writeln!(self.line, "+++ exited with {status} +++")?,
            Ended::Signal(signal) => {
                writeln!(self.line, "+++ killed by {} +++", signals::name(signal))?;
            }
        }
        remains.iter().try_for_each(|one| self.below(one.what, &one.text))
    }

    fn record(
        &mut self,
        call: &TracedCall,
        event: &Event<'_>,
        hint: Option<&Hint>,
        waits: bool,
    ) -> std::fmt::Result {
        let name = event.call.name();
        let (pid, tid) = (call.pid, call.thread);
        self.line.push_str("{\"time\":");
        self.time(call.time)?;
        write!(self.line, ",\"pid\":{pid},\"tid\":{tid},\"call\":\"{name}\",\"args\":[")?;
        let line = &mut self.line;
        let mut separator = "";
        event.each_argument(&mut |argument| {
            line.push_str(separator);
            separator = ",";
            quote(line, &argument.to_string());
            Ok(())
        })?;
        let result = match event.outcome {
            Outcome::Returned(value) => value.to_string(),
            Outcome::Failed(_) => "-1".to_owned(),
            Outcome::Interrupted(_) | Outcome::Unfinished => "null".to_owned(),
        };
        write!(self.line, "],\"result\":{result},\"errno\":")?;
        match event.outcome.errno() {
            Some(errno) => write!(self.line, "\"{errno:?}\"")?,
            None => self.line.push_str("null"),
        }
        write!(self.line, ",\"duration\":{:.6}", call.duration.as_secs_f64())?;
        if waits {
            self.line.push_str(",\"ended\":false");
        }
        self.line.push_str(",\"hint\":");
        match hint {
            Some(hint) => quote(&mut self.line, &hint.text),
            None => self.line.push_str("null"),
        }
        self.line.push_str("}\n");
        Ok(())
    }

    fn exit_record(&mut self, pid: i32, how: Ended, remains: &[Remains]) -> std::fmt::Result {
        self.line.push_str("{\"time\":");
        self.time(SystemTime::now())?;
        write!(self.line, ",\"pid\":{pid},\"exited\":")?;
        match how {
            Ended::Status(status) => write!(self.line, "{status},\"signal\":null")?,
            Ended::Signal(signal) => {
                write!(self.line, "null,\"signal\":\"{}\"", signals::name(signal))?;
            }
        }
        let left = serde_json::to_string(remains).unwrap_or_default();
        writeln!(self.line, ",\"left\":{left}}}")
    }

    /// A time as RFC 3339 in UTC, with microseconds.
    fn time(&mut self, time: SystemTime) -> std::fmt::Result {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        match Timestamp::new(since.as_secs() as i64, since.subsec_micros() as i32 * 1000) {
            Ok(time) => write!(self.line, "\"{time:.6}\""),
            Err(_) => write!(self.line, "null"),
        }
    }
}

fn quote(line: &mut String, text: &str) {
    let mut bytes = std::mem::take(line).into_bytes();
    // Writing to memory cannot fail, and what is written is text.
    let _ = write_text(&mut bytes, text);
    *line = String::from_utf8(bytes).unwrap_or_default();
}
