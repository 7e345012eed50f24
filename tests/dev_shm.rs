//! What lies in `/dev/shm` and is no object: shown by `list pshm`, and never touched.

mod sandbox;

use sandbox::{NOBODY, Sandbox, is_root, only_root};
use serde_json::{Value, json};

/// The rows of `list pshm` with this status.
fn with_status<'a>(listed: &'a Value, status: &str) -> Vec<&'a Value> {
    let has_it = |row: &&Value| row["status"].as_array().unwrap().contains(&json!(status));
    listed.as_array().unwrap().iter().filter(has_it).collect()
}

/// The names of those that hold it.
fn holders(row: &Value) -> Vec<&str> {
    let users = row["users"].as_array().unwrap().iter();
    users
        .filter_map(|user| user["command"].as_str()?.split(' ').next()?.rsplit('/').next())
        .collect()
}

#[test]
fn a_file_in_a_subdirectory_is_shown_to_those_who_ask_for_memory_and_never_selected() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pshm --name /object --size 5").ok();
    shell.run("mkdir -p /dev/shm/a/b && printf four > /dev/shm/a/b/file").ok();
    let listed = shell.run("ipctool list pshm --json").ok().json();
    let [row] = *with_status(&listed, "subdirectory") else { panic!("{listed}") };
    assert_eq!((&row["ref"], &row["name"]), (&json!("pshm:/a/b/file"), &json!("/a/b/file")));
    assert_eq!((&row["size"], &row["kind"]), (&json!(4), &json!("pshm")));
    assert_eq!(listed[0]["ref"], "pshm:/object");
    assert_eq!(listed[0]["status"], json!([]));
    assert_eq!(listed.as_array().unwrap().len(), 2, "no directory");

    shell
        .run("ipctool list pshm")
        .ok()
        .shows("RSS STATUS\n")
        .shows("pshm:/a/b/file ")
        .shows(" subdirectory\n");
    // Whoever goes on with references gets objects.
    shell.run("ipctool list pshm -o ref --no-headings").prints("pshm:/object\n");
    shell.run("ipctool list pshm -o name,status --no-headings").ok().shows("subdirectory\n");
    for other in ["", "psem", "--owner \"$(id -u)\"", "pshm --owner \"$(id -u)\"", "pshm --idle 0s"]
    {
        let ran = shell.run(&format!("ipctool list {other}")).exits(0);
        assert!(!ran.stdout().contains("/a/b/file"), "{other}");
    }
    shell.run("touch -d '2 days ago' /dev/shm/a/b/file /dev/shm/object").ok();
    for filter in ["--kind pshm", "--all pshm", "--kind pshm --unused", "--kind pshm --idle 1h"] {
        shell.run(&format!("ipctool rm {filter} --yes")).exits(0);
        shell.run("cat /dev/shm/a/b/file").prints("four");
    }
    for verb in ["stat", "rm", "chmod 600"] {
        shell
            .run(&format!("ipctool {verb} pshm:/a/b/file"))
            .exits(2)
            .says("a file in a subdirectory of /dev/shm is not an object");
    }
}

#[test]
fn removed_files_are_shown_with_those_that_hold_them() {
    let Some(shell) = Sandbox::with_posix() else { return };
    shell.run("ipctool create pshm --name /kept --size 5; ipctool create psem --name /s").ok();
    let ran = shell.run(
        "exec 8<> /dev/shm/empty 9<> /dev/shm/gone; rm /dev/shm/empty; \
         head -c 5000 /dev/zero >&9; mv /dev/shm/gone '/dev/shm/two words'; rm '/dev/shm/two words'; \
         ipctool list pshm --json 8>&- 9>&-",
    );
    let listed = ran.exits(0).json();
    let rows = with_status(&listed, "deleted");
    let [empty, full] = *rows.as_slice() else { panic!("{listed}") };
    assert_eq!((&empty["name"], &empty["size"]), (&json!("/empty"), &json!(0)));
    assert_eq!((&full["name"], &full["size"]), (&json!("/two words"), &json!(5000)));
    assert_eq!((&full["ref"], &full["rss"]), (&json!(null), &json!(8192)));
    assert_eq!((holders(empty), holders(full)), (vec!["sh"], vec!["sh"]));
    assert_eq!(listed.as_array().unwrap().len(), 3, "and the object: {listed}");
    // All is gone with the shell.
    let listed = shell.run("ipctool list pshm --json").ok().json();
    assert_eq!(with_status(&listed, "deleted"), Vec::<&Value>::new());

    // A text for people has them behind the objects of their kind, with their users.
    shell
        .run(
            "exec 9<> /dev/shm/gone; echo x >&9; rm /dev/shm/gone; \
             ipctool list pshm psem 9>&- | tr -s ' ' | cut -d ' ' -f 1,6-7",
        )
        .exits(0)
        .shows("REF STATUS NAME\npshm:/kept - /kept\n- deleted /gone\n\nREF");
}

