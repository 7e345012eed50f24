//! How the time and the memory of commands grow with the number of objects, and of processes.
//!
//! `cargo bench --bench growth` runs it in an IPC namespace of its own, as root or (where user namespaces are
//! allowed) as anybody. Each line has the least of several times for each number, the exponent of the power of the
//! number that fits them best, and the most memory, in MiB. It fails if an exponent is over 1.1, or if `doctor`
//! takes more than four times as long as `list --who` on the largest table. An exponent far below 1 says that most
//! of the time does not depend on the number yet.

mod harness;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::Result;
use harness::pairs::Sleepers;
use ipctool::ipc::{Key, Mode};
use ipctool::kernel::sysv::msg;
use nix::sys::resource::{UsageWho, getrusage};

const IPCTOOL: &str = env!("CARGO_BIN_EXE_ipctool");
const OBJECTS: [usize; 4] = [1_000, 4_000, 16_000, 32_000];
const PROCESSES: [usize; 3] = [500, 2_000, 8_000];
/// How many references a command gets.
const REFERENCES: usize = 200;
/// How often each is timed.
const ROUNDS: usize = 7;
const MOST: f64 = 1.1;

/// Makes the program run one command and print its time and memory: the memory of children is known as the most of
/// all of them.
const MEASURE: &str = "IPCTOOL_BENCH_MEASURE";

/// A command, and which references it is given.
const COMMANDS: [(&[&str], Target); 12] = [
    (&["list"], Target::Nothing),
    (&["list", "--json"], Target::Nothing),
    (&["list", "--who"], Target::Nothing),
    (&["doctor"], Target::Nothing),
    (&["rm", "--kind", "msg", "--orphan", "--dry-run"], Target::Nothing),
    (&["limits"], Target::Nothing),
    (&["stat"], Target::Present),
    (&["rm", "--dry-run"], Target::Present),
    (&["chmod", "600"], Target::Present),
    (&["chmod", "600"], Target::Missing),
    (&["rm"], Target::Missing),
    (&["rm", "--force"], Target::Missing),
];

/// The key of a segment.
const KEY: &str = "0xbe7c4";

/// Those that look at every process.
const LOOKS: [&[&str]; 5] = [
    &["list", "--who"],
    &["stat", "shm:0xbe7c4"],
    &["doctor"],
    &["rm", "--kind", "shm", "--orphan", "--dry-run"],
    &["limits"],
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Nothing,
    Present,
    Missing,
}

fn main() -> Result<()> {
    if std::env::var_os(MEASURE).is_some() {
        return measure();
    }
    if !harness::is_inside() {
        return harness::run_inside(&["--pid", "--fork", "--mount-proc"]);
    }
    let mut table = Vec::new();
    let mut ids = Vec::new();
    for number in OBJECTS {
        while ids.len() < number {
            ids.push(msg::create(Key::PRIVATE, Mode::from_bits(0o600), false)?);
        }
        let costs = COMMANDS.map(|(words, target)| least(&line(words, target, &ids)));
        table.push(costs.into_iter().collect::<Result<Vec<_>>>()?);
    }
    let names = COMMANDS.map(|(words, target)| match target {
        Target::Nothing => words.join(" "),
        Target::Present => format!("{} of {REFERENCES}", words.join(" ")),
        Target::Missing => format!("{} of {REFERENCES} missing", words.join(" ")),
    });
    let mut is_slow = print("queues", &OBJECTS, &names, &table);
    let largest = table.last().expect("there are sizes");
    let ratio = largest[3].time.as_secs_f64() / largest[2].time.as_secs_f64();
    println!("doctor / list --who of {}: {ratio:.2}", ids.len());
    is_slow |= ratio > 4.0;
    ids.into_iter().try_for_each(msg::remove)?;

    least(&["create", "shm", "--key", KEY, "--size", "4096"].map(String::from))?;
    // A process that has it attached, so that there is something to look for.
    let directory = tempfile::tempdir()?;
    let mut holder = Command::new(harness::compile("loop.c", directory.path(), &["-O2"])?);
    let holder = Sleepers(vec![holder.args(["hold", KEY, "1", "4096"]).spawn()?]);
    let mut table = Vec::new();
    let mut sleepers = vec![holder];
    for number in PROCESSES {
        sleepers.push(Sleepers::start(number - sleepers.iter().map(Sleepers::len).sum::<usize>())?);
        let costs = LOOKS.map(|words| least(&line(words, Target::Nothing, &[])));
        table.push(costs.into_iter().collect::<Result<Vec<_>>>()?);
    }
    is_slow |= print("processes", &PROCESSES, &LOOKS.map(|words| words.join(" ")), &table);
    if is_slow { Err(format!("something grows faster than n^{MOST}").into()) } else { Ok(()) }
}

