//! The blocks of a lesson: what stands between two fences, and lists.

use super::{Mistake, mistake};
use crate::lesson::{Block, Calls, Choice, Condition, Part, Text};

/// An item of a list.
#[derive(Default)]
pub(super) struct Item {
    pub line: usize,
    pub mark: Option<bool>,
    pub texts: Vec<Text>,
}

/// A list of points, or a question with its answers.
pub(super) fn list(items: Vec<Item>) -> Result<Block, Mistake> {
    let line = items.first().map_or(0, |item| item.line);
    if items.iter().all(|item| item.mark.is_none()) {
        return Ok(Block::List(items.into_iter().flat_map(|item| item.texts).collect()));
    }
    let mut choices = Vec::new();
    for item in items {
        let mut texts = item.texts.into_iter();
        let (Some(is_right), Some(answer)) = (item.mark, texts.next()) else {
            return mistake(item.line, "each answer of a question begins with [ ] or [x]");
        };
        let reply: Vec<_> = texts.collect();
        if reply.is_empty() {
            return mistake(item.line, "an answer needs a reply: a paragraph below it, indented");
        }
        choices.push(Choice { answer, is_right, reply });
    }
    if choices.iter().filter(|choice| choice.is_right).count() != 1 || choices.len() < 2 {
        return mistake(line, "a question has two answers or more, and one is right");
    }
    Ok(Block::Question(choices))
}

/// A block of code by the words behind its fence.
pub(super) fn code(info: &str, lines: &str, line: usize) -> Result<Block, Mistake> {
    let mut words = info.split_whitespace();
    let language = words.next().unwrap_or_default();
    let words: Vec<_> = words.collect();
    let unknown = |word: &str| mistake(line, format!("'{word}' means nothing behind '{language}'"));
    Ok(match language {
        "text" | "picture" | "check" if !words.is_empty() => return unknown(words[0]),
        "text" => Block::Drawing(lines.trim_end().to_owned()),
        "picture" => Block::Picture(lines.split_whitespace().map(str::to_owned).collect()),
        "check" => Block::Check(conditions(lines, line)?),
        "sh" => {
            let mut part = Part::Shown;
            let mut calls = Calls::All;
            for word in words {
                match word.strip_prefix("calls=") {
                    Some("none") => calls = Calls::Only(Vec::new()),
                    Some(names) => {
                        calls = Calls::Only(names.split(',').map(str::to_owned).collect());
                    }
                    None if word == "hidden" => part = Part::Hidden,
                    None if word == "solution" => part = Part::Solution,
                    None => return unknown(word),
                }
            }
            Block::Shell { commands: commands(lines), part, calls }
        }
        "c" => {
            let (hidden, file) = match words.as_slice() {
                ["hidden", file] => (true, *file),
                [file] => (false, *file),
                _ => return mistake(line, "a source needs the name of its file: c NAME.c"),
            };
            if file.starts_with('.') || file.contains('/') {
                return mistake(line, format!("'{file}' is no plain name of a file"));
            }
            let (file, content) = (file.to_owned(), lines.to_owned());
            Block::Source { file, content, is_shown: !hidden }
        }
        _ => {
            return mistake(line, format!("'{language}' is none of sh, c, picture, check, text"));
        }
    })
}

/// The commands of a block, a line each, unless a line ends with a backslash.
fn commands(lines: &str) -> Vec<String> {
    let mut joined = String::new();
    for line in lines.lines() {
        match line.strip_suffix('\\') {
            Some(part) => joined.extend([part.trim(), " "]),
            None => joined.extend([line.trim(), "\n"]),
        }
    }
    joined.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Conditions: what must be so behind `#`, and commands below it.
fn conditions(lines: &str, start: usize) -> Result<Vec<Condition>, Mistake> {
    let mut conditions: Vec<Condition> = Vec::new();
    for (number, text) in lines.lines().enumerate() {
        let line = start + 1 + number;
        match (text.strip_prefix('#'), conditions.last_mut()) {
            _ if text.trim().is_empty() => {}
            (Some(words), _) => {
                let text = words.trim().to_owned();
                if text.is_empty() {
                    return mistake(line, "behind # must stand what must be so");
                }
                conditions.push(Condition { text, test: String::new(), line });
            }
            (None, Some(condition)) => {
                condition.test.push_str(text);
                condition.test.push('\n');
            }
            (None, None) => return mistake(line, "above this must be a line '# What must be so'"),
        }
    }
    match conditions.iter().find(|condition| condition.test.is_empty()) {
        Some(condition) => {
            mistake(condition.line, "below this must be a command that finds it out")
        }
        None if conditions.is_empty() => mistake(start, "a check needs a condition"),
        None => Ok(conditions),
    }
}
