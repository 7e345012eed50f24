//! The fuzz targets: for each parser of input from outside, a function that feeds it bytes and panics if its
//! results are inconsistent. `fuzz/README.md` explains how to run them; the tests also run them briefly on
//! the seeds in `fuzz/corpus` and on random bytes.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use clap::Parser;

use crate::cli::Cli;
use crate::doctor::logind;
use crate::ipc::kind::Family;
use crate::ipc::message::Label;
use crate::ipc::posix::{Pattern, SemaphoreState};
use crate::ipc::{
    Container, Key, Kind, Mode, ModeChange, Name, Project, Reference, Target, duration, limit, size,
};
use crate::kernel::descendants::perf;

use crate::kernel::process::{mounts, scan, stat};
use crate::kernel::sysv::proc_table::{self, Table};
use crate::kernel::sysv::shm::Device;
use crate::output::escape;
use crate::output::message::{self, Record};
use crate::personality;

/// A function that feeds bytes to a parser.
pub type Feed = fn(&[u8]);

/// All fuzz targets, with their names.
pub const TARGETS: [(&str, Feed); 22] = [
    ("command_line", command_line),
    ("reference", reference),
    ("name", name),
    ("pattern", pattern),
    ("key", key),
    ("mode", mode),
    ("size", size),
    ("duration", duration),
    ("percent", percent),
    ("json_line", json_line),
    ("escape", escape),
    ("proc_table", proc_table),
    ("proc_maps", proc_maps),
    ("proc_syscall", proc_syscall),
    ("proc_stat", proc_stat),
    ("proc_cgroup", proc_cgroup),
    ("mountinfo", mountinfo),
    ("logind_conf", logind_conf),
    ("semaphore_file", semaphore_file),
    ("perf_record", perf_record),
    ("drop_in_number", drop_in_number),
    ("lesson", lesson),
];

