//! `ipctool list`

mod sandbox;

use sandbox::{NOBODY, Sandbox};
use serde_json::json;

/// A queue with two messages, a segment and a set.
fn one_of_each() -> Option<Sandbox> {
    let shell = Sandbox::new()?;
    shell.run("ipctool create msg --key 0xbeef --mode 640").ok();
    shell.run("ipctool send 0xbeef hello you").ok();
    shell.run("ipctool create shm --size 64K").ok();
    shell.run("ipctool create sem --nsems 3").ok();
    Some(shell)
}

fn me(shell: &Sandbox) -> String {
    shell.run("id -un").ok().stdout().trim().to_owned()
}

#[test]
fn plain_text_is_aligned_and_one_line_an_object() {
    let Some(shell) = one_of_each() else { return };
    let me = me(&shell);
    shell.run("ipctool list").prints(&format!(
        "\
REF              KEY        OWNER      MODE      MESSAGES     BYTES
msg:0            0x0000beef {me:<10} rw-r-----        2         8

REF              KEY        OWNER      MODE              SIZE ATTACHED STATUS
shm:0            -          {me:<10} rw-------        65536        0 -

REF              KEY        OWNER      MODE       NSEMS
sem:0            -          {me:<10} rw-------      3
"
    ));
    shell.run("ipctool ls --no-headings -o ref").prints("msg:0\nshm:0\nsem:0\n");
}

#[test]
fn nothing_there_prints_nothing_but_says_so_on_a_terminal() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool list").prints("");
    shell.run("ipctool list --format jsonl").prints("");
    shell.run("ipctool list --json").prints("[]\n");
    shell
        .run("ipctool list --format table msg sem")
        .prints("No message queues.\nNo semaphore sets.\n");
    shell.run("script -qec 'ipctool list -q' /dev/null").shows("No message queues.");
    let heading = shell.run("ipctool list -q --format csv").ok().stdout();
    assert!(heading.starts_with("ref,kind,id,key,owner,"), "{heading}");
}

#[test]
fn a_terminal_gets_a_table_of_human_sizes() {
    let Some(shell) = one_of_each() else { return };
    shell.run("script -qec 'ipctool list -m' /dev/null").shows("shm:0  -").shows("64K");
    shell.run("ipctool list -m --format table --bytes").shows("65536");
    shell.run("LC_ALL=C ipctool list -m --format table").shows("\n-----").lacks("─");
    shell.run("script -qec 'ipctool list -m --format plain' /dev/null").shows("65536");
}

#[test]
fn colour_is_for_terminals_and_where_it_is_wanted() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --key 1").ok();
    // Full: 16,384 bytes by default.
    shell.run("head -c 8192 /dev/zero > half; for i in 1 2; do ipctool send 0x1 < half; done").ok();
    let red = "\x1b[31m16K/16K 100%";
    assert!(!shell.run("ipctool list --format table").stdout().contains('\x1b'));
    shell.run("ipctool list --format table --color always").shows(red);
    shell.run("script -qec 'ipctool list' /dev/null").shows(red);
    for quiet in ["NO_COLOR=1 ipctool list", "ipctool --color never list", "TERM=dumb ipctool list"]
    {
        let ran = shell.run(&format!("script -qec '{quiet}' /dev/null"));
        assert!(!ran.stdout().contains('\x1b'), "{quiet}");
    }
}

#[test]
fn processes_that_are_gone_are_marked() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --key 1 && ipctool send 0x1 hi").ok();
    let receive =
        r#"$q = msgget(1, 0); msgrcv($q, $m, 8, 0, 0) or die; $| = 1; print "$$\n"; sleep 60"#;
    // In the table of `stat`, on a terminal, the pid of the sender is magenta.
    for table in [
        "ipctool list -p --format table --color always",
        "script -qec 'ipctool stat msg:0' /dev/null",
    ] {
        let ran = shell.run(&format!(
            "ipctool send 0x1 hi; mkfifo pid; perl -e '{receive}' > pid & read alive < pid; rm pid; \
             echo $alive; {table}; kill $alive"
        ));
        let text = ran.stdout();
        let number =
            |text: &str| text.split(|c: char| !c.is_ascii_digit()).next().map(str::to_owned);
        let alive = number(&text).unwrap();
        let marked: Vec<_> =
            text.split("\x1b[35m").skip(1).filter_map(|rest| number(rest.trim_start())).collect();
        assert_eq!(marked.len(), 1, "{text}");
        assert!(!marked.contains(&alive), "{text}");
        assert!(text.matches(&alive).count() > 1, "{text}");
    }
}

