//! The files of POSIX message queues: `mq_overview(7)`.

use std::fs::File;
use std::io::{Read, Seek};

use nix::errno::Errno;

use super::file;
use super::mq_calls::{self, Open};
use super::mq_mount::{self, QueueMount};
use crate::ipc::posix::{FileIdentity, NamedFile};
use crate::ipc::{Change, Name, PosixQueue};
use crate::kernel::call::{CallError, CallName};
use crate::kernel::error::ReadError;
use crate::kernel::sysv::permissions::Changed;

/// Passes every queue of this IPC namespace to `visit`.
pub(in crate::kernel) fn read_all<E: From<ReadError>>(
    mount: &QueueMount,
    mut visit: impl FnMut(PosixQueue) -> Result<(), E>,
) -> Result<(), E> {
    let Some(found) = mount.directory().map_err(ReadError::of_queues)? else { return Ok(()) };
    let directory = &found.directory;
    directory
        .read(
            |_| true,
            |file_name, data| {
                let name = Name::of_file(file_name);
                let opened = mq_mount::open(directory, &name).ok();
                visit(of(file::file(name, data), opened))
            },
        )
        .map_err(|stop| stop.into_error(ReadError::of_queues))
}

/// The current state of a queue. If its directory can be reached, that needs no permission on the
/// queue.
pub(in crate::kernel) fn read(mount: &QueueMount, name: &Name) -> Result<PosixQueue, CallError> {
    match mount.directory_of(name) {
        Some(directory) => {
            let data = directory.find(name.behind_slash())?;
            let opened = mq_mount::open(directory, name).ok();
            Ok(of(file::file(name.clone(), &data), opened))
        }
        None => {
            let queue = mq_calls::open_somehow(name)?;
            let data = queue.file().metadata();
            let data = data
                .map_err(|error| CallError { name: CallName::Fstat, errno: file::errno(&error) })?;
            Ok(of(file::file(name.clone(), &data), Some(queue.into_file())))
        }
    }
}

/// Removes a name if it still belongs to this file; `ENOENT` if not. Without access to the directory,
/// that is not checked.
pub(in crate::kernel) fn unlink_file(
    mount: &QueueMount,
    name: &Name,
    file: FileIdentity,
) -> Result<(), CallError> {
    if let Some(directory) = mount.directory_of(name)
        && file::identity(&directory.find(name.behind_slash())?) != file
    {
        return Err(CallError { name: CallName::Stat, errno: Errno::ENOENT });
    }
    mq_calls::unlink(name)
}

/// Changes owner and mode of a queue. Without access to the directory, that takes permission to open
/// the queue.
pub(in crate::kernel) fn change(
    mount: &QueueMount,
    name: &Name,
    change: &Change,
) -> Result<Changed, CallError> {
    let file_name = name.behind_slash();
    match mount.directory_of(name) {
        Some(directory) => directory.change(file_name, change),
        None => {
            let queue = mq_calls::open_somehow(name)?;
            file::change(queue.file(), change)
        }
    }
}

/// The state of a queue, from its file and, if it could be opened, the open queue.
pub(in crate::kernel) fn of(file: NamedFile, opened: Option<File>) -> PosixQueue {
    let mut queue = PosixQueue {
        file,
        messages: None,
        bytes: None,
        max_messages: None,
        message_size: None,
        notified_pid: 0,
    };
    let Some(opened) = opened.map(Open::of_file) else { return queue };
    if let Ok(attributes) = opened.attributes() {
        queue.messages = attributes.mq_curmsgs.try_into().ok();
        queue.max_messages = attributes.mq_maxmsg.try_into().ok();
        queue.message_size = attributes.mq_msgsize.try_into().ok();
    }
    let mut text = String::new();
    // Reads from the start, whatever was read from this descriptor before.
    let mut file = opened.file();
    if file.rewind().and_then(|()| file.read_to_string(&mut text)).is_ok() {
        queue.bytes = field(&text, "QSIZE:");
        queue.notified_pid = field(&text, "NOTIFY_PID:").unwrap_or(0);
    }
    queue
}

/// A number in the text of a queue's file: `QSIZE:129 NOTIFY:2 SIGNO:0 NOTIFY_PID:8260`.
fn field<T: std::str::FromStr>(text: &str, label: &str) -> Option<T> {
    text.split_ascii_whitespace().find_map(|word| word.strip_prefix(label))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_file_of_a_queue_says() {
        let text = "QSIZE:129        NOTIFY:2     SIGNO:0     NOTIFY_PID:8260  \n";
        assert_eq!(field(text, "QSIZE:"), Some(129));
        assert_eq!(field(text, "NOTIFY_PID:"), Some(8260));
        assert_eq!(field::<i32>("", "QSIZE:"), None);
    }
}
