//! Why a limit could not be set: what `/proc/sys` answers.

use super::refused::confined;
use super::{Failure, Reason};
use crate::ipc::CommandLine;
use crate::kernel::io::os_error;
use crate::kernel::process::confinement::Confinement;
use crate::kernel::{Errno, process};

/// A sysctl that could not be written, and who tried.
#[derive(Debug)]
struct Setting<'a> {
    /// Its name, `kernel.msgmni`.
    sysctl: &'static str,
    /// What it was to become.
    text: &'a str,
    /// Whether the caller is root of the user namespace that owns the IPC namespace: the kernel lets
    /// nobody else write.
    is_root: bool,
    /// Whether the effective user id is 0.
    has_uid_of_root: bool,
    /// Whether the caller lives in a user namespace other than the machine's.
    is_in_user_namespace: bool,
    confinement: &'a Confinement,
}

impl Failure {
    /// `limits --set` of this limit that failed: its sysctl does not take this text.
    pub fn of_setting(
        verb: &'static str,
        limit: &'static str,
        value: u64,
        (sysctl, text): (&'static str, &str),
        error: &std::io::Error,
    ) -> Failure {
        let errno = Errno::from_raw(error.raw_os_error().unwrap_or(0));
        let reason = match errno {
            Errno::EACCES | Errno::EPERM | Errno::EROFS => Reason::NotPermitted,
            _ => Reason::Failed,
        };
        let has_uid_of_root = process::uid() == 0;
        let setting = Setting {
            sysctl,
            text,
            is_root: has_uid_of_root && process::owns_ipc_namespace(),
            has_uid_of_root,
            is_in_user_namespace: !process::has_every_id(),
            confinement: &Confinement::read(),
        };
        let what = format!("cannot set {value}: {}", os_error::describe(error));
        Failure::new(verb, limit, what, reason).with_hint(setting.hint(errno))
    }
}

impl Setting<'_> {
    fn hint(&self, errno: Errno) -> String {
        let Setting { sysctl, text, .. } = *self;
        let set = CommandLine::new("sysctl -w").setting(sysctl, text);
        match errno {
            Errno::EROFS => format!(
                "/proc/sys is mounted read-only, as in most containers: the limit is set when the container starts, in a pod by securityContext.sysctls (name {sysctl}, value \"{text}\"), else by: {} IMAGE",
                CommandLine::new("docker run --sysctl").setting(sysctl, text)
            ),
            Errno::EACCES | Errno::EPERM if self.is_root && self.is_in_user_namespace => format!(
                "before Linux 6.9 root of a user namespace could not set this; since then, {}",
                confined(self.confinement)
            ),
            Errno::EACCES | Errno::EPERM if self.is_root => confined(self.confinement),
            Errno::EACCES | Errno::EPERM if self.has_uid_of_root => format!(
                "you are root of a user namespace that does not own this IPC namespace; as root of the one that does: {set}"
            ),
            Errno::EACCES | Errno::EPERM => format!("as root: {set}"),
            _ => format!("the kernel does not take {sysctl}='{text}'"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_own_way_out() {
        for (errno, is_root, has_uid_of_root, is_in_user_namespace, expected) in [
            (Errno::EROFS, true, true, false, "by: docker run --sysctl kernel.sem='1 2 3 4' IMAGE"),
            (Errno::EROFS, false, true, true, "sysctls (name kernel.sem, value \"1 2 3 4\")"),
            (Errno::EACCES, true, true, false, "a security module (SELinux, AppArmor, Smack)"),
            (
                Errno::EACCES,
                true,
                true,
                true,
                "before Linux 6.9 root of a user namespace could not",
            ),
            (Errno::EACCES, false, true, true, "user namespace that does not own this IPC"),
            (Errno::EPERM, false, false, false, "as root: sysctl -w kernel.sem='1 2 3 4'"),
            (Errno::EINVAL, true, true, false, "the kernel does not take kernel.sem='1 2 3 4'"),
        ] {
            let setting = Setting {
                sysctl: "kernel.sem",
                text: "1 2 3 4",
                is_root,
                has_uid_of_root,
                is_in_user_namespace,
                confinement: &Confinement::default(),
            };
            let told = setting.hint(errno);
            assert!(told.contains(expected), "{told}");
        }
    }
}