#[test]
fn json_carries_every_field_with_its_type() {
    let Some(shell) = one_of_each() else { return };
    let listed = shell.run("ipctool list --json").ok().json();
    let [queue, segment, set] = listed.as_array().unwrap().as_slice() else { panic!("{listed}") };
    assert_eq!(queue["ref"], "msg:0");
    assert_eq!(queue["kind"], "msg");
    assert_eq!(queue["id"], 0);
    assert_eq!(queue["key"], "0x0000beef");
    assert_eq!(queue["mode"], "0640");
    assert_eq!(queue["owner"], me(&shell));
    assert_eq!(queue["messages"], 2);
    assert_eq!(queue["bytes"], 8);
    assert_eq!(queue["max_bytes"], 16384);
    assert!(queue["last_send"].as_str().unwrap().ends_with('Z'));
    assert_eq!(queue["last_recv"], json!(null));
    assert_eq!(queue["last_recv_pid"], json!(null));
    assert!(queue["last_send_pid"].is_i64());
    assert_eq!(segment["key"], json!(null));
    assert_eq!(segment["size"], 65536);
    assert_eq!(segment["attached"], 0);
    assert_eq!(segment["status"], json!([]));
    assert_eq!(segment["rss"], 0);
    assert_eq!(set["nsems"], 3);
    assert_eq!(set["last_op"], json!(null));
    let fields = |record: &serde_json::Value| {
        record.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        fields(segment),
        "attached cgid cgroup changed creator creator_pid cuid gid group id key kind last_attach \
         last_detach last_pid mode owner ref rss size status swap uid"
    );
}

#[test]
fn lines_of_json_and_separated_values_are_a_record_each() {
    let Some(shell) = one_of_each() else { return };
    assert_eq!(shell.run("ipctool list --format jsonl").ok().stdout().lines().count(), 3);
    shell
        .run("ipctool list --format csv -o ref,messages,status,nsems")
        .prints("ref,messages,status,nsems\nmsg:0,2,,\nshm:0,,,\nsem:0,,,3\n");
    shell.run("ipctool list --format tsv -o ref,size --no-headings shm").prints("shm:0\t65536\n");
    let csv = shell.run("ipctool list --format csv").ok().stdout();
    let commas: Vec<_> = csv.lines().map(|line| line.matches(',').count()).collect();
    assert_eq!(commas, [commas[0]; 4]);
}

#[test]
fn output_chooses_columns_or_adds_to_them() {
    let Some(shell) = one_of_each() else { return };
    shell
        .run("ipctool list msg -o REF,max_bytes")
        .prints("REF              MAX_BYTES\nmsg:0                16384\n");
    shell.run("ipctool list -q -o +max_bytes").shows("BYTES MAX_BYTES\n");
    shell.run("ipctool list -q -p -o +mode").shows("LAST_RECV_PID MODE\n");
    shell
        .run("ipctool list --json -o ref,nsems")
        .prints("[\n{\"ref\":\"msg:0\",\"nsems\":null},\n{\"ref\":\"shm:0\",\"nsems\":null},\n{\"ref\":\"sem:0\",\"nsems\":3}\n]\n");
    shell
        .run("ipctool list -q -o ref,nsems")
        .exits(2)
        .says("there is no column 'nsems' for msg")
        .says("hint: columns: ref kind id");
    shell.run("ipctool list -o ''").exits(2).says("there is no column ''");
}

