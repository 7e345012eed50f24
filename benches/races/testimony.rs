//! What the adversary and the witness say of a run, and what follows from it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Lines};
use std::path::Path;
use std::time::Duration;

use crate::harness::Result;

/// How an adversary begins to use an object; `adversary.c` says more.
#[derive(Clone, Copy, PartialEq)]
pub enum Use {
    Wait,
    Message,
    Operate,
    Attach,
    Open,
    Renew,
}

impl Use {
    /// As `adversary.c` takes it.
    pub fn word(self) -> &'static str {
        match self {
            Use::Wait => "wait",
            Use::Message => "message",
            Use::Operate => "operate",
            Use::Attach => "attach",
            Use::Open => "open",
            Use::Renew => "renew",
        }
    }
}

/// One use, as the adversary tells it. Moments are nanoseconds of `CLOCK_MONOTONIC`.
pub struct Used {
    /// An id of System V, or an inode.
    subject: i64,
    /// The name of a POSIX object, without the slash.
    name: Option<String>,
    /// The thread that waits, or what holds an open file.
    holder: String,
    asked: i64,
    /// When it had certainly begun, if that is known.
    proven: Option<i64>,
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Missed,
    Kept,
    Gone,
}

impl Used {
    /// The object, as `ipctool` writes it.
    pub fn reference(&self, kind: &str) -> String {
        match &self.name {
            Some(name) => format!("{kind}:/{name}"),
            None => format!("{kind}:{}", self.subject),
        }
    }
}

/// What `ipctool` did at one moment.
struct Event {
    moment: i64,
    what: String,
    subject: i64,
    name: String,
}

/// One run of `ipctool`, as both sides tell it.
pub struct Run {
    pub used: Vec<Used>,
    adversary: i64,
    events: Vec<Event>,
    /// By what was removed, the last time.
    removed: HashMap<(i64, String), i64>,
}

/// The slot of an id is its lower 15 bits, or 24 of which so few objects need no more than 15. Calls by
/// slot take an id, too.
const SLOTS: i64 = 1 << 15;

/// How long it may take to begin a use, in milliseconds: a lease that is kept for too long makes
/// whoever opens the file wait for `/proc/sys/fs/lease-break-time`, 45 seconds.
const LONGEST: i64 = 5_000;

/// So many queues may be removed after one look at all threads. Not a time: on a busy machine the
/// scheduler alone decides how long that takes.
const BATCH: usize = 512;

impl Run {
    /// Reads what the adversary prints, up to the end of a run, and what the witness has written.
    pub fn read(lines: &mut Lines<impl io::BufRead>, log: &Path, adversary: u32) -> Result<Run> {
        let mut used = Vec::new();
        loop {
            let line = lines.next().ok_or("the adversary has ended")??;
            let words: Vec<_> = line.split(' ').collect();
            match words[..] {
                ["use", subject, name, holder, asked, proven, fate] => used.push(Used {
                    subject: subject.parse()?,
                    name: Some(name.to_owned()).filter(|name| name != "-"),
                    holder: holder.to_owned(),
                    asked: asked.parse()?,
                    proven: Some(proven.parse()?).filter(|&moment| moment != 0),
                    fate: match fate {
                        "missed" => Fate::Missed,
                        "kept" => Fate::Kept,
                        _ => Fate::Gone,
                    },
                }),
                // It fails when something was refused, or somebody else was quicker.
                ["end", "0" | "1" | "3"] => return Run::of(used, log, adversary.into()),
                _ => return Err(format!("ipctool did not end well: {line}").into()),
            }
        }
    }

    fn of(used: Vec<Used>, log: &Path, adversary: i64) -> Result<Run> {
        let mut events = Vec::new();
        let text = fs::read_to_string(log).map_err(|e| format!("ipctool had no witness: {e}"))?;
        for line in text.lines() {
            let words: Vec<_> = line.split(' ').collect();
            let [moment, what, subject, name] = words[..] else {
                return Err(format!("the witness says {line:?}").into());
            };
            events.push(Event {
                moment: moment.parse()?,
                what: what.to_owned(),
                subject: subject.parse()?,
                name: name.to_owned(),
            });
        }
        events.sort_by_key(|event| event.moment);
        let removals = events.iter().filter(|event| event.what == "remove");
        let removed = removals.map(|e| ((e.subject, e.name.clone()), e.moment)).collect();
        Ok(Run { used, adversary, events, removed })
    }

