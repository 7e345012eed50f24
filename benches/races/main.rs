//! `ipctool rm --orphan` against programs that begin to use an object at that very moment: is
//! anything ever removed that was already in use when `ipctool` looked for the last time?
//!
//! `cargo bench --bench races` runs it as root in IPC and mount namespaces of its own, takes about
//! a minute, and fails on a wrong removal. `RACES_ROUNDS` is the number of rounds of each scenario;
//! words behind `--` choose scenarios by their titles.
//! It needs a C compiler and `unshare` of util-linux.
//!
//! A round is one object: made by a process that is gone, so a true orphan; then somebody begins to
//! use it while `ipctool` is at work (`adversary.c`). Both sides keep the moment of each call, on
//! the same clock (`witness.c` is preloaded into `ipctool`), so what happened first is known and
//! never guessed:
//!
//! - *gone first*: the object was removed before anybody used it, as it should be.
//! - *spared*: it was in use when `ipctool` selected; *refused*: `ipctool` said that it was used
//!   since it was selected.
//! - *instant*: the use began after the last look at what could have shown it, and before the
//!   removal.
//! - *WRONG*: the use had begun, provably, before that last look. Or there was no such look right
//!   before the removal: another object was removed in between, or something was written to standard
//!   output or standard error, which may take any time. One look at all threads is good for 512 queues.
//!   Or whoever began to use it was held up for seconds.
//!
//! # The instant that remains
//!
//! The kernel has no call that removes an object only if nobody uses it. `msgctl(IPC_RMID)`,
//! `semctl(IPC_RMID)` and `unlink` remove unconditionally, and a look is a call of its own, so a use
//! that begins between the two is not seen.
//!
//! - What the kernel keeps in the object (messages, attached processes, the last pid and the number
//!   of waiters of a semaphore): the time between two system calls of one thread. That is a
//!   microsecond or two, unless the scheduler takes the processor away just then.
//! - A segment that is attached in that time is only marked, and stays for whoever attached it.
//! - Who sleeps in `msgrcv` or `msgsnd` only `/proc/PID/task/TID/syscall` shows: the time of a look
//!   at every thread of the machine, some milliseconds, and of the removals that follow it.
//! - A file under a lease: whoever opens it meanwhile waits until the lease is given back, and then
//!   has the file without its name. A name that is given to a new file between the last look at the
//!   name and `unlink`: some ten microseconds.
//!
//! The table has what was measured, from before the call that begins the use to the call that removes.

#[path = "../harness/mod.rs"]
mod harness;
mod testimony;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::Result;
use testimony::{Outcome, Run, Use, judge};

const IPCTOOL: &str = env!("CARGO_BIN_EXE_ipctool");

/// Rounds of each scenario, unless `RACES_ROUNDS` says otherwise.
const ROUNDS: usize = 600;

/// Most runs of `ipctool` for a scenario: chance may leave a round out, if `ipctool` ends first.
const RUNS: usize = 100;

/// After how many events of the first run a use may begin.
const FIRST_WINDOW: (i64, i64) = (0, 2_000);

/// The same in nanoseconds after the start, where nobody reads standard output until the end of it.
const SLOW_WINDOW: (i64, i64) = (100_000_000, 300_000_000);

/// The title of the sums.
const ALL: &str = "all";

/// What an adversary does, and to how many objects in a run.
struct Scenario {
    kind: &'static str,
    uses: Use,
    /// So many orphans there are.
    objects: usize,
    /// So many of them, the last ones, are used.
    used: usize,
    slow: Option<Slow>,
}

/// What of `ipctool` leads to a pipe that is read late.
#[derive(Clone, Copy, PartialEq)]
enum Slow {
    Output,
    OutputAndErrors,
}

const fn race(kind: &'static str, uses: Use) -> Scenario {
    Scenario { kind, uses, objects: 96, used: 96, slow: None }
}