#[test]
fn presets_have_the_letters_of_ipcs() {
    let Some(shell) = one_of_each() else { return };
    shell.run("ipctool list -q -t").shows("LAST_SEND  LAST_RECV  CHANGED\n");
    shell.run("ipctool list -q -p").shows("LAST_SEND_PID LAST_RECV_PID\n");
    shell.run("ipctool list -m -c").shows("CREATOR    CGROUP     OWNER      GROUP\n");
    let last_wins = shell.run("ipctool list -q -t -c -p").ok().stdout();
    shell.run("ipctool list -q -p").prints(&last_wins);
}

#[test]
fn times_and_modes_are_written_as_asked() {
    let Some(shell) = one_of_each() else { return };
    let today = shell.run("date +%Y-%m-%d").stdout().trim().to_owned();
    shell.run("ipctool list -q -o changed --time-format iso").shows(&today).shows("+00:00");
    shell.run("ipctool list -q -o changed --time-format relative").shows("s ago\n");
    shell
        .run("TZ=Asia/Tokyo ipctool list -q -o changed --time-format full | grep -c 20..$")
        .prints("1\n");
    shell.run("ipctool list -q -o changed --no-headings | grep -c '^..:..$'").prints("1\n");
    shell.run("ipctool list -q -o last_recv --no-headings").prints("-\n");
    shell.run("ipctool list -q -o mode --numeric-perms --no-headings").prints("0640\n");
    shell.run("ipctool list -q --time-format sundial").exits(2).says("'sundial'");
}

#[test]
fn sorting_is_by_value_with_what_is_missing_last() {
    let Some(shell) = Sandbox::new() else { return };
    for size in [9, 100, 20] {
        shell.run(&format!("ipctool create shm --size {size}")).ok();
    }
    shell
        .run("ipctool create msg --key 0x80000000; ipctool create msg --key 9; ipctool create msg")
        .exits(0);
    let sorted = |options: &str| {
        let line = format!("ipctool list --no-headings -o ref {options}");
        shell.run(&line).ok().stdout().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(sorted("-m --sort size"), "shm:0 shm:2 shm:1");
    assert_eq!(sorted("-m --sort -SIZE"), "shm:1 shm:2 shm:0");
    assert_eq!(sorted("-q --sort key"), "msg:1 msg:0 msg:2");
    assert_eq!(sorted("-q --sort -key"), "msg:0 msg:1 msg:2");
    assert_eq!(sorted("-q --sort -id"), "msg:2 msg:1 msg:0");
    assert_eq!(
        sorted("--sort -ref"),
        "msg:2 msg:1 msg:0 shm:2 shm:1 shm:0",
        "by kind, for a person"
    );
    assert_eq!(sorted("--sort size --format csv"), "shm:0 shm:2 shm:1 msg:0 msg:1 msg:2");
    shell.run("ipctool list --sort colour").exits(2).says("there is no column 'colour'");
}

#[test]
fn kinds_are_arguments_or_flags() {
    let Some(shell) = one_of_each() else { return };
    let listed = |options: &str| {
        shell.run(&format!("ipctool list --no-headings -o ref {options}")).ok().stdout()
    };
    assert_eq!(listed("msg"), "msg:0\n");
    assert_eq!(listed("queue"), "msg:0\n");
    assert_eq!(listed("-m -s"), "shm:0\nsem:0\n");
    assert_eq!(listed("sem -q"), "msg:0\nsem:0\n", "in the order of the kinds");
    shell
        .run("ipctool list pizza")
        .exits(2)
        .says("[possible values: msg, shm, sem, pmsg, pshm, psem]");
}

#[test]
fn filters_combine_with_and() {
    let Some(shell) = one_of_each() else { return };
    shell.run("ipctool create msg").prints("msg:1\n");
    let me = me(&shell);
    let listed = |options: &str| {
        let line = format!("ipctool list --format csv --no-headings -o ref {options}");
        shell.run(&line).ok().stdout().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(listed(&format!("--owner {me} --creator \"$(id -u)\"")), "msg:0 msg:1 shm:0 sem:0");
    assert_eq!(listed("--owner 4711"), "");
    assert_eq!(listed("--group \"$(id -gn)\" -s"), "sem:0");
    assert_eq!(listed("--key 0xbeef"), "msg:0");
    assert_eq!(listed("--empty"), "msg:1");
    assert_eq!(listed("--empty --key 0xbeef"), "");
    assert_eq!(listed("--idle 0s"), "msg:0 msg:1 shm:0 sem:0");
    assert_eq!(listed("--idle 1h"), "");
    assert_eq!(listed("--marked"), "");
    shell
        .run("ipctool list --owner nobody-of-that-name")
        .exits(2)
        .says("there is no user 'nobody-of-that-name'");
    shell
        .run("ipctool list --group no-such-group")
        .exits(2)
        .says("there is no group 'no-such-group'");
    shell.run("ipctool list --idle soon").exits(2).says("'soon' is not a duration");
    shell.run("ipctool list --key 0").exits(2).says("IPC_PRIVATE");
}

#[test]
fn a_marked_segment_is_shown_as_such() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create shm --size 5 --key 7").ok();
    shell
        .run_while_attached(
            0,
            "ipcrm -m 0; ipctool list --marked --json -o ref,key,attached,status",
        )
        .shows("{\"ref\":\"shm:0\",\"key\":null,\"attached\":1,\"status\":[\"dest\"]}");
    shell.run("ipctool list").prints("");
}

#[test]
fn the_key_of_a_marked_segment_is_known_while_it_is_attached() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create shm --size 5 --key 0xffff0abc && ipctool create shm --size 6").ok();
    let look = "ipctool list shm --json -o key,former_key";
    shell
        .run_while_attached(0, &format!("{look}; ipcrm -m 0; {look} --marked; ipctool stat shm:0"))
        .shows("[\n{\"key\":\"0xffff0abc\",\"former_key\":null}")
        .shows("[\n{\"key\":null,\"former_key\":\"0xffff0abc\"}\n]\n")
        .shows("key          none, was 0xffff0abc until removed\n");
    shell
        .run_while_attached(1, &format!("ipcrm -m 1; {look}"))
        .shows("[\n{\"key\":null,\"former_key\":null}\n]\n");
}

