//! Reads the file of a lesson.

mod block;

use std::collections::BTreeSet;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use block::{Item, code, list};

use super::{Block, Lesson, Look, Need, Step, Text};

/// Why a file is no lesson.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {what}")]
pub struct Mistake {
    /// The line of the file.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

fn mistake<T>(line: usize, what: impl Into<String>) -> Result<T, Mistake> {
    Err(Mistake { line, what: what.into() })
}

/// Reads a lesson.
pub fn read(name: &str, text: &str) -> Result<Lesson, Mistake> {
    // As editors of other systems write it.
    let text = &text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut reader = Reader::default();
    let mut starts = vec![0];
    starts.extend(text.match_indices('\n').map(|(place, _)| place + 1));
    let options = Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_TASKLISTS;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        reader.line = starts.partition_point(|&start| start <= range.start);
        reader.take(event)?;
    }
    let end = starts.len();
    let Some(about) = reader.about else {
        return mistake(1, "the lesson does not begin with '---', 'about: …', '---'");
    };
    let Some(first) = reader.steps.first() else {
        return mistake(end, "the lesson has no title: '# …'");
    };
    if about.chars().count() > MOST_ABOUT {
        return mistake(1, format!("about has more than {MOST_ABOUT} characters"));
    }
    if !(first.only_with.is_empty() && first.only_without.is_empty()) {
        return mistake(
            first.line,
            "a title has no condition: what a lesson needs stands behind needs",
        );
    }
    for step in &reader.steps {
        step_is_sound(step)?;
    }
    Ok(Lesson {
        name: name.to_owned(),
        title: first.title.clone(),
        about,
        needs: reader.needs,
        steps: reader.steps,
    })
}

/// What is said to a word that stands for nothing that a lesson can need.
fn unknown(word: &str) -> String {
    let known = Need::ALL.map(Need::name);
    format!("a lesson cannot need '{word}', only one of {}", known.join(", "))
}

/// How long the line in the list may be.
const MOST_ABOUT: usize = 50;

/// Checks what concerns several blocks.
fn step_is_sound(step: &Step) -> Result<(), Mistake> {
    if step.title.is_empty() {
        return mistake(step.line, "a heading needs words");
    }
    let questions = step.blocks.iter().filter(|block| matches!(block, Block::Question(_))).count();
    let is_last = matches!(step.blocks.last(), Some(Block::Question(_)));
    match questions {
        0 => {}
        1 if is_last => {}
        _ => return mistake(step.line, "a step has at most one question, and that comes last"),
    }
    if step.is_task() && step.conditions().next().is_none() {
        return mistake(step.line, "a task needs a check");
    }
    Ok(())
}