/// Behind so many others that no look at all is good for the last ones.
const fn late(kind: &'static str, uses: Use) -> Scenario {
    Scenario { kind, uses, objects: 3_000, used: 96, slow: None }
}

/// So many that their references do not fit into the pipe.
const fn slow(kind: &'static str, uses: Use, slow: Slow) -> Scenario {
    Scenario { kind, uses, objects: 700, used: 160, slow: Some(slow) }
}

const SCENARIOS: [Scenario; 18] = [
    late("msg", Use::Wait),
    race("msg", Use::Message),
    race("msg", Use::Renew),
    race("sem", Use::Wait),
    race("sem", Use::Operate),
    race("sem", Use::Renew),
    race("shm", Use::Attach),
    race("shm", Use::Renew),
    race("pmsg", Use::Open),
    race("pmsg", Use::Renew),
    race("pshm", Use::Open),
    race("pshm", Use::Renew),
    race("psem", Use::Open),
    race("psem", Use::Renew),
    slow("msg", Use::Wait, Slow::Output),
    slow("sem", Use::Operate, Slow::OutputAndErrors),
    slow("pshm", Use::Open, Slow::Output),
    slow("psem", Use::Open, Slow::OutputAndErrors),
];

fn main() -> Result<()> {
    if !harness::is_inside() {
        // The objects belong to another user than the one who comes to use them: else the heirs of
        // their owner would be spared, and there would be no race.
        if fs::metadata("/proc/self")?.uid() != 0 {
            return Err("it takes root, who can be two users".into());
        }
        return harness::run_inside(&["--mount"]);
    }
    let mount = ["-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/dev/shm"];
    if !Command::new("mount").args(mount).status()?.success() {
        return Err("no /dev/shm of its own".into());
    }
    let directory = tempfile::tempdir()?;
    let (options, shared) = (["-O2", "-pthread"], ["-O2", "-shared", "-fPIC"]);
    let adversary = harness::compile("races/adversary.c", directory.path(), &options)?;
    let witness = harness::compile("races/witness.c", directory.path(), &shared)?;
    let rounds = match std::env::var("RACES_ROUNDS") {
        Ok(rounds) => rounds.parse()?,
        Err(_) => ROUNDS,
    };

    println!(
        "{:<58}{:>7}{:>8}{:>8}{:>8}{:>9}{:>11}{:>9}{:>7}{:>7}",
        "", "rounds", "gone", "spared", "refused", "instant", "median µs", "max µs", "WRONG", "s"
    );
    let start = Instant::now();
    let mut sum = Tally::default();
    let only: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_chosen = |scenario: &&Scenario| {
        only.is_empty() || only.iter().any(|word| scenario.title().contains(word))
    };
    for scenario in SCENARIOS.iter().filter(is_chosen) {
        let start = Instant::now();
        let tally = scenario.run(rounds, &adversary, &witness, directory.path())?;
        let seconds = start.elapsed().as_secs_f64();
        tally.print(&scenario.title(), seconds);
        sum.add(tally);
    }
    sum.print(ALL, start.elapsed().as_secs_f64());
    match sum.wrong.first() {
        None => Ok(()),
        Some(_) => Err(format!("{} went wrong", sum.wrong.len()).into()),
    }
}

impl Scenario {
    fn title(&self) -> String {
        let what = match (self.kind, self.uses) {
            (_, Use::Wait) => "somebody waits on it",
            (_, Use::Message) => "a message is sent to it",
            (_, Use::Operate) => "operated on, in the same second",
            (_, Use::Attach) => "attached",
            (_, Use::Open) => "opened",
            ("msg" | "sem" | "shm", Use::Renew) => "made again under its key",
            (_, Use::Renew) => "made again under its name",
        };
        match self.slow {
            None => format!("{}: {what}", self.kind),
            Some(Slow::Output) => format!("{}: {what}; slow output", self.kind),
            Some(Slow::OutputAndErrors) => format!("{}: {what}; slow, errors too", self.kind),
        }
    }

