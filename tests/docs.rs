//! Every `console` block of README and of `docs/` is a session that is run here, and must print what the
//! page says. `docs/develop.md` explains the markers before a block, and what may differ.
//!
//! ```sh
//! RENEW=1 cargo test --test docs      # puts the output of today into the pages
//! ```

mod sandbox;
mod transcript;

use std::collections::HashSet;
use std::path::Path;

use sandbox::{Needs, skip};
use transcript::{Page, Who};

/// No more blocks than this are too much for a test.
const MOST_NOT_RUN: usize = 2;

macro_rules! pages {
    ($($test:ident $file:literal)+) => {
        /// Each page by its name in the project, with its text.
        const PAGES: &[(&str, &str)] = &[$(($file, include_str!(concat!("../", $file)))),+];

        $(#[test]
        fn $test() {
            let text = include_str!(concat!("../", $file));
            transcript::run(&Page::parse($file, text));
        })+
    };
}

pages! {
    readme "README.md"
    admin "docs/admin.md"
    brokers "docs/brokers.md"
    ci "docs/ci.md"
    containers "docs/containers.md"
    develop "docs/develop.md"
    drop_in "docs/drop-in.md"
    hands_on "docs/hands-on.md"
    monitoring "docs/monitoring.md"
    scripting "docs/scripting.md"
    teaching "docs/teaching.md"
    tracing "docs/tracing.md"
}

#[test]
fn every_page_of_the_handbook_is_run() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let Ok(entries) = std::fs::read_dir(docs) else {
        return skip(Needs::Root, "an ordinary user may have no access to the tree");
    };
    let present: HashSet<_> = entries
        .map(|entry| format!("docs/{}", entry.unwrap().file_name().into_string().unwrap()))
        .filter(|name| name.ends_with(".md"))
        .collect();
    let run = PAGES.iter().map(|(name, _)| (*name).to_owned()).filter(|name| name != "README.md");
    assert_eq!(present, run.collect());
}

#[test]
fn readme_leads_to_every_page_and_no_link_leads_nowhere() {
    let links = |text: &str| -> HashSet<String> {
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let targets = targets.map(|target| target.split('#').next().unwrap_or_default());
        targets.filter(|target| target.ends_with(".md")).map(str::to_owned).collect()
    };
    let from_readme = links(PAGES[0].1);
    for (name, text) in PAGES.iter().skip(1) {
        assert!(from_readme.contains(*name), "README has no link to {name}");
        for target in links(text) {
            let target = match target.strip_prefix("../") {
                Some(target) => target.to_owned(),
                None => format!("docs/{target}"),
            };
            assert!(PAGES.iter().any(|(page, _)| *page == target), "{name}: {target}");
        }
    }
}

#[test]
fn few_blocks_are_not_run() {
    let blocks: Vec<_> = PAGES
        .iter()
        .flat_map(|(name, text)| Page::parse(name, text).blocks)
        .filter(|block| matches!(block.who, Who::Reader(_)))
        .collect();
    assert!(blocks.len() <= MOST_NOT_RUN, "{blocks:#?}");
}
