//! Changes of permissions, as `chmod` and `chown` make them.

use std::str::FromStr;

use super::mode::Mode;
use super::permissions::Permissions;

/// New permissions, computed from the current ones just before they are set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The new owner.
    pub uid: Option<u32>,
    /// The new owner's group.
    pub gid: Option<u32>,
    /// How the mode changes.
    pub mode: Option<ModeChange>,
}

impl Change {
    /// The permissions after the change. Key and creator never change.
    pub fn apply(&self, before: &Permissions) -> Permissions {
        Permissions {
            uid: self.uid.unwrap_or(before.uid),
            gid: self.gid.unwrap_or(before.gid),
            mode: self.mode.as_ref().map_or(before.mode, |change| change.apply(before.mode)),
            ..*before
        }
    }
}

/// The MODE of `chmod(1)`, octal or symbolic. The umask does not apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModeChange {
    /// Replaces the mode.
    Set(Mode),
    /// Applies these steps in order.
    Steps(Vec<Step>),
}

/// One operator with its operands: the `g-w` of `u+rw,g-w`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The bits of the classes that the step changes: `0o700` for `u`.
    who: u32,
    operator: Operator,
    operand: Operand,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Add,
    Remove,
    Set,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operand {
    /// These rights, in the lowest three bits.
    Rights(u32),
    /// The rights of this class, as the number of bits by which they are shifted.
    Copy(u32),
}

impl ModeChange {
    /// The mode that results from `before`.
    pub fn apply(&self, before: Mode) -> Mode {
        match self {
            ModeChange::Set(mode) => *mode,
            ModeChange::Steps(steps) => {
                let bits = steps.iter().fold(before.bits(), |bits, step| step.apply(bits));
                Mode::from_bits(bits)
            }
        }
    }
}

impl Step {
    fn apply(self, before: u32) -> u32 {
        let rights = match self.operand {
            Operand::Rights(rights) => rights,
            Operand::Copy(shift) => before >> shift & 7,
        };
        let bits = (rights << 6 | rights << 3 | rights) & self.who;
        match self.operator {
            Operator::Add => before | bits,
            Operator::Remove => before & !bits,
            Operator::Set => before & !self.who | bits,
        }
    }
}

/// Text that is not a MODE.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidModeChange {
    /// It sets bits that IPC objects do not have.
    #[error(
        "'{0}' sets {1}, which IPC objects do not have: a mode is read and write for user, group and others"
    )]
    NoSuchRight(String, &'static str),
    /// It is neither octal nor symbolic.
    #[error("'{0}' is not a mode: write it in octal (660) or symbolically (u+rw,g-w,o=)")]
    Malformed(String),
}

impl FromStr for ModeChange {
    type Err = InvalidModeChange;

    fn from_str(text: &str) -> Result<Self, InvalidModeChange> {
        let malformed = || InvalidModeChange::Malformed(text.to_owned());
        let no_such = |right| InvalidModeChange::NoSuchRight(text.to_owned(), right);
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            let bits = u32::from_str_radix(text, 8).map_err(|_| malformed())?;
            return match bits {
                0o10000.. => Err(malformed()),
                0o1000.. => Err(no_such("set-id or sticky bits")),
                _ if bits & 0o111 != 0 => Err(no_such("execute bits")),
                _ => Ok(ModeChange::Set(Mode::from_bits(bits))),
            };
        }
        let mut steps = Vec::new();
        for clause in text.split(',') {
            let start = clause.find(['+', '-', '=']).ok_or_else(malformed)?;
            let (classes, mut rest) = clause.split_at(start);
            let mut who = if classes.is_empty() { 0o777 } else { 0 };
            for class in classes.chars() {
                who |= match class {
                    'u' => 0o700,
                    'g' => 0o070,
                    'o' => 0o007,
                    'a' => 0o777,
                    _ => return Err(malformed()),
                };
            }
            while let Some(operator) = rest.chars().next() {
                let operator = match operator {
                    '+' => Operator::Add,
                    '-' => Operator::Remove,
                    _ => Operator::Set,
                };
                rest = &rest[1..];
                let end = rest.find(['+', '-', '=']).unwrap_or(rest.len());
                let (letters, next) = rest.split_at(end);
                rest = next;
                let operand = match letters {
                    "u" => Operand::Copy(6),
                    "g" => Operand::Copy(3),
                    "o" => Operand::Copy(0),
                    letters => {
                        let mut rights = 0;
                        for letter in letters.chars() {
                            rights |= match letter {
                                'r' => 4,
                                'w' => 2,
                                'x' | 'X' => return Err(no_such("execute bits")),
                                's' | 't' => return Err(no_such("set-id or sticky bits")),
                                _ => return Err(malformed()),
                            };
                        }
                        Operand::Rights(rights)
                    }
                };
                steps.push(Step { who, operator, operand });
            }
        }
        Ok(ModeChange::Steps(steps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn change(before: u32, text: &str) -> String {
        match text.parse::<ModeChange>() {
            Ok(change) => change.apply(Mode::from_bits(before)).to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn octal_and_symbolic() {
        assert_eq!(change(0o600, "0660"), "0660");
        assert_eq!(change(0o600, "u+rw,g-w,o="), "0600");
        assert_eq!(change(0, "a=r"), "0444");
        assert_eq!(change(0, "+w"), "0222");
        assert_eq!(change(0o640, "o=g,g=u"), "0664");
        assert_eq!(change(0o640, "u-w+r,g+w"), "0460");
        assert_eq!(change(0o777, "u=rw"), "0677");
        assert_eq!(change(0o640, "="), "0000");
    }

    #[test]
    fn what_ipc_has_not_is_refused_with_the_reason() {
        for (text, reason) in [
            ("755", "execute bits"),
            ("u+x", "execute bits"),
            ("a+X", "execute bits"),
            ("1600", "sticky"),
            ("+t", "sticky"),
            ("u+s", "set-id"),
        ] {
            assert!(change(0, text).contains(reason), "{text}: {}", change(0, text));
        }
        for text in ["", "u", "rw", "8", "u+rw,", "z+r", "u+rz", "u+ug", "17777", "+6", "u +r"] {
            assert!(change(0, text).contains("is not a mode"), "{text}: {}", change(0, text));
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[ugoarwxst+=,0-7-]*\\PC?") {
            let _ = text.parse::<ModeChange>();
        }
    }
}
