//! Where an object lives, if several IPC namespaces are looked at.

use std::fmt;

use super::command_line::shell_word;
use super::summary::Summary;
use super::{Kind, ProcessName, Snapshot};

/// An IPC namespace and a container, as people name them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Home {
    /// The inode number of the namespace, as `lsns(8)` shows it.
    pub namespace: u64,
    /// The container, `host` for the namespace of process 1; `None` for neither.
    pub container: Option<String>,
    /// Whether another place has a container of the same name, so that the name alone says too little.
    pub is_shared: bool,
    /// Where its `/dev/shm` is mounted.
    pub mounts: Mounts,
}

/// Whose mounts are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mounts {
    /// Nobody's: no process is seen there that has a `/dev/shm`.
    #[default]
    Nobodys,
    /// Those of the caller.
    Own,
    /// Those of this process.
    Of(i32),
}

impl Home {
    /// A place of which no more is known.
    pub fn new(namespace: u64, container: Option<String>) -> Home {
        Home { namespace, container, is_shared: false, mounts: Mounts::default() }
    }

    /// What it is called on the command line: its container, else the number of the namespace.
    pub fn name(&self) -> String {
        let is_plain = |name: &&String| !name.bytes().all(|byte| byte.is_ascii_digit());
        let container = self.container.as_ref().filter(|_| !self.is_shared).filter(is_plain);
        container.cloned().unwrap_or_else(|| self.namespace.to_string())
    }
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.container {
            Some(container) => write!(f, "{} ({container})", self.namespace),
            None => write!(f, "{}", self.namespace),
        }
    }
}

/// The commands of `ipctool` that look at no objects, so no namespace matters to them.
const HOMELESS: [&str; 6] = ["guard", "help", "install-links", "key", "learn", "trace"];

impl Home {
    /// A text with commands, each sent to this place: `ipctool rm` becomes `ipctool --in NAME rm`.
    pub fn address(&self, text: &str) -> String {
        let program = "ipctool ";
        // The text may be in quotes already.
        let name = self.name();
        let name = if shell_word(&name) == name { name } else { self.namespace.to_string() };
        let sent = format!("ipctool --in {name}");
        let mut addressed = String::new();
        let (mut rest, mounting) = self.split_mount(text);
        while let Some(place) = rest.find(program) {
            let (before, command) = rest.split_at(place);
            let behind = &command[program.len()..];
            let verb = behind.split(|byte: char| !(byte.is_ascii_lowercase() || byte == '-'));
            let verb = verb.into_iter().next().unwrap_or_default();
            let is_verb = verb.starts_with(|first: char| first.is_ascii_lowercase());
            addressed += before;
            addressed += if is_verb && !HOMELESS.contains(&verb) { &sent } else { "ipctool" };
            addressed.push(' ');
            rest = behind;
        }
        addressed + rest + &mounting
    }

    /// Cuts off a command at the end of a text that mounts something, and sends it to the mounts of this place.
    fn split_mount<'a>(&self, text: &'a str) -> (&'a str, String) {
        let Some(start) = MOUNTING.iter().find_map(|command| text.find(command)) else {
            return (text, String::new());
        };
        let (before, command) = text.split_at(start);
        let sent = match self.mounts {
            Mounts::Own => command.to_owned(),
            Mounts::Of(pid) if command.contains("&&") => {
                format!("nsenter --target {pid} --mount sh -c '{command}'")
            }
            Mounts::Of(pid) => format!("nsenter --target {pid} --mount {command}"),
            // Here it would change what the caller sees.
            Mounts::Nobodys => "(no process lives there for which it could be mounted)".to_owned(),
        };
        (before, sent)
    }
}

/// How the commands that mount something begin. They end a text.
const MOUNTING: [&str; 3] = ["mkdir -p /dev/", "mount -o remount,", "mount -t "];

/// What has a home, if several places are looked at.
pub trait Housed {
    /// Where it lives.
    fn home(&self) -> Option<&Home>;
}

/// An IPC namespace with what lives there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Residence {
    /// Its name.
    pub home: Home,
    /// How many processes live in it.
    pub processes: u64,
    /// The process that has lived there longest.
    pub oldest: Option<ProcessName>,
    /// How many objects of each kind there are, in the order of [`Kind::ALL`]. `None` for a kind that could
    /// not be listed, and for all of them if it may not be entered.
    pub objects: [Option<u64>; 6],
    /// How many bytes of memory the objects take; `None` if that is unknown of any of them.
    pub memory: Option<u64>,
    /// The number of the user namespace that owns it; `None` if that may not be seen.
    pub user_namespace: Option<u64>,
}

impl Residence {
    /// A namespace of which no object is known yet.
    pub fn new(home: Home) -> Residence {
        Residence {
            home,
            processes: 0,
            oldest: None,
            objects: [None; 6],
            memory: None,
            user_namespace: None,
        }
    }

    /// Adds the objects of these kinds.
    pub fn add(&mut self, kinds: &[Kind], snapshot: &Snapshot) {
        for &kind in kinds {
            let summary = Summary::of(kind, snapshot);
            let place = &mut self.objects[kind as usize];
            *place = match (*place, summary.count) {
                (Some(before), Some(more)) => Some(before + more),
                (before, more) => before.or(more),
            };
            if !matches!(kind, Kind::Sem | Kind::Psem) {
                let more = summary.memory.unwrap_or(0);
                self.memory = Some(self.memory.unwrap_or(0).saturating_add(more));
            }
        }
    }

    /// How many objects there are in all.
    pub fn total(&self) -> u64 {
        self.objects.iter().flatten().sum()
    }
}

impl Housed for Residence {
    fn home(&self) -> Option<&Home> {
        Some(&self.home)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_sent_home() {
        let home = |container: Option<&str>| Home::new(4_026_532_201, container.map(str::to_owned));
        let web = home(Some("web"));
        for (text, expected) in [
            ("ipctool rm msg:0", "ipctool --in web rm msg:0"),
            (
                "to see it: ipctool list msg; ipctool help",
                "to see it: ipctool --in web list msg; ipctool help",
            ),
            ("sudo sh -c 'ipctool recv q'", "sudo sh -c 'ipctool --in web recv q'"),
            ("ipctool --in db list", "ipctool --in db list"),
            ("", ""),
        ] {
            assert_eq!(web.address(text), expected);
        }
        let shared = Home { is_shared: true, ..web.clone() };
        for other in [home(None), home(Some("my web")), home(Some("1312")), shared] {
            assert_eq!(other.address("ipctool limits"), "ipctool --in 4026532201 limits");
        }
    }

    #[test]
    fn what_is_mounted_is_mounted_there() {
        let home = |mounts| Home { mounts, ..Home::new(4_026_532_201, Some("web".to_owned())) };
        let fix = "mount -o remount,size=131072 /dev/shm";
        let there = "nsenter --target 77 --mount mount -o remount,size=131072 /dev/shm";
        assert_eq!(home(Mounts::Of(77)).address(fix), there);
        let hint = "'ipctool list pshm' shows it; as root: mkdir -p /dev/shm && mount -t tmpfs tmpfs /dev/shm";
        assert_eq!(
            home(Mounts::Of(77)).address(hint),
            "'ipctool --in web list pshm' shows it; as root: nsenter --target 77 --mount sh -c 'mkdir -p /dev/shm && mount -t tmpfs tmpfs /dev/shm'"
        );
        // Never on the host.
        assert!(!home(Mounts::Nobodys).address(hint).contains("mount -t"));
        assert_eq!(home(Mounts::Own).address(fix), fix);
    }
}
