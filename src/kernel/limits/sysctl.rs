//! The files under `/proc/sys`, by sysctl name: `proc_sys(5)`.

use std::fs::{self, File};
use std::io::{self, Read};

use crate::kernel::namespace::inside;

/// Writes the text of a sysctl. `EACCES` or `EPERM` without privileges over the namespace.
pub fn write(name: &str, text: &str) -> io::Result<()> {
    inside(|| fs::write(path(name), text))
}

/// Whether this process may write a sysctl. It may not if `/proc/sys` is mounted read-only.
pub fn is_writable(name: &str) -> bool {
    let flags = nix::fcntl::AtFlags::AT_EACCESS;
    let (path, mode) = (path(name), nix::unistd::AccessFlags::W_OK);
    inside(|| nix::unistd::faccessat(nix::fcntl::AT_FDCWD, path.as_str(), mode, flags)).is_ok()
}

/// Reads the text of a sysctl, in one read: the kernel returns nothing to a second one.
pub fn read(name: &str) -> io::Result<String> {
    let mut buffer = [0; 512];
    let count = inside(|| File::open(path(name))?.read(&mut buffer))?;
    Ok(String::from_utf8_lossy(&buffer[..count]).into_owned())
}

fn path(sysctl: &str) -> String {
    format!("/proc/sys/{}", sysctl.replace('.', "/"))
}
