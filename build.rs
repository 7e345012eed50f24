//! Collects the lessons, and makes the start of the program quick, where the toolchain can: what the dynamic linker
//! does at every start would take longer than a short `list` itself.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    collect_lessons().expect("the lessons can be collected");
    let target = env::var("TARGET").unwrap_or_default();
    if !target.ends_with("-linux-gnu") {
        return;
    }
    // The unwinder is linked in. The standard library needs it for the backtrace of a panic alone.
    if has_unwinder() {
        println!("cargo:rustc-link-lib=dylib:+verbatim=libgcc_eh.a");
    }
    // The program has a fixed address, as those written in Go have. Otherwise eight thousand addresses in its
    // tables are corrected at every start, on pages that are copied for that. Its memory, its stack and the
    // libraries are still at random addresses.
    println!("cargo:rustc-link-arg-bins=-no-pie");
}

/// Writes a table of all files of `lessons/`, so that a new lesson is one new file. `01-queue.md` is the first one, and
/// is called `queue`.
fn collect_lessons() -> io::Result<()> {
    let lessons = Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("lessons");
    println!("cargo:rerun-if-changed=lessons");
    let mut files = fs::read_dir(lessons)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<PathBuf>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    files.sort();
    let entry = |file: &PathBuf| {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let name = stem.trim_start_matches(|first: char| first.is_ascii_digit() || first == '-');
        format!("    ({name:?}, include_str!({file:?})),\n")
    };
    let entries: String = files.iter().map(entry).collect();
    let table = format!("static TEXTS: &[(&str, &str)] = &[\n{entries}];\n");
    fs::write(Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join("lessons.rs"), table)
}

/// `cc` prints the name back where it does not find the file.
fn has_unwinder() -> bool {
    let printed = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output();
    printed.is_ok_and(|output| output.stdout.contains(&b'/'))
}
