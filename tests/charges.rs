//! What users are charged for their POSIX queues: `RLIMIT_MSGQUEUE` in `limits`, `create`, `doctor`.

mod sandbox;

use std::sync::Mutex;

use sandbox::{Ran, Sandbox, fields_of, is_root};
use serde_json::{Value, json};

/// The bytes of POSIX queues are counted for a user wherever they have them, so whoever looks at the
/// count must be alone: the tests here run one after the other, and root is somebody else for that.
fn alone(shell: &Sandbox, line: &str) -> Ran {
    match is_root() {
        true => shell.run_as(54_321, line).expect("root can be two users"),
        false => shell.run(line),
    }
}

/// These fields of each line of `limits` about the bytes that a user is charged for.
fn charges(limits: &Ran, names: &str) -> Vec<Value> {
    let lines = limits.records();
    let lines = lines.iter().filter(|line| line["name"] == "RLIMIT_MSGQUEUE");
    lines.map(|line| fields_of(line, names)).collect()
}

/// Held by the test that makes queues.
static COUNT: Mutex<()> = Mutex::new(());

/// The formula of the bytes that a queue takes, against the kernel itself.
#[test]
fn the_predicted_queue_is_the_one_that_fails() {
    let Some(shell) = Sandbox::new() else { return };
    let _count = COUNT.lock();
    shell.compile("queues");
    // More than 256 queues are too many for another reason.
    for (messages, size, bytes) in [
        (10, 8192, 300_000),
        (1, 1, 20_000),
        (1, 8192, 300_000),
        (10, 1, 100_000),
        (7, 100, 100_000),
        (3, 4097, 300_000),
    ] {
        let made = alone(&shell, &format!("prlimit --msgqueue={bytes} ./queues {messages} {size}"));
        let queues = alone(&shell, "ipctool list pmsg --json").ok().records();
        let reserved = |queue: &Value| queue["reserved_bytes"].as_u64().expect("it is known");
        let what = format!("{messages} messages of {size} bytes");
        assert_eq!(made.ok().stdout(), format!("{}\n", bytes / reserved(&queues[0])), "{what}");
        let limits = alone(&shell, "ipctool limits --json").ok();
        let used = queues.iter().map(reserved).sum::<u64>();
        assert_eq!(charges(&limits, "used")[0], json!([used]), "{what}");
        alone(&shell, "ipctool rm --all pmsg --yes").exits(0);
    }
}

#[test]
fn out_of_bytes_says_so_with_the_numbers() {
    let Some(shell) = Sandbox::new() else { return };
    let _count = COUNT.lock();
    let line = "ipctool create pmsg --name /a > /dev/null; \
                prlimit --msgqueue=10000 ipctool create pmsg --name /b";
    alone(&shell, line)
        .exits(1)
        .says("create pmsg:/b: out of bytes for POSIX queues: it takes 6080, and 6080 of 10000 (RLIMIT_MSGQUEUE) are taken (EMFILE)")
        .says("a queue is charged for its capacity");
    alone(&shell, "prlimit --msgqueue=10000 ipctool send /b --create x")
        .exits(1)
        .says("send pmsg:/b: out of bytes for POSIX queues");
    alone(&shell, "ipctool create pmsg --name /c --max-messages 1000000")
        .exits(1)
        .says("this shape is not possible (EINVAL)")
        .says("fs.mqueue.msg_max");
}

#[test]
fn doctor_and_limits_tell_of_users_near_their_limit() {
    let Some(shell) = Sandbox::new() else { return };
    let _count = COUNT.lock();
    let doctor = "ipctool doctor --only pmsg-limit --json";
    let found = |ran: Ran| ran.exits(6).fields("severity why").to_string();
    let limited = |line: &str| shell.run_with("prlimit --msgqueue=7000 sh", line.as_bytes());
    limited(doctor).prints("[]\n");
    shell.run("ipctool create pmsg --name /a").ok();
    let finding = found(limited(doctor));
    assert!(finding.contains("[\"warning\",\"the POSIX queues of "), "{finding}");
    assert!(finding.contains(" take 6080 of 7000 bytes, 87 %"), "{finding}");
    limited("ipctool limits --check 80").exits(6).shows("RLIMIT_MSGQUEUE").shows("6080");
    let Some(ran) = shell.run_as(54_321, "ipctool create pmsg --name /other") else { return };
    ran.ok();
    assert_eq!(
        charges(&shell.run("ipctool limits --json").ok(), "user limit used"),
        [json!(["root", 819_200, 6080]), json!(["54321", null, 6080])]
    );
    let other = "setpriv --reuid 54321 --clear-groups prlimit --msgqueue=6500 sleep 20";
    let holder = shell.start(&format!("exec {other}"));
    shell.until("ipctool limits --json", |ran| {
        charges(ran, "user limit").contains(&json!(["54321", 6500]))
    });
    let finding = found(shell.run(doctor));
    assert!(finding.contains("queues of 54321 take 6080 of 6500 bytes, 94 %"), "{finding}");
    holder.signal("KILL").ends().exits(137);
}
