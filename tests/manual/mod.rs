//! Pages of the manual, put together from the command line and from [`Page`].
//!
//! The layout is that of `man-pages(7)`. `clap_mangen` would give each page its OPTIONS and one section
//! for everything else; here a page has the sections in which a reader looks.

use std::collections::BTreeMap;

use clap::{Arg, Command};
use ipctool::cli::page::{Entry, List, Page};
use ipctool::cli::pages;
use ipctool::cli::{drop_ins, with_drop_ins};
use roff::{Inline, Roff, bold, italic, roman};

/// The version that the pages describe, and the day on which it was written. A new version needs a new
/// date.
const RELEASE: (&str, &str) = ("0.1.0", "2026-11-26");

/// The sections of a page, in their order. Those in lists have names of their own.
pub const SECTIONS: [&str; 17] = [
    "NAME",
    "SYNOPSIS",
    "DESCRIPTION",
    "COMMANDS",
    "OPTIONS",
    "KINDS",
    "COLUMNS",
    "CHECKS",
    "LIMITS",
    "METRICS",
    "REPORT",
    "CALLS",
    "LESSONS",
    "EXIT STATUS",
    "ENVIRONMENT",
    "FILES",
    "NOTES",
];

/// The sections that end a page.
pub const LAST_SECTIONS: [&str; 2] = ["EXAMPLES", "SEE ALSO"];

/// All pages, each under the name of its file.
pub fn pages() -> BTreeMap<String, String> {
    let mut root = with_drop_ins();
    root.build();
    let verbs = root.get_subcommands().map(|verb| render(verb, verb.get_name()));
    std::iter::once(render(&root, "ipctool")).chain(verbs).collect()
}

fn render(command: &Command, name: &str) -> (String, String) {
    let page = pages::of(name).unwrap_or_else(|| panic!("a page for {name}"));
    let title = command.get_display_name().unwrap_or(name);
    let (version, date) = RELEASE;
    assert_eq!(version, env!("CARGO_PKG_VERSION"), "a new version needs a new date: RELEASE");
    let mut out = Writer { roff: Roff::new(), values: values(command) };
    let source = format!("ipctool {version}");
    out.roff.control("TH", [&*title.to_uppercase(), "1", date, &source, "User Commands"]);
    out.section("NAME");
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    out.roff.text([roman(format!("{title} - {}", lower_first(&about)))]);
    out.section("SYNOPSIS");
    for form in page.synopsis {
        out.roff.control("HP", ["4"]);
        out.roff.text(synopsis(form));
    }
    out.section("DESCRIPTION");
    out.paragraphs(&description(command, page), "PP");
    if name == "ipctool" {
        out.commands(command);
    }
    out.options(command);
    (page.lists)().iter().for_each(|list| out.list(list));
    out.entries("EXIT STATUS", page.statuses);
    out.entries("ENVIRONMENT", page.environment);
    out.entries("FILES", page.files);
    out.notes(page);
    out.examples(page.examples);
    out.see_also(page.see_also);
    (format!("{title}.1"), out.roff.render())
}

/// The description without its first line, which is the name of the page.
fn description(command: &Command, page: &Page) -> String {
    if let Some(text) = page.description {
        return text.to_owned();
    }
    let long = command.get_long_about().map(ToString::to_string).unwrap_or_default();
    long.split_once("\n\n").map(|(_, rest)| rest.to_owned()).expect("more than a name")
}

/// The words that stand for values: those are set in italics.
fn values(command: &Command) -> Vec<String> {
    let names = command.get_arguments().filter_map(Arg::get_value_names).flatten();
    let names = names.flat_map(|name| name.split(['|', '[', ']', ':', '=', ',', '…']));
    let mut all: Vec<_> = names.map(|name| name.trim_start_matches('/').to_owned()).collect();
    all.extend(["REF", "KEY", "PID", "TYPE", "TEXT", "SIZE"].map(str::to_owned));
    all.retain(|name| name.len() > 1 && name.chars().all(|letter| letter.is_ascii_uppercase()));
    all
}

/// A page under construction.
struct Writer {
    roff: Roff,
    values: Vec<String>,
}

impl Writer {
    fn section(&mut self, name: &str) {
        self.roff.control("SH", [name]);
    }

    /// Text with its options, values and pages in their fonts, a line a sentence.
    fn text(&mut self, text: &str) {
        for sentence in sentences(text) {
            let inlines = self.inlines(&sentence);
            self.roff.text(inlines);
        }
    }

    fn paragraphs(&mut self, text: &str, separator: &str) {
        for (number, paragraph) in text.split("\n\n").enumerate() {
            if number > 0 {
                self.roff.control(separator, []);
            }
            self.text(&paragraph.replace('\n', " "));
        }
    }

    /// A term of a list, in bold, and what it means.
    fn entry(&mut self, term: &str, meaning: &str) {
        self.roff.control("TP", []);
        self.roff.text([bold(term)]);
        self.text(meaning);
    }

