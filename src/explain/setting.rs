//! Why a limit could not be set: the errors of `/proc/sys`.

use super::explanation::{Explanation, Reason};
use super::facts::{Facts, Wanted};
use super::refused::confined;
use crate::ipc::CommandLine;
use crate::kernel::Errno;
use crate::kernel::process::confinement::Confinement;

/// A sysctl that could not be written, and the process that tried.
#[derive(Debug)]
struct Setting<'a> {
    /// Its name, `kernel.msgmni`.
    sysctl: &'static str,
    /// The text that was written.
    text: &'a str,
    /// Whether the caller is root of the user namespace that owns the IPC namespace. The kernel lets no
    /// other process write.
    is_root: bool,
    /// Whether the effective user id is 0.
    has_uid_of_root: bool,
    /// Whether the caller is in a user namespace other than the initial one.
    is_in_user_namespace: bool,
    confinement: &'a Confinement,
}

/// Asks for the facts that explain why a limit could not be set.
pub(super) fn want(wanted: &mut Wanted) {
    wanted.privileges = true;
}

/// Why its sysctl rejected this text.
pub(super) fn explain(
    sysctl: &'static str,
    text: &str,
    errno: Errno,
    facts: &Facts,
) -> Explanation {
    let reason = match errno {
        Errno::EACCES | Errno::EPERM | Errno::EROFS => Reason::NotPermitted,
        _ => Reason::Failed,
    };
    let has_uid_of_root = facts.privileges.uid == 0;
    let setting = Setting {
        sysctl,
        text,
        is_root: has_uid_of_root && facts.privileges.owns_namespace,
        has_uid_of_root,
        is_in_user_namespace: !facts.privileges.has_every_id,
        confinement: &facts.confinement,
    };
    Explanation::new(errno.desc(), reason).with_hint(setting.hint(errno))
}

impl Setting<'_> {
    fn hint(&self, errno: Errno) -> String {
        let Setting { sysctl, text, .. } = *self;
        let set = CommandLine::new("sysctl -w").setting(sysctl, text);
        match errno {
            Errno::EROFS => format!(
                "/proc/sys is mounted read-only, as in most containers; set the limit when the container starts, in a pod with securityContext.sysctls (name {sysctl}, value \"{text}\"), elsewhere with: {} IMAGE",
                CommandLine::new("docker run --sysctl").setting(sysctl, text)
            ),
            Errno::EACCES | Errno::EPERM if self.is_root && self.is_in_user_namespace => format!(
                "before Linux 6.9, root of a user namespace cannot set this; since then, {}",
                confined(self.confinement)
            ),
            Errno::EACCES | Errno::EPERM if self.is_root => confined(self.confinement),
            Errno::EACCES | Errno::EPERM if self.has_uid_of_root => format!(
                "you are root of a user namespace that does not own this IPC namespace; as root of the one that does: {set}"
            ),
            Errno::EACCES | Errno::EPERM => format!("as root: {set}"),
            _ => format!("the kernel rejects {sysctl}='{text}'"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_own_hint() {
        for (errno, is_root, has_uid_of_root, is_in_user_namespace, expected) in [
            (Errno::EROFS, true, true, false, ": docker run --sysctl kernel.sem='1 2 3 4' IMAGE"),
            (Errno::EROFS, false, true, true, "sysctls (name kernel.sem, value \"1 2 3 4\")"),
            (Errno::EACCES, true, true, false, "a security module (SELinux, AppArmor, Smack)"),
            (Errno::EACCES, true, true, true, "before Linux 6.9, root of a user namespace cannot"),
            (Errno::EACCES, false, true, true, "user namespace that does not own this IPC"),
            (Errno::EPERM, false, false, false, "as root: sysctl -w kernel.sem='1 2 3 4'"),
            (Errno::EINVAL, true, true, false, "the kernel rejects kernel.sem='1 2 3 4'"),
        ] {
            let setting = Setting {
                sysctl: "kernel.sem",
                text: "1 2 3 4",
                is_root,
                has_uid_of_root,
                is_in_user_namespace,
                confinement: &Confinement::default(),
            };
            let hint = setting.hint(errno);
            assert!(hint.contains(expected), "{hint}");
        }
    }
}