#[test]
fn a_removed_file_that_is_only_mapped() {
    let Some(shell) = Sandbox::with_posix() else { return };
    shell.run("truncate -s 4096 /dev/shm/m").ok();
    let _holder = shell.start("exec ./posix /m mmap").ready();
    let ran = shell
        .run("rm /dev/shm/m; ipctool list pshm --json; ipctool list pshm > /dev/null")
        .exits(0);
    let listed = ran.json();
    if is_root() {
        let [row] = *with_status(&listed, "deleted") else { panic!("{listed}") };
        assert_eq!((&row["name"], &row["size"]), (&json!("/m"), &json!(4096)));
        assert_eq!(holders(row), ["posix"]);
    } else {
        // What it is only root may see, but that it is there is said.
        assert_eq!(listed, json!([]));
        ran.says(", cannot be inspected; run as root to see them");
    }
}

#[test]
fn the_name_of_a_removed_file_says_what_became_of_it() {
    let Some(shell) = Sandbox::new() else { return };
    for verb in ["stat", "rm", "chmod 600"] {
        shell
            .run(&format!(
                "exec 9<> /dev/shm/gone; echo x >&9; rm /dev/shm/gone; ipctool {verb} pshm:/gone"
            ))
            .exits(3)
            .says("no such POSIX shared memory object (ENOENT)\nhint: it was removed, but its memory (4096 bytes) stays in use until it is closed and unmapped by ")
            .says(" (sh -c ");
    }
    shell
        .run("ipctool stat pshm:/gone")
        .exits(3)
        .says("hint: to see what exists: ipctool list pshm");
    // A new one of that name is another one.
    let ran = shell.run(
        "exec 9<> /dev/shm/gone; echo x >&9; rm /dev/shm/gone; echo new > /dev/shm/gone; \
         ipctool rm pshm:/gone; ipctool list pshm --json",
    );
    let listed = ran.ok().json();
    assert_eq!(with_status(&listed, "deleted").len(), 1, "{listed}");
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
}

/// A process that cannot be looked at is not one that holds nothing.
#[test]
fn what_is_in_the_way_is_said() {
    let Some(shell) = Sandbox::new() else { return };
    let held = "exec 9<> /dev/shm/gone; echo x >&9; rm /dev/shm/gone";
    shell
        .run(&format!("{held}; prlimit --nofile=4 ipctool list pshm 9>&-"))
        .exits(1)
        .says("4096 bytes in /dev/shm belong to removed files that were not found: ")
        .says(" could not be inspected: ")
        .says("(EMFILE)");
    if !only_root("only root can be two users") {
        return;
    }
    shell.run("mkdir -m 700 /dev/shm/private; echo x > /dev/shm/private/x").ok();
    let as_nobody = |line: &str| shell.run_as(NOBODY, line).expect("root can");
    as_nobody("ipctool list pshm").exits(0).says("cannot read /dev/shm/private: ").says("(EACCES)");
    shell.run("rm -r /dev/shm/private").ok();
    // Held by root, whose processes no other user may inspect.
    let listing = "setpriv --reuid 65534 --clear-groups ./ipctool list pshm --json";
    shell
        .run(&format!("{held}; {listing} 9>&-"))
        .exits(0)
        .says("4096 bytes in /dev/shm belong to removed files that were not found: ")
        .says(" could not be inspected; run as root to see them");
}

#[test]
fn nobody_looks_at_processes_when_every_byte_has_a_name() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell
        .run("mkdir /dev/shm/d; echo x > /dev/shm/d/x; ln /dev/shm/d/x /dev/shm/y; ln -s y /dev/shm/z")
        .ok();
    let blind = |line: &str| {
        shell.run(&format!("unshare --mount sh -c 'mount -t tmpfs none /proc; {line}'"))
    };
    blind("ipctool list pshm").ok().shows("pshm:/y").shows("/d/x");
    blind("exec 9<> /dev/shm/gone; rm /dev/shm/gone; ipctool list pshm")
        .exits(0)
        .shows("pshm:/y")
        .says("cannot look for deleted files: ");
}

#[test]
fn files_that_promise_more_than_a_number_holds_are_counted() {
    let Some(shell) = Sandbox::new() else { return };
    let most = i64::MAX;
    shell.run(&format!("for n in 1 2 3; do truncate -s {most} /dev/shm/$n; done")).ok();
    shell.run("ipctool list pshm --no-headings -o size").prints(&format!("{most:>12}\n").repeat(3));
    let found = shell.run("ipctool doctor --only shm-full --json");
    let found = found.denies("panicked").exits(6);
    assert_eq!(found.fields("check"), json!([["shm-full"]]));
}
