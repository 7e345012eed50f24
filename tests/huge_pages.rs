//! Segments in huge pages, with real ones: root sets some aside for a moment.

mod oracle;
mod sandbox;

use std::fs::{self, File};

use sandbox::{NOBODY, Needs, Ran, Sandbox, only_root, skip};
use serde_json::json;

const SETTING: &str = "/proc/sys/vm/nr_hugepages";

/// Huge pages of 2 MiB that are reserved as long as this value exists. Only one test at a time has them, even
/// if several users run the tests.
struct Reserved {
    before: String,
    lock: File,
}

impl Reserved {
    fn new(pages: u64) -> Option<Reserved> {
        if !only_root("only root can set huge pages aside") {
            return None;
        }
        let lock = File::create(std::env::temp_dir().join("ipctool-huge-pages.lock")).unwrap();
        lock.lock().unwrap();
        let before = fs::read_to_string(SETTING).unwrap_or_default();
        let already: u64 = before.trim().parse().unwrap_or(0);
        let wanted = already + pages;
        let reserved = Reserved { before, lock };
        let set = fs::write(SETTING, wanted.to_string());
        let is: u64 = fs::read_to_string(SETTING).unwrap_or_default().trim().parse().unwrap_or(0);
        if set.is_err()
            || is < wanted
            || !fs::exists("/sys/kernel/mm/hugepages/hugepages-2048kB").unwrap()
        {
            skip(Needs::Machine, &format!("no {pages} huge pages of 2 MiB are to be had here"));
            return None;
        }
        Some(reserved)
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let _ = fs::write(SETTING, &self.before);
        let _ = self.lock.unlock();
    }
}

/// Runs `then` while a process holds a segment of two huge pages, as `hold` does with this argument.
fn while_held(shell: &Sandbox, how: &str, then: &str) -> Ran {
    shell.run(&format!(
        "rm -f in out; mkfifo in; ./hold {how} < in > out & exec 9> in; \
         until [ -s out ] || ! kill -0 $! 2> /dev/null; do sleep 0.01; done; \
         {then}; status=$?; exec 9>&-; wait $!; exit $status"
    ))
}

#[test]
fn a_segment_in_huge_pages_is_shown_as_one_with_what_is_in_memory() {
    let Some(shell) = Sandbox::new() else { return };
    let Some(_reserved) = Reserved::new(2) else { return };
    shell.compile("hold");
    let shown = "ipctool list shm --json -o size,attached,status,rss";
    let row = |attached: u64, status: serde_json::Value, rss: u64| json!([{"size": 4 << 20, "attached": attached, "status": status, "rss": rss}]);

    let touched = while_held(&shell, "touched", shown).ok().json();
    assert_eq!(touched, row(1, json!(["hugetlb"]), 2 << 20));
    while_held(&shell, "touched", "ipctool list shm").ok().shows("4194304        1 hugetlb\n");
    // No page is in memory, so only the process that has it attached shows the huge pages.
    let untouched = while_held(&shell, "untouched", shown).ok().json();
    assert_eq!(untouched, row(1, json!(["hugetlb"]), 0));
    let who = while_held(&shell, "untouched", "ipctool list shm --who --json").ok().json();
    assert_eq!(who[0]["status"], json!(["hugetlb"]));
    while_held(&shell, "touched", "ipctool stat $(cat out)")
        .ok()
        .shows("in memory    2097152 bytes, and 0 swapped out\n")
        .shows("pages        huge, 2M each\n")
        .shows("status       hugetlb\n");

    // Nobody has it any more. That the kernel counts in the wrong unit, since Linux 6.7, gives it away.
    shell.run("./hold leave").ok();
    oracle::install(&shell);
    let id = shell.run("ipctool list -m -o id --no-headings").ok().stdout();
    let cases = ["-m".to_owned(), "-m -u".to_owned(), format!("-m -i {}", id.trim())];
    oracle::agree(&shell, "", &oracle::script("ipcs", &cases), cases.len());
    let raw = shell.run("awk 'NR > 1 { print $15 }' /proc/sysvipc/shm").ok().stdout();
    let is_proven = raw.trim().parse::<u64>().expect("a number") > 4 << 20;
    let status = if is_proven { json!(["hugetlb"]) } else { json!([]) };
    assert_eq!(shell.run(shown).ok().json(), row(0, status.clone(), 2 << 20));
    let as_nobody = shell.run_as(NOBODY, shown).expect("only root comes here");
    assert_eq!(as_nobody.ok().json(), row(0, status, 2 << 20), "whoever looks");
    shell.run("ipctool rm --all shm --yes").exits(0);
    shell
        .run("ipctool guard ./hold leave")
        .exits(6)
        .says("leaked 1 shared memory segment, 2M of memory");
}

#[test]
fn ordinary_pages_are_no_huge_ones() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create shm --size 4M").ok();
    let ran = shell.run_while_attached(0, "ipctool list shm --json -o attached,status,rss");
    assert_eq!(ran.ok().json(), json!([{"attached": 1, "status": [], "rss": 0}]));
}
