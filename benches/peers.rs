//! `ipctool` beside the installed peers, in turn, in one run: start-up, a long list, streams, who
//! uses a segment, and a command under guard.
//!
//! `cargo bench --bench peers` runs it in an IPC namespace of its own, as root or (where user
//! namespaces are allowed) as anybody. It needs `unshare`, `ipcs` and `lsipc` of util-linux and a C
//! compiler. Each line is the median over the pairs of our time divided by the peer's: below 1 we
//! are quicker. README.md beside this file has its lines, and what they mean.

mod harness;

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use harness::Result;
use harness::pairs::{Sleepers, command, pairs, pairs_between, time};
use ipctool::ipc::{Key, Mode};
use ipctool::kernel::sysv::msg;

const QUEUES: usize = 32_000;
const MESSAGES: usize = 200_000;
const PROCESSES: usize = 2_000;
const MESSAGE: &str = "sixteen bytes ..";
const KEY: &str = "0xbe7c4";

fn main() -> Result<()> {
    if !harness::is_inside() {
        return harness::run_inside(&[]);
    }
    let directory = tempfile::tempdir()?;
    let loop_program = harness::compile("loop.c", directory.path(), &["-O2"])?;
    let ipctool = &installed(directory.path())?;

    println!("start-up on an empty namespace");
    let list = || command(&[ipctool, "list"]);
    let ipcs = || command(&["ipcs"]);
    // The kinds that ipcs lists, and all.
    let system_v = || command(&[ipctool, "list", "msg,shm,sem"]);
    pairs("ipctool list msg,shm,sem / ipcs", 400, &system_v, &ipcs)?;
    pairs("ipctool list / ipcs", 400, &list, &ipcs)?;
    pairs("ipctool ipcs / ipcs", 400, &|| command(&[ipctool, "ipcs"]), &ipcs)?;
    let version = || command(&[ipctool, "--version"]);
    pairs("ipctool --version / true", 400, &version, &|| command(&["true"]))?;
    pairs("ipctool / ipctool list", 200, &|| command(&[ipctool]), &list)?;

    println!("list of {QUEUES} queues into a pipe");
    for _ in 0..QUEUES {
        msg::create(Key::PRIVATE, Mode::from_bits(0o600), false)?;
    }
    // The least that it can cost to see each queue.
    let stat = || {
        let mut command = Command::new(&loop_program);
        command.args(["stat", KEY, "1", "0"]);
        command
    };
    let ours = || command(&[ipctool, "list", "-q"]);
    let cat = || command(&["cat", "/proc/sysvipc/msg"]);
    pairs("ipctool list -q / cat", 21, &ours, &cat)?;
    pairs("ipctool list -q / C loop", 21, &ours, &stat)?;
    pairs("ipctool list -q / ipcs -q", 15, &ours, &|| command(&["ipcs", "-q"]))?;
    let as_ipcs = || command(&[ipctool, "ipcs", "-q"]);
    pairs("ipctool ipcs -q / ipcs -q", 15, &as_ipcs, &|| command(&["ipcs", "-q"]))?;
    pairs("ipctool list -q / lsipc -q", 15, &ours, &|| command(&["lsipc", "-q"]))?;
    let json = || command(&[ipctool, "list", "-q", "--json"]);
    pairs("ipctool list -q --json / cat", 15, &json, &cat)?;
    let mut all = Command::new(ipctool);
    time(all.args(["rm", "--all", "msg", "--yes"]))?;

    streams(ipctool, &loop_program, directory.path())?;

    println!("who uses a segment, among {PROCESSES} processes");
    time(&mut command(&[ipctool, "create", "shm", "--key", KEY, "--size", "4096"]))?;
    let mut sleepers = Sleepers::start(PROCESSES)?;
    // The one that uses it, last of all.
    let mut holder = Command::new(&loop_program);
    sleepers.0.push(holder.args(["hold", KEY, "1", "4096"]).spawn()?);
    let stat = || command(&[ipctool, "stat", "shm:0xbe7c4"]);
    let grep = || command(&["sh", "-c", "grep -l SYSV /proc/[0-9]*/maps 2> /dev/null; true"]);
    pairs("ipctool stat shm / grep maps", 9, &stat, &grep)?;
    let who = || command(&[ipctool, "list", "--who"]);
    pairs("ipctool list --who / grep maps", 9, &who, &grep)?;
    if Command::new("lsof").arg("-v").output().is_ok() {
        let lsof = || command(&["sh", "-c", "lsof -n 2> /dev/null | grep SYSV; true"]);
        pairs("ipctool stat shm / lsof", 3, &stat, &lsof)?;
    } else {
        println!("  lsof is not installed");
    }
    drop(sleepers);

    println!("a command under guard");
    let plain = || command(&["true"]);
    let isolated = || command(&[ipctool, "guard", "--", "true"]);
    let shared = || command(&[ipctool, "guard", "--isolate", "never", "--", "true"]);
    pairs("guard true / unshare -i true", 100, &isolated, &|| command(&["unshare", "-i", "true"]))?;
    for (name, ours) in [
        ("guard true / true", &isolated as &dyn Fn() -> Command),
        ("guard, shared / true", &shared),
    ] {
        let (ours, theirs) = pairs(name, 100, ours, &plain)?;
        println!("    {:.1?} more than the command alone", ours.saturating_sub(theirs));
    }
    Ok(())
}

