//! What the screen asks of the kernel. Errors come back as lines of text, since standard error may be the screen.

use super::VERB;
use crate::commands::diagnosis::{self, All};
use crate::commands::everywhere::Everywhere;
use crate::commands::looker::Looker;
use crate::commands::overview::{self, Facts};
use crate::commands::reader::Depth;
use crate::commands::{Result, catch_errors, change, now, report, report_all, rm, select, stat};
use crate::doctor::{CHECKS, Check, NEAR, Question};
use crate::explain::{Failure, Reason};
use crate::ipc::changes::View;
use crate::ipc::finding::Finding;
use crate::ipc::message::{Message, TYPE_SIZE, type_of};
use crate::ipc::{Change, Filter, Kind, ModeChange, Object, Observed, count};
use crate::kernel::Namespace;
use crate::kernel::channel::is_empty;
use crate::kernel::process::Length;
use crate::kernel::process::scan::ScanScope;
use crate::kernel::process::uses::Inspection;
use crate::kernel::sysv::msg;
use crate::output::message::{From, MessageFormat, Presentation};
use crate::output::{Screen, Style};

/// How many messages are shown at most. For each the kernel looks at all before it.
const MOST_PEEKED: usize = 1000;

/// What was asked for, if it succeeded, and what there is to say about it.
pub(super) type Told<T> = (Option<T>, Vec<String>);

/// Where to look, and for what.
pub(super) struct World<'a> {
    pub namespace: &'a Namespace,
    pub filter: Filter,
}

impl World<'_> {
    /// Looks at the objects for the first time, before there is a screen.
    pub fn first_look(&self, is_everywhere: bool) -> Result<View> {
        let World { namespace, filter } = self;
        let depth = Depth { users: false, queues: true, memory: true, commands: Length::Shown };
        Looker { verb: VERB, namespace, is_everywhere, filter, depth }.look()
    }

    /// Looks at the objects.
    pub fn look(&self, is_everywhere: bool) -> Told<View> {
        self.told(|| self.first_look(is_everywhere))
    }

    /// Looks at totals and limits, and lets doctor look at what is quick.
    pub fn facts(&self, is_everywhere: bool) -> Told<Facts> {
        self.told(|| {
            let mut failures = Vec::new();
            let facts = overview::facts(self.namespace, is_everywhere, &mut failures)?;
            report_all(self.namespace, &failures);
            Ok(facts)
        })
    }

    /// The object with the processes that use it.
    pub fn observe(&self, observed: &Observed) -> Told<Observed> {
        self.at_home(observed, |namespace| {
            let scope = ScanScope::around([&observed.object]);
            let inspection = Inspection::of(namespace, &scope)?;
            let observer = inspection.observer(namespace)?;
            Ok(observer.observe(observed.object.clone()))
        })
    }

    /// Everything about an object, as `stat` shows it.
    pub fn details(&self, observed: &Observed, columns: usize) -> Told<Vec<String>> {
        self.at_home(observed, |namespace| {
            let style = styled(columns);
            check_same(namespace, observed)?;
            let text = stat::page(namespace, &observed.reference(), &style)?;
            Ok(text.lines().map(str::to_owned).collect())
        })
    }

    /// The messages on a queue, which stay there.
    pub fn peek(&self, observed: &Observed, columns: usize) -> Told<Vec<String>> {
        self.at_home(observed, |_| Ok(peek(observed, columns)?))
    }

    /// Removes an object. Returns what has become of it.
    pub fn remove(&self, observed: &Observed) -> Told<String> {
        self.at_home(observed, |namespace| {
            check_same(namespace, observed)?;
            Ok(rm::remove_observed(VERB, namespace, observed)?)
        })
    }

    /// Changes the mode of an object. Returns how.
    pub fn change(&self, observed: &Observed, mode: ModeChange) -> Told<String> {
        self.at_home(observed, |namespace| {
            check_same(namespace, observed)?;
            let change = Change { mode: Some(mode), ..Change::default() };
            Ok(change::to_observed(VERB, namespace, observed, &change)?)
        })
    }

    /// All that doctor finds.
    pub fn diagnose(&self, is_everywhere: bool) -> Told<Vec<Finding>> {
        self.told(|| {
            let checks: Vec<&Check> = CHECKS.iter().collect();
            let question = Question {
                checks: &checks,
                ignore: &[],
                threshold: NEAR,
                now: now(),
                is_quick: false,
                elsewhere: None,
                inspection: None,
            };
            if !is_everywhere {
                return Ok(diagnosis::of(VERB, question, self.namespace)?.findings);
            }
            let All { everywhere, found, .. } = diagnosis::of_all(VERB, question)?;
            everywhere.warn(VERB);
            let mut findings: Vec<Finding> =
                found.into_iter().flat_map(|(_, diagnosis)| diagnosis.findings).collect();
            findings.sort_by_key(|finding| finding.severity);
            Ok(findings)
        })
    }

    /// Does something where an object lives.
    fn at_home<T>(
        &self,
        observed: &Observed,
        act: impl FnOnce(&Namespace) -> Result<T>,
    ) -> Told<T> {
        let own = self.namespace.home().map(|home| home.namespace);
        let number = observed.home.as_ref().map(|home| home.namespace);
        if number == own {
            return self.told(|| act(self.namespace));
        }
        self.told(|| {
            let kind = observed.kind();
            let places = Everywhere::find()?.places;
            let place = places
                .iter()
                .find(|place| Some(place.identity.number()) == number && place.has(kind));
            let gone = || {
                let what = "its IPC namespace is gone, or closed to you";
                Failure::new(VERB, observed.reference(), what, Reason::NothingThere)
            };
            let place = place.ok_or_else(gone)?;
            Ok(Everywhere::visit(place, act)?.ok_or_else(gone)?)
        })
    }

    /// Runs something that may fail or warn.
    fn told<T>(&self, act: impl FnOnce() -> Result<T>) -> Told<T> {
        catch_errors(|| match act() {
            Ok(done) => Some(done),
            Err(error) => {
                if let Some(failure) = error.into_failure(VERB) {
                    report(self.namespace, failure);
                }
                None
            }
        })
    }
}

