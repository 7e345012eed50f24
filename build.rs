//! Makes the start of the program quick, where the toolchain can: what the dynamic linker does at every start would
//! take longer than a short `list` itself.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = std::env::var("TARGET").unwrap_or_default();
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

/// `cc` prints the name back where it does not find the file.
fn has_unwinder() -> bool {
    let printed = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output();
    printed.is_ok_and(|output| output.stdout.contains(&b'/'))
}
