//! Reads small files of `/proc`.

use std::fs::File;
use std::io::{self, ErrorKind, Read};

/// More than the kernel writes into `stat` or `status` of a process with few groups.
const ROOM: usize = 2048;

/// The text of a file of `/proc` that the kernel makes as a whole, as `stat` and `status` of a process: the end
/// is where a read gives less than there is room for. Takes as few calls as that can.
pub(in crate::kernel) fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut text = vec![0; ROOM];
    let mut length = 0;
    loop {
        match file.read(&mut text[length..]) {
            Ok(count) => {
                length += count;
                if length < text.len() {
                    text.truncate(length);
                    return Ok(text);
                }
                text.resize(2 * length, 0);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The same as a text; anything else in it is replaced.
pub(in crate::kernel) fn read_to_string(path: &str) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&read(path)?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_of_any_length_is_read_whole() {
        let status = read_to_string("/proc/self/status").unwrap();
        assert!(status.starts_with("Name:") && status.ends_with('\n'), "{status}");
        // Longer than the room at first, and an even multiple of it.
        let directory = tempfile::tempdir().unwrap();
        for length in [0, 1, ROOM - 1, ROOM, ROOM + 1, 2 * ROOM, 5 * ROOM] {
            let path = directory.path().join(length.to_string());
            fs::write(&path, vec![b'x'; length]).unwrap();
            assert_eq!(read(path.to_str().unwrap()).unwrap().len(), length);
        }
    }
}
