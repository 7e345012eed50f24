//! Sessions at a shell as a page shows them: run in a sandbox, and compared with the page.

mod likeness;
mod page;

use std::io::Write as _;
use std::path::Path;

use likeness::Likeness;
pub use page::{Block, Command, Page, Who};

use super::sandbox::{NOBODY, Needs, Sandbox, is_root, skip};

/// Ends the output of a command. No program of a page prints it.
const MARK: &str = "\n\x1e\n";

/// Runs all blocks of a page in their order, and fails with every command that prints something else
/// than the page says. With `RENEW` in the environment, it changes the page instead.
pub fn run(page: &Page) {
    let mut machine = None;
    let mut wrong = Vec::new();
    let mut count = 0;
    let mut blocks = page.blocks.as_slice();
    while let Some(first) = blocks.first() {
        let is_alike = |block: &Block| block.shares_shell_with(first) && !block.is_new_machine;
        let more = blocks[1..].iter().take_while(|block| is_alike(block)).count();
        let (session, rest) = blocks.split_at(1 + more);
        blocks = rest;
        if first.is_new_machine {
            machine = None;
        }
        if let Who::Reader(reason) = &first.who {
            say(&format!("not run: {}:{}: {reason}", page.name, first.line));
            continue;
        }
        let Some(machine) = machine.get_or_insert_with(Machine::new) else { return };
        count += session.iter().map(|block| block.commands.len()).sum::<usize>();
        wrong.extend(machine.run(page, session));
    }
    say(&format!("{}: {} blocks, {count} commands", page.name, page.blocks.len()));
    if std::env::var_os("RENEW").is_some() {
        renew(page, &wrong);
    } else {
        let reports: String = wrong.iter().map(|wrong| wrong.report(page)).collect();
        assert!(
            wrong.is_empty(),
            "{reports}\nif the new output is right: RENEW=1 cargo test --test docs"
        );
    }
}

/// Straight to standard error: what a test prints is shown only if it fails.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A sandbox with what is known of its sessions.
struct Machine {
    sandbox: Sandbox,
    likeness: Likeness,
}

impl Machine {
    fn new() -> Option<Machine> {
        // An ordinary user is root there, as the pages have it.
        Some(Machine { sandbox: Sandbox::privileged()?, likeness: Likeness::default() })
    }

    /// Runs blocks in one shell. Returns what printed something else than the page says.
    fn run<'a>(&mut self, page: &Page, blocks: &'a [Block]) -> Vec<Wrong<'a>> {
        let commands: Vec<_> = blocks.iter().flat_map(|block| &block.commands).collect();
        let script = script(&commands);
        let ran = match blocks[0].who {
            Who::Nobody => {
                let line = format!("exec timeout -k 1 60 sh -c {}", quoted(&script));
                let Some(ran) = self.sandbox.run_as(NOBODY, &line) else { return Vec::new() };
                ran
            }
            Who::Caller | Who::Root | Who::Reader(_) => self.sandbox.run(&script),
        };
        let output = ran.stdout();
        let mut parts = output.split(MARK);
        let pid = |part: Option<&str>| part.and_then(|part| part.trim().parse().ok());
        let first = pid(parts.next());
        let mut outputs: Vec<_> = parts.by_ref().take(commands.len()).collect();
        let last = pid(outputs.len().checked_sub(commands.len()).and_then(|_| parts.next()));
        let (Some(first), Some(last)) = (first, last) else {
            panic!("the shell of {}:{} ended early:\n{output}", page.name, blocks[0].line);
        };
        self.likeness.add_processes(first, last);
        outputs.reverse();
        let mut wrong = Vec::new();
        for block in blocks {
            let is_compared = block.who != Who::Root || is_root();
            if !is_compared {
                let place = format!("{}:{}", page.name, block.line);
                skip(Needs::Root, &format!("{place}: only root sees all that it shows"));
            }
            for command in &block.commands {
                let output = as_root_sees(outputs.pop().unwrap_or_default());
                if is_compared && !self.likeness.accepts(&command.expected, &output) {
                    wrong.push(Wrong { command, output });
                }
            }
        }
        wrong
    }
}

/// The output without the note that only ordinary users get, about uninspected processes.
fn as_root_sees(output: &str) -> String {
    let is_told = |line: &str| !is_root() && line.ends_with(" could not be inspected");
    let lines = output.split_inclusive('\n');
    lines.filter(|line| !is_told(line.trim_end())).collect()
}

/// The lines of shell one after the other, each followed by a mark, with a process id in front and one
/// behind. What is left in the background ends with it.
fn script(commands: &[&Command]) -> String {
    let mut script =
        format!("exec 2>&1; export HOME=\"$PWD\"; echo $$; printf '{}'\n", escaped(MARK));
    for command in commands {
        script.push_str(&command.line);
        script.push_str(&format!("\nstatus=$?; printf '{}'; (exit $status)\n", escaped(MARK)));
    }
    // The shell is the only member of its process group that goes on.
    script.push_str("sh -c 'echo $$'; trap '' TERM; kill -s TERM 0\n");
    script
}

fn escaped(text: &str) -> String {
    text.replace('\n', "\\n").replace('\x1e', "\\036")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A command that printed something else than the page says.
struct Wrong<'a> {
    command: &'a Command,
    output: String,
}

impl Wrong<'_> {
    fn report(&self, page: &Page) -> String {
        let Wrong { command, output } = self;
        let lines = |sign: char, text: &str| -> String {
            text.lines().map(|line| format!("{sign} {line}\n")).collect()
        };
        format!(
            "\n{}:{}: $ {}\n{}{}",
            page.name,
            command.place,
            command.line,
            lines('-', &command.expected.join("\n")),
            lines('+', output)
        )
    }
}

/// Puts the output into the page, but for what the page elides.
fn renew(page: &Page, wrong: &[Wrong<'_>]) {
    let mut lines: Vec<String> = page.text.lines().map(str::to_owned).collect();
    for Wrong { command, output } in wrong.iter().rev() {
        assert!(
            !command.is_hidden && !command.expected.iter().any(|line| line == likeness::ANY),
            "{}:{}: to be renewed by hand:\n{output}",
            page.name,
            command.place
        );
        let start = command.output_at;
        let end = start + command.expected.len();
        lines.splice(start..end, output.lines().map(str::to_owned));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page.name);
    std::fs::write(path, lines.join("\n") + "\n").expect("the tree can be written");
}
