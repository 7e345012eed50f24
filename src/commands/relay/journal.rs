//! The journal of a relay: the messages that were taken off the queue, or are about to be, and are not delivered
//! yet. A line a message: a checksum, and the message as `recv --json` prints it. A line with a minus and a
//! number forgets so many of the first ones.
//!
//! SIGKILL may cut a write where a page ends. A line that may be cut without loss begins with an equals sign.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, fallocate};

use crate::commands::state;
use crate::ipc::message::{Label, Message, type_of};
use crate::ipc::{Foreign, Reference};
use crate::output::message::{self, From, MessageFormat, Presentation};

/// How messages are written, in the journal and for commands.
pub(super) const JSON: Presentation = Presentation {
    format: MessageFormat::Jsonl,
    until_nul: false,
    truncate: None,
    columns: None,
    to_terminal: false,
};

/// From how many bytes on an empty journal begins anew. To wait for the disk after that takes many times longer
/// than after a line more.
const ENOUGH: u64 = 1 << 20;

/// An open journal, which no other relay can open.
pub(super) struct Journal {
    pub path: PathBuf,
    file: File,
    length: u64,
    /// Whether all of it is, but for what is forgotten.
    is_on_disk: bool,
    /// How many messages it holds.
    live: usize,
    /// The queue, as the messages name it.
    queue: Reference,
    name: String,
}

/// What a journal holds when it is opened.
#[derive(Default)]
pub(super) struct Found {
    /// The messages that were not delivered.
    pub messages: VecDeque<Message>,
    /// How many lines cannot be read, and where they are now.
    pub damaged: Option<(usize, PathBuf)>,
}

/// The directory of the journals; `None` if the environment does not tell.
pub(super) fn directory() -> Option<PathBuf> {
    state::directory().map(|state| state.join("relay"))
}

/// Makes the directory, for its owner alone.
pub(super) fn make(directory: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// The start of the names of the files for a queue.
pub(super) fn stem(queue: &Reference) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let escape = |byte: u8| match is_plain(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02x}"),
    };
    queue.to_string().bytes().map(escape).collect()
}