/// Messages through a queue that has room for all of them.
fn streams(ipctool: &str, loop_program: &Path, directory: &Path) -> Result<()> {
    fs::write("/proc/sys/kernel/msgmnb", (MESSAGES * 1025).to_string())?;
    for size in [MESSAGE.len(), 1024] {
        println!("{MESSAGES} messages of {size} bytes");
        let numbers = [MESSAGES.to_string(), size.to_string()];
        let c_loop = |verb: &str| {
            let mut command = Command::new(loop_program);
            command.args([verb, KEY]).args(&numbers);
            command
        };
        let fill = || time(&mut c_loop("send")).map(drop);
        let drain = || time(&mut c_loop("recv")).map(drop);
        let lines = directory.join("lines");
        fs::write(&lines, format!("{}\n", "x".repeat(size)).repeat(MESSAGES))?;
        let records = directory.join("records");
        let record = format!("{{\"type\":1,\"text\":\"{}\"}}\n", "x".repeat(size));
        fs::write(&records, record.repeat(MESSAGES))?;
        let from = |option: &str, file: &Path| {
            let mut command = command(&[ipctool, "send", KEY, option]);
            command.stdin(File::open(file).expect("it was just written"));
            command
        };
        fill()?;
        drain()?;
        let send = || c_loop("send");
        let lines = || from("--lines", &lines);
        pairs_between("ipctool send --lines / C loop", 15, &lines, &send, &drain)?;
        let records = || from("--jsonl", &records);
        pairs_between("ipctool send --jsonl / C loop", 15, &records, &send, &drain)?;
        fill()?;
        let recv = || c_loop("recv");
        let all = || command(&[ipctool, "recv", KEY, "--all"]);
        pairs_between("ipctool recv --all / C loop", 15, &all, &recv, &fill)?;
        let json = || command(&[ipctool, "recv", KEY, "--all", "--json"]);
        pairs_between("ipctool recv --json / C loop", 15, &json, &recv, &fill)?;
        drain()?;
    }
    Ok(())
}

/// The program as it is once it is installed. The file that the linker has written is in memory in small pieces, and
/// takes a fifth longer to start.
fn installed(directory: &Path) -> Result<String> {
    let path = directory.join("ipctool");
    fs::copy(env!("CARGO_BIN_EXE_ipctool"), &path)?;
    Ok(path.into_os_string().into_string().map_err(|_| "the path is not UTF-8")?)
}
