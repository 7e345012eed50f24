//! Whether output is what a page shows, but for what differs from run to run: process ids, times,
//! addresses, numbers of namespaces, and the blanks beside them.

use std::collections::HashMap;

use regex_lite::Regex;

/// A line that stands for any number of lines, none included.
pub const ANY: &str = "...";

/// Times of day, dates, ages and namespaces, each of which is as good as any other.
const VARYING: [(&str, &str); 7] = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", "TIME"),
    // In the memory of a process.
    (r"\b0x[0-9a-f]{9,}\b", "ADDRESS"),
    (r"\b\d\.\d{6}\b", "SECONDS"),
    (r"\b(\d\d:\d\d|[A-Z][a-z]{2}\d\d)\b", "TIME"),
    (r"\b\d+[smhd] ago\b", "AGO"),
    // Seconds, in what a system call has filled.
    (r"time=\d{10}\b", "time=TIME"),
    // The kernel numbers them from 0xf0000000 on.
    (r"\b402[67]\d{6}\b", "NAMESPACE"),
];

/// What is known of the processes of a sandbox.
#[derive(Default)]
pub struct Likeness {
    /// The process ids of a session, from the first to the last; the numbers begin again at some time.
    sessions: Vec<(u64, u64)>,
    /// Which process id of the page stands for which of today.
    pids: Pids,
}

type Pids = HashMap<String, String>;

impl Likeness {
    /// Processes with ids from `first` to `last` may appear from now on.
    pub fn add_processes(&mut self, first: u64, last: u64) {
        self.sessions.push((first, last));
    }

    /// Whether this is what the page shows. A process id of the page stands for the same process all the
    /// time.
    pub fn accepts(&mut self, expected: &[String], output: &str) -> bool {
        let expected: Vec<_> = expected.iter().map(|line| without_varying(line)).collect();
        let output: Vec<_> = output.lines().map(without_varying).collect();
        match self.compare(&expected, &output, self.pids.clone()) {
            Some(pids) => {
                self.pids = pids;
                true
            }
            None => false,
        }
    }

    fn compare(&self, expected: &[String], output: &[String], pids: Pids) -> Option<Pids> {
        match (expected.split_first(), output.split_first()) {
            (None, None) => Some(pids),
            (Some((any, rest)), _) if any == ANY => (0..=output.len())
                .find_map(|skipped| self.compare(rest, &output[skipped..], pids.clone())),
            (Some((one, more)), Some((other, others))) => {
                self.compare(more, others, self.compare_lines(one, other, pids)?)
            }
            (None, Some(_)) | (Some(_), None) => None,
        }
    }

    fn compare_lines(&self, expected: &str, output: &str, mut pids: Pids) -> Option<Pids> {
        let (expected, output) = (tokens(expected), tokens(output));
        if expected.len() != output.len() {
            return None;
        }
        let pairs: Vec<_> = expected.into_iter().zip(output).collect();
        let is_pid = |place: usize| {
            pairs.get(place).is_some_and(|(one, other)| one != other && self.is_pid(one, other))
        };
        for (place, (one, other)) in pairs.iter().enumerate() {
            let is_beside_pid = is_pid(place + 1) || place > 0 && is_pid(place - 1);
            match is_number(one) && is_number(other) {
                true if pids.get(*one).is_some_and(|bound| bound == other) => {}
                _ if one == other => {}
                true if is_pid(place) && !pids.contains_key(*one) => {
                    if pids.values().any(|bound| bound == other) {
                        return None;
                    }
                    pids.insert((*one).to_owned(), (*other).to_owned());
                }
                _ if is_blank(one) && is_blank(other) && is_beside_pid => {}
                _ => return None,
            }
        }
        Some(pids)
    }

    /// Whether a number of today is that of a process of the sandbox.
    fn is_pid(&self, expected: &str, output: &str) -> bool {
        let Ok(number) = output.parse::<u64>() else { return false };
        is_number(expected)
            && self.sessions.iter().any(|&(first, last)| match first <= last {
                true => (first..=last).contains(&number),
                false => number >= first || number <= last,
            })
    }
}

fn without_varying(line: &str) -> String {
    VARYING.iter().fold(line.to_owned(), |line, (pattern, name)| {
        Regex::new(pattern).expect("it is right").replace_all(&line, *name).into_owned()
    })
}

/// A line in numbers, blanks, and what stands between them.
fn tokens(line: &str) -> Vec<&str> {
    let kind = |letter: char| (letter.is_ascii_digit(), letter == ' ');
    let mut tokens = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|letter| kind(letter) != kind(first)).unwrap_or(rest.len());
        let (token, after) = rest.split_at(end);
        tokens.push(token);
        rest = after;
    }
    tokens
}

fn is_number(token: &str) -> bool {
    token.starts_with(|first: char| first.is_ascii_digit())
}

fn is_blank(token: &str) -> bool {
    token.starts_with(' ')
}

/// Whether this is like what a page shows, in a sandbox with the processes 500 to 600.
#[cfg(test)]
fn is_like(expected: &str, output: &str) -> bool {
    let mut likeness = Likeness::default();
    likeness.add_processes(500, 600);
    let expected: Vec<_> = expected.lines().map(str::to_owned).collect();
    likeness.accepts(&expected, output)
}

#[test]
fn processes_and_times_may_differ_and_nothing_else() {
    assert!(is_like("a 1\n", "a 1\n"));
    assert!(!is_like("a 1\n", "a 2\n"));
    assert!(!is_like("a\n", "a\nb\n") && !is_like("a\nb\n", "a\n"));
    assert!(is_like("held by 77(sh)\n", "held by 512(sh)\n"));
    assert!(!is_like("held by 77(sh)\n", "held by 512(cat)\n"));
    assert!(!is_like("held by 77(sh)\n", "held by 612(sh)\n"), "no process of the sandbox");
    assert!(is_like("  12345 -\n", "    512 -\n"));
    assert!(!is_like("x  y\n", "x y\n"), "blanks that no process id explains");
    assert!(is_like("1 and 2, 1\n", "501 and 502, 501\n"));
    assert!(!is_like("1 and 2, 1\n", "501 and 502, 502\n"), "another process");
    assert!(!is_like("1 and 2\n", "501 and 501\n"), "one process for two");
    assert!(is_like("at 14:03, 5s ago\n", "at Nov21, 12s ago\n"));
    assert!(is_like("2026-11-21T22:07:45+00:00\n", "2027-01-02T03:04:05Z\n"));
    assert!(is_like("a\n...\nd\n", "a\nb\nc\nd\n") && is_like("...\na\n", "a\n"));
    assert!(!is_like("a\n...\nd\n", "a\nb\nc\n"));
}