    fn entries(&mut self, section: &str, entries: &[Entry]) {
        if !entries.is_empty() {
            self.section(section);
            entries.iter().for_each(|(term, meaning)| self.entry(term, &sentence(meaning)));
        }
    }

    fn commands(&mut self, command: &Command) {
        self.section("COMMANDS");
        let (old, own): (Vec<_>, Vec<_>) = command
            .get_subcommands()
            .partition(|verb| drop_ins().any(|drop_in| drop_in == verb.get_name()));
        for (number, verbs) in [own, old].iter().enumerate() {
            if number > 0 {
                self.roff.control("SS", ["Drop-in commands"]);
            }
            for verb in verbs {
                let name = verb.get_display_name().expect("it is built");
                self.roff.control("TP", []);
                self.roff.text([bold(name), roman("(1)")]);
                let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
                self.text(&sentence(&about));
            }
        }
    }

    fn options(&mut self, command: &Command) {
        let all: Vec<_> = command.get_arguments().filter(|arg| !arg.is_hide_set()).collect();
        if all.is_empty() {
            return;
        }
        self.section("OPTIONS");
        let of = |heading: Option<&str>| {
            let is_here = move |arg: &&&Arg| arg.get_help_heading() == heading;
            all.iter().filter(is_here).copied().collect::<Vec<_>>()
        };
        let (places, flags): (Vec<_>, Vec<_>) =
            of(None).into_iter().partition(|arg| arg.is_positional());
        places.iter().chain(&flags).for_each(|arg| self.option(arg));
        let mut headings: Vec<_> = all.iter().filter_map(|arg| arg.get_help_heading()).collect();
        headings.dedup();
        headings.sort_by_key(|heading| heading.starts_with("Global"));
        headings.dedup();
        for heading in headings {
            self.roff.control("SS", [heading]);
            of(Some(heading)).iter().for_each(|arg| self.option(arg));
        }
    }

    fn option(&mut self, arg: &Arg) {
        self.roff.control("TP", []);
        self.roff.text(header(arg));
        let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string);
        let help = help.unwrap_or_default();
        let (short, long) = help.split_once("\n\n").unwrap_or((&help, ""));
        self.text(&sentence(&short.replace('\n', " ")));
        if !long.is_empty() {
            self.roff.control("IP", []);
            self.paragraphs(long, "IP");
        }
        self.values_of(arg);
    }

    /// The values that an option takes, and its default.
    fn values_of(&mut self, arg: &Arg) {
        let is_flag = !arg.get_num_args().expect("it is built").takes_values();
        let values = if is_flag { Vec::new() } else { arg.get_possible_values() };
        let name = value_name(arg);
        let name = name.trim_end_matches(",…");
        let (plain, helped): (Vec<_>, Vec<_>) =
            values.iter().partition(|value| value.get_help().is_none());
        match plain.split_last() {
            // A list of its own has these.
            _ if name == "CHECK" => {}
            Some((last, others)) => {
                let others: Vec<_> = others.iter().map(|value| value.get_name()).collect();
                let list = format!("{} or {}", others.join(", "), last.get_name());
                self.text(&format!("{name} is {list}."));
            }
            None => {}
        }
        let defaults = if is_flag { &[] } else { arg.get_default_values() };
        if let [default] = defaults {
            self.text(&format!("The default is {}.", default.to_string_lossy()));
        }
        if !helped.is_empty() {
            self.roff.control("RS", []);
            for value in helped {
                let help = value.get_help().map(ToString::to_string).unwrap_or_default();
                self.entry(value.get_name(), &sentence(&help.replace('`', "")));
            }
            self.roff.control("RE", []);
        }
    }

    fn list(&mut self, list: &List) {
        self.section(list.title);
        if !list.introduction.is_empty() {
            self.text(list.introduction);
        }
        for group in &list.groups {
            if list.groups.len() > 1 {
                self.roff.control("SS", [&*group.heading]);
            }
            // Phrases, not sentences, in as few lines as in the help.
            for (number, (term, meaning)) in group.entries.iter().enumerate() {
                self.roff.control("TP", ["17"]);
                if number == 0 {
                    self.roff.control("PD", ["0"]);
                }
                self.roff.text([bold(term)]);
                self.text(meaning);
            }
            self.roff.control("PD", []);
        }
    }

    fn notes(&mut self, page: &Page) {
        if page.notes.is_empty() {
            return;
        }
        self.section("NOTES");
        self.text("These differences from the original are intended:");
        for note in page.notes {
            self.roff.control("IP", ["\\(bu", "2"]);
            self.text(note);
        }
    }

    fn examples(&mut self, examples: &[Entry]) {
        self.section("EXAMPLES");
        for (number, (meaning, command)) in examples.iter().enumerate() {
            if number > 0 {
                self.roff.control("PP", []);
            }
            self.roff.text([roman(format!("{meaning}:"))]);
            self.roff.control("PP", []);
            self.roff.control("RS", ["4"]);
            self.roff.control("EX", []);
            self.roff.text([roman(*command)]);
            self.roff.control("EE", []);
            self.roff.control("RE", []);
        }
    }

    fn see_also(&mut self, pages: &[&str]) {
        self.section("SEE ALSO");
        for (number, page) in pages.iter().enumerate() {
            let (name, section) = page.split_once('(').expect("NAME(SECTION)");
            let comma = if number + 1 < pages.len() { "," } else { "" };
            self.roff.text([bold(name), roman(format!("({section}{comma}"))]);
        }
    }

    /// A sentence with its options in bold, its values in italics, and its pages as in SEE ALSO.
    fn inlines(&self, sentence: &str) -> Vec<Inline> {
        let mut inlines = Vec::new();
        for (number, word) in sentence.split_whitespace().enumerate() {
            if number > 0 {
                inlines.push(roman(" "));
            }
            let is_around = |letter: char| "'\"(),.;:[]…".contains(letter);
            let core = word.trim_start_matches(is_around);
            let before = &word[..word.len() - core.len()];
            let page = core.split_once('(').filter(|(name, rest)| {
                rest.starts_with(|first: char| first.is_ascii_digit())
                    && rest.get(1..2) == Some(")")
                    && !name.is_empty()
            });
            let core = core.trim_end_matches(is_around);
            let after = &word[before.len() + core.len()..];
            let font = match page {
                Some((name, _)) => {
                    let after = &word[before.len() + name.len()..];
                    inlines.extend([roman(before), bold(name), roman(after)]);
                    continue;
                }
                None if core.starts_with('-') && core.len() > 1 => bold(core),
                None if self.values.iter().any(|value| value == core) => italic(core),
                None => roman(core),
            };
            inlines.extend([roman(before), font, roman(after)]);
        }
        inlines.retain(|inline| *inline != roman(""));
        inlines
    }
}

