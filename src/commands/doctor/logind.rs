//! Whether `systemd-logind(8)` removes the objects of users who log out: `RemoveIPC` in
//! `logind.conf(5)`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// Where the main file is, the one that counts first.
const MAIN: [&str; 4] =
    ["/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"];

/// Whether it does; nothing where there is no logind.
pub(super) fn removes_ipc() -> Option<bool> {
    let directories = MAIN.map(PathBuf::from);
    let main = directories.iter().map(|directory| directory.join("logind.conf"));
    let main = main.into_iter().find_map(|path| fs::read_to_string(path).ok());
    let has_logind =
        main.is_some() || fs::exists("/usr/lib/systemd/systemd-logind").unwrap_or(false);
    if !has_logind {
        return None;
    }
    // A drop-in hides those of its name in the directories behind; all are read in the order of
    // their names.
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
    Some(texts.filter_map(|text| setting(text)).next_back().unwrap_or(true))
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
                // Not understood, so without effect; empty, so the default.
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
