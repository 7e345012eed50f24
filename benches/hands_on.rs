//! What is done by hand, beside what does it today, in turn, in one run: `read` beside `cat` and `cp`, `semop` beside
//! Perl; and how long a look at all messages of a queue takes.
//!
//! `cargo bench --bench hands_on` runs it in an IPC namespace of its own, as root or (where user namespaces are
//! allowed) as anybody. It needs Perl, and 3 GiB in `/dev/shm` and in the directory for temporary files.

mod harness;

use std::fs;
use std::process::Command;

use harness::Result;
use harness::pairs::{command, pairs, time};
use ipctool::ipc::message::{Label, Message};
use ipctool::ipc::{Key, Mode};
use ipctool::kernel::sysv::msg;

const IPCTOOL: &str = env!("CARGO_BIN_EXE_ipctool");
const NAME: &str = "/ipctool-bench";

fn main() -> Result<()> {
    if !harness::is_inside() {
        return harness::run_inside(&[]);
    }
    let read = memory();
    let _ = fs::remove_file(format!("/dev/shm{NAME}"));
    read?;

    println!("semop 1000 times by xargs");
    time(&mut command(&[IPCTOOL, "create", "sem", "--value", "1"]))?;
    let shell = |line: String| command(&["sh", "-c", &line]);
    let ours = || shell(format!("seq 1000 | xargs -n1 sh -c 'exec {IPCTOOL} semop sem:0 -1 +1'"));
    let perl = "semop(0, pack(q(s6), 0, -1, 0, 0, 1, 0)) or die";
    let theirs = || shell(format!("seq 1000 | xargs -n1 sh -c 'exec perl -e \"{perl}\"'"));
    pairs("ipctool semop / perl", 5, &ours, &theirs)?;

    println!("a look at all messages of 16 bytes");
    fs::write("/proc/sys/kernel/msgmnb", "10000000")?;
    let queue = msg::create(Key::PRIVATE, Mode::from_bits(0o600), false)?;
    let mut message = Message::new(Label::Type(1));
    message.payload_mut().extend_from_slice(b"sixteen bytes ..");
    let mut sent = 0;
    for number in [1_000, 10_000, 50_000] {
        while sent < number {
            msg::send(queue, message.as_bytes())?;
            sent += 1;
        }
        let peek = time(&mut command(&[IPCTOOL, "recv", "0", "--peek", "--all"]))?;
        let dump = time(&mut command(&[IPCTOOL, "dump", "msg:0"]))?;
        println!("  {number:>6}: recv --peek --all {peek:.1?}, dump {dump:.1?}");
    }
    Ok(())
}

/// Reads 1 GiB.
fn memory() -> Result<()> {
    println!("read 1 GiB");
    let bytes = vec![0x5a; 1 << 20];
    let mut file = fs::File::create(format!("/dev/shm{NAME}"))?;
    for _ in 0..1024 {
        std::io::Write::write_all(&mut file, &bytes)?;
    }
    let out = tempfile::NamedTempFile::new()?;
    let shell = |line: &str| {
        let line = line.replace("OUT", &out.path().to_string_lossy());
        let mut command = Command::new("sh");
        command.args(["-c", &line.replace("IPCTOOL", IPCTOOL).replace("NAME", NAME)]);
        command
    };
    pairs("into a pipe: read / cat", 9, &|| shell("IPCTOOL read NAME | cat > /dev/null"), &|| {
        shell("cat /dev/shmNAME | cat > /dev/null")
    })?;
    pairs("into a file: read / cp", 9, &|| shell("rm -f OUT; IPCTOOL read NAME > OUT"), &|| {
        shell("rm -f OUT; cp /dev/shmNAME OUT")
    })?;
    Ok(())
}