/// The words of a form of the synopsis: literals in bold, placeholders in italics.
fn synopsis(form: &str) -> Vec<Inline> {
    let is_mark = |letter: char| " []|=…<".contains(letter);
    let mut inlines = Vec::new();
    let mut rest = form;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|letter| is_mark(letter) != is_mark(first)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let is_value = |letter: char| letter.is_ascii_uppercase() || "-/,:".contains(letter);
        inlines.push(match word {
            _ if is_mark(first) => roman(word),
            _ if first != '-' && word.chars().all(is_value) => italic(word),
            _ => bold(word),
        });
        rest = after;
    }
    inlines
}

/// An option with its value, as the user types it.
fn header(arg: &Arg) -> Vec<Inline> {
    let many = if arg.get_num_args().expect("it is built").max_values() > 1 { "…" } else { "" };
    let names: Vec<_> =
        arg.get_value_names().into_iter().flatten().map(ToString::to_string).collect();
    let value = names.join(" ");
    if arg.is_positional() {
        return vec![italic(value), roman(many)];
    }
    let mut inlines = Vec::new();
    if let Some(short) = arg.get_short() {
        inlines.push(bold(format!("-{short}")));
    }
    let aliases = arg.get_visible_aliases().unwrap_or_default();
    for long in arg.get_long().into_iter().chain(aliases) {
        if !inlines.is_empty() {
            inlines.push(roman(", "));
        }
        inlines.push(bold(format!("--{long}")));
    }
    let range = arg.get_num_args().expect("it is built");
    match (range.takes_values(), range.min_values(), arg.is_require_equals_set()) {
        (false, ..) => {}
        (true, 0, true) => inlines.extend([roman("[="), italic(value), roman("]")]),
        (true, 0, false) => inlines.extend([roman(" ["), italic(value), roman(format!("{many}]"))]),
        (true, ..) => inlines.extend([roman(" "), italic(value), roman(many)]),
    }
    inlines
}

/// What stands for the value of an option.
fn value_name(arg: &Arg) -> String {
    let names = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    names.unwrap_or_else(|| arg.get_id().as_str().to_uppercase())
}

/// The sentences of a paragraph.
fn sentences(text: &str) -> Vec<String> {
    let mut sentences = vec![String::new()];
    let words: Vec<_> = text.split(' ').filter(|word| !word.is_empty()).collect();
    for (number, word) in words.iter().enumerate() {
        let current = sentences.last_mut().expect("there is one");
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
        if word.ends_with('.') && number + 1 < words.len() {
            sentences.push(String::new());
        }
    }
    sentences
}

/// A phrase as a sentence.
fn sentence(phrase: &str) -> String {
    let end = if phrase.ends_with(['.', ':']) { "" } else { "." };
    format!("{}{end}", upper_first(phrase))
}

fn upper_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