/// What is being read.
#[derive(Default)]
struct Reader {
    line: usize,
    about: Option<String>,
    needs: BTreeSet<Need>,
    steps: Vec<Step>,
    /// A paragraph or heading.
    text: Text,
    look: Option<Look>,
    /// The list, and whether it is inside of one.
    items: Vec<Item>,
    is_in_list: bool,
    /// The block of code: its description and its lines.
    code: Option<(String, String)>,
    is_in_front: bool,
    /// The line where the block of code begins.
    code_line: usize,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) -> Result<(), Mistake> {
        match event {
            Event::Start(Tag::MetadataBlock(_)) => self.is_in_front = true,
            Event::End(TagEnd::MetadataBlock(_)) => self.is_in_front = false,
            Event::Text(text) if self.is_in_front => self.front(&text)?,
            Event::Start(Tag::Heading { level, attrs, .. }) => {
                let mut step = Step {
                    title: String::new(),
                    line: self.line,
                    only_with: BTreeSet::new(),
                    only_without: BTreeSet::new(),
                    blocks: Vec::new(),
                };
                let is_title = level == HeadingLevel::H1;
                if is_title != self.steps.is_empty() || level > HeadingLevel::H2 {
                    return mistake(
                        self.line,
                        "a lesson has one '# TITLE', and steps '## HEADING'",
                    );
                }
                for (word, need) in attrs {
                    let known = need.as_deref().and_then(Need::by_name);
                    let Some(need) = known else {
                        let what = need.as_deref().unwrap_or(&word).to_owned();
                        return mistake(self.line, unknown(&what));
                    };
                    match &*word {
                        "if" => step.only_with.insert(need),
                        "unless" => step.only_without.insert(need),
                        _ => {
                            return mistake(
                                self.line,
                                format!("'{word}' is neither if nor unless"),
                            );
                        }
                    };
                }
                self.steps.push(step);
            }
            Event::End(TagEnd::Heading(_)) => {
                let text = std::mem::take(&mut self.text);
                if let Some(step) = self.steps.last_mut() {
                    step.title = text.spans.into_iter().map(|span| span.text).collect();
                }
            }
            Event::Start(Tag::Emphasis | Tag::Strong) => self.look = Some(Look::Stressed),
            Event::End(TagEnd::Emphasis | TagEnd::Strong) => self.look = None,
            Event::Start(Tag::Paragraph) => {}
            Event::End(TagEnd::Paragraph) => self.end_paragraph()?,
            Event::Start(Tag::List(None)) if !self.is_in_list => self.is_in_list = true,
            Event::Start(Tag::Item) => {
                self.items.push(Item { line: self.line, ..Item::default() });
            }
            Event::End(TagEnd::Item) if !self.text.spans.is_empty() => self.end_paragraph()?,
            Event::End(TagEnd::Item) => {}
            Event::TaskListMarker(mark) => {
                if let Some(item) = self.items.last_mut() {
                    item.mark = Some(mark);
                }
            }
            Event::End(TagEnd::List(_)) => {
                self.is_in_list = false;
                let items = std::mem::take(&mut self.items);
                let block = list(items)?;
                self.add(block)?;
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if !self.is_in_list => {
                self.code = Some((info.to_string(), String::new()));
                self.code_line = self.line;
            }
            Event::End(TagEnd::CodeBlock) => {
                let (info, lines) = self.code.take().unwrap_or_default();
                let block = code(&info, &lines, self.code_line)?;
                self.add(block)?;
            }
            Event::Text(text) => match &mut self.code {
                Some((_, lines)) => lines.push_str(&text),
                None => self.text.push(&text, self.look.unwrap_or(Look::Plain)),
            },
            Event::Code(text) => self.text.push(&text, Look::Code),
            Event::SoftBreak | Event::HardBreak => {
                // Two code spans on both sides of a break stay two words.
                self.text.push(" ", self.look.unwrap_or(Look::Plain));
            }
            _ => {
                return mistake(
                    self.line,
                    "a lesson has text, lists of one level, and blocks between ``` alone",
                );
            }
        }
        Ok(())
    }

    fn front(&mut self, text: &str) -> Result<(), Mistake> {
        for (number, line) in text.lines().enumerate() {
            let at = self.line + number;
            let (word, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.trim();
            match word {
                "about" if !value.is_empty() => self.about = Some(value.to_owned()),
                "needs" => {
                    for name in value.split(',').map(str::trim) {
                        let Some(need) = Need::by_name(name) else {
                            return mistake(at, unknown(name));
                        };
                        self.needs.insert(need);
                    }
                }
                _ => return mistake(at, format!("'{line}' is neither 'about: …' nor 'needs: …'")),
            }
        }
        Ok(())
    }

    fn end_paragraph(&mut self) -> Result<(), Mistake> {
        let text = std::mem::take(&mut self.text);
        match self.items.last_mut() {
            Some(item) => item.texts.push(text),
            None => self.add(Block::Text(text))?,
        }
        Ok(())
    }

    fn add(&mut self, block: Block) -> Result<(), Mistake> {
        match self.steps.last_mut() {
            Some(step) => step.blocks.push(block),
            None => return mistake(self.line, "the lesson has no title above this: '# …'"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::{Calls, Part};

    const START: &str = "---\nabout: it\n---\n\n# Title\n\n";

    fn blocks(text: &str) -> Vec<Block> {
        read("x", &format!("{START}{text}")).unwrap().steps.remove(0).blocks
    }

    fn complaint(text: &str) -> String {
        read("x", text).unwrap_err().to_string()
    }

    #[test]
    fn a_lesson_has_a_title_and_steps() {
        let text = "---\nabout: the thing\nneeds: cc, root\n---\n\n# One\n\nText\nof `two` lines.\n\n## Two {if=cc}\n\n- a\n- *b*\n";
        let lesson = read("x", text).unwrap();
        assert_eq!((lesson.title.as_str(), lesson.about.as_str()), ("One", "the thing"));
        assert_eq!(lesson.needs, BTreeSet::from([Need::Root, Need::Cc]));
        assert_eq!(lesson.steps[1].title, "Two");
        assert_eq!(lesson.steps[1].only_with, BTreeSet::from([Need::Cc]));
        let Block::Text(paragraph) = &lesson.steps[0].blocks[0] else { panic!() };
        assert_eq!(paragraph.to_string(), "Text of `two` lines.");
        let Block::List(items) = &lesson.steps[1].blocks[0] else { panic!() };
        assert_eq!(items.iter().map(Text::to_string).collect::<Vec<_>>(), ["a", "*b*"]);
    }

    #[test]
    fn files_of_other_systems_are_read() {
        let text = format!("{START}Text\nhere.\n").replace('\n', "\r\n");
        let lesson = read("x", &format!("\u{feff}{text}")).unwrap();
        let Block::Text(paragraph) = &lesson.steps[0].blocks[0] else { panic!() };
        assert_eq!(paragraph.to_string(), "Text here.");
    }

    #[test]
    fn blocks_are_known_by_their_first_word() {
        let shell = |commands: &[&str], part, calls| Block::Shell {
            commands: commands.iter().map(ToString::to_string).collect(),
            part,
            calls,
        };
        let text = "```sh\na \\\n  b\n\nc\n```\n```sh hidden calls=none\nd\n```\n```picture\nmsg:0 shm:0\n```\n";
        assert_eq!(
            blocks(text),
            [
                shell(&["a b", "c"], Part::Shown, Calls::All),
                shell(&["d"], Part::Hidden, Calls::Only(Vec::new())),
                Block::Picture(vec!["msg:0".to_owned(), "shm:0".to_owned()]),
            ]
        );
        let source = Block::Source {
            file: "a.c".to_owned(),
            content: "int x;\n".to_owned(),
            is_shown: false,
        };
        assert_eq!(blocks("```c hidden a.c\nint x;\n```\n"), [source]);
    }

    #[test]
    fn a_check_has_words_and_commands() {
        let Block::Check(conditions) =
            &blocks("```check\n# It is so\ntrue\n\n# That, too\na\nb\n```")[0]
        else {
            panic!()
        };
        let shown: Vec<_> = conditions.iter().map(|one| (&*one.text, &*one.test)).collect();
        assert_eq!(shown, [("It is so", "true\n"), ("That, too", "a\nb\n")]);
        assert_eq!(conditions[1].line, 11);
    }

    #[test]
    fn a_question_has_one_right_answer_and_replies() {
        let text = "What?\n\n- [ ] this\n\n  No.\n\n- [x] `that`\n\n  Yes.\n\n  Indeed.\n";
        let Block::Question(choices) = &blocks(text)[1] else { panic!() };
        assert_eq!(choices.iter().map(|one| one.is_right).collect::<Vec<_>>(), [false, true]);
        assert_eq!(choices[1].answer.to_string(), "`that`");
        assert_eq!(choices[1].reply.len(), 2);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let with = |text: &str| complaint(&format!("{START}{text}"));
        for (shown, expected) in [
            (complaint(""), "1: the lesson does not begin with '---', 'about: …', '---'"),
            (complaint("---\nabout: x\n---\n"), "4: the lesson has no title: '# …'"),
            (
                complaint("---\nabuot: x\n---\n"),
                "2: 'abuot: x' is neither 'about: …' nor 'needs: …'",
            ),
            (
                complaint("---\nabout: x\nneeds: gcc\n---\n"),
                "3: a lesson cannot need 'gcc', only one of root, cc, posix-queues, namespaces",
            ),
            (with("# Two\n"), "7: a lesson has one '# TITLE', and steps '## HEADING'"),
            (with("```sh loud\nx\n```\n"), "7: 'loud' means nothing behind 'sh'"),
            (with("```perl\nx\n```\n"), "7: 'perl' is none of sh, c, picture, check, text"),
            (with("```c\nx\n```\n"), "7: a source needs the name of its file: c NAME.c"),
            (with("```c ../x.c\nx\n```\n"), "7: '../x.c' is no plain name of a file"),
            (with("```check\ntrue\n```\n"), "8: above this must be a line '# What must be so'"),
            (with("```check\n# so\n```\n"), "8: below this must be a command that finds it out"),
            (with("```sh solution\nx\n```\n"), "5: a task needs a check"),
            (
                with("- [x] a\n\n  r\n- [x] b\n\n  r\n"),
                "7: a question has two answers or more, and one is right",
            ),
            (
                with("- [x] a\n- [ ] b\n"),
                "7: an answer needs a reply: a paragraph below it, indented",
            ),
            (
                with("- [x] a\n\n  r\n- [ ] b\n\n  r\n\nmore\n"),
                "5: a step has at most one question, and that comes last",
            ),
            (
                with("> quoted\n"),
                "7: a lesson has text, lists of one level, and blocks between ``` alone",
            ),
            (with("## {if=cc}\n"), "7: a heading needs words"),
            (with("```check\n#\ntrue\n```\n"), "8: behind # must stand what must be so"),
            (
                complaint("---\nabout: x\n---\n\n# A {if=cc}\n"),
                "5: a title has no condition: what a lesson needs stands behind needs",
            ),
            (with("## X {when=cc}\n"), "7: 'when' is neither if nor unless"),
            (
                with("## X {if=gcc}\n"),
                "7: a lesson cannot need 'gcc', only one of root, cc, posix-queues, namespaces",
            ),
        ] {
            assert_eq!(shown, expected);
        }
    }
}
