//! `trace` beside strace(1), in turn, in one run, and beside the program alone.
//!
//! `cargo bench --bench tracing` runs it as root or (where user namespaces are allowed) as anybody. It needs `strace`
//! and a C compiler. Each line is the median over the pairs of our time divided by the other's: below 1 we are quicker.

mod harness;

use harness::Result;
use harness::pairs::{command, pairs};

const IPCTOOL: &str = env!("CARGO_BIN_EXE_ipctool");

fn main() -> Result<()> {
    if !harness::is_inside() {
        return harness::run_inside(&[]);
    }
    let directory = tempfile::tempdir()?;
    let calls = harness::compile("calls.c", directory.path(), &["-O2"])?;
    let calls = calls.to_str().ok_or("a path of text")?;
    let (ours, theirs) = (directory.path().join("ours"), directory.path().join("theirs"));
    let (ours, theirs) = (ours.to_str().ok_or("text")?, theirs.to_str().ok_or("text")?);

    println!("200,000 pairs of msgsnd and msgrcv, traced");
    let trace = || command(&[IPCTOOL, "trace", "-o", ours, "--", calls, "pairs", "200000"]);
    let strace = |options: &[&str]| {
        let words = [&["strace"], options, &["-o", theirs, calls, "pairs", "200000"]].concat();
        command(&words)
    };
    let plain = || strace(&["-e", "trace=%ipc"]);
    pairs("trace / strace -e %ipc", 5, &trace, &plain)?;
    let filtered = || strace(&["-f", "--seccomp-bpf", "-e", "trace=%ipc"]);
    pairs("trace / strace -f --seccomp-bpf", 5, &trace, &filtered)?;

    println!("1,000,000 calls that are not traced");
    for (what, name) in
        [("getppid", "getppid"), ("read", "reads of 4 KiB"), ("large", "reads of 64 KiB")]
    {
        let traced = || command(&[IPCTOOL, "trace", "-o", ours, "--", calls, what, "1000000"]);
        let alone = || command(&[calls, what, "1000000"]);
        pairs(&format!("{name}: trace / alone"), 15, &traced, &alone)?;
    }
    let alone = || command(&["true"]);
    pairs("true: trace / alone", 51, &|| command(&[IPCTOOL, "trace", "true"]), &alone)?;
    Ok(())
}