/// Fails if this is another object by now, or not what the screen showed when it was chosen.
///
/// The number of a namespace is given to a later one, as when a container starts again, and with it its ids.
fn check_same(namespace: &Namespace, seen: &Observed) -> Result<(), Failure> {
    let reference = seen.reference();
    let read = namespace.read(&reference);
    let now = read.map_err(|error| Failure::of_call(VERB, &reference, error))?;
    let what = match (&seen.object, &now) {
        _ if select::identity(&seen.object) != select::identity(&now) => {
            "another object has its name now"
        }
        (before, now) if now.file().is_none() && !before.is_same(now) => "it is another object now",
        (before, now) if before.permissions() != now.permissions() => {
            "its owner, mode or key has changed meanwhile"
        }
        (before, now) if before.messages() == Some(0) && now.messages() > Some(0) => {
            "it holds messages now"
        }
        (Object::Segment(before), Object::Segment(now)) if before.attached < now.attached => {
            "more processes have it attached now"
        }
        _ => return Ok(()),
    };
    let what = format!("nothing was done: {what}; look at it again");
    Err(Failure::new(VERB, &reference, what, Reason::Failed))
}

/// How texts are written for a screen of this width. What is drawn later has no colours of its own.
fn styled(columns: usize) -> Style {
    let mut style = Style::new(now());
    style.human_sizes = true;
    style.screen = Screen { is_terminal: true, color: false, columns: Some(columns), rows: None };
    style
}

fn peek(observed: &Observed, columns: usize) -> Result<Vec<String>, Failure> {
    let reference = observed.reference();
    let refused = |what: String| Err(Failure::new(VERB, &reference, what, Reason::Usage));
    let id = match &observed.object {
        Object::Queue(queue) => queue.id,
        Object::PosixQueue(queue) => {
            let messages = queue
                .messages
                .map_or_else(|| "messages".to_owned(), |messages| count(messages, "message"));
            return refused(format!(
                "it holds {messages}: the kernel cannot show those of a POSIX queue without taking them"
            ));
        }
        Object::Segment(_)
        | Object::SemaphoreSet(_)
        | Object::PosixMemory(_)
        | Object::PosixSemaphore(_) => {
            return refused(format!("a {} holds no messages", reference.kind.noun()));
        }
    };
    let presentation = Presentation {
        format: MessageFormat::Table,
        until_nul: false,
        truncate: Some(columns),
        columns: Some(columns),
        to_terminal: true,
    };
    let name = reference.to_string();
    let from = From { kind: Kind::Msg, name: &name };
    let (mut buffer, mut out, mut number) = (vec![0; TYPE_SIZE + 512], Vec::new(), 0);
    presentation.append_heading(Kind::Msg, &mut out);
    while number < MOST_PEEKED {
        match msg::peek_whole(id, number as i64, &mut buffer) {
            Ok(size) => {
                let message = Message::from_bytes(&buffer[..TYPE_SIZE + size]);
                let of_type = type_of(message.as_bytes());
                presentation.append(&from, of_type, message.payload(), &mut out);
                number += 1;
            }
            Err(error) if is_empty(&error) => break,
            Err(error) => return Err(Failure::of_peek(VERB, &reference, error)),
        }
    }
    if number == 0 {
        return refused("it holds no message".to_owned());
    }
    let mut lines: Vec<String> = String::from_utf8_lossy(&out).lines().map(str::to_owned).collect();
    if number == MOST_PEEKED {
        lines.push(format!("only the first {MOST_PEEKED} are shown"));
    }
    Ok(lines)
}
