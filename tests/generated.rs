//! The man pages in `man/` and the completions in `completions/` come from `src/cli.rs`. This fails
//! when they are stale, and renews them with
//!
//! ```sh
//! RENEW=1 cargo test --test generated
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use clap_complete::Shell;
use ipctool::cli;

#[test]
fn man_pages_are_those_of_the_command_line() {
    let directory = tempfile::tempdir().unwrap();
    clap_mangen::generate_to(cli::with_drop_ins(), directory.path()).unwrap();
    let mut pages = files_in(directory.path());
    for page in pages.values_mut() {
        // What stands there is known to readers of man pages under this name.
        let heading = if page.contains("\nDiffers from") { "NOTES" } else { "EXAMPLES" };
        *page = page.replace("\n.SH EXTRA\n", &format!("\n.SH {heading}\n"));
    }
    compare("man", &pages);
}

#[test]
fn completions_are_those_of_the_command_line() {
    let directory = tempfile::tempdir().unwrap();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut cli::with_drop_ins(), "ipctool", directory.path())
            .unwrap();
    }
    compare("completions", &files_in(directory.path()));
}

fn files_in(directory: &Path) -> BTreeMap<String, String> {
    let read = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read_to_string(entry.path()).unwrap())
    };
    fs::read_dir(directory).unwrap().map(|entry| read(entry.unwrap())).collect()
}

fn compare(name: &str, fresh: &BTreeMap<String, String>) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("RENEW").is_some() {
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        for (file, text) in fresh {
            fs::write(directory.join(file), text).unwrap();
        }
    }
    let present = files_in(&directory);
    let stale: Vec<_> = fresh
        .keys()
        .chain(present.keys())
        .filter(|file| fresh.get(*file) != present.get(*file))
        .map(|file| format!("{name}/{file}"))
        .collect();
    assert!(
        stale.is_empty(),
        "not as src/cli.rs says: {}\nrenew them with: RENEW=1 cargo test --test generated",
        stale.join(" ")
    );
}
