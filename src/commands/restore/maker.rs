//! Makes one object of a dump.

use std::ffi::OsStr;
use std::sync::atomic::{AtomicU32, Ordering};

use super::VERB;
use crate::commands::print_error;
use crate::dump::Described;
use crate::explain::{Failure, Reason, Wish};
use crate::ipc::message::Message;
use crate::ipc::posix::FileIdentity;
use crate::ipc::{Change, Key, Kind, Mode, ModeChange, Name, Object, Reference, Target};
use crate::kernel::channel::Channel;
use crate::kernel::io::os_error;
use crate::kernel::limits::{Limit, slot_bits};
use crate::kernel::posix::mq_calls::{self, Shape};
use crate::kernel::shared_memory::{Access, SharedMemory};
use crate::kernel::sysv::next_id::NextId;
use crate::kernel::sysv::{msg, sem, shm};
use crate::kernel::{CallError, CallName, Errno, Namespace};

/// Until it is complete, only its maker can use it.
const OWN: Mode = Mode::from_bits(0o600);

/// How often to ask for an id that other programs use up meanwhile.
const ATTEMPTS: u32 = 20;

/// What becomes of the objects of a dump.
#[derive(Clone, Copy)]
pub(super) struct Wishes {
    /// What is in the way goes.
    pub replaces: bool,
    /// They have their old ids.
    pub keeps_ids: bool,
    /// The file of the dump, which is no object to replace.
    pub dump: Option<FileIdentity>,
}

/// An object that is being made. If it does not come to its end, it goes again.
pub(super) struct Maker<'a> {
    namespace: &'a Namespace,
    described: Described,
    old: Reference,
    /// The object; under a name of its own until it is complete, if it is a file of `/dev/shm`.
    new: Reference,
    /// The file of a POSIX object, whose name may belong to another one meanwhile.
    file: Option<FileIdentity>,
    content: Content,
    wishes: Wishes,
    has_removed: bool,
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
        old: Reference,
        wishes: Wishes,
    ) -> Result<Maker<'a>, Failure> {
        let mut making =
            Making { namespace, described: &described, old: &old, wishes, has_removed: false };
        let made = making.check().and_then(|()| match (wishes.keeps_ids, &old.target) {
            (true, Target::Id(id)) => making.with_id(*id),
            _ => making.make(),
        });
        let has_removed = making.has_removed;
        let new = made.map_err(|failure| and_removed(failure, has_removed))?;
        let file = namespace.read(&new).ok().and_then(|object| Some(object.file()?.identity));
        let mut maker = Maker {
            namespace,
            described,
            old,
            new,
            file,
            content: Content::Nothing,
            wishes,
            has_removed,
            is_complete: false,
        };
        maker.content = maker.open().map_err(|failure| and_removed(failure, maker.has_removed))?;
        Ok(maker)
    }

    /// The reference in the dump.
    pub fn old(&self) -> &Reference {
        &self.old
    }

    /// Whether what was there before is gone, too, if this one is not made.
    pub fn has_removed(&self) -> bool {
        self.has_removed
    }

    fn failed(&self, what: impl Into<String>) -> Failure {
        let failure = Failure::new(VERB, &self.old, what.into(), Reason::Failed);
        and_removed(failure, self.has_removed)
    }

    /// Whether somebody has removed it, or given its name to another one.
    fn is_gone(&self) -> bool {
        match self.namespace.read(&self.new) {
            Ok(object) => object.file().map(|file| file.identity) != self.file,
            Err(error) => error.is_missing(),
        }
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
                _ if self.is_gone() => self.failed("it was removed meanwhile"),
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
        if self.is_gone() {
            return Err(self.failed("it was removed meanwhile"));
        }
        if let (Kind::Msg, Some(bytes), Target::Id(id)) =
            (self.new.kind, self.described.max_bytes, &self.new.target)
        {
            let set = msg::set_max_bytes(*id, bytes);
            set.map_err(|error| Failure::of_queue_bytes(VERB, &self.new, bytes, error))?;
        }
        self.give()?;
        if let (Target::Name(draft), Target::Name(name)) = (&self.new.target, &self.old.target)
            && draft != name
        {
            let shm = self.namespace.shm();
            let renamed = shm.rename(self.new.kind, draft, name, self.wishes.replaces);
            renamed.map_err(|error| creation_failed(&self.described, &self.old, error))?;
        }
        self.is_complete = true;
        match self.old.kind.is_posix() {
            true => Ok(self.old.clone()),
            false => Ok(self.new.clone()),
        }
    }

    /// Gives it its owner, group and mode, as far as the caller may.
    fn give(&self) -> Result<(), Failure> {
        let Described { uid, gid, ref owner, ref group, .. } = self.described;
        let mode = self.described.mode().unwrap_or(OWN);
        // Other groups must not have what was this group's.
        let for_nobody_else = Mode::from_bits(mode.bits() & !0o070);
        let change = |uid, gid, mode| {
            let change = Change { uid, gid, mode: Some(ModeChange::Set(mode)) };
            self.namespace.change(&self.new, &change)
        };
        let Err(error) = change(Some(uid), Some(gid), mode) else { return Ok(()) };
        let old = &self.old;
        let errno = error.errno;
        if change(None, Some(gid), mode).is_ok() {
            print_error(format_args!(
                "{VERB} {old}: it stays yours: it cannot be given to {owner} ({errno:?})"
            ));
            return Ok(());
        }
        let changed = change(None, None, for_nobody_else);
        changed.map_err(|error| Failure::of_change(VERB, &self.new, error))?;
        print_error(format_args!(
            "{VERB} {old}: it stays yours: it cannot be given to {owner}:{group} ({errno:?})"
        ));
        Ok(())
    }
}

