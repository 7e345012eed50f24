//! The manual in `man/` comes from `src/cli.rs` and the files under it, the schemas in `docs/schema/` from
//! the columns. This fails when they are stale, and renews them with
//!
//! ```sh
//! RENEW=1 cargo test --test generated
//! ```

mod manual;
mod schema;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

#[test]
fn man_pages_are_those_of_the_command_line() {
    compare("man", &manual::pages());
}

#[test]
fn a_search_for_message_queues_finds_their_commands() {
    let pages = manual::pages();
    for name in ["send", "recv", "list", "stat", "create", "rm"] {
        let page = &pages[&format!("ipctool-{name}.1")];
        let (_, text) = sections(page).into_iter().find(|(title, _)| title == "NAME").unwrap();
        assert!(text.starts_with(&format!("ipctool\\-{name} \\- ")), "{text}");
        assert!(text.contains("message queue"), "{text}");
    }
}

#[test]
fn man_pages_have_their_sections_in_order() {
    let order: Vec<_> = manual::SECTIONS.iter().chain(&manual::LAST_SECTIONS).collect();
    for (file, page) in manual::pages() {
        let sections = sections(&page);
        let place = |title: &String| order.iter().position(|known| *known == title);
        let places: Vec<_> = sections.iter().map(|(title, _)| place(title)).collect();
        assert!(places.is_sorted() && !places.contains(&None), "{file}: {places:?}");
        for title in [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "EXIT STATUS",
            "ENVIRONMENT",
            "EXAMPLES",
            "SEE ALSO",
        ] {
            assert!(sections.iter().any(|(present, _)| present == title), "{file}: {title}");
        }
        for (title, text) in &sections {
            let is_text = |line: &str| !line.is_empty() && !line.starts_with('.');
            assert!(text.lines().any(is_text), "{file}: {title} is empty");
            assert!(!text.contains("\n\n"), "{file}: a blank line in {title}");
        }
    }
    for (name, section) in [
        ("list", "COLUMNS"),
        ("stat", "COLUMNS"),
        ("doctor", "CHECKS"),
        ("limits", "LIMITS"),
        ("metrics", "METRICS"),
    ] {
        assert!(
            manual::pages()[&format!("ipctool-{name}.1")].contains(&format!(".SH {section}\n"))
        );
    }
}

/// The sections of a page, each with its text.
fn sections(page: &str) -> Vec<(String, &str)> {
    let parts = page.split("\n.SH ").skip(1).filter_map(|part| part.split_once('\n'));
    parts.map(|(title, text)| (title.trim_matches('"').to_owned(), text)).collect()
}

#[test]
fn schemas_are_those_of_the_columns() {
    compare("docs/schema", &schema::files());
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
        "not as src/cli says: {}\nrenew them with: RENEW=1 cargo test --test generated",
        stale.join(" ")
    );
}
