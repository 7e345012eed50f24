//! What the start of the program takes, as far as that is not a matter of time.

mod sandbox;

use sandbox::Sandbox;

/// Loading a library takes longer than a short list.
#[test]
#[cfg(target_env = "gnu")]
fn it_loads_no_library_but_that_of_c() {
    let Some(shell) = Sandbox::new() else { return };
    let loaded = shell.run("ldd $(command -v ipctool)").exits(0).stdout();
    let files = loaded.lines().filter_map(|line| line.split_whitespace().next());
    let others: Vec<_> = files
        .filter(|file| !file.starts_with("linux-vdso") && !file.contains("/ld-linux"))
        .collect();
    assert_eq!(others, ["libc.so.6"]);
}
