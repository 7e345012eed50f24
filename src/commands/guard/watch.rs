//! The command while it runs: the signals passed on to it, its time limit, and the processes it starts.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::setting::Setting;
use crate::cli::Guard;
use crate::exit::Status;
use crate::ipc::attribution::descendants::Descendants;
use crate::ipc::{Foreign, ProcessName};
use crate::kernel::descendants::Family;
use crate::kernel::descendants::child::{self, Ended, Fate};
use crate::kernel::io::poll;
use crate::kernel::process::{self, Length, ProcessIdentity};
use crate::kernel::signals::wait::deadline;
use crate::kernel::signals::{self, Inbox, Notice};

/// How long a background process may take to end by itself. One that reads the output of the command
/// through a pipe ends a little later than the command.
const LINGER: Duration = Duration::from_millis(200);

/// How long to wait for killed processes to end, and how often to look for new ones meanwhile.
const DEATH: Duration = Duration::from_secs(2);
const AGAIN: Duration = Duration::from_millis(20);

/// Within this time, the same signal from the same sender counts once, because `timeout(1)` signals its child
/// and then its whole group.
const ECHO: Duration = Duration::from_millis(200);

/// Runs and follows the command.
pub(super) struct Watch<'a> {
    args: &'a Guard,
    inbox: Inbox,
    family: Family,
    child: i32,
    ended: Option<Ended>,
    /// When the time limit ends, and when SIGKILL follows SIGTERM after that.
    ends_at: Option<Instant>,
    kill_at: Option<Instant>,
    is_timed_out: bool,
    interrupts: u32,
    /// The last signal with which another process asked this one to end, and when it arrived.
    last: Option<(Notice, Instant)>,
    from_terminal: Option<i32>,
}

/// A process that outlived the command.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Stray {
    /// Its id and command.
    #[serde(flatten)]
    pub name: ProcessName,
    /// Whether this process ended it.
    #[serde(rename = "ended")]
    pub has_ended: bool,
}

/// How the command ran.
pub(super) struct Course {
    /// How the command ended.
    pub ended: Ended,
    /// Whether it exceeded the time limit.
    pub is_timed_out: bool,
    /// The signal that the terminal sent to the command and to this process, as for Ctrl-C.
    pub from_terminal: Option<i32>,
    /// Whether the user interrupted it twice, so that everything was killed at once.
    pub is_abandoned: bool,
    /// The processes that outlived it.
    pub strays: Vec<Stray>,
}

impl Course {
    /// The status of the command, as a shell sees it.
    pub fn status(&self) -> u8 {
        match self.ended {
            _ if self.is_timed_out => Status::TIMED_OUT.code(),
            Ended::Status(status) => status,
            Ended::Signal(signal) => Status::Signal(signal).code(),
        }
    }
}

/// How much of command lines to keep: the JSON report has whole ones.
pub(super) fn length(args: &Guard) -> Length {
    if args.document().0.is_some() { Length::Whole } else { Length::Shown }
}

/// The user interrupted twice.
struct Abandoned;

impl<'a> Watch<'a> {
    /// Prepares for the command.
    pub fn begin(args: &'a Guard, setting: &Setting) -> io::Result<Watch<'a>> {
        child::adopt_orphans()?;
        Ok(Watch {
            args,
            inbox: Inbox::open()?,
            family: Family::watch(setting.inside(), length(args)),
            child: 0,
            ended: None,
            ends_at: None,
            kill_at: None,
            is_timed_out: false,
            interrupts: 0,
            last: None,
            from_terminal: None,
        })
    }

    /// Starts the command.
    pub fn start(&mut self, setting: &Setting) -> io::Result<()> {
        let words = &self.args.command;
        self.child = child::spawn(words, &self.inbox, setting.beyond())?;
        // As for timeout(1), 0 is no limit.
        self.ends_at = deadline(self.args.timeout.filter(|limit| !limit.is_zero()));
        let words: Vec<_> = words.iter().map(|word| word.as_bytes()).collect();
        self.family.add_child(self.child, Foreign::command(words.join(&b' '), false));
        Ok(())
    }

    /// The processes of the command, dead and alive.
    pub fn descendants(&mut self) -> Descendants<'_> {
        self.family.settle()
    }

    /// Waits for the command to end, and a little longer for the processes that it started.
    pub fn follow(&mut self) -> Course {
        let result = self.until(|watch| watch.ended.is_some(), None).and_then(|()| {
            match (self.is_timed_out, self.args.wait) {
                (true, _) => self.until(Watch::is_alone, self.kill_at),
                (false, true) => self.until(Watch::is_alone, None),
                (false, false) => self.until(Watch::is_alone, Some(Instant::now() + LINGER)),
            }
        });
        let is_abandoned = result.is_err();
        if is_abandoned || self.is_timed_out {
            self.kill_all();
        }
        Course {
            ended: self.ended.unwrap_or(Ended::Signal(signals::KILL)),
            is_timed_out: self.is_timed_out,
            from_terminal: self.from_terminal.filter(|_| !self.is_timed_out),
            is_abandoned,
            strays: self.strays(),
        }
    }

    /// Ends the processes that outlived the command: with SIGTERM, and after the time of `--kill-after` with
    /// SIGKILL. Processes that they start meanwhile to clean up have the same time. Returns whether there
    /// were any.
    pub fn end_strays(&mut self, course: &mut Course) -> bool {
        if self.is_alone() {
            return false;
        }
        self.ends_at = None;
        self.signal_all(signals::TERMINATE);
        self.signal_all(signals::CONTINUE);
        let kill_at = deadline(Some(self.args.kill_after));
        if self.until(Watch::is_alone, kill_at).is_err() || !self.is_alone() {
            self.kill_all();
        }
        course.strays.iter_mut().for_each(|stray| stray.has_ended = true);
        // Those that are still alive have not ended.
        for survivor in self.strays() {
            course.strays.retain(|stray| stray.name.pid != survivor.name.pid);
            course.strays.push(survivor);
        }
        true
    }