/// Adds that what was there before is gone, too.
fn and_removed(failure: Failure, has_removed: bool) -> Failure {
    match has_removed {
        true => failure.with_suffix("; what was there before is removed"),
        false => failure,
    }
}

impl Drop for Maker<'_> {
    fn drop(&mut self) {
        if !self.is_complete {
            self.content = Content::Nothing;
            // If it is gone already, all the better; what has its name by then stays.
            let _ = match self.file {
                Some(file) => self.namespace.unlink_file(&self.new, file),
                None => self.namespace.remove(&self.new),
            };
        }
    }
}

/// How an object is made.
struct Making<'a> {
    namespace: &'a Namespace,
    described: &'a Described,
    old: &'a Reference,
    wishes: Wishes,
    /// Whether something that was in the way is gone.
    has_removed: bool,
}

impl Making<'_> {
    fn failed(&self, what: impl Into<String>, hint: &str) -> Failure {
        let failure = Failure::new(VERB, self.old, what.into(), Reason::Failed);
        if hint.is_empty() { failure } else { failure.with_hint(hint) }
    }

    /// Finds out, before anything is removed, what cannot work.
    fn check(&self) -> Result<(), Failure> {
        if self.old.kind == Kind::Shm && Limit::ShmRmidForced.value() == Some(1) {
            let what = "it would be destroyed at once: kernel.shm_rmid_forced is 1";
            let hint = "as root: ipctool limits --set shm_rmid_forced=0";
            return Err(self.failed(what, hint));
        }
        let Target::Name(_) = self.old.target else { return Ok(()) };
        if self.old.kind.is_in_dev_shm() && self.namespace.shm().is_something_else(self.old) {
            return Err(self.failed("a file that is no object has its name", ""));
        }
        let Ok(there) = self.namespace.read(self.old) else { return Ok(()) };
        let is_dump = there.file().map(|file| file.identity) == self.wishes.dump;
        if is_dump && self.wishes.dump.is_some() {
            return Err(self.failed("the dump itself has its name", ""));
        }
        match self.wishes.replaces {
            true => Ok(()),
            false => {
                let exists = CallError { name: CallName::ShmOpen, errno: Errno::EEXIST };
                Err(creation_failed(self.described, self.old, exists))
            }
        }
    }

    /// Makes it with this id.
    fn with_id(&mut self, id: i32) -> Result<Reference, Failure> {
        let kind = self.old.kind;
        // What has the slot cannot be found out by an attempt, which might be too late for what has the key.
        let other = self.in_slot(id);
        match other {
            Some(other) if other != id || !self.wishes.replaces => {
                return Err(self.id_is_taken(id, other));
            }
            Some(_) => {
                if let Ok(Object::Segment(segment)) = self.namespace.read(self.old)
                    && segment.attached > 0
                {
                    let what = "what has its id is attached, so it keeps it";
                    return Err(self.failed(what, "without --keep-ids it gets another one"));
                }
                let old = self.old.clone();
                self.remove(&old)?;
            }
            None => {}
        }
        for _ in 0..ATTEMPTS {
            let next = NextId::set(kind, id).map_err(|error| {
                self.failed(format!("cannot choose its id: {}", os_error::describe(&error)), "")
            })?;
            let made = self.make();
            if let Some(left) = next.put_back() {
                print_error(format_args!(
                    "{VERB} {}: the next new {} gets the id {left}: that cannot be put back",
                    self.old,
                    kind.noun()
                ));
            }
            let new = made?;
            if new == *self.old {
                return Ok(new);
            }
            // Another program has used the id up.
            let _ = self.namespace.remove(&new);
            if let Some(other) = self.in_slot(id) {
                return Err(self.id_is_taken(id, other));
            }
        }
        Err(self.failed("other programs use its id up", ""))
    }

    /// The id that has the slot for which an id stands.
    fn in_slot(&self, id: i32) -> Option<i32> {
        let slot = |id: i32| id & ((1 << slot_bits()) - 1);
        let all = self.namespace.snapshot([self.old.kind]).ok()?;
        all.objects.iter().filter_map(Object::id).find(|other| slot(*other) == slot(id))
    }

    /// Why it cannot have its id: something has it, or the slot that the id stands for.
    fn id_is_taken(&self, id: i32, other: i32) -> Failure {
        if other == id {
            let hint = "to put it in the place of what has the id: --replace";
            return self.failed("its id is taken", hint);
        }
        // It has nothing to do with the dump.
        let taken = Reference::id(self.old.kind, other);
        self.failed(
            format!("its id cannot be had: {taken} has the slot of it"),
            "without --keep-ids it gets another one",
        )
    }

    /// Makes it, in place of what has its key or name if that may go.
    fn make(&mut self) -> Result<Reference, Failure> {
        match self.create() {
            Err(error) if error.errno == Errno::EEXIST && self.wishes.replaces => {
                let taken = match self.described.key().filter(|key| *key != Key::PRIVATE) {
                    Some(key) => Reference { kind: self.old.kind, target: Target::Key(key) },
                    None => self.old.clone(),
                };
                self.remove(&taken)?;
                let made = self.create();
                made.map_err(|error| creation_failed(self.described, self.old, error))
            }
            made => made.map_err(|error| creation_failed(self.described, self.old, error)),
        }
    }

    /// Removes what is in the way, if it is there.
    fn remove(&mut self, taken: &Reference) -> Result<(), Failure> {
        let removed = self.namespace.resolve(taken).and_then(|by_id| self.namespace.remove(&by_id));
        match removed {
            Err(error) if !error.is_missing() => {
                let failure = Failure::of_call(VERB, taken, error);
                Err(failure.with_prefix("it cannot be replaced: "))
            }
            removed => {
                self.has_removed |= removed.is_ok();
                Ok(())
            }
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
            // Nobody finds it before it is complete, and what has its name stays until then.
            (Kind::Pshm, Target::Name(_)) => {
                let draft = draft(kind);
                let shm = self.namespace.shm();
                shm.create_memory(&draft, size.unwrap_or(0), OWN, true)?;
                Ok(Reference::name(kind, draft))
            }
            (Kind::Psem, Target::Name(_)) => {
                let draft = draft(kind);
                let shm = self.namespace.shm();
                shm.create_semaphore(&draft, value.unwrap_or(0), OWN, true)?;
                Ok(Reference::name(kind, draft))
            }
            (Kind::Pmsg | Kind::Pshm | Kind::Psem, Target::Id(_) | Target::Key(_)) => {
                Ok(self.old.clone())
            }
        }
    }
}

/// A name that no other process uses.
fn draft(kind: Kind) -> Name {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let text = format!(".ipctool-restore.{}.{number}", std::process::id());
    debug_assert!(kind.is_in_dev_shm());
    Name::of_file(OsStr::new(&text))
}

/// Why an object of a dump cannot be made.
fn creation_failed(described: &Described, old: &Reference, error: CallError) -> Failure {
    let kind = old.kind;
    let failure = match kind.is_posix() {
        true => {
            let shape = described.max_messages.zip(described.message_size);
            let shape =
                shape.map(|(max_messages, message_size)| Shape { max_messages, message_size });
            Failure::of_named_creation(VERB, old, shape, error)
        }
        false => {
            let nsems = described.values.as_ref().map(|values| values.len() as u64);
            let size = described.size.or(nsems).unwrap_or(0);
            let key = described.key().unwrap_or(Key::PRIVATE);
            let wish = Wish { kind, key, size, mode: OWN, is_huge: false };
            Failure::of_creation(VERB, &wish, error)
        }
    };
    match error.errno {
        Errno::EEXIST => failure.with_hint("to put this one in its place: --replace"),
        _ => failure,
    }
}