impl Journal {
    /// Opens the first journal for a queue in this directory that no relay has open, and takes over what is in
    /// further ones.
    pub fn open_first(directory: &Path, queue: &Reference) -> io::Result<(Journal, Vec<Found>)> {
        let stem = stem(queue);
        let path = |number: u32| directory.join(format!("{stem}.{number}.journal"));
        let is_busy = |error: &io::Error| error.kind() == ErrorKind::ResourceBusy;
        let mut numbers = 0..u32::MAX;
        let (mut own, first) = loop {
            let number = numbers.next().ok_or(ErrorKind::NotFound)?;
            match Journal::open(&path(number), queue) {
                Err(error) if is_busy(&error) => {}
                opened => break opened?,
            }
        };
        let mut found = vec![first];
        for entry in fs::read_dir(directory)? {
            let name = entry?.file_name().into_string().unwrap_or_default();
            let number = name.strip_prefix(&stem).and_then(|rest| rest.strip_prefix('.'));
            let number = number.and_then(|rest| rest.strip_suffix(".journal")?.parse().ok());
            let Some(path) = number.map(path).filter(|path| *path != own.path) else { continue };
            match Journal::open(&path, queue) {
                Ok((mut other, in_it)) => {
                    own.append(in_it.messages.iter(), Loss::None)?;
                    own.sync()?;
                    found.push(in_it);
                    // Empty, it is removed.
                    other.forget(other.live)?;
                }
                Err(error) if is_busy(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok((own, found))
    }

    /// Opens a journal, or makes it. `EBUSY` if another relay has it open.
    pub fn open(path: &Path, queue: &Reference) -> io::Result<(Journal, Found)> {
        let file = loop {
            let mut access = OpenOptions::new();
            access.read(true).write(true).create(true).truncate(false).mode(0o600);
            let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
            let file = access.custom_flags(flags).open(path)?;
            if !file.metadata()?.is_file() {
                return Err(io::Error::other("it is not a regular file"));
            }
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(Errno::EBUSY.into()),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // Another relay may have taken it over and removed it, before it was locked here.
            let (own, named) = (file.metadata()?, fs::metadata(path));
            if named.is_ok_and(|named| (named.dev(), named.ino()) == (own.dev(), own.ino())) {
                break file;
            }
        };
        // Its name, too, must outlive a power failure. A directory that cannot be opened is as good as it gets.
        let directory = path.parent().filter(|path| *path != Path::new(""));
        if let Ok(directory) = File::open(directory.unwrap_or(Path::new("."))) {
            let _ = directory.sync_all();
        }
        let name = queue.to_string();
        let mut journal = Journal {
            path: path.to_owned(),
            file,
            length: 0,
            is_on_disk: true,
            live: 0,
            queue: queue.clone(),
            name,
        };
        let found = journal.load()?;
        Ok((journal, found))
    }

    fn load(&mut self) -> io::Result<Found> {
        let mut text = Vec::new();
        self.file.read_to_end(&mut text)?;
        self.length = text.len() as u64;
        let mut found = Found::default();
        let mut damaged: Vec<&[u8]> = Vec::new();
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            match self.parse(line) {
                Some(Line::Message(message)) => found.messages.push_back(message),
                Some(Line::Forget(number)) => {
                    found.messages.drain(..number.min(found.messages.len()));
                }
                None if line.starts_with(UNIMPORTANT) && !line.ends_with(b"\n") => {
                    self.length -= line.len() as u64;
                    self.file.set_len(self.length)?;
                }
                None => damaged.push(line),
            }
        }
        self.live = found.messages.len();
        if !damaged.is_empty() {
            let aside = self.set_aside(&damaged.concat())?;
            found.damaged = Some((damaged.len(), aside));
            // From now on there are only lines that can be read.
            let length = self.length;
            self.live = 0;
            self.append(found.messages.iter(), Loss::None)?;
            self.cut_front(length)?;
        }
        Ok(found)
    }

    /// Writes lines that cannot be read to a new file beside the journal.
    fn set_aside(&self, lines: &[u8]) -> io::Result<PathBuf> {
        for number in 0..u32::MAX {
            let path = self.path.with_extension(format!("damaged.{number}"));
            let mut access = OpenOptions::new();
            match access.write(true).create_new(true).mode(0o600).open(&path) {
                Ok(mut file) => {
                    file.write_all(lines)?;
                    file.sync_all()?;
                    return Ok(path);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }

    /// Removes the first bytes by writing the others to a new file, which takes the place of this one.
    fn cut_front(&mut self, front: u64) -> io::Result<()> {
        let mut rest = Vec::new();
        self.file.seek(io::SeekFrom::Start(front))?;
        self.file.read_to_end(&mut rest)?;
        let mut new = tempfile::NamedTempFile::new_in(
            self.path.parent().filter(|path| *path != Path::new("")).unwrap_or(Path::new(".")),
        )?;
        new.write_all(&rest)?;
        new.as_file().sync_all()?;
        // Locked before it has the name, so that no other relay takes it.
        new.as_file().lock()?;
        self.file = new.persist(&self.path)?;
        self.length = rest.len() as u64;
        Ok(())
    }

    fn parse(&self, line: &[u8]) -> Option<Line> {
        let line = line.strip_suffix(b"\n")?;
        let line = line.strip_prefix(UNIMPORTANT).unwrap_or(line);
        let (sum, rest) = line.split_at_checked(8)?;
        let rest = rest.strip_prefix(b" ")?;
        let sum = u32::from_str_radix(std::str::from_utf8(sum).ok()?, 16).ok()?;
        if crc32fast::hash(rest) != sum {
            return None;
        }
        if let Some(number) = rest.strip_prefix(b"-") {
            return Some(Line::Forget(std::str::from_utf8(number).ok()?.parse().ok()?));
        }
        let mut message = Message::new(Label::of(self.queue.kind, 1));
        let label = message::parse(rest, message.payload_mut()).ok()??;
        message.set_label(label);
        Some(Line::Message(message))
    }

    /// Whether there is room for a message of this many bytes, as far as that can be known before.
    pub fn reserve(&self, bytes: usize) -> io::Result<()> {
        let flags = FallocateFlags::FALLOC_FL_KEEP_SIZE;
        // An offset has 32 bits on some machines.
        let start = self.length.try_into().map_err(io::Error::other)?;
        let most = JSON.most(bytes).try_into().map_err(io::Error::other)?;
        match fallocate(&self.file, flags, start, most) {
            // The file system cannot tell.
            Ok(()) | Err(Errno::EOPNOTSUPP | Errno::ENOSYS) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Adds messages, all of them or none. From then on they outlive this process, and after [`Journal::sync`] the
    /// machine. `loss` is what it would mean to lose some before that.
    pub fn append<'a>(
        &mut self,
        messages: impl Iterator<Item = &'a Message>,
        loss: Loss,
    ) -> io::Result<()> {
        let from = From { kind: self.queue.kind, name: &self.name };
        let (mut text, mut json, mut count) = (Vec::new(), Vec::new(), 0);
        for message in messages {
            json.clear();
            JSON.append(&from, type_of(message.as_bytes()), message.payload(), &mut json);
            add_line(&json, loss, &mut text);
            count += 1;
        }
        if count == 0 {
            return Ok(());
        }
        self.write(&text)?;
        self.is_on_disk = false;
        self.live += count;
        Ok(())
    }

    /// Waits until the messages are on the disk.
    pub fn sync(&mut self) -> io::Result<()> {
        if !self.is_on_disk {
            self.file.sync_data()?;
            self.is_on_disk = true;
        }
        Ok(())
    }

    /// Forgets the first messages.
    pub fn forget(&mut self, number: usize) -> io::Result<()> {
        self.live = self.live.saturating_sub(number);
        let mut text = Vec::new();
        // Without it, they are delivered once more.
        add_line(format!("-{number}\n").as_bytes(), Loss::None, &mut text);
        match self.live {
            0 if self.length > ENOUGH => self.empty(),
            // A full disk has room for nothing at least.
            0 => self.write(&text).or_else(|_| self.empty()),
            _ => self.write(&text),
        }
    }

    /// Begins anew.
    fn empty(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.length = 0;
        Ok(())
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        self.file.seek(io::SeekFrom::Start(self.length))?;
        match self.file.write_all(text) {
            Ok(()) => {
                self.length += text.len() as u64;
                Ok(())
            }
            Err(error) => {
                // Half a line would be damage.
                self.file.set_len(self.length)?;
                Err(error)
            }
        }
    }

    /// How many messages it holds.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Its path for people.
    pub fn shown(&self) -> Foreign {
        Foreign::from(self.path.as_path())
    }
}

impl Drop for Journal {
    /// An empty one is removed. It is locked until then, so it is nobody else's.
    fn drop(&mut self) {
        if self.live == 0 {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// What is lost if a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// Nothing: until it is written, the message is elsewhere, too.
    None,
    /// The message.
    Message,
}

/// What a line begins with whose loss means nothing.
const UNIMPORTANT: &[u8] = b"=";

enum Line {
    Message(Message),
    Forget(usize),
}

/// Adds a line, which ends with a newline, with its checksum.
fn add_line(line: &[u8], loss: Loss, text: &mut Vec<u8>) {
    if loss == Loss::None {
        text.extend_from_slice(UNIMPORTANT);
    }
    let sum = crc32fast::hash(line.strip_suffix(b"\n").unwrap_or(line));
    // Writing to a vector cannot fail.
    let _ = write!(text, "{sum:08x} ");
    text.extend_from_slice(line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::Kind;
    use proptest::prelude::*;

    fn queue() -> Reference {
        Reference::id(Kind::Msg, 0)
    }

    fn message(number: i64, payload: &[u8]) -> Message {
        let mut message = Message::new(Label::Type(number));
        message.payload_mut().extend_from_slice(payload);
        message
    }

    /// Opens a journal. Another test may just be starting a process, which has the lock until it runs its program.
    fn open(path: &Path) -> (Journal, Found) {
        for _ in 0..1000 {
            match Journal::open(path, &queue()) {
                Err(error) if error.kind() == ErrorKind::ResourceBusy => {
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
                opened => return opened.unwrap(),
            }
        }
        panic!("it stays locked");
    }

    #[test]
    fn one_relay_a_journal() {
        let directory = tempfile::tempdir().unwrap();
        let open_first = || Journal::open_first(directory.path(), &queue()).unwrap();
        let (mut first, _) = open_first();
        let (mut second, _) = open_first();
        assert_ne!(first.path, second.path);
        assert!(
            Journal::open(&first.path, &queue())
                .is_err_and(|error| { error.kind() == ErrorKind::ResourceBusy })
        );
        first.append([message(1, b"a")].iter(), Loss::None).unwrap();
        second.append([message(2, b"b")].iter(), Loss::None).unwrap();
        // A third one was killed, and the second has ended since.
        let (mut third, _) = open_first();
        third.append([message(3, b"c")].iter(), Loss::None).unwrap();
        second.forget(1).unwrap();
        drop((first, second, third));
        // Nobody has them by now, or nearly so, see `open`.
        std::thread::sleep(std::time::Duration::from_millis(100));
        // The next one takes over both.
        let (journal, found) = open_first();
        let messages: Vec<_> = found.into_iter().flat_map(|found| found.messages).collect();
        assert_eq!(messages, [message(1, b"a"), message(3, b"c")]);
        assert_eq!(journal.len(), 2);
        drop(journal);
        let (mut journal, found) = open_first();
        assert_eq!(found[0].messages.len(), 2);
        journal.forget(2).unwrap();
        drop(journal);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_damaged_is_set_aside() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let (mut journal, _) = open(&path);
        journal.append([message(1, b"one"), message(2, b"two")].iter(), Loss::None).unwrap();
        journal.append([message(3, b"three")].iter(), Loss::Message).unwrap();
        drop(journal);
        let text = fs::read_to_string(&path).unwrap();
        let cut = text.len() - 5;
        fs::write(&path, &text.replace("two", "owt")[..cut]).unwrap();
        let (journal, found) = open(&path);
        assert_eq!(found.messages, [message(1, b"one")]);
        assert_eq!(journal.len(), 1);
        let (number, aside) = found.damaged.unwrap();
        assert_eq!(number, 2);
        assert!(fs::read_to_string(aside).unwrap().contains("owt"));
        drop(journal);
        let (_, found) = open(&path);
        assert!(found.messages.len() == 1 && found.damaged.is_none());
    }

    #[test]
    fn what_a_kill_cut_short_is_elsewhere() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let (mut journal, _) = open(&path);
        journal.append([message(1, b"one"), message(2, b"two")].iter(), Loss::None).unwrap();
        let whole = journal.length as usize;
        journal.append([message(3, b"three")].iter(), Loss::None).unwrap();
        drop(journal);
        let text = fs::read(&path).unwrap();
        for end in whole..text.len() {
            fs::write(&path, &text[..end]).unwrap();
            let (mut journal, found) = open(&path);
            assert_eq!(found.messages, [message(1, b"one"), message(2, b"two")]);
            assert!(found.damaged.is_none());
            journal.append([message(4, b"four")].iter(), Loss::None).unwrap();
            drop(journal);
            let (_, found) = open(&path);
            assert_eq!(found.messages.back(), Some(&message(4, b"four")));
        }
    }

    proptest! {
        #[test]
        fn it_holds_what_was_not_forgotten(
            steps in proptest::collection::vec((0usize..4, proptest::collection::vec(any::<u8>(), 0..20)), 1..20),
        ) {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("journal");
            let mut expected: VecDeque<Message> = VecDeque::new();
            let (mut journal, _) = open(&path);
            for (step, (forgotten, payload)) in steps.into_iter().enumerate() {
                let message = message(step as i64 + 1, &payload);
                journal.append([message.clone()].iter(), Loss::Message).unwrap();
                expected.push_back(message);
                let forgotten = forgotten.min(expected.len());
                if forgotten > 0 {
                    journal.forget(forgotten).unwrap();
                    expected.drain(..forgotten);
                }
                prop_assert_eq!(journal.len(), expected.len());
            }
            drop(journal);
            let (_, found) = open(&path);
            prop_assert_eq!(found.messages, expected);
            prop_assert!(found.damaged.is_none());
        }
    }
}
