//! What users are charged for their POSIX queues: `RLIMIT_MSGQUEUE` in `limits`, `create`, `doctor`.

mod sandbox;

use std::sync::Mutex;

use sandbox::{Ran, Sandbox};

/// Makes as many queues of a shape as the kernel lets a user have; prints how many.
const UNTIL_EMFILE: &str = r#"
    #include <errno.h>
    #include <mqueue.h>
    #include <fcntl.h>
    #include <stdio.h>
    #include <stdlib.h>
    int main(int argc, char **argv) {
        struct mq_attr shape = { .mq_maxmsg = atol(argv[1]), .mq_msgsize = atol(argv[2]) };
        for (int made = 0;; made++) {
            char name[32];
            sprintf(name, "/%d", made);
            mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &shape);
            if (queue < 0) return errno != EMFILE || printf("%d\n", made) < 0;
            mq_close(queue);
        }
    }
"#;

/// The bytes of POSIX queues are counted for a user wherever he has them, so whoever looks at the
/// count must be alone: the tests here run one after the other, and root is somebody else for that.
fn alone(shell: &Sandbox, line: &str) -> Ran {
    shell.run_as(54_321, line).unwrap_or_else(|| shell.run(line))
}

/// Held by the test that makes queues.
static COUNT: Mutex<()> = Mutex::new(());

/// The formula of the bytes that a queue takes, against the kernel itself.
#[test]
fn the_predicted_queue_is_the_one_that_fails() {
    let Some(shell) = Sandbox::new() else { return };
    let _count = COUNT.lock();
    shell.compile("until", UNTIL_EMFILE);
    let limits = "ipctool limits --json | jq -c '[.[] | select(.name == \"RLIMIT_MSGQUEUE\")][0]'";
    // More than 256 queues are too many for another reason.
    for (messages, size, bytes) in [
        (10, 8192, 300_000),
        (1, 1, 20_000),
        (1, 8192, 300_000),
        (10, 1, 100_000),
        (7, 100, 100_000),
        (3, 4097, 300_000),
    ] {
        let ran = alone(
            &shell,
            &format!(
                "prlimit --msgqueue={bytes} ./until {messages} {size}; \
                 ipctool list pmsg --json -o reserved_bytes | jq '{bytes} / .[0].reserved_bytes | floor'; \
                 {limits} | jq .used; \
                 ipctool list pmsg --json -o reserved_bytes | jq '[.[].reserved_bytes] | add'; \
                 ipctool rm --all pmsg --yes 2> /dev/null"
            ),
        );
        let text = ran.ok().stdout();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], lines[1], "{messages} messages of {size} bytes");
        assert_eq!(lines[2], lines[3], "{messages} messages of {size} bytes");
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
    let doctor = "ipctool doctor --only pmsg-limit --json | jq -r '.[] | .severity + \" \" + .why'";
    let limited = |line: &str| shell.run_with("prlimit --msgqueue=7000 sh", line.as_bytes());
    limited(doctor).prints("");
    shell.run("ipctool create pmsg --name /a").ok();
    limited(doctor)
        .ok()
        .shows("warning the POSIX queues of ")
        .shows(" take 6080 of 7000 bytes, 87 %");
    limited("ipctool limits --check 80").exits(6).shows("RLIMIT_MSGQUEUE").shows("6080");
    let Some(ran) = shell.run_as(54_321, "ipctool create pmsg --name /other") else { return };
    ran.ok();
    shell
        .run("ipctool limits --json | jq -c '.[] | select(.name == \"RLIMIT_MSGQUEUE\") | [.user, .limit, .used]'")
        .prints("[\"root\",819200,6080]\n[\"54321\",null,6080]\n");
    let other = "setpriv --reuid 54321 --clear-groups prlimit --msgqueue=6500 sleep 20";
    let holder = shell.start(&format!("exec {other}"));
    let until = "n=0; until ipctool limits --json | jq -e '.[] | select(.user == \"54321\") | .limit == 6500' > /dev/null; \
                 do n=$((n+1)); [ $n -lt 200 ] || exit 9; sleep 0.02; done";
    shell
        .run(&format!("{until}; {doctor}"))
        .ok()
        .shows("queues of 54321 take 6080 of 6500 bytes, 94 %");
    holder.signal("KILL").ends().exits(137);
}
