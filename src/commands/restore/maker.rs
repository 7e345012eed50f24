//! Makes one object of a dump.

use super::VERB;
use crate::commands::print_error;
use crate::dump::Described;
use crate::explain::{Failure, Reason, Wish};
use crate::ipc::message::Message;
use crate::ipc::{Change, Key, Kind, Mode, ModeChange, Object, Reference, Target};
use crate::kernel::channel::Channel;
use crate::kernel::io::os_error;
use crate::kernel::limits::slot_bits;
use crate::kernel::posix::mq_calls::{self, Shape};
use crate::kernel::shared_memory::{Access, SharedMemory};
use crate::kernel::sysv::next_id::NextId;
use crate::kernel::sysv::{msg, sem, shm};
use crate::kernel::{CallError, Errno, Namespace};

/// Until it is complete, only its maker can use it.
const OWN: Mode = Mode::from_bits(0o600);

/// How often to ask for an id that other programs use up meanwhile.
const ATTEMPTS: u32 = 20;

/// An object that is being made. If it does not come to its end, it goes again.
pub(super) struct Maker<'a> {
    namespace: &'a Namespace,
    described: Described,
    new: Reference,
    content: Content,
    is_complete: bool,
}

/// Where its content goes.
enum Content {
    Nothing,
    Queue(Channel),
    Memory(SharedMemory),
}

impl<'a> Maker<'a> {
    /// Makes an object without its content.
    pub fn begin(
        namespace: &'a Namespace,
        described: Described,
        replaces: bool,
        keeps_id: bool,
    ) -> Result<Maker<'a>, Failure> {
        let failed = |what: String| Failure::new(VERB, &described.object, what, Reason::Failed);
        // The dump was checked, so these are there.
        let old = described.reference().map_err(|error| failed(error.to_string()))?;
        let new = Making { namespace, described: &described, old: &old, replaces };
        let new = match (keeps_id, &old.target) {
            (true, Target::Id(id)) => new.with_id(*id)?,
            _ => new.make()?,
        };
        let mut maker =
            Maker { namespace, described, new, content: Content::Nothing, is_complete: false };
        maker.content = maker.open()?;
        Ok(maker)
    }

    /// The reference in the dump.
    pub fn old(&self) -> &str {
        &self.described.object
    }

    fn failed(&self, what: impl Into<String>) -> Failure {
        Failure::new(VERB, &self.described.object, what.into(), Reason::Failed)
    }

    fn call_failed(&self, error: CallError) -> Failure {
        Failure::of_call(VERB, &self.new, error)
    }

    fn open(&self) -> Result<Content, Failure> {
        match self.new.kind {
            Kind::Msg => {
                // Enough for what was there, whatever its limit became.
                let Described { max_bytes, bytes, messages, .. } = &self.described;
                let needed = [max_bytes, bytes, messages].into_iter().flatten().max();
                if let (Some(&needed), Target::Id(id)) = (needed, &self.new.target) {
                    let now = msg::max_bytes(*id).map_err(|error| self.call_failed(error))?;
                    if needed > now {
                        msg::set_max_bytes(*id, needed).map_err(|error| {
                            Failure::of_queue_bytes(VERB, &self.new, needed, error)
                        })?;
                    }
                }
                let queue = Channel::for_sending(self.namespace, &self.new);
                Ok(Content::Queue(queue.map_err(|error| self.call_failed(error))?))
            }
            Kind::Pmsg => {
                let queue = Channel::for_sending(self.namespace, &self.new);
                Ok(Content::Queue(queue.map_err(|error| self.call_failed(error))?))
            }
            Kind::Shm | Kind::Pshm => {
                let memory = SharedMemory::open(self.namespace, &self.new, Access::Write);
                Ok(Content::Memory(memory.map_err(|error| self.call_failed(error))?))
            }
            Kind::Sem | Kind::Psem => Ok(Content::Nothing),
        }
    }

    /// Adds a message.
    pub fn send(&self, message: &Message) -> Result<(), Failure> {
        let Content::Queue(queue) = &self.content else { return Ok(()) };
        queue.send(message.as_bytes()).map_err(|error| {
            let size = message.payload().len();
            match error.errno {
                Errno::EAGAIN => self.failed("not all of its messages fit (EAGAIN); none of it was kept"),
                Errno::EINVAL | Errno::EMSGSIZE => self.failed(format!(
                    "a message of {size} bytes is larger than this machine allows ({:?}); none of it was kept",
                    error.errno
                )),
                _ => self.call_failed(error),
            }
        })
    }

    /// Writes bytes.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), Failure> {
        let Content::Memory(memory) = &self.content else { return Ok(()) };
        memory.write_at(bytes, offset).map_err(|error| {
            let what = os_error::describe(&error);
            self.failed(format!("cannot write its memory: {what}; none of it was kept"))
        })
    }

    /// Sets what must wait until the content is there. Returns its reference.
    pub fn finish(mut self) -> Result<Reference, Failure> {
        self.content = Content::Nothing;
        if let (Kind::Msg, Some(bytes), Target::Id(id)) =
            (self.new.kind, self.described.max_bytes, &self.new.target)
        {
            let set = msg::set_max_bytes(*id, bytes);
            set.map_err(|error| Failure::of_queue_bytes(VERB, &self.new, bytes, error))?;
        }
        let Described { uid, gid, .. } = self.described;
        let mode = self.described.mode().map(ModeChange::Set);
        let both = Change { uid: Some(uid), gid: Some(gid), mode: mode.clone() };
        if let Err(error) = self.namespace.change(&self.new, &both) {
            let only_mode = Change { mode, ..Change::default() };
            let changed = self.namespace.change(&self.new, &only_mode);
            changed.map_err(|error| Failure::of_change(VERB, &self.new, error))?;
            let (new, owner, group) = (&self.new, &self.described.owner, &self.described.group);
            print_error(format_args!(
                "{VERB} {new}: it stays yours: it cannot be given to {owner}:{group} ({:?})",
                error.errno
            ));
        }
        self.is_complete = true;
        Ok(self.new.clone())
    }
}