    /// After how many events it matters that somebody begins: from the looks before the first
    /// removal to the last. All of them, if nothing was removed.
    pub fn window(&self) -> (i64, i64) {
        let is_removal = |event: &Event| event.what == "remove";
        let Some(first) = self.events.iter().position(is_removal) else {
            return (0, self.events.len() as i64);
        };
        let last = self.events.iter().rposition(is_removal).unwrap_or(first);
        let looks = (last - first).max(100);
        (first.saturating_sub(looks) as i64, last as i64)
    }
}

/// What became of a use.
pub enum Outcome {
    GoneFirst,
    Kept,
    /// It began in the instant between the last look and the removal; how long before the removal.
    Instant(Duration),
    /// How it went.
    Wrong(String),
}

/// Whether something was removed that was in use when `ipctool` last looked, or whoever came to use
/// it was held up.
pub fn judge(one: &Used, kind: &str, uses: Use, run: &Run) -> Result<Outcome> {
    let reference = one.reference(kind);
    let lasted = one.proven.map_or(0, |proven| proven - one.asked) / 1_000_000;
    if lasted > LONGEST {
        return Ok(Outcome::Wrong(format!("{reference}: its user was held up for {lasted} ms")));
    }
    match one.fate {
        Fate::Missed => return Ok(Outcome::GoneFirst),
        Fate::Kept => return Ok(Outcome::Kept),
        Fate::Gone => {}
    }
    let what = match &one.name {
        Some(name) => (0, name.clone()),
        None => (one.subject, kind.to_owned()),
    };
    let &removal = run
        .removed
        .get(&what)
        .ok_or_else(|| format!("{reference} is gone, but ipctool was not seen to remove it"))?;
    if one.asked >= removal {
        return Ok(Outcome::GoneFirst);
    }
    let instant = Duration::from_nanos(removal.abs_diff(one.asked));
    let Some(proven) = one.proven.filter(|&proven| proven < removal) else {
        return Ok(Outcome::Instant(instant));
    };
    let earlier = run.events.partition_point(|event| event.moment < removal);
    let shows = |event: &Event| can_show(event, one, kind, uses, run);
    let Some(look) = run.events[..earlier].iter().rposition(shows) else {
        return Ok(Outcome::Wrong(format!("{reference}: in use, and never looked at")));
    };
    let (since, look) = (&run.events[look + 1..earlier], run.events[look].moment);
    let others = since.iter().filter(|event| event.what == "remove").count();
    let has_written = since.iter().any(|event| event.what == "write");
    let is_late = match (kind, uses) {
        ("msg", Use::Wait) => others >= BATCH,
        _ => others > 0,
    };
    if proven >= look && !is_late && !has_written {
        return Ok(Outcome::Instant(instant));
    }
    let before = |moment: i64| (removal - moment) / 1000;
    let mut how = format!(
        "{reference}: in use {} µs before its removal, last look {} µs before, {others} removed{} since",
        before(proven),
        before(look),
        if has_written { " and output written" } else { "" },
    );
    // The rest of what ipctool did, for whoever is to find out why.
    for event in &run.events[earlier.saturating_sub(12)..earlier] {
        let Event { moment, what, subject, name } = event;
        write!(how, "\n      {:>7} µs before: {what} {subject} {name}", before(*moment))?;
    }
    Ok(Outcome::Wrong(how))
}

/// Whether a call of `ipctool` could have shown this use, had it begun by then.
fn can_show(event: &Event, one: &Used, kind: &str, uses: Use, run: &Run) -> bool {
    let (what, subject) = (event.what.as_str(), event.subject);
    let is_it = event.name == kind && subject == one.subject;
    let stat = || match what {
        "stat" => is_it,
        "slot" => event.name == kind && subject % SLOTS == one.subject % SLOTS,
        "table" => event.name == kind,
        _ => false,
    };
    let is_thread = || what == "thread" && subject.to_string() == one.holder;
    match (kind, uses) {
        ("msg", Use::Wait) => is_thread(),
        (_, Use::Wait) => is_thread() || (what == "waiting" && is_it),
        (_, Use::Operate) | ("sem", Use::Renew) => what == "pid" && is_it,
        (_, Use::Message | Use::Attach) | ("msg" | "shm", Use::Renew) => stat(),
        (_, Use::Open) => match what {
            "lease" => subject == one.subject,
            "fd" | "maps" => subject == run.adversary && what == one.holder,
            _ => false,
        },
        (_, Use::Renew) => what == "name" && one.name.as_ref() == Some(&event.name),
    }
}