#[test]
fn reading_needs_no_permission_on_the_objects() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --mode 0").ok();
    let Some(ran) = shell.run_as(NOBODY, "ipctool list -q --no-headings -o ref,owner,max_bytes")
    else {
        return;
    };
    ran.prints("msg:0            root           16384\n");
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_quietly() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("perl -e 'for (1..3000) { msgget(0, 0600) // die $! }'").ok();
    shell.run("ipctool list | head -n 1 | wc -l").prints("1\n");
    shell
        .run("(ipctool list; echo $? >&3) 3>status | head -n 1; cat status")
        .shows("REF")
        .shows("\n0\n");
    shell.run("ipctool list --json | head -c 1").prints("[");
    shell
        .run("ipctool list --help | head -n 1")
        .prints("List message queues, shared memory and semaphores\n");
}

#[test]
fn a_full_disk_is_an_error() {
    let Some(shell) = one_of_each() else { return };
    for options in ["", "--json", "--format csv", "--format table", "--sort ref"] {
        shell.run(&format!("ipctool list {options} > /dev/full")).exits(1).says(
            "ipctool: list: cannot write to standard output: No space left on device (ENOSPC)\n",
        );
    }
}

#[test]
fn long_lists_are_complete_and_agree_with_ipcs() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("perl -e 'for (1..5000) { msgget($_, 0600 | 01000) // die $! }'").ok();
    let ours = shell.run("ipctool list -q --no-headings -o key,id | awk '{print $1, $2}'").ok();
    let theirs = shell.run("ipcs -q | awk '/^0x/ {print $1, $2}'").ok();
    assert_eq!(ours.stdout().lines().count(), 5000);
    assert_eq!(ours.stdout(), theirs.stdout());
}

#[test]
fn kinds_without_any_of_the_chosen_columns_leave_no_trace() {
    let Some(shell) = one_of_each() else { return };
    shell.run("ipctool list -o nsems --no-headings").prints("3\n");
    let table = shell.run("ipctool list -o nsems --format table").ok().stdout();
    assert_eq!(table.matches("NSEMS").count(), 1, "{table}");
}

