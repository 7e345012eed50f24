//! What a program says of itself: the one table from which its options, its help and its
//! completions come.

use clap::{Arg, ArgAction};

use super::getopt::{Opt, OptValue};

/// A program of util-linux.
#[derive(Debug)]
pub(in crate::personality) struct Program {
    /// Its name.
    pub name: &'static str,
    /// How it is called, behind its name.
    pub synopsis: &'static [&'static str],
    /// What it does.
    pub purpose: &'static str,
    /// Its options, as its help has them.
    pub groups: &'static [Group],
    /// The long options of which a message tells first, where its help has another order.
    pub told_first: &'static [&'static str],
    /// What its help says besides.
    pub notes: &'static str,
    /// What is not as in util-linux on purpose, besides `--version` and the language of messages.
    pub differs: &'static str,
}

/// Options that stand together in the help.
#[derive(Debug)]
pub(in crate::personality) struct Group {
    /// What stands above them.
    pub heading: &'static str,
    /// Where the words on each option begin.
    pub width: usize,
    /// The options.
    pub options: &'static [Opt],
}

/// What every program has.
pub(in crate::personality) const HELP: Opt =
    Opt { short: Some('h'), long: "help", value: OptValue::None, help: "display this help" };
/// See [`HELP`].
pub(in crate::personality) const VERSION: Opt =
    Opt { short: Some('V'), long: "version", value: OptValue::None, help: "display version" };

impl Program {
    /// Its options, in the order in which a message would tell them: those that all have come last.
    pub fn options(&self) -> Vec<&'static Opt> {
        let mut options: Vec<_> = self.groups.iter().flat_map(|group| group.options).collect();
        let place = |list: &[&str], option: &Opt| list.iter().position(|long| *long == option.long);
        options.sort_by_key(|option| {
            let first = place(self.told_first, option).unwrap_or(usize::MAX);
            (first, place(&[VERSION.long, HELP.long], option))
        });
        options
    }

    /// Its help, for who called it by this name.
    pub fn usage(&self, name: &str) -> String {
        let mut text = "\nUsage:\n".to_owned();
        for synopsis in self.synopsis {
            text += &format!(" {name} {synopsis}\n");
        }
        text += &format!("\n{}\n", self.purpose);
        for group in self.groups {
            text += "\n";
            if !group.heading.is_empty() {
                text += &format!("{}:\n", group.heading);
            }
            for option in group.options {
                let width = group.width;
                text += &format!("{:width$}{}\n", spelling(option), option.help);
            }
        }
        text + &format!("{}\nFor more details see {}(1).\n", self.notes, self.name)
    }

    /// The same for the man page and the completions.
    pub fn documented(&self, about: &'static str) -> clap::Command {
        let synopsis = |synopsis| format!("\n  {} {synopsis}", self.name);
        let synopsis: String = self.synopsis.iter().map(synopsis).collect();
        let mut command = clap::Command::new(self.name)
            .about(about)
            .long_about(format!("{about}.\n{synopsis}"))
            .after_long_help(format!(
                "{}\nDiffers from util-linux on purpose:\n{}  - --version names ipctool, messages are \
                 in English, and fractions have a point, in every locale.",
                self.notes.trim_start(),
                self.differs
            ))
            .disable_help_flag(true)
            .disable_version_flag(true);
        for group in self.groups {
            for option in group.options {
                let arg = Arg::new(option.long).long(option.long).help(option.help);
                let arg = match option.short {
                    Some(letter) => arg.short(letter),
                    None => arg,
                };
                command = command.arg(match option.value {
                    OptValue::None => arg.action(ArgAction::SetTrue),
                    OptValue::Required(name) => arg.value_name(name),
                    OptValue::Optional(kinds) => arg
                        .num_args(0..=1)
                        .require_equals(true)
                        .value_name("kind")
                        .value_parser(kinds.split('|').collect::<Vec<_>>()),
                });
            }
        }
        command
    }
}

fn spelling(option: &Opt) -> String {
    let short = match option.short {
        Some(letter) => format!("-{letter},"),
        None => "   ".to_owned(),
    };
    let value = match option.value {
        OptValue::None => String::new(),
        OptValue::Required(name) => format!(" <{name}>"),
        OptValue::Optional(name) => format!("[={name}]"),
    };
    format!(" {short} --{}{value}", option.long)
}
