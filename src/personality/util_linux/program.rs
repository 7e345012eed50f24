//! The description of a program: the one table from which its options, help and completions come.

use clap::{Arg, ArgAction};

use super::getopt::{Opt, OptValue};

/// A program of util-linux.
#[derive(Debug)]
pub(in crate::personality) struct Program {
    /// Its name.
    pub name: &'static str,
    /// Its arguments in the usage lines.
    pub synopsis: &'static [&'static str],
    /// Its purpose, as in the help.
    pub purpose: &'static str,
    /// Its options, as its help shows them.
    pub groups: &'static [Group],
    /// The long options that error messages list first, if the help has another order.
    pub listed_first: &'static [&'static str],
    /// Additional text in its help.
    pub notes: &'static str,
    /// The deliberate differences from util-linux, apart from `--version` and the language of messages.
    pub differs: &'static str,
}

/// Options that the help shows together.
#[derive(Debug)]
pub(in crate::personality) struct Group {
    /// The heading above them.
    pub heading: &'static str,
    /// The column at which help texts start.
    pub width: usize,
    /// The options.
    pub options: &'static [Opt],
}

/// The help option of every program.
pub(in crate::personality) const HELP: Opt =
    Opt { short: Some('h'), long: "help", value: OptValue::None, help: "display this help" };
/// The version option of every program.
pub(in crate::personality) const VERSION: Opt =
    Opt { short: Some('V'), long: "version", value: OptValue::None, help: "display version" };

impl Program {
    /// Its options in the order in which error messages list them: the common ones come last.
    pub fn options(&self) -> Vec<&'static Opt> {
        let mut options: Vec<_> = self.groups.iter().flat_map(|group| group.options).collect();
        let place = |list: &[&str], option: &Opt| list.iter().position(|long| *long == option.long);
        options.sort_by_key(|option| {
            let first = place(self.listed_first, option).unwrap_or(usize::MAX);
            (first, place(&[VERSION.long, HELP.long], option))
        });
        options
    }

    /// Its help, under the name by which it was called.
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

    /// Its options for the man page and the completions.
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
