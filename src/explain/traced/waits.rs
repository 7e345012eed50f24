//! Calls that wait, and what they wait for.

use std::fmt::Write as _;

use super::{Traced, wanted};
use crate::ipc::message::Wanted;
use crate::ipc::process::role::{Role, State};
use crate::ipc::{Use, count};
use crate::kernel::call::Call;

impl Traced<'_> {
    /// What a call waits for.
    pub(super) fn of_wait(&self) -> Option<String> {
        match self.call {
            Call::Msgrcv { message_type, flags, .. } => {
                let what = self.of_types(wanted(message_type, flags));
                let what = what.unwrap_or_else(|| match self.messages.as_deref() {
                    Some([]) => "the queue is empty".to_owned(),
                    _ => "it waits for a message".to_owned(),
                });
                Some(format!("{what}; {}", self.of_senders()))
            }
            Call::Msgsnd { size, .. } => {
                Some(format!("{}; {}", self.of_full_queue(size), self.of_receivers()))
            }
            Call::MqTimedreceive { .. } => {
                Some(format!("the queue is empty; {}", self.of_openers("open for sending")))
            }
            Call::MqTimedsend { .. } => {
                Some(format!("the queue is full; {}", self.of_openers("open")))
            }
            Call::Semop { .. } | Call::Semtimedop { .. } => {
                let blocked = self.operated.blocked()?;
                Some(match &self.chain {
                    Some(chain) => format!("{blocked}; {chain}"),
                    None => blocked,
                })
            }
            _ => None,
        }
    }

    /// There is no message of the wanted type, though there are others.
    pub(super) fn of_types(&self, wanted: Wanted) -> Option<String> {
        let messages = self.messages.as_ref()?;
        let mut types: Vec<i64> = messages.iter().map(|(message_type, _)| *message_type).collect();
        types.sort_unstable();
        types.dedup();
        if types.is_empty() || types.iter().any(|one| wanted.matches(*one)) {
            return None;
        }
        let number = count(messages.len() as u64, "message");
        const MOST: usize = 5;
        let mut list = String::new();
        for (place, one) in types.iter().take(MOST).enumerate() {
            let separator = match place {
                0 => "",
                _ if place + 1 == types.len() => " and ",
                _ => ", ",
            };
            // Writing to a string cannot fail.
            let _ = write!(list, "{separator}{one}");
        }
        if types.len() > MOST {
            list += ", …";
        }
        let plural = if types.len() == 1 { "type" } else { "types" };
        let asked = match wanted {
            Wanted::Any => "any type".to_owned(),
            Wanted::Type(one) => format!("type {one}"),
            Wanted::UpTo(most) => format!("a type up to {most}"),
            Wanted::Except(one) => format!("a type other than {one}"),
        };
        Some(format!("it wants {asked}, and the queue holds {number} of {plural} {list}"))
    }

    fn of_senders(&self) -> String {
        let waits = |one: &&Use| one.pid != self.pid && matches!(one.role, Role::WaitsToSend(_));
        if let Some(one) = self.users.iter().find(waits) {
            return format!("{} waits to send", one.name());
        }
        self.of_last(&Role::LastSender, "sent the last message", "nobody has sent to it yet")
    }

    fn of_receivers(&self) -> String {
        let waiting: Vec<_> = self
            .users
            .iter()
            .filter_map(|one| match &one.role {
                Role::WaitsToReceive(wanted) => Some((one, *wanted)),
                _ => None,
            })
            .collect();
        if let Some((one, _)) = waiting.first() {
            return format!("{} is {}, of which there is none", one.name(), one.role);
        }
        self.of_last(
            &Role::LastReceiver,
            "received the last message",
            "nobody waits to receive, and nobody has received from it yet",
        )
    }

    fn of_last(&self, role: &Role, did: &str, nobody: &str) -> String {
        match self.users.iter().find(|one| one.role == *role) {
            None => nobody.to_owned(),
            Some(one) if one.pid == self.pid => format!("the process itself {did}"),
            Some(one) if one.state == State::Alive => format!("{} {did}", one.name()),
            Some(one) => format!("process {}, which {did}, is gone", one.pid),
        }
    }

    fn of_openers(&self, how: &str) -> String {
        let is_other = |one: &&Use| one.role == Role::Open && one.pid != self.pid;
        let mut others: Vec<_> = self.users.iter().filter(is_other).map(Use::name).collect();
        others.dedup();
        match others.as_slice() {
            [] => format!("no other process has it {how}"),
            [one] => format!("{one} has it open"),
            [first, more @ ..] => {
                format!("{first} and {} have it open", count(more.len() as u64, "other process"))
            }
        }
    }
}