/// Lessons: a mistake is on a line of the file, and a lesson has a screen.
pub fn lesson(bytes: &[u8]) {
    let text = text(bytes);
    match crate::lesson::read("fuzzed", text) {
        Ok(lesson) => assert!(!lesson.steps.is_empty()),
        Err(mistake) => assert!((1..=text.lines().count() + 1).contains(&mistake.line)),
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// A command line, with NUL bytes between the words as in `/proc/PID/cmdline`.
pub fn command_line(bytes: &[u8]) {
    let words = bytes.split(|&byte| byte == 0).map(|word| OsString::from_vec(word.to_vec()));
    let _ = Cli::try_parse_from(std::iter::once("ipctool".into()).chain(words));
}

/// References: one that is parsed is printed in a form that parses to the same reference.
pub fn reference(bytes: &[u8]) {
    if let Ok(reference) = text(bytes).parse::<Reference>() {
        let printed = reference.to_string();
        assert_eq!(printed.parse::<Reference>().ok().as_ref(), Some(&reference), "{printed}");
        assert!(!printed.contains('\n'), "{printed:?}");
    }
    let _ = Reference::of_family(Family::Queues, text(bytes));
    for kind in Kind::ALL {
        let _ = Target::parse(kind, text(bytes));
    }
}

/// Patterns for names: one that is parsed is printed in a form that parses to the same pattern.
pub fn pattern(bytes: &[u8]) {
    let (text, name) = bytes.split_at(bytes.len() / 2);
    let Ok(pattern) = Pattern::parse(self::text(text)) else { return };
    let name = Name::of_file(OsStr::from_bytes(name));
    let printed = pattern.to_string();
    let again = Pattern::parse(&printed).expect("what is printed is a pattern");
    assert_eq!(again.matches(&name), pattern.matches(&name), "{printed:?}");
}

/// Names: every file name survives being printed and parsed.
pub fn name(bytes: &[u8]) {
    if bytes.is_empty() || bytes.contains(&b'/') || bytes.contains(&0) {
        return;
    }
    let name = Name::of_file(OsStr::from_bytes(bytes));
    let printed = name.to_string();
    assert!(!printed.contains('\n'), "{printed:?}");
    for kind in [Kind::Pmsg, Kind::Psem, Kind::Pshm] {
        if let Ok(read) = Name::parse(kind, &printed) {
            assert_eq!(read, name, "{printed}");
        }
        let _ = Name::parse(kind, text(bytes));
    }
}

/// Control groups: a container that is found can be named by its id.
pub fn proc_cgroup(bytes: &[u8]) {
    if let Some(container) = Container::in_groups(text(bytes)) {
        assert!(!container.id.is_empty() && container.is_called(&container.id), "{container:?}");
        assert!(!container.label().is_empty(), "{container:?}");
    }
}

/// Keys: a key that is parsed is printed in a form that parses to the same key.
pub fn key(bytes: &[u8]) {
    if let Ok(key) = text(bytes).parse::<Key>() {
        assert_eq!(key.to_string().parse::<Key>().ok(), Some(key));
    }
    let _ = (Key::from_number(text(bytes)), text(bytes).parse::<Project>());
}

/// Modes: no change gives a mode more than nine bits.
pub fn mode(bytes: &[u8]) {
    let _ = text(bytes).parse::<Mode>();
    if let Ok(change) = text(bytes).parse::<ModeChange>() {
        for before in [0, 0o600, 0o777] {
            let after = change.apply(Mode::from_bits(before));
            assert_eq!(after.bits() & !0o777, 0, "{change:?}");
        }
    }
}

/// Sizes with suffixes.
pub fn size(bytes: &[u8]) {
    let _ = size::parse(text(bytes));
}

/// Durations with units.
pub fn duration(bytes: &[u8]) {
    let _ = duration::parse(text(bytes));
}

/// Percentages.
pub fn percent(bytes: &[u8]) {
    if let Ok(percent) = limit::parse_percent(text(bytes)) {
        assert!(percent <= 100 || text(bytes).contains(|c: char| c.is_ascii_digit()));
    }
}

/// Lines of `send --jsonl`: every payload survives being written and read.
pub fn json_line(bytes: &[u8]) {
    let _ = message::parse(bytes, &mut Vec::new());
    let mut line = Vec::new();
    Record::new(Label::Type(7), bytes).write(&mut line).expect("it can be written");
    let mut payload = Vec::new();
    let label = message::parse(&line, &mut payload).expect("what was written is read");
    assert_eq!((label, payload.as_slice()), (Some(Label::Type(7)), bytes));
}

/// Escaping: no control character remains.
pub fn escape(bytes: &[u8]) {
    let lossy = String::from_utf8_lossy(bytes);
    assert!(escape::line(&lossy).chars().all(|character| !character.is_control()));
}

/// Lines of `/proc/sysvipc`.
pub fn proc_table(bytes: &[u8]) {
    for table in Table::ALL {
        if let Some(object) = proc_table::parse(table, bytes) {
            assert_eq!(object.kind(), table.kind());
            assert!(object.id().is_some_and(|id| id >= 0));
        }
    }
}

/// `/proc/PID/maps`.
pub fn proc_maps(bytes: &[u8]) {
    let device = Device { number: 1, huge_page: None };
    let all = scan::maps::mappings(bytes, scan::maps::Which::Files);
    let _ = all.filter_map(|mapping| scan::maps::Attached::of(&mapping, &[device])).count();
}

/// `/proc/PID/syscall`.
pub fn proc_syscall(bytes: &[u8]) {
    let _ = scan::system_call::SystemCall::parse(bytes, "/nowhere")
        .map(|call| call.waits_on("/nowhere"));
}

/// `/proc/PID/stat`.
pub fn proc_stat(bytes: &[u8]) {
    let _ = stat::Stat::parse(bytes.to_vec()).map(|stat| stat.has_ended());
}

/// Lines of `/proc/self/mountinfo`.
pub fn mountinfo(bytes: &[u8]) {
    let _ = mounts::Mount::parse(bytes);
}

/// `logind.conf`.
pub fn logind_conf(bytes: &[u8]) {
    let _ = logind::setting(text(bytes));
}

/// The file of a named semaphore.
pub fn semaphore_file(bytes: &[u8]) {
    if let Some(state) = SemaphoreState::from_file(bytes) {
        assert!(state.value <= i32::MAX as u32);
    }
}

/// Records of `perf_event_open(2)`.
pub fn perf_record(bytes: &[u8]) {
    let _ = perf::parse(bytes);
}

/// Numbers and sizes as the drop-ins read them.
pub fn drop_in_number(bytes: &[u8]) {
    for base in [0, 8, 10, 16] {
        let number = personality::util_linux::c_number::leading(bytes, base);
        assert!(number.length <= bytes.len());
        let _ = personality::util_linux::c_number::whole(bytes, base);
    }
    let _ = personality::ipcmk::parse_size(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;
    use std::path::Path;

    fn seeds(target: &str) -> Vec<Vec<u8>> {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let entries = fs::read_dir(&corpus).expect("every target has seeds");
        entries.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
    }

    #[test]
    fn every_target_has_seeds_and_a_program_and_takes_them() {
        for (name, feed) in TARGETS {
            let seeds = seeds(name);
            assert!(!seeds.is_empty(), "{name}");
            seeds.iter().for_each(|seed| feed(seed));
            let program = format!("fuzz/fuzz_targets/{name}.rs");
            assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(&program).exists(), "{program}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_bytes_make_a_target_panic(bytes: Vec<u8>) {
            TARGETS.iter().for_each(|(_, feed)| feed(&bytes));
        }

        /// Slightly changed seeds, which reach code that random bytes do not.
        #[test]
        fn no_change_to_a_seed_makes_a_target_panic(
            target in 0..TARGETS.len(), which: prop::sample::Index, place: prop::sample::Index,
            byte: u8, more: Vec<u8>,
        ) {
            let (name, feed) = TARGETS[target];
            let seeds = seeds(name);
            let mut bytes = which.get(&seeds).clone();
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
                bytes.splice(place..place, more);
            }
            feed(&bytes);
        }
    }
}
