//! Where the command of `guard` starts, whose own arguments another completion knows.

use std::ffi::OsString;

use clap::{Arg, Command};

/// The place of the command of `guard` in these words, if the last word belongs to it. The words start with
/// the name of this program.
pub(super) fn of_command(root: &Command, words: &[OsString]) -> Option<usize> {
    let texts: Vec<&str> = words.iter().map(|word| word.to_str().unwrap_or("x")).collect();
    let verb = operand(root, &texts, 1)?;
    let guard = root.find_subcommand("guard")?;
    if texts[verb] != "guard" || verb + 1 >= texts.len() {
        return None;
    }
    operand(guard, &texts, verb + 1)
}

/// The place of the first word from here on that is neither an option nor the value of one.
fn operand(command: &Command, words: &[&str], from: usize) -> Option<usize> {
    let mut place = from;
    while let Some(&word) = words.get(place) {
        if word == "--" {
            return (place + 1 < words.len()).then_some(place + 1);
        }
        if !word.starts_with('-') || word == "-" {
            // A word that is being typed may still become an option.
            return (!word.is_empty() || place + 1 < words.len() || place > from).then_some(place);
        }
        place += 1;
        let Some(arg) = option(command, word) else { continue };
        let takes = arg.get_num_args().is_some_and(|count| count.max_values() > 0);
        if !takes || arg.is_require_equals_set() || word.contains('=') {
            continue;
        }
        place += 1;
        // A list of values goes on until `--`.
        if arg.get_num_args().is_some_and(|count| count.max_values() > 1) {
            let rest = words.get(place..)?;
            place += rest.iter().position(|word| word.starts_with('-')).unwrap_or(rest.len());
        }
    }
    None
}

/// The option that a word is. The last letter of a cluster is the one that may take a value.
fn option<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    match word.strip_prefix("--") {
        Some(long) => {
            let name = long.split('=').next();
            command.get_arguments().find(|arg| arg.get_long() == name)
        }
        None => {
            let letter = word.chars().last();
            command.get_arguments().find(|arg| arg.get_short() == letter)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    #[test]
    fn the_command_of_guard() {
        let mut root = cli::documented();
        root.build();
        let place = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            of_command(&root, &words)
        };
        assert_eq!(place("ipctool guard -- ma"), Some(3));
        assert_eq!(place("ipctool guard -- make te"), Some(3));
        assert_eq!(place("ipctool guard make te"), Some(2));
        assert_eq!(place("ipctool --color never guard -q --timeout 5s make te"), Some(7));
        assert_eq!(place("ipctool guard --isolate=never -- "), Some(4));
        assert_eq!(place("ipctool guard --ignore 1 2 -- make "), Some(6));
        for line in [
            "ipctool gua",
            "ipctool guard ",
            "ipctool guard --",
            "ipctool guard --iso",
            "ipctool guard --timeout 5",
            "ipctool guard --ignore 1 2",
            "ipctool rm -- ma",
            "ipctool",
        ] {
            assert_eq!(place(line), None, "{line}");
        }
    }
}
