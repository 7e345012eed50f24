//! The sessions of a page.

/// A page of the handbook.
#[derive(Debug)]
pub struct Page {
    /// Its path in the project.
    pub name: &'static str,
    /// All of it.
    pub text: &'static str,
    /// Its `console` blocks.
    pub blocks: Vec<Block>,
}

/// A `console` block.
#[derive(Debug)]
pub struct Block {
    /// The number of its first line, from 1.
    pub line: usize,
    /// It starts in a sandbox of its own.
    pub is_new_machine: bool,
    /// Who runs it.
    pub who: Who,
    /// What is typed, and what comes back.
    pub commands: Vec<Command>,
}

/// Who runs a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// The user who runs the test, as root of the sandbox.
    Caller,
    /// The root of the machine, who sees every process.
    Root,
    /// An ordinary user.
    Nobody,
    /// Only a reader, for this reason.
    Reader(String),
}

/// A line of shell, and what it prints.
#[derive(Debug)]
pub struct Command {
    /// The number of its line in the page, from 1.
    pub place: usize,
    /// What is typed.
    pub line: String,
    /// The lines that it prints.
    pub expected: Vec<String>,
    /// The number of the first of these, from 0.
    pub output_at: usize,
    /// It stands in a comment, for it is not what the page is about.
    pub is_hidden: bool,
}

impl Block {
    /// Whether one shell runs both, so that what one leaves in the background is there for the other.
    pub fn shares_shell_with(&self, other: &Block) -> bool {
        let kind = |who: &Who| match who {
            Who::Caller | Who::Root => 0,
            Who::Nobody => 1,
            Who::Reader(_) => 2,
        };
        kind(&self.who) == kind(&other.who)
    }
}

impl Page {
    /// Finds the blocks of a page.
    ///
    /// # Panics
    ///
    /// At a marker that means nothing, and at a block that begins with no command.
    pub fn parse(name: &'static str, text: &'static str) -> Page {
        let mut blocks = Vec::new();
        let mut markers = Markers::default();
        let mut lines = text.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            let place = format!("{name}:{}", number + 1);
            if line.starts_with("<!--") {
                let mut comment = line.to_owned();
                while !comment.ends_with("-->") {
                    let (_, more) = lines.next().unwrap_or_else(|| panic!("{place}: no end"));
                    comment = format!("{comment}\n{more}");
                }
                markers.add(number, comment[4..comment.len() - 3].trim(), &place);
            } else if let Some(language) = line.strip_prefix("```") {
                let is_console = language == "console";
                let body = lines.by_ref().take_while(|(_, line)| *line != "```");
                let body: Vec<_> = body.collect();
                match is_console {
                    true => blocks.push(markers.end(number + 1, &body, &place)),
                    false => markers.must_be_none(&place),
                }
                markers = Markers::default();
            } else if !line.trim().is_empty() {
                markers.must_be_none(&place);
            }
        }
        Page { name, text, blocks }
    }
}

/// What stands before a block.
#[derive(Default)]
struct Markers {
    is_new_machine: bool,
    who: Option<Who>,
    before: Vec<Command>,
}

impl Markers {
    fn add(&mut self, number: usize, comment: &str, place: &str) {
        let (name, value) = comment.split_once(':').unwrap_or((comment, ""));
        let who = match name {
            "new machine" => {
                self.is_new_machine = true;
                return;
            }
            "before" => {
                let line = value.trim().to_owned();
                let (place, expected, output_at) = (number + 1, Vec::new(), 0);
                self.before.push(Command { place, line, expected, output_at, is_hidden: true });
                return;
            }
            "as root" => Who::Root,
            "as nobody" => Who::Nobody,
            "not run" => Who::Reader(value.trim().to_owned()),
            _ => panic!("{place}: no marker is called '{name}'"),
        };
        assert!(self.who.replace(who).is_none(), "{place}: two who run it");
    }

    fn must_be_none(&self, place: &str) {
        let is_none = !self.is_new_machine && self.who.is_none() && self.before.is_empty();
        assert!(is_none, "{place}: a marker stands before no console block");
    }

    fn end(&mut self, line: usize, body: &[(usize, &str)], place: &str) -> Block {
        let mut commands = std::mem::take(&mut self.before);
        let hidden = commands.len();
        for &(number, text) in body {
            if let Some(typed) = text.strip_prefix("$ ") {
                commands.push(Command {
                    place: number + 1,
                    line: typed.to_owned(),
                    expected: Vec::new(),
                    output_at: number + 1,
                    is_hidden: false,
                });
                continue;
            }
            let shown = commands.len() > hidden;
            let command = commands.last_mut().filter(|_| shown);
            let command = command.unwrap_or_else(|| panic!("{place}: it begins with no command"));
            match text.strip_prefix("> ").filter(|_| command.expected.is_empty()) {
                Some(more) => {
                    command.line = format!("{}\n{more}", command.line);
                    command.output_at += 1;
                }
                None => command.expected.push(text.to_owned()),
            }
        }
        assert!(commands.len() > hidden, "{place}: it is empty");
        let who = self.who.take().unwrap_or(Who::Caller);
        Block { line, is_new_machine: self.is_new_machine, who, commands }
    }
}
