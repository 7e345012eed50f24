//! `list -A` over many IPC namespaces and processes, beside `lsns` and beside a loop of `nsenter` and `ipcs`,
//! in turn, in one run.
//!
//! `cargo bench --bench namespaces` runs it as root or (where user namespaces are allowed) as anybody. It
//! needs `unshare`, `nsenter`, `lsns` and `ipcs` of util-linux. Each line is the median over the pairs of our
//! time divided by the peer's: below 1 we are quicker.

mod harness;

use std::io::Read;
use std::process::{Child, Command, Stdio};

use harness::Result;
use harness::pairs::{Sleepers, command, pairs};
use ipctool::ipc::{Key, Mode};
use ipctool::kernel::sysv::msg;

const IPCTOOL: &str = env!("CARGO_BIN_EXE_ipctool");
const NAMESPACES: usize = 200;
const OBJECTS: usize = 100;
const PROCESSES: usize = 2_000;

/// Makes the program fill its namespace and stay.
const FILL: &str = "IPCTOOL_BENCH_FILL";

fn main() -> Result<()> {
    if std::env::var_os(FILL).is_some() {
        return fill();
    }
    if !harness::is_inside() {
        return harness::run_inside(&["--pid", "--fork", "--mount-proc"]);
    }
    let mut namespaces = Sleepers(Vec::new());
    for _ in 0..NAMESPACES {
        namespaces.0.push(start()?);
    }
    for child in &mut namespaces.0 {
        let mut ready = [0];
        child.stdout.as_mut().expect("it is piped").read_exact(&mut ready)?;
    }
    let _others = Sleepers::start(PROCESSES - NAMESPACES)?;

    println!("{NAMESPACES} namespaces with {OBJECTS} queues each, and {PROCESSES} processes");
    let list = || command(&[IPCTOOL, "list", "-A"]);
    let lsns = || command(&["lsns", "--type", "ipc"]);
    pairs("list -A / lsns -t ipc", 15, &list, &lsns)?;
    let rows = || command(&[IPCTOOL, "list", "--namespaces"]);
    pairs("list --namespaces / lsns", 15, &rows, &lsns)?;
    let overview = || command(&[IPCTOOL, "-A"]);
    pairs("ipctool -A / lsns -t ipc", 15, &overview, &lsns)?;
    let pids: Vec<String> = namespaces.0.iter().map(|child| child.id().to_string()).collect();
    let line = format!("for n in {}; do nsenter -i -t $n ipcs; done", pids.join(" "));
    let each = || command(&["sh", "-c", &line]);
    pairs("list -A / nsenter ipcs, each", 5, &list, &each)?;
    let who = || command(&[IPCTOOL, "list", "-A", "--who"]);
    pairs("list -A --who / list -A", 9, &who, &list)?;
    Ok(())
}

/// Starts this program in another namespace.
fn start() -> Result<Child> {
    let mut unshare = Command::new("unshare");
    unshare.arg("--ipc").arg(std::env::current_exe()?).env(FILL, "1");
    Ok(unshare.stdout(Stdio::piped()).spawn()?)
}

fn fill() -> Result<()> {
    for _ in 0..OBJECTS {
        msg::create(Key::PRIVATE, Mode::from_bits(0o600), false)?;
    }
    println!();
    loop {
        std::thread::park();
    }
}
