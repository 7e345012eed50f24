//! Whether `systemd-logind(8)` removes the objects of users who log out (`RemoveIPC` in `logind.conf(5)`).

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::draft::{Draft, Remedy, Right};
use super::facts::Facts;
use crate::ipc::Kind;
use crate::ipc::finding::Severity;
use crate::kernel::namespace::identity::{Handle, Identity};
use crate::kernel::process::{self, accounts};

/// The directories of the main file; the first one that has it counts.
const MAIN: [&str; 4] =
    ["/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"];

pub(super) fn remove_ipc(facts: &Facts) -> Option<Draft> {
    // logind spares system users, and the user nobody never logs in.
    let is_person = |uid: &u32| *uid >= 1000 && *uid != 65_534;
    let owners = facts.objects.iter().map(|seen| seen.observed.permissions().uid);
    let mut owners: Vec<u32> = owners.filter(is_person).collect();
    owners.sort_unstable();
    owners.dedup();
    if owners.is_empty() || !runs_in(&facts.namespace) || !removes_ipc() {
        return None;
    }
    let names: Vec<_> = owners.iter().map(|&uid| accounts::user(uid).to_string()).collect();
    let why = format!(
        "systemd-logind removes all objects of a user whose last session ends (RemoveIPC is not 'no'); these users own some: {}",
        names.join(", ")
    );
    let line = "mkdir -p /etc/systemd/logind.conf.d && printf '[Login]\\nRemoveIPC=no\\n' > /etc/systemd/logind.conf.d/remove-ipc.conf && systemctl restart systemd-logind";
    let is_root = facts.caller(Kind::Msg).uid == 0;
    let draft = Draft::of_system(Severity::Warning, why);
    Some(draft.fixed_by(Remedy::Run(line.to_owned()), Right::over_system(is_root, facts)))
}

/// Whether logind runs in this IPC namespace, whose objects it would remove. If its namespace cannot be
/// read, the answer is no.
fn runs_in(namespace: &Handle) -> bool {
    let Ok(here) = namespace.identity() else { return false };
    process::named("systemd-logind").any(|pid| Identity::of(pid).is_ok_and(|of| of == here))
}

/// Whether it is configured to remove objects.
fn removes_ipc() -> bool {
    let directories = MAIN.map(PathBuf::from);
    let main = directories.iter().map(|directory| directory.join("logind.conf"));
    let main = main.into_iter().find_map(|path| fs::read_to_string(path).ok());
    // A drop-in hides one with the same name in a later directory; they are read in the order of their
    // names.
    let mut drop_ins = BTreeMap::new();
    for directory in directories.iter().rev() {
        let Ok(entries) = fs::read_dir(directory.join("logind.conf.d")) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|extension| extension == "conf") {
                let text = fs::read_to_string(&path).unwrap_or_default();
                drop_ins.insert(path.file_name().map(ToOwned::to_owned), text);
            }
        }
    }
    let texts = main.iter().chain(drop_ins.values());
    texts.filter_map(|text| setting(text)).next_back().unwrap_or(true)
}

/// The last `RemoveIPC` in the section `[Login]`.
pub(crate) fn setting(text: &str) -> Option<bool> {
    let mut is_login = false;
    let mut value = None;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            is_login = line == "[Login]";
        } else if let Some((key, new)) = line.split_once('=')
            && is_login
            && key.trim() == "RemoveIPC"
        {
            value = match new.trim().to_ascii_lowercase().as_str() {
                "no" | "n" | "false" | "f" | "0" | "off" => Some(false),
                "yes" | "y" | "true" | "t" | "1" | "on" => Some(true),
                // An empty value resets to the default; one that is not understood has no effect.
                "" => None,
                _ => value,
            };
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_setting_in_its_section_counts() {
        assert_eq!(setting("[Login]\n#RemoveIPC=no\n"), None);
        assert_eq!(setting("[Login]\nRemoveIPC=no\n"), Some(false));
        assert_eq!(setting("[Login]\n RemoveIPC = off\n"), Some(false));
        assert_eq!(setting("[Login]\nRemoveIPC=no\nRemoveIPC=yes\n"), Some(true));
        assert_eq!(setting("[Manager]\nRemoveIPC=no\n"), None);
        assert_eq!(setting("RemoveIPC=no\n"), None);
    }
}
