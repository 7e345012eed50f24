//! `ipctool relay` with faults: is every message delivered at least once, or a dead letter? And how fast it is
//! without them, beside `xargs`.
//!
//! `cargo bench --bench relay` runs it in an IPC namespace of its own, as root or (where user namespaces are
//! allowed) as anybody. `FAULTS` is the number of faults, 10,000 by default; below that, only the faults are run.
//! It fails if a message is lost.
//!
//! The command fails, hangs, dies by a signal and closes its input, as it likes; relay is killed with SIGKILL at
//! random moments, often with another relay beside it; the disk of the journal is full for a while; the queue is
//! removed, with what is on it (which is noted before, since the kernel destroys that), and made again.

mod harness;

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use harness::Result;
use ipctool::ipc::message::{Label, Message, TYPE_SIZE, Wanted};
use ipctool::ipc::{Key, Mode};
use ipctool::kernel::sysv::msg;

const IPCTOOL: &str = env!("CARGO_BIN_EXE_ipctool");
const KEY: Key = Key(0xbe7c5);

/// Makes the program the command of a relay; the value is the directory of the run.
const COMMAND: &str = "IPCTOOL_BENCH_COMMAND";

/// Random numbers, the same in each run: xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

fn main() -> Result<()> {
    if let Some(directory) = std::env::var_os(COMMAND) {
        return command(Path::new(&directory));
    }
    if !harness::is_inside() {
        return harness::run_inside(&["--mount"]);
    }
    let faults = std::env::var("FAULTS").ok().and_then(|text| text.parse().ok());
    torture(faults.unwrap_or(10_000))?;
    if faults.is_none() {
        speed()?;
    }
    Ok(())
}

/// What the relay runs: it notes the message and then does as the dice say.
fn command(directory: &Path) -> Result<()> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let seed = now.as_nanos() as u64 ^ (u64::from(std::process::id()) << 32);
    let mut dice = Dice(seed | 1);
    (0..5).for_each(|_| {
        dice.below(2);
    });
    let note = |name: &str, text: &str| -> Result<()> {
        let mut file = OpenOptions::new().append(true).create(true).open(directory.join(name))?;
        Ok(file.write_all(text.as_bytes())?)
    };
    let fault = dice.below(100);
    if fault < 6 {
        // It does not even read.
        note("faults", "c\n")?;
        std::process::exit(1);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    match fault {
        6..14 => note("faults", "s\n").map(|()| std::process::exit(3)),
        14..22 => {
            note("faults", "k\n")?;
            Command::new("kill").args(["-9", &std::process::id().to_string()]).status()?;
            Ok(())
        }
        22..24 => {
            note("faults", "h\n")?;
            thread::sleep(Duration::from_secs(60));
            Ok(())
        }
        // It has done its work, and fails all the same.
        24..28 => note("delivered", &text)
            .and_then(|()| note("faults", "l\n"))
            .map(|()| std::process::exit(1)),
        _ => note("delivered", &text),
    }
}

/// One run with so many faults.
fn torture(most: usize) -> Result<()> {
    let start = Instant::now();
    let place = tempfile::tempdir()?;
    let directory = place.path();
    let disk = directory.join("disk");
    fs::create_dir(&disk)?;
    let is_mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=256k", "none"])
        .arg(&disk)
        .status()?
        .success();
    if !is_mounted {
        return Err("no file system for the journal can be mounted".into());
    }
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let mut queue = msg::create(KEY, Mode::from_bits(0o600), false)?;
    let (mut sent, mut own_faults) = (0u64, 0usize);
    let mut destroyed: Vec<u64> = Vec::new();
    let mut relays: Vec<Child> = Vec::new();
    let count_faults = |own: usize| -> usize {
        let of_commands = fs::read(directory.join("faults")).unwrap_or_default();
        own + of_commands.iter().filter(|byte| **byte == b'\n').count()
    };
    while count_faults(own_faults) < most {
        while relays.len() < 1 + dice.below(2) as usize {
            let exe = std::env::current_exe()?;
            relays.push(relay(directory, &disk, &mut dice)?.arg("--").arg(exe).spawn()?);
        }
        for _ in 0..dice.below(12) {
            sent += 1;
            if !send(queue, sent)? {
                sent -= 1;
                break;
            }
        }
        thread::sleep(Duration::from_micros(500 + dice.below(40_000)));
        match dice.below(20) {
            // The disk is full for a while.
            0 => {
                own_faults += 1;
                let ballast = disk.join("ballast");
                let _ = File::create(&ballast)?.write_all(&vec![0; 256 << 10]);
                thread::sleep(Duration::from_micros(dice.below(40_000)));
                fs::remove_file(&ballast)?;
            }
            // The queue goes, and comes back.
            1 => {
                own_faults += 1;
                relays.iter_mut().try_for_each(end)?;
                relays.clear();
                destroyed.extend(contents(queue)?);
                msg::remove(queue)?;
                queue = msg::create(KEY, Mode::from_bits(0o600), true)?;
            }
            2..16 => {
                own_faults += 1;
                let number = dice.below(relays.len() as u64) as usize;
                end(&mut relays.swap_remove(number))?;
            }
            _ => {}
        }
        // Those that ended by themselves, as where the disk was full.
        relays.retain_mut(|relay| !matches!(relay.try_wait(), Ok(Some(_))));
    }
    relays.iter_mut().try_for_each(end)?;
    let faults = count_faults(own_faults);
    // What is left is delivered without further kills.
    let deadline = Instant::now() + Duration::from_secs(120);
    while !contents(queue)?.is_empty() || journals(&disk)? > 0 {
        relay(directory, &disk, &mut dice)?
            .arg("--once")
            .arg("--")
            .arg(std::env::current_exe()?)
            .status()?;
        if Instant::now() > deadline {
            return Err("it never came to an end".into());
        }
    }
    let mut seen: HashMap<u64, u64> = HashMap::new();
    let delivered = fs::read_to_string(directory.join("delivered"))?;
    let numbers = delivered.lines().filter_map(|line| line.trim().parse().ok());
    numbers.for_each(|number: u64| *seen.entry(number).or_default() += 1);
    let twice: u64 = seen.values().map(|times| times - 1).sum();
    let dead = dead_letters(&disk)?;
    let in_hand = dead.iter().chain(&destroyed);
    let lost: Vec<u64> = (1..=sent)
        .filter(|number| {
            !seen.contains_key(number) && !in_hand.clone().any(|other| other == number)
        })
        .collect();
    println!(
        "{faults} faults in {:.0?}: {sent} messages, {} delivered, {twice} more than once, {} dead letters, {} \
         destroyed with their queue, {} lost",
        start.elapsed(),
        seen.len(),
        dead.len(),
        destroyed.len(),
        lost.len()
    );
    Command::new("umount").arg(&disk).status()?;
    if lost.is_empty() { Ok(()) } else { Err(format!("lost: {lost:?}").into()) }
}

