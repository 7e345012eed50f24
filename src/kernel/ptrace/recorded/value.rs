//! A recorded call as a value.

use libc::c_int;

use super::{Form, Held, Recorded, command};
use crate::kernel::call::{Argument, Call, Pointed, Structure};

impl Recorded {
    /// The call as a value; `None` before the first one.
    pub fn call(&self) -> Option<Call<'_>> {
        let [first, second, third, fourth, fifth, _] = self.arguments;
        let id = first as i32;
        let bytes =
            |address: u64| Pointed { address: address as usize, content: self.bytes.as_deref() };
        let last = |command: c_int, address: u64| {
            let pointed = |held| Pointed { address: address as usize, content: held };
            match (command, &self.given, &self.filled) {
                (command::IPC_SET, Some(given), _) => Argument::Read(pointed(given.structure())),
                (_, _, Some(filled)) => Argument::Filled(pointed(filled.structure())),
                _ => Argument::Plain(address as usize),
            }
        };
        let time = |address: u64| Pointed {
            address: address as usize,
            content: match self.given {
                Some(Held::Time(time)) => Some(time),
                _ => None,
            },
        };
        let operations =
            || Pointed { address: second as usize, content: self.operations.as_deref() };
        Some(match self.form {
            Form::None => return None,
            Form::Msgget => Call::Msgget { key: id, flags: second as c_int },
            Form::Msgsnd => Call::Msgsnd {
                id,
                message: bytes(second),
                size: third as usize,
                flags: fourth as c_int,
            },
            Form::Msgrcv => Call::Msgrcv {
                id,
                message: bytes(second),
                size: third as usize,
                message_type: fourth as i64,
                flags: fifth as c_int,
            },
            Form::Msgctl => {
                let command = self.command(1);
                Call::Msgctl { id, command, argument: last(command, third) }
            }
            Form::Shmget => Call::Shmget { key: id, size: second as usize, flags: third as c_int },
            Form::Shmat => Call::Shmat { id, address: second as usize, flags: third as c_int },
            Form::Shmdt => Call::Shmdt { address: first as usize },
            Form::Shmctl => {
                let command = self.command(1);
                Call::Shmctl { id, command, argument: last(command, third) }
            }
            Form::Semget => Call::Semget { key: id, nsems: second as i32, flags: third as c_int },
            Form::Semop => Call::Semop { id, operations: operations(), number: third as usize },
            Form::Semtimedop => Call::Semtimedop {
                id,
                operations: operations(),
                number: third as usize,
                timeout: time(fourth),
            },
            Form::Semctl => {
                let command = self.command(2);
                let argument = last(command, fourth);
                Call::Semctl { id, number: second as i32, command, argument }
            }
            Form::MqOpen => Call::MqOpen {
                name: bytes(first),
                flags: second as c_int,
                mode: third as u32,
                attributes: attributes_of(&self.given, fourth),
            },
            Form::MqUnlink => Call::MqUnlink { name: bytes(first) },
            Form::MqTimedsend => Call::MqTimedsend {
                descriptor: id,
                message: bytes(second),
                size: third as usize,
                priority: fourth as u32,
                deadline: time(fifth),
            },
            Form::MqTimedreceive => Call::MqTimedreceive {
                descriptor: id,
                message: bytes(second),
                size: third as usize,
                priority: Pointed {
                    address: fourth as usize,
                    content: match &self.filled {
                        Some(Held::Priority(priority)) => Some(priority),
                        _ => None,
                    },
                },
                deadline: time(fifth),
            },
            Form::MqNotify => Call::MqNotify {
                descriptor: id,
                event: Pointed {
                    address: second as usize,
                    content: match self.given {
                        Some(Held::Event(event)) => Some(event),
                        _ => None,
                    },
                },
            },
            Form::MqGetsetattr => Call::MqGetsetattr {
                descriptor: id,
                new: attributes_of(&self.given, second),
                old: attributes_of(&self.filled, third),
            },
            Form::File(shown) => shown.call(self.bytes.as_deref().unwrap_or_default()),
            Form::Ftruncate => Call::Ftruncate { descriptor: id, length: second },
            Form::Stat => Call::Stat { path: bytes(second) },
        })
    }
}

impl Held {
    fn structure(&self) -> Option<Structure<'_>> {
        Some(match self {
            Held::Msqid(status) => Structure::Msqid(status),
            Held::Shmid(status) => Structure::Shmid(status),
            Held::Semid(status) => Structure::Semid(status),
            Held::Msginfo(info) => Structure::Msginfo(info),
            Held::Shminfo(info) => Structure::Shminfo(info),
            Held::ShmUsage(info) => Structure::ShmUsage(info),
            Held::Seminfo(info) => Structure::Seminfo(info),
            Held::Attributes(_) | Held::Time(_) | Held::Priority(_) | Held::Event(_) => {
                return None;
            }
        })
    }
}

fn attributes_of(held: &Option<Held>, address: u64) -> Pointed<&libc::mq_attr> {
    let content = match held {
        Some(Held::Attributes(attributes)) => Some(attributes),
        _ => None,
    };
    Pointed { address: address as usize, content }
}
