//! Options as `getopt_long(3)` of the GNU C library parses them, with its messages: options may follow
//! operands, short ones may be combined, and long ones may be abbreviated if that is unambiguous.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// An option of a program.
#[derive(Debug)]
pub(in crate::personality) struct Opt {
    /// Its letter, if it has one.
    pub short: Option<char>,
    /// Its long name, by which the program identifies it.
    pub long: &'static str,
    /// Whether it takes a value.
    pub value: OptValue,
    /// Its help text.
    pub help: &'static str,
}

/// The value of an option, with its name in the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::personality) enum OptValue {
    /// It takes no value.
    None,
    /// It requires a value: the rest of the argument, or the next argument.
    Required(&'static str),
    /// It accepts a value: the rest of the argument.
    Optional(&'static str),
}

/// An option on the command line: its long name and its value.
pub(in crate::personality) type Given<'a> = (&'static str, Option<&'a [u8]>);

/// Parses options one by one, on demand: the options before a wrong one take effect.
pub(in crate::personality) struct Getopt<'a> {
    options: Vec<&'static Opt>,
    arguments: std::slice::Iter<'a, OsString>,
    /// Letters of the current argument that are not parsed yet.
    cluster: &'a [u8],
    operands: Vec<&'a [u8]>,
    /// Whether the first operand ends the options.
    in_order: bool,
}

impl<'a> Getopt<'a> {
    /// A parser for these arguments, which exclude the name of the program.
    pub fn new(options: Vec<&'static Opt>, arguments: &'a [OsString]) -> Getopt<'a> {
        Getopt {
            options,
            arguments: arguments.iter(),
            cluster: b"",
            operands: Vec::new(),
            in_order: std::env::var_os("POSIXLY_CORRECT").is_some(),
        }
    }

    /// The operands. Complete when there are no more options.
    pub fn operands(&self) -> &[&'a [u8]] {
        &self.operands
    }

    fn operands_from_here(&mut self) {
        self.operands.extend(self.arguments.by_ref().map(|argument| argument.as_bytes()));
    }

    fn short(&mut self) -> Result<Given<'a>, Vec<u8>> {
        let (&letter, rest) = self.cluster.split_first().unwrap_or((&0, b""));
        self.cluster = rest;
        let has_letter = |option: &&Opt| option.short == Some(letter.into());
        let Some(option) = self.options.iter().find(|option| has_letter(option)) else {
            return Err([b"invalid option -- '", &[letter][..], b"'"].concat());
        };
        let value = match option.value {
            OptValue::None => None,
            OptValue::Optional(_) if rest.is_empty() => None,
            OptValue::Required(_) if rest.is_empty() => match self.arguments.next() {
                Some(next) => Some(next.as_bytes()),
                None => {
                    return Err([b"option requires an argument -- '", &[letter][..], b"'"].concat());
                }
            },
            _ => {
                self.cluster = b"";
                Some(rest)
            }
        };
        Ok((option.long, value))
    }

    fn long(&mut self, text: &'a [u8]) -> Result<Given<'a>, Vec<u8>> {
        let (name, value) = match text.iter().position(|&byte| byte == b'=') {
            Some(equals) => (&text[..equals], Some(&text[equals + 1..])),
            None => (text, None),
        };
        let options = self.options.iter().copied();
        let exact = options.clone().find(|option| option.long.as_bytes() == name);
        let begins = |option: &&Opt| option.long.as_bytes().starts_with(name);
        let candidates: Vec<_> = options.filter(begins).collect();
        let option = match (exact, candidates.as_slice()) {
            (Some(option), _) | (None, &[option]) => option,
            (None, []) => return Err([b"unrecognized option '--", text, b"'"].concat()),
            (None, _) => {
                let mut message = [b"option '--", text, b"' is ambiguous; possibilities:"].concat();
                for candidate in candidates {
                    message.extend(format!(" '--{}'", candidate.long).bytes());
                }
                return Err(message);
            }
        };
        let refuse = |why: &str| Err(format!("option '--{}' {why}", option.long).into_bytes());
        match (option.value, value) {
            (OptValue::None, Some(_)) => refuse("doesn't allow an argument"),
            (OptValue::Required(_), None) => match self.arguments.next() {
                Some(next) => Ok((option.long, Some(next.as_bytes()))),
                None => refuse("requires an argument"),
            },
            (_, value) => Ok((option.long, value)),
        }
    }
}

impl<'a> Iterator for Getopt<'a> {
    /// The next option, or the message about an error.
    type Item = Result<Given<'a>, Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if !self.cluster.is_empty() {
                return Some(self.short());
            }
            let argument = self.arguments.next()?.as_bytes();
            match argument {
                b"--" => {
                    self.operands_from_here();
                    return None;
                }
                [b'-', b'-', name @ ..] => return Some(self.long(name)),
                [b'-', letters @ ..] if !letters.is_empty() => self.cluster = letters,
                operand => {
                    self.operands.push(operand);
                    if self.in_order {
                        self.operands_from_here();
                        return None;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OPTIONS: [Opt; 4] = {
        const fn option(short: Option<char>, long: &'static str, value: OptValue) -> Opt {
            Opt { short, long, value, help: "" }
        }
        [
            option(Some('i'), "id", OptValue::Required("id")),
            option(Some('a'), "all", OptValue::Optional("kind")),
            option(Some('q'), "queues", OptValue::None),
            option(None, "quiet", OptValue::None),
        ]
    };

    fn read(line: &str) -> String {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let mut options = Getopt::new(OPTIONS.iter().collect(), &arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut words = Vec::new();
        for option in options.by_ref() {
            words.push(match option {
                Ok((name, Some(value))) => format!("{name}={}", text(value)),
                Ok((name, None)) => name.to_owned(),
                Err(message) => format!("({})", text(&message)),
            });
        }
        words.extend(options.operands().iter().map(|operand| format!("<{}>", text(operand))));
        words.join(" ")
    }

    #[test]
    fn as_the_c_library_does() {
        assert_eq!(read("-q x -i 1 -"), "queues id=1 <x> <->");
        assert_eq!(read("-qi1"), "queues id=1");
        assert_eq!(read("-qi"), "queues (option requires an argument -- 'i')");
        assert_eq!(read("-i -- -q"), "id=-- queues");
        assert_eq!(read("-amsg -a msg"), "all=msg all <msg>");
        assert_eq!(read("--all --all=msg --all msg"), "all all=msg all <msg>");
        assert_eq!(read("--i 1 --id=2 --que"), "id=1 id=2 queues");
        assert_eq!(read("-- -q"), "<-q>");
        assert_eq!(read("-zq"), "(invalid option -- 'z') queues");
        assert_eq!(read("--foo=1"), "(unrecognized option '--foo=1')");
        assert_eq!(read("--queues=1"), "(option '--queues' doesn't allow an argument)");
        assert_eq!(read("--id"), "(option '--id' requires an argument)");
        let possible = "is ambiguous; possibilities: '--queues' '--quiet'";
        assert_eq!(read("--qu=1"), format!("(option '--qu=1' {possible})"));
    }

    proptest! {
        #[test]
        fn no_line_panics(line in "[-=iaqx ]{0,20}") {
            let _ = read(&line);
        }
    }
}
