//! Random numbers that cannot be guessed, `getrandom(2)`.
#![allow(unsafe_code)]

use std::io;

use crate::ipc::Key;

/// A random key, most likely unused and never [`Key::PRIVATE`].
pub fn key() -> io::Result<Key> {
    loop {
        let mut bytes = [0; 4];
        // SAFETY: the buffer has room for the requested number of bytes.
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
