//! The overview for people: one screen of 80 columns and 24 lines.

use std::io::{self, Write};

use super::{Facts, Findings, NEAR, NOTABLE, Vantage};
use crate::doctor::CHECKS;
use crate::ipc::count;
use crate::ipc::home::Residence;
use crate::ipc::limit::{Allowance, Unit};
use crate::kernel::namespace::Tally;
use crate::kernel::posix::dev_shm::Space;
use crate::output::style::{ALARM, NOTE, WARNING, human_size, paint};
use crate::output::{Format, Section, Style, columns, stdout, write_rows};

/// How many limits are shown; more would not leave room for the rest.
const LIMITS: usize = 4;

/// The width of the words before each line.
const LABEL: usize = 11;

/// Where to go from here.
const NEXT: [(&str, &str); 3] = [
    ("ipctool list", "every object"),
    ("ipctool doctor", "what is wrong, why, and how to fix it"),
    ("ipctool help", "all commands"),
];

/// The same if all namespaces were looked at.
const NEXT_EVERYWHERE: [(&str, &str); 3] = [
    ("ipctool list -A", "every object, with its namespace and container"),
    ("ipctool doctor -A", "what is wrong, why, and how to fix it"),
    ("ipctool list --namespaces", "the namespaces"),
];

pub(super) fn write(facts: &Facts, style: &Style) -> io::Result<()> {
    let out = |out: stdout::OutputError| out.0;
    let section = Section::new(&columns::SUMMARY);
    let format = Format::for_screen(&style.screen);
    write_rows(format, section, true, &facts.kinds, style, stdout::buffered().map_err(out)?)?;
    let mut text = String::from("\n");
    let mut line = |label: &str, words: &str| text += &format!("{label:<LABEL$} {words}\n");
    for (place, words) in
        limits(&facts.limits, facts.residences.is_some(), style).iter().enumerate()
    {
        line(if place == 0 { "limits" } else { "" }, words);
    }
    if let Some(space) = &facts.dev_shm {
        line("/dev/shm", &dev_shm(space));
    }
    let doctor = if facts.residences.is_some() { "ipctool doctor -A" } else { "ipctool doctor" };
    line("doctor", &findings(&facts.findings, doctor, style));
    if let Some(Vantage { process_namespace, device, .. }) = &facts.vantage {
        let number = process_namespace.map_or_else(|| "unknown".to_owned(), |it| it.to_string());
        let device = device.as_deref().unwrap_or("none");
        line("seen from", &format!("process namespace {number}; /dev/shm is device {device}"));
    }
    if let Some(residences) = &facts.residences {
        line("namespaces", &largest(residences));
    }
    if let Some(census) = &facts.census {
        line("namespaces", &namespaces(census));
    }
    text.push('\n');
    let next = if facts.residences.is_some() { NEXT_EVERYWHERE } else { NEXT };
    let width = next.iter().map(|(command, _)| command.len()).max().unwrap_or(0).max(15);
    for (command, aim) in next {
        text += &format!("{command:<width$} {aim}\n");
    }
    if let Some(home) = facts.vantage.as_ref().and_then(|vantage| vantage.home.as_ref()) {
        text = home.address(&text);
    }
    let mut out = stdout::buffered().map_err(out)?;
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// A line for each limit of which much is used.
fn limits(limits: &[Allowance], is_everywhere: bool, style: &Style) -> Vec<String> {
    if limits.is_empty() {
        return vec![format!("all below {NOTABLE} %")];
    }
    let mut fullest: Vec<&Allowance> = limits.iter().collect();
    fullest
        .sort_by(|a, b| b.percent().partial_cmp(&a.percent()).unwrap_or(std::cmp::Ordering::Equal));
    let shown = if fullest.len() > LIMITS { LIMITS - 1 } else { fullest.len() };
    let mut lines: Vec<String> =
        fullest[..shown].iter().map(|allowance| limit(allowance, style)).collect();
    if fullest.len() > shown {
        let more = fullest.len() - shown;
        let everywhere = if is_everywhere { " -A" } else { "" };
        lines.push(format!("and {more} more: ipctool limits{everywhere} --check {NOTABLE}"));
    }
    lines
}

fn limit(allowance: &Allowance, style: &Style) -> String {
    let number = |number: u64| match allowance.unit {
        Unit::Bytes => human_size(number),
        Unit::Count(_) | Unit::Switch => number.to_string(),
    };
    let percent = format!("{:.0} %", allowance.percent().unwrap_or(0.0));
    let percent = match allowance.is_at(NEAR) {
        true => paint(&percent, ALARM, &style.screen),
        false => percent,
    };
    let used = number(allowance.used.unwrap_or(0));
    let most = allowance.limit.number().map_or_else(|| "unlimited".to_owned(), number);
    let place = allowance.home.as_ref().map(|home| format!(" in {}", home.name()));
    let place = place.unwrap_or_default();
    format!("{}{place} {percent}: {used} of {most} {}", allowance.name, allowance.unit.name())
        .replace(" bytes", "")
}

fn dev_shm(space: &Space) -> String {
    let used = human_size(space.used_bytes);
    let bytes = match space.bytes {
        Some(bytes) => format!("{used} of {}", human_size(bytes)),
        None => format!("{used}, unlimited"),
    };
    match space.inodes {
        Some(inodes) => format!("{bytes}; {} of {inodes} inodes", space.used_inodes),
        None => bytes,
    }
}

fn findings(findings: &Findings, doctor: &str, style: &Style) -> String {
    let Findings { errors, warnings, notes, checks, is_whole } = findings;
    let found: Vec<String> =
        [(errors, "error", ALARM), (warnings, "warning", WARNING), (notes, "note", NOTE)]
            .into_iter()
            .filter(|(number, ..)| **number > 0)
            .map(|(number, word, colour)| {
                paint(&count(*number as u64, word), colour, &style.screen)
            })
            .collect();
    let found = match found.as_slice() {
        [] => "nothing found".to_owned(),
        found => found.join(", "),
    };
    let gap = if *is_whole { "" } else { ", not everything could be read" };
    let (ran, all) = (checks.len(), CHECKS.len());
    format!("{found} by {ran} of {all} checks{gap}; {doctor} runs all")
}

/// The namespaces that take the most memory.
fn largest(residences: &[Residence]) -> String {
    let mut all: Vec<&Residence> = residences.iter().filter(|one| one.total() > 0).collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.memory));
    let shown: Vec<String> = all
        .iter()
        .take(3)
        .map(|one| format!("{} {}", one.home.name(), human_size(one.memory.unwrap_or(0))))
        .collect();
    let shown = if shown.is_empty() { String::new() } else { format!(": {}", shown.join(", ")) };
    format!("{} of {} hold objects{shown}", all.len(), residences.len())
}

fn namespaces(tally: &Tally) -> String {
    let Tally { others, seen, is_whole } = *tally;
    let others = match others {
        0 => "no other IPC namespace has processes".to_owned(),
        1 => "1 other IPC namespace has processes".to_owned(),
        others => format!("{others} other IPC namespaces have processes"),
    };
    match is_whole {
        true => others,
        false if seen == 1 => format!("{others}, of 1 process seen"),
        false => format!("{others}, of {seen} processes seen"),
    }
}
