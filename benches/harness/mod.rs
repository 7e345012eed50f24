//! What every benchmark does first: it goes where the objects of the host are out of reach, and
//! compiles its C programs.
#![allow(dead_code, reason = "not every benchmark needs all of it")]

pub mod pairs;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

const INSIDE: &str = "IPCTOOL_BENCH_INSIDE";

/// Whether this is the program that [`run_inside`] has started.
pub fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs this program again, with the same arguments, in an IPC namespace of its own and whatever else
/// these options of `unshare` make. Writing a limit takes the privilege over the namespace, so without
/// privileges it comes with a user namespace.
pub fn run_inside(options: &[&str]) -> Result<()> {
    println!("{}", machine());
    let is_allowed = Command::new("unshare").args(["--ipc", "true"]).output()?.status.success();
    let mut unshare = Command::new("unshare");
    unshare.arg("--ipc").args(options);
    if !is_allowed {
        unshare.args(["--user", "--map-root-user"]);
    }
    unshare.arg(std::env::current_exe()?).args(std::env::args_os().skip(1));
    let status = unshare.env(INSIDE, "1").status()?;
    if status.success() { Ok(()) } else { Err("the benchmark failed".into()) }
}

/// The machine, its kernel, and how busy it is: without these a time says little.
fn machine() -> String {
    let line_of = |path: &str, start: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find_map(|line| Some(line.strip_prefix(start)?.to_owned()));
        line.unwrap_or_default()
    };
    let model = line_of("/proc/cpuinfo", "model name");
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{}, {processors} processors; Linux {}; load {}",
        model.trim_start_matches(['\t', ':', ' ']),
        line_of("/proc/sys/kernel/osrelease", ""),
        line_of("/proc/loadavg", "").split(' ').next().unwrap_or_default(),
    )
}

/// Compiles a C file of `benches/` into a directory, and returns the path of what came of it.
pub fn compile(source: &str, directory: &Path, options: &[&str]) -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(source);
    let built = directory.join(source.file_stem().expect("a file has a name"));
    let status = Command::new("cc").args(options).arg("-o").args([&built, &source]).status()?;
    if status.success() { Ok(built) } else { Err(format!("{source:?} does not compile").into()) }
}
