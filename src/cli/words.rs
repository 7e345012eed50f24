//! Words of other programs, and the commands that do here what they do there. Only a command line that is
//! wrong is looked up here.

use std::ffi::OsString;

use crate::ipc::{CommandLine, Kind, Operand, Reference, Target};

/// What to use instead of a word that is not a command.
struct Instead {
    words: &'static [&'static str],
    /// What the user wants to do, for a sentence.
    aim: &'static str,
    /// The command that does it, without the arguments.
    command: &'static str,
    /// What the command needs, if the user gave no arguments.
    needs: &'static str,
}

const fn instead(
    words: &'static [&'static str],
    aim: &'static str,
    command: &'static str,
    needs: &'static str,
) -> Instead {
    Instead { words, aim, command, needs }
}

const COMMANDS: &[Instead] = &[
    instead(&["version"], "to see the version", "ipctool --version", ""),
    instead(
        &["status", "overview", "summary", "dashboard"],
        "to see everything in one screen",
        "ipctool",
        "",
    ),
    instead(
        &["show", "info", "inspect", "describe", "details", "get", "view"],
        "to see everything about an object",
        "ipctool stat",
        "REF",
    ),
    instead(
        &["ps", "who", "users", "lsof", "fuser", "procs", "processes"],
        "to see who uses the objects",
        "ipctool list --who",
        "",
    ),
    instead(
        &["lsipc", "all", "objects", "find", "search", "grep", "dir", "ll"],
        "to list objects",
        "ipctool list",
        "",
    ),
    instead(
        &["delete", "del", "remove", "unlink", "destroy", "erase", "kill", "drop"],
        "to remove objects",
        "ipctool rm",
        "REF",
    ),
    instead(
        &["clean", "cleanup", "gc", "prune", "sweep"],
        "to see which unused objects would be removed",
        "ipctool rm --orphan --dry-run",
        "",
    ),
    instead(
        &["new", "make", "mk", "add", "open", "touch", "mkfifo"],
        "to create an object",
        "ipctool create",
        "KIND",
    ),
    instead(
        &["receive", "pop", "take", "consume", "dequeue", "msgrcv", "cat"],
        "to receive a message",
        "ipctool recv",
        "QUEUE",
    ),
    instead(
        &["peek", "look", "messages", "head"],
        "to see messages without taking them",
        "ipctool recv --peek --all",
        "QUEUE",
    ),
    instead(
        &["purge", "drain", "flush", "clear", "empty"],
        "to take all messages off a queue",
        "ipctool recv --all",
        "QUEUE",
    ),
    instead(
        &["put", "push", "post", "publish", "enqueue", "msgsnd"],
        "to send a message",
        "ipctool send",
        "QUEUE MESSAGE",
    ),
    instead(
        &["lock", "flock", "unlock", "acquire", "release", "semtimedop", "up", "down"],
        "to operate on a semaphore",
        "ipctool semop",
        "SEM OPERATION",
    ),
    instead(
        &["hexdump", "xxd", "od", "shmread"],
        "to see the bytes of shared memory",
        "ipctool read",
        "SEGMENT",
    ),
    instead(&["shmwrite"], "to write to shared memory", "ipctool write", "SEGMENT"),
    instead(&["shmat"], "to keep a segment attached", "ipctool attach", "SEGMENT"),
    instead(
        &["free", "usage", "df", "du", "ulimit", "quota", "sysctl", "capacity"],
        "to see limits and how much of each is used",
        "ipctool limits",
        "",
    ),
    instead(
        &["monitor", "events", "changes", "history"],
        "to see what appears, changes and goes",
        "ipctool watch",
        "",
    ),
    instead(&["set"], "to set limits", "ipctool limits --set", "NAME=VALUE"),
    instead(
        &["check", "diagnose", "health", "fsck", "lint", "problems", "why"],
        "to find problems",
        "ipctool doctor",
        "",
    ),
    instead(
        &["run", "exec", "test", "wrap", "leaks"],
        "to run a command and report what it leaks",
        "ipctool guard --",
        "COMMAND",
    ),
    instead(&["ftok"], "to see the key of a path", "ipctool key", "PATH"),
    instead(&["perm", "perms", "mode"], "to change the mode", "ipctool chmod", "MODE REF"),
    instead(&["owner", "chgrp"], "to change owner or group", "ipctool chown", "OWNER:GROUP REF"),
];

/// A letter that `ipcs`, `ipcrm` or `ipcmk` have, and this verb has not.
struct Habit {
    verb: &'static str,
    option: &'static str,
    aim: &'static str,
    command: &'static str,
}

const fn habit(
    verb: &'static str,
    option: &'static str,
    aim: &'static str,
    command: &'static str,
) -> Habit {
    Habit { verb, option, aim, command }
}

const HABITS: &[Habit] = &[
    habit("list", "-l", "to see the limits", "ipctool limits"),
    habit("list", "-u", "to see how much is used", "ipctool"),
    habit("list", "-i", "to see everything about one object", "ipctool stat KIND:ID"),
    habit("list", "-a", "all objects are listed by default", "ipctool list"),
    habit("watch", "-q", "to watch message queues", "ipctool watch msg"),
    habit("watch", "-m", "to watch shared memory", "ipctool watch shm"),
    habit("watch", "-s", "to watch semaphore sets", "ipctool watch sem"),
    habit("watch", "--kind", "to watch some kinds, name them", "ipctool watch msg,pmsg"),
    habit("watch", "--format", "to print JSON", "ipctool watch --json"),
    habit("create", "-Q", "to create a message queue", "ipctool create msg"),
    habit("create", "-M", "to create shared memory", "ipctool create shm --size SIZE"),
    habit("create", "-S", "to create a semaphore set", "ipctool create sem --nsems N"),
    habit("create", "-p", "to set the mode", "ipctool create KIND --mode MODE"),
];

