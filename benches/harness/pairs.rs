//! Commands in turn with those of others, and what their times are to each other.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Result;

/// Processes that do nothing, until they are dropped.
pub struct Sleepers(pub Vec<Child>);

impl Sleepers {
    /// Starts this many.
    pub fn start(number: usize) -> Result<Sleepers> {
        let sleep = |_| Command::new("sleep").arg("600").spawn();
        Ok(Sleepers((0..number).map(sleep).collect::<std::io::Result<_>>()?))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl Drop for Sleepers {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A command of these words.
pub fn command(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

/// Runs a command to its end; what it prints goes through a pipe into the void.
pub fn time(command: &mut Command) -> Result<Duration> {
    let mut void = vec![0; 1 << 20];
    let start = Instant::now();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
    if let Some(mut output) = child.stdout.take() {
        while output.read(&mut void)? > 0 {}
    }
    let status = child.wait()?;
    let elapsed = start.elapsed();
    match status.success() {
        true => Ok(elapsed),
        false => Err(format!("{command:?}: {status}").into()),
    }
}

/// Times two commands in turn, and prints the median ratio. Returns both medians.
pub fn pairs(
    name: &str,
    rounds: usize,
    ours: &dyn Fn() -> Command,
    theirs: &dyn Fn() -> Command,
) -> Result<(Duration, Duration)> {
    pairs_between(name, rounds, ours, theirs, &|| Ok(()))
}

/// Times two commands in turn, with `between` after each, and prints the median ratio, the middle half of the
/// ratios, both medians and the number of pairs. Returns both medians.
pub fn pairs_between(
    name: &str,
    rounds: usize,
    ours: &dyn Fn() -> Command,
    theirs: &dyn Fn() -> Command,
    between: &dyn Fn() -> Result<()>,
) -> Result<(Duration, Duration)> {
    let mut ratios = Vec::new();
    let (mut times, mut their_times) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let our_time = time(&mut ours())?;
        between()?;
        let their_time = time(&mut theirs())?;
        between()?;
        // The first pair warms up.
        if round > 0 {
            ratios.push(our_time.as_secs_f64() / their_time.as_secs_f64());
            times.push(our_time);
            their_times.push(their_time);
        }
    }
    ratios.sort_by(f64::total_cmp);
    times.sort();
    their_times.sort();
    println!(
        "  {name:<31} {:.2}  ({:.2} to {:.2}; {:.1?} beside {:.1?}, {rounds} pairs)",
        ratios[rounds / 2],
        ratios[rounds / 4],
        ratios[(rounds * 3 / 4).min(rounds - 1)],
        times[rounds / 2],
        their_times[rounds / 2],
    );
    Ok((times[rounds / 2], their_times[rounds / 2]))
}
