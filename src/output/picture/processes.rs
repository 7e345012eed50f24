//! The processes below a picture.

use unicode_width::UnicodeWidthStr;

use super::canvas::{Canvas, Line};
use crate::ipc::Use;
use crate::ipc::process::role::Role;
use crate::ipc::text::count;
use crate::output::style;

/// Below what it belongs to.
pub(super) const INDENT: &str = "  ";

/// Processes that use the object in the same way.
struct Group<'a> {
    label: String,
    waits: bool,
    all: Processes<'a>,
}

/// Processes, each once, with the number of their threads that do the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Processes<'a>(Vec<(&'a Use, u64)>);

/// The processes that use an object now, in this many lines at most: one a process if there are enough lines,
/// otherwise one for those that use it in the same way. `unseen` is the number of those that the kernel counts
/// and nobody found.
pub(super) fn below(users: &[Use], unseen: u64, most: usize, canvas: &Canvas) -> Vec<Line> {
    let groups = grouped(users);
    // A process that has attached it twice counts twice, too.
    let unseen = (unseen > 0).then(|| {
        Line::of(&format!("{INDENT}attached: {} more, by whom is unknown", count(unseen, "time")))
    });
    let room = most - usize::from(unseen.is_some());
    let number: usize = groups.iter().map(|group| group.all.len()).sum();
    let mut lines: Vec<_> = match number <= room {
        true => groups.iter().flat_map(Group::one_a_line).collect(),
        false => groups.iter().map(|group| group.in_one_line(canvas)).collect(),
    };
    if lines.len() > room {
        let left_out = groups[room - 1..].iter().map(|group| group.all.len() as u64).sum::<u64>();
        lines.truncate(room - 1);
        lines.push(Line::of(&format!("{INDENT}+{left_out} more")));
    }
    lines.extend(unseen);
    lines
}

fn grouped(users: &[Use]) -> Vec<Group<'_>> {
    let mut present: Vec<_> = users.iter().filter(|user| user.role.is_present()).collect();
    present.sort_by_key(|user| rank(&user.role));
    let mut groups: Vec<Group> = Vec::new();
    for user in present {
        // A process that waits on a POSIX object has it open or mapped as well, which goes without saying.
        let is_known = groups.iter().any(|group| group.all.has(user.pid));
        if is_known && matches!(user.role, Role::Open | Role::Mapped) {
            continue;
        }
        let label = label(&user.role);
        match groups.iter_mut().find(|group| group.label == label) {
            None => {
                let waits = user.role.waits();
                groups.push(Group { label, waits, all: Processes::default().and(user) });
            }
            Some(group) => group.all.add(user),
        }
    }
    groups
}

/// Those that wait first.
fn rank(role: &Role) -> u8 {
    match role {
        Role::WaitsToReceive(_) => 0,
        Role::WaitsToSend(_) => 1,
        Role::WaitsOnSemaphores(_) => 2,
        Role::WaitsForIncrease => 3,
        Role::Notified => 4,
        Role::Attached => 5,
        Role::Mapped => 6,
        Role::Open => 7,
        Role::LastSender
        | Role::LastReceiver
        | Role::Creator
        | Role::LastAttachDetach
        | Role::LastOperation(_) => 8,
    }
}

fn label(role: &Role) -> String {
    match role {
        Role::WaitsToSend(size) => format!("{role} {}", count(*size, "byte")),
        Role::WaitsToReceive(_)
        | Role::WaitsOnSemaphores(_)
        | Role::WaitsForIncrease
        | Role::Notified
        | Role::Attached
        | Role::Mapped
        | Role::Open
        | Role::LastSender
        | Role::LastReceiver
        | Role::Creator
        | Role::LastAttachDetach
        | Role::LastOperation(_) => role.to_string(),
    }
}

impl Group<'_> {
    fn label(&self) -> Line {
        let style = if self.waits { style::WARNING } else { anstyle::Style::new() };
        Line::of(INDENT).painted(&self.label, style).plain(": ")
    }

    /// The label before the first one only.
    fn one_a_line(&self) -> Vec<Line> {
        let blank = Line::default().padded(self.label().width());
        let labels = std::iter::once(self.label()).chain(std::iter::repeat(blank));
        labels.zip(self.all.in_full()).map(|(label, name)| label.plain(&name)).collect()
    }

    fn in_one_line(&self, canvas: &Canvas) -> Line {
        let label = self.label();
        let room = canvas.columns.saturating_sub(label.width());
        label.plain(&self.all.names(room))
    }
}

impl<'a> Processes<'a> {
    pub fn add(&mut self, user: &'a Use) {
        match self.0.iter_mut().find(|(one, _)| one.pid == user.pid) {
            None => self.0.push((user, 1)),
            Some((_, threads)) => *threads += 1,
        }
    }

    pub fn and(mut self, user: &'a Use) -> Processes<'a> {
        self.add(user);
        self
    }

    pub fn has(&self, pid: i32) -> bool {
        self.0.iter().any(|(one, _)| one.pid == pid)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn threads(&self) -> u64 {
        self.0.iter().map(|(_, threads)| threads).sum()
    }

    /// Each with its command line.
    fn in_full(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(user, threads)| format!("{}{}", user.name(), of_threads(*threads)))
    }

    /// Each with its program; where there is no room for that, the pids alone, and the number of those for which
    /// there is no room either.
    pub fn names(&self, room: usize) -> String {
        let with_programs = self.0.iter().map(|(user, threads)| {
            let program = user.command.as_ref().map(|command| format!(" ({})", command.program()));
            format!("{}{}{}", user.pid, program.unwrap_or_default(), of_threads(*threads))
        });
        let with_programs = with_programs.collect::<Vec<_>>().join(", ");
        if with_programs.width() <= room {
            return with_programs;
        }
        let mut text = String::new();
        for (number, (user, _)) in self.0.iter().enumerate() {
            let more = |others: usize| format!(", +{others} more");
            let others = self.len() - number - 1;
            let end = if others > 0 { more(others).len() } else { 0 };
            let separator = if number > 0 { ", " } else { "" };
            let longer = format!("{text}{separator}{}", user.pid);
            if number > 0 && longer.len() + end > room {
                return text + &more(others + 1);
            }
            text = longer;
        }
        text
    }
}

fn of_threads(threads: u64) -> String {
    if threads > 1 { format!(", {threads} threads") } else { String::new() }
}