/// A relay that is not started yet.
fn relay(directory: &Path, disk: &Path, dice: &mut Dice) -> Result<Command> {
    let mut relay = Command::new(IPCTOOL);
    let dead = disk.parent().unwrap_or(disk).join("dead");
    relay.args(["relay", "0xbe7c5", "--backoff", "1ms", "--timeout", "40ms", "--retries"]);
    relay.arg(dice.below(4).to_string()).arg("--dead-letter").arg(dead);
    relay.env("XDG_STATE_HOME", disk).env(COMMAND, directory).stderr(Stdio::null());
    Ok(relay)
}

fn end(relay: &mut Child) -> Result<()> {
    relay.kill()?;
    relay.wait()?;
    Ok(())
}

/// Sends a number; whether there was room.
fn send(queue: i32, number: u64) -> Result<bool> {
    let mut message = Message::new(Label::Type(1));
    message.payload_mut().extend_from_slice(format!("{number}\n").as_bytes());
    Ok(msg::send(queue, message.as_bytes()).is_ok())
}

/// The numbers on a queue.
fn contents(queue: i32) -> Result<Vec<u64>> {
    let mut numbers = Vec::new();
    let mut buffer = vec![0; TYPE_SIZE + 64];
    while let Ok(size) = msg::peek(queue, numbers.len() as i64, &mut buffer) {
        let text = std::str::from_utf8(&buffer[TYPE_SIZE..TYPE_SIZE + size])?;
        numbers.push(text.trim().parse()?);
    }
    Ok(numbers)
}

fn state(disk: &Path) -> PathBuf {
    disk.join("ipctool/relay")
}

/// How many journals hold something.
fn journals(disk: &Path) -> Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(state(disk))? {
        let entry = entry?;
        let name = entry.file_name().into_string().unwrap_or_default();
        if name.contains("damaged") {
            return Err(format!("a journal is damaged: {name}").into());
        }
        count += usize::from(name.ends_with(".journal") && entry.metadata()?.len() > 0);
    }
    Ok(count)
}

fn dead_letters(disk: &Path) -> Result<Vec<u64>> {
    let path = disk.parent().unwrap_or(disk).join("dead");
    let text = fs::read_to_string(path).unwrap_or_default();
    let number = |line: &str| -> Result<u64> {
        let record: serde_json::Value = serde_json::from_str(line)?;
        Ok(record["text"].as_str().unwrap_or_default().trim().parse()?)
    };
    // What SIGKILL has cut is still in a journal.
    text.lines().filter(|line| line.ends_with('}')).map(number).collect()
}

/// Messages a second, in batches, and one by one beside xargs.
fn speed() -> Result<()> {
    let state = tempfile::tempdir()?;
    let queue = msg::create(KEY, Mode::from_bits(0o600), false)?;
    let fill = |count: u64| -> Result<()> {
        fs::write("/proc/sys/kernel/msgmnb", "100000000")?;
        msg::set_max_bytes(queue, 100_000_000)?;
        let mut buffer = vec![0; TYPE_SIZE + 64];
        while msg::receive(queue, Wanted::Any, &mut buffer).is_ok() {}
        for number in 0..count {
            send(queue, number)?;
        }
        Ok(())
    };
    let relay = |options: &[&str]| -> Result<Duration> {
        let mut relay = Command::new(IPCTOOL);
        relay.args(["relay", "0xbe7c5", "--once"]).args(options).stdout(File::create("/dev/null")?);
        let start = Instant::now();
        if !relay.env("XDG_STATE_HOME", state.path()).status()?.success() {
            return Err("relay failed".into());
        }
        Ok(start.elapsed())
    };
    let median = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    const MANY: u64 = 200_000;
    let mut times = Vec::new();
    for _ in 0..5 {
        fill(MANY)?;
        times.push(relay(&["--batch", "1000", "--", "cat"])?);
    }
    let time = median(times);
    println!("--batch 1000 into cat: {:.0} messages a second", MANY as f64 / time.as_secs_f64());
    const FEW: u64 = 500;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        fill(FEW)?;
        ours.push(relay(&["--", "true"])?);
        let start = Instant::now();
        let line = format!("seq {FEW} | xargs -n 1 true");
        Command::new("sh").args(["-c", &line]).status()?;
        theirs.push(start.elapsed());
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!(
        "one by one: {:.0} messages a second, {:.2} times xargs -n 1",
        FEW as f64 / ours.as_secs_f64(),
        ours.as_secs_f64() / theirs.as_secs_f64()
    );
    msg::remove(queue)?;
    Ok(())
}