impl Drop for Maker<'_> {
    fn drop(&mut self) {
        if !self.is_complete {
            self.content = Content::Nothing;
            // If it is gone already, all the better.
            let _ = self.namespace.remove(&self.new);
        }
    }
}

/// How an object is made.
struct Making<'a> {
    namespace: &'a Namespace,
    described: &'a Described,
    old: &'a Reference,
    replaces: bool,
}

impl Making<'_> {
    fn failed(&self, what: impl Into<String>, hint: &str) -> Failure {
        let failure = Failure::new(VERB, &self.described.object, what.into(), Reason::Failed);
        if hint.is_empty() { failure } else { failure.with_hint(hint) }
    }

    /// Makes it with this id.
    fn with_id(&self, id: i32) -> Result<Reference, Failure> {
        let kind = self.old.kind;
        if self.replaces {
            self.remove(self.old)?;
        }
        for _ in 0..ATTEMPTS {
            let next = NextId::set(kind, id).map_err(|error| {
                self.failed(format!("cannot choose its id: {}", os_error::describe(&error)), "")
            })?;
            let new = self.make()?;
            drop(next);
            if new == *self.old {
                return Ok(new);
            }
            // Another program has used the id up, or has an object with this id or in its slot.
            let _ = self.namespace.remove(&new);
            if self.namespace.read(self.old).is_ok() {
                break;
            }
        }
        Err(self.id_is_taken(id))
    }

    /// Why it cannot have its id: something has it, or the slot that the id stands for.
    fn id_is_taken(&self, id: i32) -> Failure {
        let slot = |id: i32| id & ((1 << slot_bits()) - 1);
        let all = self.namespace.snapshot([self.old.kind]).map(|all| all.objects);
        let has_slot = |other: &i32| slot(*other) == slot(id);
        let other =
            all.unwrap_or_default().iter().filter_map(Object::id).find(has_slot).unwrap_or(id);
        let taken = Reference::id(self.old.kind, other);
        match other == id {
            true => {
                let hint = "to put it in the place of what has the id: --replace";
                self.failed("its id is taken", hint)
            }
            // It has nothing to do with the dump.
            false => self.failed(
                format!("its id cannot be had: {taken} has the slot of it"),
                "without --keep-ids it gets another one",
            ),
        }
    }

    /// Makes it, in place of what has its key or name if that may go.
    fn make(&self) -> Result<Reference, Failure> {
        match self.create() {
            Err(error) if error.errno == Errno::EEXIST && self.replaces => {
                let taken = match self.described.key().filter(|key| *key != Key::PRIVATE) {
                    Some(key) => Reference { kind: self.old.kind, target: Target::Key(key) },
                    None => self.old.clone(),
                };
                self.remove(&taken)?;
                self.create().map_err(|error| self.creation_failed(error))
            }
            made => made.map_err(|error| self.creation_failed(error)),
        }
    }

    /// Removes what is in the way, if it is there.
    fn remove(&self, taken: &Reference) -> Result<(), Failure> {
        let removed = self.namespace.resolve(taken).and_then(|by_id| self.namespace.remove(&by_id));
        match removed {
            Err(error) if !error.is_missing() => {
                let failure = Failure::of_call(VERB, taken, error);
                Err(failure.with_prefix("it cannot be replaced: "))
            }
            _ => Ok(()),
        }
    }

    fn create(&self) -> Result<Reference, CallError> {
        let Described { size, values, value, max_messages, message_size, .. } = self.described;
        let key = self.described.key().unwrap_or(Key::PRIVATE);
        let kind = self.old.kind;
        let by_id = |id| Reference::id(kind, id);
        match (kind, &self.old.target) {
            (Kind::Msg, _) => Ok(by_id(msg::create(key, OWN, true)?)),
            (Kind::Shm, _) => {
                let size = size.unwrap_or(0);
                match shm::create(key, size, OWN, true) {
                    // Sparse memory may be larger than the machine.
                    Err(error) if error.errno == Errno::ENOMEM => {
                        let flags = OWN.bits() as i32 | shm::NORESERVE;
                        Ok(by_id(shm::create_with_flags(key, size, flags, true)?))
                    }
                    made => Ok(by_id(made?)),
                }
            }
            (Kind::Sem, _) => {
                let values = values.as_deref().unwrap_or_default();
                let id = sem::create(key, values.len() as i32, OWN, true)?;
                sem::set_values(id, values).inspect_err(|_| {
                    let _ = sem::remove(id);
                })?;
                Ok(by_id(id))
            }
            (Kind::Pmsg, Target::Name(name)) => {
                let shape = Shape {
                    max_messages: max_messages.unwrap_or(0),
                    message_size: message_size.unwrap_or(0),
                };
                mq_calls::create(name, Some(shape), OWN, true)?;
                Ok(self.old.clone())
            }
            (Kind::Pshm, Target::Name(name)) => {
                let shm = self.namespace.shm();
                shm.create_memory(name, size.unwrap_or(0), OWN, true)?;
                Ok(self.old.clone())
            }
            (Kind::Psem, Target::Name(name)) => {
                let shm = self.namespace.shm();
                shm.create_semaphore(name, value.unwrap_or(0), OWN, true)?;
                Ok(self.old.clone())
            }
            (Kind::Pmsg | Kind::Pshm | Kind::Psem, Target::Id(_) | Target::Key(_)) => {
                Ok(self.old.clone())
            }
        }
    }

    fn creation_failed(&self, error: CallError) -> Failure {
        let kind = self.old.kind;
        let failure = match kind.is_posix() {
            true => {
                let shape = self.described.max_messages.zip(self.described.message_size);
                let shape =
                    shape.map(|(max_messages, message_size)| Shape { max_messages, message_size });
                Failure::of_named_creation(VERB, self.old, shape, error)
            }
            false => {
                let size = self
                    .described
                    .size
                    .or_else(|| self.described.values.as_ref().map(|values| values.len() as u64));
                let key = self.described.key().unwrap_or(Key::PRIVATE);
                let (size, mode) = (size.unwrap_or(0), OWN);
                Failure::of_creation(VERB, &Wish { kind, key, size, mode, is_huge: false }, error)
            }
        };
        match error.errno {
            Errno::EEXIST => failure.with_hint("to put this one in its place: --replace"),
            _ => failure,
        }
    }
}