#[test]
fn a_csv_reader_that_has_seen_enough_ends_it_quietly() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("perl -e 'for (1..3000) { msgget(0, 0600) // die $! }'").ok();
    shell
        .run("(ipctool list --format csv; echo $? >&3) 3>status | head -c 1; cat status")
        .prints("r0\n");
}

#[test]
fn what_is_kept_on_purpose_is_left_out() {
    let Some(shell) = Sandbox::new() else { return };
    let make = "ipctool create msg --key 0xbeef; ipctool create sem; ipctool create pshm --name /two --size 1; ipctool create psem --name /two";
    shell.run(make).ok();
    let list = |options: &str| {
        let line =
            format!("ipctool list {options} -o ref --no-headings | tr -d ' ' | tr '\\n' ' '");
        shell.run(&line).ok().stdout()
    };
    assert_eq!(list("--ignore 0xbeef"), "sem:0 pshm:/two psem:/two ");
    assert_eq!(list("--ignore 48879,/two"), "sem:0 ");
    assert_eq!(list("--ignore /two --owner $(id -u) msg sem"), "msg:0 sem:0 ");
    assert_eq!(list("--ignore $(id -u)"), "");
    assert_eq!(list("--ignore $(id -un)"), "");
}

#[test]
fn an_array_is_whole_where_something_fails_half_way() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("ipctool create msg; ipctool create shm --size 5; ipctool create sem").ok();
    shell.run("cat /proc/sysvipc/shm > table; echo nonsense >> table").ok();
    // A table of the kernel that nobody understands, and one that is not there.
    let covered = |cover: &str, options: &str| {
        let line = format!("mount {cover} && ipctool list {options}");
        shell.run_with("unshare --mount sh", line.as_bytes())
    };
    let understood = "--bind table /proc/sysvipc/shm";
    let is_told = "ipctool: list: /proc/sysvipc/shm";
    let ran = covered(understood, "--json").exits(1).says(is_told);
    assert_eq!(ran.fields("ref"), json!([["msg:0"], ["shm:0"]]));
    covered(understood, "--json --sort -ref -o ref,rss")
        .exits(1)
        .says(is_told)
        .shows("[\n{\"ref\":\"shm:0\",\"rss\":0},\n{\"ref\":\"msg:0\",\"rss\":null}\n]\n");
    let missing = "-t tmpfs none /proc/sysvipc";
    for options in ["--json shm", "--json --who", "--json shm --sort ref", "--json shm pshm"] {
        let ran = covered(missing, options).exits(1).says("ipctool: list: ");
        assert_eq!(ran.stdout(), "[]\n", "{options}");
    }
    assert_eq!(covered(missing, "--format jsonl shm").exits(1).stdout(), "");
    // A person is not told that there is none of what could not be read.
    assert_eq!(covered(missing, "--format table").exits(1).stdout(), "");
}

#[test]
fn text_is_aligned_by_its_width_and_not_by_its_bytes() {
    let Some(shell) = Sandbox::new() else { return };
    // Two bytes each, three bytes and two places each, and an accent without a place of its own.
    let names = ["/abcd", "/üüüü", "/漢字", "/e\u{301}e\u{301}"];
    for name in names {
        shell.run(&format!("ipctool create pshm --name '{name}' --size 5")).ok();
    }
    let list = "ipctool list pshm --no-headings -o ref,size --sort size";
    let listed = shell.run(list).ok().stdout();
    let padding = |name: &str| {
        let line = listed.lines().find_map(|line| line.strip_prefix(&format!("pshm:{name}")));
        line.unwrap_or_else(|| panic!("{name} in {listed}"))
    };
    // The reference takes 16 places, the size 12.
    for (name, places) in names.into_iter().zip([5, 5, 5, 3]) {
        assert_eq!(padding(name).len(), 16 - "pshm:".len() - places + 1 + 12, "{name}: {listed}");
    }
}

#[test]
fn the_first_table_stands_at_the_top() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pshm --name /m --size 5; ipctool create psem --name /s").ok();
    let table = shell.run("ipctool list -o name --format table").ok().stdout();
    assert!(table.starts_with("POSIX shared memory"), "{table}");
    assert_eq!(table.matches("\n\n").count(), 1, "one between two tables: {table}");
}
