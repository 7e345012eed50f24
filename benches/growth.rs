//! How long commands on many objects take beside a list of them, and how that grows with the table.
//!
//! `cargo bench --bench growth` runs it in an IPC namespace of its own, as root or (where user
//! namespaces are allowed) as anybody. It runs the commands in this process, with their output into the
//! void, on tables of 1,000 to 32,000 queues. Each line is the least of several times divided by the
//! least of `list`; the last column is the time for each object of the table, on the largest table
//! divided by that on the smallest. The first line shows how that grows in the kernel alone, which
//! looks for its place in the table anew for each page that it hands out. It fails where a command takes more than 3 lists.

mod harness;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use clap::Parser;
use harness::Result;
use ipctool::cli::Cli;
use ipctool::commands;
use ipctool::ipc::{Key, Mode};
use ipctool::kernel::Namespace;
use ipctool::kernel::sysv::msg;

/// How many queues there are, in turn.
const SIZES: [usize; 4] = [1_000, 4_000, 16_000, 32_000];
/// How many references a command gets.
const REFERENCES: usize = 200;
/// How often each is timed.
const ROUNDS: usize = 9;
/// So many lists a command may take.
const MOST: f64 = 3.0;

/// A command, and whether it is given the references of objects that are not there.
const COMMANDS: [(&[&str], Target); 8] = [
    (&["read /proc/sysvipc/msg"], Target::Table),
    (&["list", "msg"], Target::Nothing),
    (&["stat"], Target::Present),
    (&["rm", "--dry-run"], Target::Present),
    (&["chmod", "600"], Target::Present),
    (&["chmod", "600"], Target::Missing),
    (&["rm"], Target::Missing),
    (&["rm", "--force"], Target::Missing),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// No command: the table is read and thrown away.
    Table,
    Nothing,
    Present,
    Missing,
}

fn main() -> Result<()> {
    if !harness::is_inside() {
        return harness::run_inside(&[]);
    }
    let mut out = Output::silenced()?;
    fs::write("/proc/sys/kernel/msgmni", SIZES[SIZES.len() - 1].to_string())?;
    let mut ids = Vec::new();
    let mut table = Vec::new();
    for size in SIZES {
        while ids.len() < size {
            ids.push(msg::create(Key::PRIVATE, Mode::from_bits(0o600), false)?);
        }
        table.push(COMMANDS.map(|(words, target)| least(words, target, &ids)));
    }
    let sizes = SIZES.map(|size| format!("{size:>8}")).concat();
    out.line(&format!("{:<34}{sizes}   growth for each object", "commands / list, by queues"))?;
    let mut is_slow = false;
    for (number, (words, target)) in COMMANDS.into_iter().enumerate() {
        let times: Vec<f64> = table.iter().map(|row| row[number].as_secs_f64()).collect();
        let lists = table.iter().map(|row| row[1].as_secs_f64());
        let ratios: Vec<f64> = times.iter().zip(lists).map(|(time, list)| time / list).collect();
        let growth =
            (times[SIZES.len() - 1] / times[0]) * SIZES[0] as f64 / SIZES[SIZES.len() - 1] as f64;
        let name = match target {
            Target::Table | Target::Nothing => words.join(" "),
            Target::Present => format!("{} of {REFERENCES}", words.join(" ")),
            Target::Missing => format!("{} of {REFERENCES} missing", words.join(" ")),
        };
        let shown: String = ratios.iter().map(|ratio| format!("{ratio:>8.2}")).collect();
        out.line(&format!("{name:<34}{shown}   {growth:.2}"))?;
        // On a small table a list is over before {REFERENCES} references can be.
        is_slow |= ratios[SIZES.len() - 2..].iter().any(|ratio| *ratio > MOST);
    }
    if is_slow { Err(format!("a command takes more than {MOST} lists").into()) } else { Ok(()) }
}

/// The least time of a command.
fn least(words: &[&str], target: Target, ids: &[i32]) -> Duration {
    let references = ids.iter().rev().take(REFERENCES).map(|id| match target {
        Target::Table | Target::Nothing => None,
        Target::Present => Some(format!("msg:{id}")),
        // The slot of a queue with a sequence that is long gone or never was.
        Target::Missing => Some(format!("msg:{}", id + (1000 << 15))),
    });
    let line: Vec<String> = ["ipctool"]
        .iter()
        .chain(words)
        .map(ToString::to_string)
        .chain(references.flatten())
        .collect();
    let time = || {
        if target == Target::Table {
            let start = Instant::now();
            let _ = fs::read("/proc/sysvipc/msg");
            return start.elapsed();
        }
        let cli = Cli::try_parse_from(&line).expect("the command line is right");
        let namespace = Namespace::own();
        let start = Instant::now();
        commands::run(cli, &namespace);
        start.elapsed()
    };
    (0..ROUNDS).map(|_| time()).min().unwrap_or_default()
}

/// Standard output, while the commands write into the void.
struct Output(File);

impl Output {
    fn silenced() -> Result<Output> {
        let output = File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
        let void = OpenOptions::new().write(true).open("/dev/null")?;
        nix::unistd::dup2_stdout(&void)?;
        nix::unistd::dup2_stderr(&void)?;
        Ok(Output(output))
    }

    fn line(&mut self, line: &str) -> Result<()> {
        Ok(writeln!(self.0, "{line}")?)
    }
}