/// The words of a command.
fn line(words: &[&str], target: Target, ids: &[i32]) -> Vec<String> {
    let references = ids.iter().rev().take(REFERENCES).filter_map(|id| match target {
        Target::Nothing => None,
        Target::Present => Some(format!("msg:{id}")),
        // The slot of a queue with a sequence that is long gone or never was.
        Target::Missing => Some(format!("msg:{}", id + (1000 << 15))),
    });
    words.iter().map(ToString::to_string).chain(references).collect()
}

/// What a command takes.
#[derive(Clone, Copy, Debug)]
struct Cost {
    time: Duration,
    /// In KiB.
    memory: u64,
}

/// The least time of a command, and the most memory.
fn least(line: &[String]) -> Result<Cost> {
    let mut least = Cost { time: Duration::MAX, memory: 0 };
    for _ in 0..ROUNDS {
        let mut measure = Command::new(std::env::current_exe()?);
        let output = measure.args(line).env(MEASURE, "1").output()?;
        let text = String::from_utf8(output.stdout)?;
        let mut words = text.split_whitespace().map(str::parse::<u64>);
        let mut next = || words.next().ok_or("nothing was measured");
        least.time = least.time.min(Duration::from_nanos(next()??));
        least.memory = least.memory.max(next()??);
    }
    Ok(least)
}

fn measure() -> Result<()> {
    let mut command = Command::new(IPCTOOL);
    command.args(std::env::args().skip(1).filter(|word| word != "--bench"));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    command.status()?;
    let time = start.elapsed();
    println!("{} {}", time.as_nanos(), getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss());
    Ok(())
}

/// Prints the costs; returns whether one grows too fast.
fn print(what: &str, numbers: &[usize], names: &[String], table: &[Vec<Cost>]) -> bool {
    let heads: String = numbers.iter().map(|number| format!("{number:>8}")).collect();
    println!("{:<42}{heads}  exponent  MiB", format!("ms, by {what}"));
    let mut is_slow = false;
    for (place, name) in names.iter().enumerate() {
        let costs = table.iter().map(|row| row[place]);
        let times: Vec<f64> = costs.clone().map(|cost| cost.time.as_secs_f64() * 1e3).collect();
        let exponent = exponent(numbers, &times);
        let shown: String = times.iter().map(|time| format!("{time:>8.1}")).collect();
        let memory: Vec<_> =
            costs.map(|cost| format!("{:.1}", cost.memory as f64 / 1024.0)).collect();
        println!("{name:<42}{shown}  {exponent:>8.2}  {}", memory.join(", "));
        is_slow |= exponent > MOST;
    }
    is_slow
}

/// The slope of the line that fits the logarithms best.
fn exponent(numbers: &[usize], times: &[f64]) -> f64 {
    let points: Vec<(f64, f64)> = numbers
        .iter()
        .zip(times)
        .map(|(number, time)| ((*number as f64).ln(), time.ln()))
        .collect();
    let mean = |values: fn(&(f64, f64)) -> f64| {
        points.iter().map(values).sum::<f64>() / points.len() as f64
    };
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let above: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let below: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    above / below
}