/// What to use instead of a command that does not exist, with the arguments that it was given.
pub fn instead_of(word: &str, arguments: &[OsString]) -> Option<String> {
    let known = word.to_ascii_lowercase();
    let Instead { aim, command, needs, .. } =
        COMMANDS.iter().find(|one| one.words.contains(&known.as_str()))?;
    let gap = if needs.is_empty() { "" } else { " " };
    Some(match (arguments, *needs) {
        // Arguments that the command does not take would mislead.
        ([], _) | (_, "") => format!("{aim}: {command}{gap}{needs}"),
        _ => {
            let line = arguments.iter().fold(CommandLine::new(command), CommandLine::word_of);
            format!("{aim}: {line}")
        }
    })
}

/// What to use instead of an option that this verb does not have.
pub fn instead_of_option(verb: &str, option: &str) -> Option<String> {
    let Habit { aim, command, .. } =
        HABITS.iter().find(|habit| habit.verb == verb && habit.option == option)?;
    Some(format!("{aim}: {command}"))
}

/// What to use if an operand of this verb names something else: an object where a kind is meant, or a kind
/// where an object is meant.
pub fn instead_of_operand(verb: &str, operand: &str, next: Option<&OsString>) -> Option<String> {
    let next = next.and_then(|next| next.to_str());
    match (verb, operand.parse::<Kind>(), next) {
        ("list", Err(_), _) => {
            let is_one = operand.parse::<Operand>().is_ok();
            let is_bare = operand.starts_with(|c: char| c == '/' || c.is_ascii_digit());
            let aim = "to see everything about one object";
            let stat = CommandLine::new("ipctool stat");
            match (is_one, is_bare) {
                (true, _) => Some(format!("{aim}: {}", stat.word(operand))),
                (_, true) => Some(format!("{aim}: {}", stat.word(format_args!("KIND:{operand}")))),
                _ => None,
            }
        }
        ("watch", Err(_), _) => {
            let watch = CommandLine::new("ipctool watch");
            let chosen = match operand.parse::<Operand>().ok()? {
                Operand::One(Reference { kind, target: Target::Name(name) }) => {
                    watch.word(kind).setting("--name", name)
                }
                Operand::One(Reference { kind, target: Target::Key(key) }) => {
                    watch.word(kind).setting("--key", key)
                }
                Operand::One(Reference { kind, target: Target::Id(_) }) => {
                    return Some(format!(
                        "to watch one object, choose it by --key, --name or another filter: {} --key KEY; to wait until it is in a state: {} --until CONDITION",
                        watch.word(kind),
                        CommandLine::new("ipctool wait").word(operand)
                    ));
                }
                Operand::Bare(Target::Name(name)) => watch.setting("--name", name),
                Operand::Bare(Target::Key(key)) => watch.setting("--key", key),
                Operand::Bare(Target::Id(_)) => return None,
                Operand::Like(kind, pattern) => {
                    kind.into_iter().fold(watch, CommandLine::word).setting("--name", pattern)
                }
            };
            let wait = CommandLine::new("ipctool wait").word(operand);
            Some(format!(
                "to watch some objects, use filters: {chosen}; to wait until an object is in a state: {wait} --until CONDITION"
            ))
        }
        ("stat" | "rm", Ok(kind), Some(next)) if next.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(format!("an object is named as KIND:REF: ipctool {verb} {kind}:{next}"))
        }
        ("stat", Ok(kind), _) => Some(format!("to list this kind: ipctool list {kind}")),
        ("rm", Ok(kind), _) => {
            Some(format!("to see what would be removed: ipctool rm --all {kind} --dry-run"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::documented;

    #[test]
    fn every_word_leads_to_a_command_that_exists() {
        let root = documented();
        let exists = |command: &str| {
            let mut words = command.split(' ').skip(1);
            let Some(verb) = words.next() else { return };
            let found = root.find_subcommand(verb);
            assert!(found.is_some() || verb == "--version", "{command}");
            let mut built = found.cloned().unwrap_or_else(|| root.clone());
            built.build();
            for option in words.filter(|word| word.starts_with("--") && *word != "--") {
                assert!(
                    built.get_arguments().any(|arg| arg.get_long() == Some(&option[2..])),
                    "{command}"
                );
            }
        };
        COMMANDS.iter().for_each(|one| exists(one.command));
        HABITS.iter().for_each(|one| exists(one.command));
    }

    #[test]
    fn no_wrong_word_is_right() {
        let root = documented();
        let mut words: Vec<_> = COMMANDS.iter().flat_map(|one| one.words).collect();
        for word in &words {
            assert!(root.find_subcommand(word).is_none(), "{word}");
        }
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count, "a word leads to one command");
        for Habit { verb, option, .. } in HABITS {
            let mut built = root.find_subcommand(verb).expect("a verb").clone();
            built.build();
            let letter = option.chars().nth(1);
            assert!(built.get_arguments().all(|arg| arg.get_short() != letter), "{verb} {option}");
        }
    }

    #[test]
    fn the_arguments_are_kept() {
        let hint = |word: &str, arguments: &[&str]| {
            let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
            instead_of(word, &arguments)
        };
        assert_eq!(hint("delete", &[]).as_deref(), Some("to remove objects: ipctool rm REF"));
        assert_eq!(
            hint("DELETE", &["-q", "two words"]).as_deref(),
            Some("to remove objects: ipctool rm -q 'two words'")
        );
        assert_eq!(
            hint("version", &["-v"]).as_deref(),
            Some("to see the version: ipctool --version")
        );
        assert_eq!(hint("nonsense", &[]), None);
    }
}
