//! What nobody can guess, `getrandom(2)`.
#![allow(unsafe_code)]

use std::io;

use crate::ipc::Key;

/// A key that is most likely nobody's, and never [`Key::PRIVATE`].
pub fn key() -> io::Result<Key> {
    loop {
        let mut bytes = [0; 4];
        // SAFETY: the buffer has room for as many bytes as are asked for.
        let got = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
        match got {
            4 if bytes != [0; 4] => return Ok(Key(i32::from_ne_bytes(bytes))),
            ..0 => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
            _ => {}
        }
    }
}
