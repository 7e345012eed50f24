//! The pages of the manual: one for each command, and one for the program itself.

use super::page::Page;
use super::{messages, objects, system};

/// All pages.
pub static ALL: &[&Page] = &[
    &super::IPCTOOL,
    &objects::LIST,
    &objects::STAT,
    &objects::CREATE,
    &messages::SEND,
    &messages::RECV,
    &super::relay::RELAY,
    &super::semop::SEMOP,
    &super::memory::READ,
    &super::memory::WRITE,
    &super::memory::ATTACH,
    &super::dump::DUMP,
    &super::dump::RESTORE,
    &super::wait::WAIT,
    &super::watch::WATCH,
    &super::top::TOP,
    &objects::RM,
    &objects::CHMOD,
    &objects::CHOWN,
    &system::LIMITS,
    &system::DOCTOR,
    &super::metrics::METRICS,
    &system::GUARD,
    &super::trace::TRACE,
    &objects::KEY,
    &super::learn::LEARN,
    &system::INSTALL_LINKS,
    &system::HELP,
    &super::drop_ins::IPCS,
    &super::drop_ins::IPCRM,
    &super::drop_ins::IPCMK,
    &super::drop_ins::MSGTOOL,
];

/// The page of a command.
pub fn of(command: &str) -> Option<&'static Page> {
    ALL.iter().copied().find(|page| page.command == command)
}

#[cfg(test)]
mod tests {
    use super::super::{documented, with_drop_ins};
    use super::*;
    use clap::Parser as _;

    /// The command of each page, with the options of all commands.
    fn commands() -> Vec<(&'static Page, clap::Command)> {
        let mut root = with_drop_ins();
        root.build();
        let find = |page: &&'static Page| {
            let command = root.find_subcommand(page.command).cloned();
            (*page, command.unwrap_or_else(|| root.clone()))
        };
        ALL.iter().map(find).collect()
    }

    #[test]
    fn every_command_has_a_page_and_every_page_says_something() {
        let root = with_drop_ins();
        for command in root.get_subcommands() {
            assert!(of(command.get_name()).is_some(), "{}", command.get_name());
        }
        assert_eq!(ALL.len(), root.get_subcommands().count() + 1);
        for page in ALL {
            let parts = [page.statuses.len(), page.environment.len(), page.examples.len()];
            assert!(!parts.contains(&0), "{}", page.command);
            assert!(!page.synopsis.is_empty() && !page.see_also.is_empty(), "{}", page.command);
        }
    }

    #[test]
    fn a_verb_is_described_in_one_way() {
        let about = |command: &clap::Command| command.get_about().map(ToString::to_string);
        let listed: Vec<_> = documented().get_subcommands().map(about).collect();
        let mut built = documented();
        built.build();
        assert_eq!(listed, built.get_subcommands().map(about).collect::<Vec<_>>());
    }

    #[test]
    fn short_help_is_a_short_phrase() {
        let ours = |page: &&Page| !page.command.starts_with("ipc") && page.command != "msgtool";
        for (page, command) in commands().into_iter().filter(|(page, _)| ours(page)) {
            let help = command.get_arguments().filter_map(|arg| arg.get_help());
            for text in help.chain(command.get_about()).map(ToString::to_string) {
                let context = format!("{}: {text}", page.command);
                assert!(text.chars().count() <= 70, "too long: {context}");
                assert!(!text.ends_with('.') && !text.contains(". "), "{context}");
                assert!(text.starts_with(|first: char| first.is_uppercase()), "{context}");
            }
        }
    }

    #[test]
    fn the_options_of_a_synopsis_exist() {
        for (page, command) in commands() {
            let words = page.synopsis.iter().flat_map(|form| {
                form.split(|byte: char| !(byte.is_ascii_alphanumeric() || byte == '-'))
            });
            for word in words.filter(|word| word.starts_with('-') && *word != "--") {
                let exists = command.get_arguments().any(|arg| match word.strip_prefix("--") {
                    Some(long) => arg.get_long() == Some(long),
                    None => arg.get_short() == word.chars().nth(1),
                });
                assert!(exists, "{}: {word}", page.command);
            }
        }
    }

    #[test]
    fn examples_are_understood() {
        let examples = ALL.iter().flat_map(|page| page.examples);
        for (_, example) in examples.filter(|(_, example)| example.contains("ipctool ")) {
            // A command in place of an argument prints a number here.
            let line = example.replace("\"$(", "1 ; ").replace("$USER", "root");
            let mut is_quoted = false;
            let calls = line.split(|character| {
                is_quoted ^= character == '\'';
                !is_quoted && ['|', '&', ';', '>', '<'].contains(&character)
            });
            let calls = calls.map(str::trim);
            for call in calls.filter(|call| call.starts_with("ipctool ")) {
                let words = call.split_whitespace().map(|word| word.trim_matches(['\'', '"', ')']));
                let words: Vec<_> = words.map(|word| word.replace("postgres", "root")).collect();
                let is_drop_in = crate::personality::called(words.iter().map(Into::into)).is_some();
                let parsed = super::super::Cli::try_parse_from(words);
                assert!(is_drop_in || parsed.is_ok(), "{call}: {}", parsed.unwrap_err());
            }
        }
    }
}
