//! What strace(1) wrote, line by line.
#![allow(dead_code)]

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The name of the call in a line.
pub fn name(line: &str) -> &str {
    line.split_once('(').map_or("", |(name, _)| name)
}

/// The calls in the words of strace, without the pid in front. One that lasted while another thread
/// called has two lines there.
pub fn whole(calls: &str) -> Vec<String> {
    let mut unfinished = BTreeMap::new();
    let mut lines = Vec::new();
    for line in calls.lines() {
        let (pid, call) = line.split_once(' ').expect("a pid and a call");
        let call = call.trim_start();
        match (call.strip_suffix(" <unfinished ...>"), call.split_once(" resumed>")) {
            (Some(begin), _) => drop(unfinished.insert(pid, begin)),
            (None, Some((_, end))) => {
                let begin = unfinished.remove(pid).expect("it has begun");
                lines.push(format!("{begin}{end}"));
            }
            (None, None) => lines.push(call.to_owned()),
        }
    }
    lines
}

/// A `msgrcv` that was successful, with as much of the buffer as was received.
pub fn received(line: &str) -> Option<String> {
    let (_, size) = line.strip_prefix("msgrcv(")?.rsplit_once(" = ")?;
    let size: usize = size.parse().ok()?;
    let (head, rest) = line.split_once("mtext=\"")?;
    let mut characters = rest.char_indices().peekable();
    let mut text = String::new();
    let mut count = 0;
    let end = loop {
        let mut digits = String::new();
        let one = match characters.next()? {
            (end, '"') => break end,
            (_, '\\') => match characters.next()?.1 {
                digit @ '0'..='7' => {
                    digits.push(digit);
                    while let Some((_, digit)) =
                        characters.next_if(|(_, next)| matches!(next, '0'..='7'))
                    {
                        digits.push(digit);
                        if digits.len() == 3 {
                            break;
                        }
                    }
                    format!("\\{digits}")
                }
                other => format!("\\{other}"),
            },
            (_, other) => other.to_string(),
        };
        count += 1;
        match count.cmp(&size) {
            Ordering::Less => text += &one,
            // Nothing follows that could belong to a shorter number.
            Ordering::Equal => match u8::from_str_radix(&digits, 8) {
                Ok(byte) => text += &format!("\\{byte:o}"),
                Err(_) => text += &one,
            },
            Ordering::Greater => {}
        }
    };
    let rest = rest[end + 1..].trim_start_matches("...");
    let cut = if size > count { "..." } else { "" };
    Some(format!("{head}mtext=\"{text}\"{cut}{rest}"))
}

/// The path in a line, in quotes.
pub fn path(line: &str) -> Option<&str> {
    let start = line.find('"')?;
    let end = start + 1 + line[start + 1..].find('"')?;
    Some(&line[start..=end])
}