    /// Runs `ipctool` until there were so many rounds.
    fn run(&self, rounds: usize, adversary: &Path, witness: &Path, at: &Path) -> Result<Tally> {
        let (log, pace) = (at.join("log"), at.join("pace"));
        let mut command = Command::new(adversary);
        let (objects, used) = (self.objects.to_string(), self.used.to_string());
        let slow = match self.slow {
            None => "none",
            Some(Slow::Output) => "out",
            Some(Slow::OutputAndErrors) => "both",
        };
        command.args([self.kind, self.uses.word(), &objects, &used, slow]).args([at, &pace]);
        // What prints nothing tells in JSON what was refused; what prints much is to print it.
        let form = if self.slow.is_some() { "--verbose" } else { "--json" };
        let preload = [OsStr::new("LD_PRELOAD="), witness.as_os_str()].join(OsStr::new(""));
        command.arg("/usr/bin/env").arg(preload).arg(IPCTOOL);
        command
            .args(["rm", "--orphan", "--kind", self.kind, "--yes", form])
            .envs([("WITNESS", &log), ("PACE", &pace)]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut stdin = child.stdin.take().expect("it is piped");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();

        let mut tally = Tally::default();
        let mut window = if self.slow.is_some() { SLOW_WINDOW } else { FIRST_WINDOW };
        for _ in 0..RUNS.max(rounds / 10) {
            if tally.rounds() >= rounds {
                break;
            }
            let _ = fs::remove_file(&log);
            writeln!(stdin, "{} {}", window.0, window.1)?;
            let run = Run::read(&mut lines, &log, child.id())
                .map_err(|error| format!("{}: {error}", self.title()))?;
            let printed = match self.slow {
                None => fs::read_to_string(at.join("out"))?,
                Some(_) => String::new(),
            };
            for one in &run.used {
                tally.count(judge(one, self.kind, self.uses, &run)?, || {
                    printed.contains(&format!("{}\",\"error", one.reference(self.kind)))
                });
            }
            if self.slow.is_none() {
                window = run.window();
            }
        }
        drop(stdin);
        child.wait()?;
        Ok(tally)
    }
}

/// What became of the objects of many rounds.
#[derive(Default)]
struct Tally {
    gone: usize,
    spared: usize,
    refused: usize,
    instant: Vec<Duration>,
    /// Each with how it went.
    wrong: Vec<String>,
}

impl Tally {
    fn rounds(&self) -> usize {
        self.gone + self.spared + self.refused + self.instant.len() + self.wrong.len()
    }

    fn count(&mut self, outcome: Outcome, is_refused: impl FnOnce() -> bool) {
        match outcome {
            Outcome::GoneFirst => self.gone += 1,
            Outcome::Kept if is_refused() => self.refused += 1,
            Outcome::Kept => self.spared += 1,
            Outcome::Instant(length) => self.instant.push(length),
            Outcome::Wrong(how) => self.wrong.push(how),
        }
    }

    fn add(&mut self, other: Tally) {
        self.gone += other.gone;
        self.spared += other.spared;
        self.refused += other.refused;
        self.instant.extend(other.instant);
        self.wrong.extend(other.wrong);
    }

    fn print(&self, title: &str, seconds: f64) {
        let mut lengths: Vec<_> = self.instant.iter().map(Duration::as_micros).collect();
        lengths.sort_unstable();
        let text = |length: Option<&u128>| length.map_or("-".to_owned(), u128::to_string);
        println!(
            "{title:<58}{:>7}{:>8}{:>8}{:>8}{:>9}{:>11}{:>9}{:>7}{seconds:>7.1}",
            self.rounds(),
            self.gone,
            self.spared,
            self.refused,
            lengths.len(),
            text(lengths.get(lengths.len() / 2)),
            text(lengths.last()),
            self.wrong.len(),
        );
        if title != ALL
            && let Some(how) = self.wrong.first()
        {
            println!("    such as {how}");
        }
    }
}
