//! Links the unwinder into the binary, where the toolchain has it as an archive.
//!
//! The standard library needs it for the backtrace of a panic alone, and loading `libgcc_s.so`
//! would take longer at every start than a short `list` itself.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = std::env::var("TARGET").unwrap_or_default();
    if target.ends_with("-linux-gnu") && has_archive() {
        println!("cargo:rustc-link-lib=dylib:+verbatim=libgcc_eh.a");
    }
}

/// `cc` prints the name back where it does not find the file.
fn has_archive() -> bool {
    let printed = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output();
    printed.is_ok_and(|output| output.stdout.contains(&b'/'))
}
