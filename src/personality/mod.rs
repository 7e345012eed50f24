//! The programs that `ipctool` replaces: called by the name of one of them, it behaves like that
//! program.
//!
//! This module parses their arguments and formats their output. The objects, and how they are read,
//! created and removed, are those of [`crate::ipc`] and [`crate::kernel`]. Exit statuses and messages
//! are those of the original programs, and the global options of `ipctool` do not exist here.

pub(crate) mod ipcmk;
mod ipcrm;
mod ipcs;
mod msgtool;
pub mod util_linux;

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::exit::Status;
use crate::kernel::Namespace;
use util_linux::session::Session;

/// A program that `ipctool` replaces.
#[derive(Debug)]
pub struct Personality {
    /// Its name.
    pub name: &'static str,
    /// A one-line description.
    pub about: &'static str,
    run: fn(&mut Session, &[OsString]) -> util_linux::session::Result<Status>,
    documented: fn(&'static str) -> clap::Command,
}

/// All of these programs.
pub const ALL: [Personality; 4] = [
    Personality {
        name: "ipcs",
        about: "List System V objects as ipcs(1) of util-linux does",
        run: ipcs::run,
        documented: |about| ipcs::PROGRAM.documented(about),
    },
    Personality {
        name: "ipcrm",
        about: "Remove System V objects as ipcrm(1) of util-linux does",
        run: ipcrm::run,
        documented: |about| ipcrm::PROGRAM.documented(about),
    },
    Personality {
        name: "ipcmk",
        about: "Create System V objects as ipcmk(1) of util-linux does",
        run: ipcmk::run,
        documented: |about| ipcmk::PROGRAM.documented(about),
    },
    Personality {
        name: "msgtool",
        about: "Try out a message queue as msgtool of the Linux Programmer's Guide does",
        run: msgtool::run,
        documented: msgtool::documented,
    },
];

/// The program with this name.
fn named(name: &OsStr) -> Option<&'static Personality> {
    ALL.iter().find(|personality| personality.name == name)
}

impl Personality {
    /// Its options, for the man page and the completions.
    pub fn documented(&self) -> clap::Command {
        (self.documented)(self.about)
            .bin_name(format!("ipctool {}", self.name))
            .display_name(format!("ipctool-{}", self.name))
    }
}

/// A program with its arguments.
#[derive(Debug)]
pub struct Call {
    personality: &'static Personality,
    path: OsString,
    arguments: Vec<OsString>,
}

/// The program that these arguments call, if any: by the name of a link to this binary, or as the first
/// argument. They start with the path of the binary.
pub fn called(mut arguments: impl Iterator<Item = OsString>) -> Option<Call> {
    let path = arguments.next()?;
    if let Some(personality) = Path::new(&path).file_name().and_then(named) {
        return Some(Call { personality, path, arguments: arguments.collect() });
    }
    let first = arguments.next()?;
    // `ipctool help ipcs` is `ipctool ipcs --help`.
    if first == "help" {
        let path = arguments.next()?;
        let personality = named(&path)?;
        return Some(Call { personality, path, arguments: vec!["--help".into()] });
    }
    let personality = named(&first)?;
    Some(Call { personality, path: first, arguments: arguments.collect() })
}

impl Call {
    /// Runs the program.
    pub fn run(self, namespace: Namespace) -> Status {
        let mut session = Session::new(self.path, namespace);
        let ended = (self.personality.run)(&mut session, &self.arguments);
        session.finish(ended.unwrap_or_else(|status| status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_the_name_of_the_link_or_as_first_argument() {
        let name = |line: &[&str]| {
            let call = called(line.iter().map(OsString::from))?;
            let words: Vec<_> = call.arguments.iter().filter_map(|word| word.to_str()).collect();
            Some(format!("{} {}", call.personality.name, words.join(" ")))
        };
        assert_eq!(name(&["/usr/bin/ipcs", "-q"]).as_deref(), Some("ipcs -q"));
        assert_eq!(name(&["msgtool"]).as_deref(), Some("msgtool "));
        assert_eq!(name(&["./ipctool", "ipcrm", "-a"]).as_deref(), Some("ipcrm -a"));
        assert_eq!(name(&["ipcrm", "ipcs"]).as_deref(), Some("ipcrm ipcs"));
        assert_eq!(name(&["ipctool", "--trace", "ipcs"]), None);
        assert_eq!(name(&["ipctool", "list"]), None);
        assert_eq!(name(&["ipctool", "help", "ipcs"]).as_deref(), Some("ipcs --help"));
        assert_eq!(name(&["ipctool", "help", "list"]), None);
        assert_eq!(name(&["ipctool", "help"]), None);
        assert_eq!(name(&["my-ipcs"]), None);
        assert_eq!(name(&[]), None);
    }
}
