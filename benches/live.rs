//! What a command that looks again and again takes: time of a processor, beside the time that passes, and memory.
//!
//! `cargo bench --bench live` runs it in an IPC namespace of its own, as root or (where user namespaces are allowed)
//! as anybody.

mod harness;

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use harness::Result;
use ipctool::ipc::{Key, Mode};
use ipctool::kernel::sysv::msg;
use ipctool::kernel::terminal::Pseudoterminal;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, SysconfVar, sysconf};

const IPCTOOL: &str = env!("CARGO_BIN_EXE_ipctool");

/// How long each command is observed, after its first look.
const TIME: Duration = Duration::from_secs(20);

fn main() -> Result<()> {
    if !harness::is_inside() {
        return harness::run_inside(&["--mount"]);
    }
    println!("{:<34} {:>7} {:>10} {:>6}", "each second", "objects", "processor", "MiB");
    let mut made = 0;
    for number in [10, 100, 1_000, 32_000] {
        while made < number {
            msg::create(Key::PRIVATE, Mode::from_bits(0o600), false)?;
            made += 1;
        }
        for words in [&["watch", "--json"][..], &["watch"], &["watch", "--json", "msg"]] {
            let mut command = Command::new(IPCTOOL);
            observe(command.args(words).stdout(Stdio::null()), number)?;
        }
        let terminal = Pseudoterminal::open(80, 24)?;
        let mut screen = terminal.screen;
        let reader = thread::spawn(move || io::copy(&mut screen, &mut io::sink()));
        let end = || terminal.programs.try_clone();
        let mut command = Command::new(IPCTOOL);
        observe(command.arg("top").stdin(end()?).stdout(end()?).stderr(end()?), number)?;
        // Nobody has the other end of the terminal any more.
        drop((command, terminal.programs));
        let _ = reader.join();
    }
    Ok(())
}

/// Prints the share of a processor that a command takes, and the most memory that it had.
fn observe(command: &mut Command, objects: u32) -> Result<()> {
    let mut child = command.spawn()?;
    // The start is not what a day of it takes.
    thread::sleep(Duration::from_millis(500));
    let (start, before) = (Instant::now(), processor_time(child.id())?);
    thread::sleep(TIME);
    let taken = processor_time(child.id())? - before;
    let share = taken.as_secs_f64() / start.elapsed().as_secs_f64();
    let status = fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: f64 = peak.ok_or("no VmHWM")?.trim().trim_end_matches(" kB").parse()?;
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT)?;
    child.wait()?;
    let words: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    let name = format!("ipctool {}", words.join(" "));
    println!("{name:<34} {objects:>7} {:>9.2}% {:>6.1}", share * 100.0, kilobytes / 1024.0);
    Ok(())
}

/// How long it ran, `proc_pid_schedstat(5)`, which is exact; in ticks of 10 ms without that.
fn processor_time(pid: u32) -> Result<Duration> {
    let mut sum = Duration::ZERO;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
        match text.split(' ').next().and_then(|nanos| nanos.parse().ok()) {
            Some(nanos) => sum += Duration::from_nanos(nanos),
            None => return ticks(pid),
        }
    }
    Ok(sum)
}

fn ticks(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: Vec<u64> =
        fields.skip(11).take(2).map(str::parse).collect::<std::result::Result<_, _>>()?;
    let second = sysconf(SysconfVar::CLK_TCK)?.unwrap_or(100);
    Ok(Duration::from_secs_f64(ticks.iter().sum::<u64>() as f64 / second as f64))
}