    /// Stops following the command: from now on a signal ends this process.
    pub fn close(self) -> io::Result<()> {
        self.inbox.close()
    }

    /// The processes of the command that are alive.
    pub fn living(&mut self) -> Vec<ProcessName> {
        self.family.settle();
        self.strays().into_iter().map(|stray| stray.name).collect()
    }

    /// The same, as of the last update.
    fn strays(&self) -> Vec<Stray> {
        let living = if self.is_alone() { Vec::new() } else { self.family.living() };
        let stray = |one: ProcessIdentity| Stray { name: self.name(one.pid), has_ended: false };
        living.into_iter().map(stray).collect()
    }

    fn name(&self, pid: i32) -> ProcessName {
        let observed = self.family.find(pid).and_then(|one| one.command.as_deref().cloned());
        ProcessName { pid, command: process::command(pid, length(self.args)).or(observed) }
    }

    /// Whether no process of the command is left.
    fn is_alone(&self) -> bool {
        self.family.is_extinct()
    }

    /// Handles signals, ended processes and the time limit until a condition holds, or until a moment.
    fn until(
        &mut self,
        is_so: impl Fn(&Watch<'a>) -> bool,
        moment: Option<Instant>,
    ) -> Result<(), Abandoned> {
        loop {
            while let Some(notice) = self.inbox.next() {
                self.handle(notice)?;
            }
            while let Some(fate) = child::reap() {
                self.reap(fate);
            }
            // After reaping, because by then the children of a reaped process are recorded.
            self.family.update();
            let now = Instant::now();
            if is_so(self) || moment.is_some_and(|moment| moment <= now) {
                return Ok(());
            }
            self.enforce_time_limit(now);
            let next = [moment, self.ends_at, self.kill_at].into_iter().flatten().min();
            let wait = next.map(|next| next.saturating_duration_since(now));
            let wait = wait.into_iter().chain(self.family.patience()).min();
            let descriptors: Vec<_> =
                std::iter::once(self.inbox.as_fd()).chain(self.family.descriptors()).collect();
            poll::wait_any_readable(&descriptors, wait);
        }
    }

    /// Handles the end or stop of a child.
    fn reap(&mut self, fate: Fate) {
        match fate {
            Fate::Ended(pid, how) => {
                self.family.reaped(pid);
                if pid == self.child {
                    self.ended = Some(how);
                    // The command kept the limit, which now applies only if there are others to wait for.
                    if !self.args.wait {
                        self.ends_at = None;
                    }
                }
            }
            // Stop with the command, as under a shell's job control, which continues both. With a time limit
            // this process has to keep running.
            Fate::Stopped(pid) if pid == self.child && self.ends_at.is_none() => signals::stop(),
            Fate::Stopped(_) => {}
        }
    }

    /// Ends the command when its time limit is over.
    fn enforce_time_limit(&mut self, now: Instant) {
        if self.ends_at.is_some_and(|over| over <= now) {
            self.ends_at = None;
            self.is_timed_out = true;
            self.kill_at = deadline(Some(self.args.kill_after));
            self.signal_all(signals::TERMINATE);
            self.signal_all(signals::CONTINUE);
        }
        if self.kill_at.is_some_and(|over| over <= now) {
            self.signal_all(signals::KILL);
            // A new process may have been started just now.
            self.kill_at = Some(now + AGAIN);
        }
    }

    /// Passes a signal on to the command.
    fn handle(&mut self, notice: Notice) -> Result<(), Abandoned> {
        let Notice { signal, sender } = notice;
        match sender {
            _ if signal == signals::CHILD => return Ok(()),
            Some(_) if signals::asks_to_end(signal) && self.is_echo(notice) => return Ok(()),
            // A process of the command signalled its whole group.
            Some(pid) if self.family.is_member(pid) => return Ok(()),
            None if signal == signals::CONTINUE => return Ok(()),
            // The terminal sent it to the command as well.
            None if signals::is_shared(signal) => self.from_terminal = Some(signal),
            _ if self.ended.is_none() => {
                let _ = child::kill(self.child, signal);
            }
            _ => self.signal_all(signal),
        }
        self.interrupts += u32::from(signal == signals::INTERRUPT);
        if self.interrupts > 1 { Err(Abandoned) } else { Ok(()) }
    }

    /// Whether the same process has just sent the same signal.
    fn is_echo(&mut self, notice: Notice) -> bool {
        let now = Instant::now();
        let last = self.last.replace((notice, now));
        last.is_some_and(|(last, then)| last == notice && now.duration_since(then) < ECHO)
    }

    /// Sends a signal to every living process of the command, and never to another process with a reused id.
    fn signal_all(&mut self, signal: i32) {
        // Descendants are found through their parent, so before the command ends.
        self.family.meet_living();
        let living = self.family.living();
        if self.ended.is_none() {
            let _ = child::kill(self.child, signal);
        }
        let others = living.into_iter().filter(|one| one.pid != self.child);
        others.for_each(|process: ProcessIdentity| {
            let _ = child::signal(process, signal);
        });
    }

    /// Kills all processes of the command at once.
    fn kill_all(&mut self) {
        let end = Instant::now() + DEATH;
        self.ends_at = None;
        while !(self.ended.is_some() && self.is_alone()) && Instant::now() < end {
            self.signal_all(signals::KILL);
            // A further interrupt changes nothing now.
            let _ = self.until(
                |watch| watch.ended.is_some() && watch.is_alone(),
                Some(Instant::now() + AGAIN),
            );
        }
    }
}
