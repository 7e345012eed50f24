//! The files under `/proc/sys`, by the names of their sysctls: `proc_sys(5)`.

use std::fs::{self, File};
use std::io::{self, Read};

/// Writes the text of a sysctl. `EACCES` or `EPERM` without privilege over the namespace.
pub fn write(name: &str, text: &str) -> io::Result<()> {
    fs::write(path(name), text)
}

/// Whether this process may write a sysctl. Where `/proc/sys` is read-only it may not.
pub fn is_writable(name: &str) -> bool {
    let flags = nix::fcntl::AtFlags::AT_EACCESS;
    let (path, mode) = (path(name), nix::unistd::AccessFlags::W_OK);
    nix::unistd::faccessat(nix::fcntl::AT_FDCWD, path.as_str(), mode, flags).is_ok()
}

/// Reads the text of a sysctl: at one go, for one of several numbers has no second part.
pub fn read(name: &str) -> io::Result<String> {
    let mut buffer = [0; 512];
    let count = File::open(path(name))?.read(&mut buffer)?;
    Ok(String::from_utf8_lossy(&buffer[..count]).into_owned())
}

fn path(sysctl: &str) -> String {
    format!("/proc/sys/{}", sysctl.replace('.', "/"))
}
