//! `ipctool doctor` on queues: full, nearly full, and messages that nobody takes.

mod diagnosis;
mod sandbox;

use diagnosis::{all_found, findings, fix, found, mend, only, why};
use sandbox::{NOBODY, Ran, Running, Sandbox, only_root, sees_everybody};
use serde_json::Value;

/// Fills the queue, and leaves no process that has to do with it.
const FULL: &str = "ipctool create msg > /dev/null; head -c 8192 /dev/zero | ipctool send 0; head -c 8192 /dev/zero | ipctool send 0";

/// A process that receives one message of this type and then does this.
fn receiver(shell: &Sandbox, message_type: i32, then: &str) -> Running {
    let line = format!(
        "exec perl -e '$0 = \"ipctool\"; $| = 1; msgrcv(0, $m, 9000, {message_type}, 0) or die $!; open F, q(>), q(received); close F; {then}'"
    );
    shell.start(&line)
}

#[test]
fn a_full_queue() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg; head -c 8192 /dev/zero | ipctool send 0; head -c 8191 /dev/zero | ipctool send 0").exits(0);
    assert_eq!(found(&shell, "queue-full"), "");
    shell.run("ipctool send 0 x").ok();
    assert_eq!(found(&shell, "queue-full"), "warning msg:0");
    let sender = shell.start("exec ipctool send 0 late").waits();
    assert_eq!(found(&shell, "queue-full"), "error msg:0");
    shell
        .run("ipctool doctor --only queue-full")
        .exits(6)
        .shows("error  msg:0  queue-full\n")
        .shows("1 thread blocked sending: ")
        .shows("(ipctool send 0 late)")
        .shows("nobody has received from it yet");
    assert_eq!(only(&shell, "queue-full")["pids"].as_array().unwrap().len(), 1);
    shell.run("ipctool rm msg:0").ok();
    sender.ends().exits(3);
}

#[test]
fn full_is_what_the_waiting_message_does_not_fit_into() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg; head -c 8000 /dev/zero | ipctool send 0; head -c 2000 /dev/zero | ipctool send 0").exits(0);
    assert_eq!(found(&shell, "queue-full"), "");
    shell.run("head -c 7000 /dev/zero > large").ok();
    let sender = shell.start("exec ipctool send 0 < large").waits();
    assert_eq!(found(&shell, "queue-full"), "error msg:0");
    assert!(why(&shell, "queue-full").starts_with("2 messages fill 10000 of 16384 bytes"));
    shell.run("ipctool recv 0 > /dev/null").ok();
    sender.ends().exits(0);
    assert_eq!(found(&shell, "queue-full"), "");
}

/// As SIGKILL leaves one that 'recv --then-rm' was about to empty.
#[test]
fn a_closed_queue_is_opened_again() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run("ipctool create msg; ipctool send 0 x; ipctool limits --queue-bytes 0 msg:0")
        .exits(0);
    assert_eq!(found(&shell, "queue-full"), "warning msg:0");
    assert!(why(&shell, "queue-full").starts_with("it takes no messages: its room is 0 bytes"));
    let fix =
        shell.run("ipctool doctor --only queue-full --json").exits(6).json()[0]["fix"].clone();
    assert_eq!(fix, "ipctool limits --queue-bytes 16384 msg:0");
    shell.run(fix.as_str().unwrap()).exits(0);
    assert_eq!(found(&shell, "queue-full"), "");
    shell.run("ipctool recv 0 --all --then-rm").prints("x\n");
}

#[test]
fn a_queue_in_full_use_is_not_full() {
    let Some(shell) = Sandbox::new() else { return };
    // Room for one message: at almost any moment somebody is in msgsnd.
    shell.run("ipctool create msg; ipctool limits --queue-bytes 100 msg:0").exits(0);
    let sender = "$m = pack(\"l! a*\", 1, \"x\" x 100); while (1) { msgsnd(0, $m, 0) or die }";
    let _sender = shell.start(&format!("exec perl -e '{sender}'"));
    let _receiver = shell.start("exec perl -e 'while (1) { msgrcv(0, $m, 100, 0, 0) or die }'");
    shell.wait_until("ipctool list -q -o last_recv_pid --no-headings | grep -q '[0-9]'");
    for _ in 0..10 {
        assert_eq!(found(&shell, "queue-full,queue-near-full"), "");
    }
}

#[test]
fn a_stopped_sender_is_not_the_fault_of_the_queue() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run(FULL).ok();
    let sender = shell.start("exec ipctool send 0 late").waits().signal("STOP");
    // The signal takes a moment.
    let is_stopped =
        |ran: &Ran| ran.stdout().contains("1 thread stopped by a signal while sending: ");
    shell.until("ipctool doctor --only queue-full", is_stopped).lacks("blocked");
    assert_eq!(found(&shell, "queue-full"), "warning msg:0");
    shell.run("ipctool recv 0 --all > /dev/null").ok();
    assert_eq!(found(&shell, "queue-full"), "", "its message would fit");
    sender.signal("CONT").ends().exits(0);
}

#[test]
fn a_stopped_receiver_has_to_be_continued() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg; ipctool send 0 first").exits(0);
    let receiver = receiver(&shell, 0, "sleep 60");
    shell.wait_until("[ -e received ]");
    let receiver = receiver.signal("STOP");
    shell.run("for i in 1 2; do head -c 8192 /dev/zero | ipctool send 0; done").ok();
    let _sender = shell.start("exec ipctool send 0 late").waits();
    let finding = only(&shell, "queue-full");
    assert_eq!((&finding["severity"], &finding["fix"]), (&"error".into(), &Value::Null));
    assert!(finding["why"].as_str().unwrap().contains("is stopped by a signal: continue it"));
    drop(receiver);
}

#[test]
fn one_finding_for_a_dead_consumer() {
    let Some(shell) = Sandbox::new() else { return };
    if !sees_everybody() {
        return;
    }
    shell.run("ipctool create msg --mode 600; ipctool send 0 first; ipctool recv 0").exits(0);
    shell.run("for i in 1 2; do head -c 8192 /dev/zero | ipctool send 0; done").ok();
    let sender = shell.start("exec ipctool send 0 late").waits();
    assert_eq!(all_found(&shell), "error msg:0 queue-full");
    let finding = only(&shell, "queue-full");
    let words = finding["why"].as_str().unwrap();
    let advice = ", which received last, is gone: start the program that receives";
    assert!(words.ends_with(advice), "{words}");
    // What lies there is for that program, so no message is taken; more room is what is left, for those
    // who may give it.
    match fix(&shell, "queue-full").as_str() {
        "" => {
            shell.run("ipctool recv 0 > /dev/null").ok();
        }
        fix => {
            assert!(fix.ends_with("ipctool limits --queue-bytes 32768 msg:0"), "{fix}");
            shell.run(fix).exits(0);
        }
    }
    sender.ends().exits(0);
    assert_eq!(found(&shell, "queue-full"), "");
}

#[test]
fn no_message_is_taken_from_a_receiver_that_will_be_started_again() {
    let Some(shell) = Sandbox::new() else { return };
    if !sees_everybody() {
        return;
    }
    shell.run("ipctool create msg; ipctool send 0 first; ipctool recv 0").exits(0);
    // The sender lives, and does not send at the moment.
    let _sender = shell.start(
        "exec perl -e 'for (1, 2) { msgsnd(0, pack(\"l! a*\", 1, \"x\" x 8192), 0) or die } open F, q(>), q(sent); close F; sleep 60'",
    );
    shell.wait_until("[ -e sent ]");
    let finding = only(&shell, "queue-full");
    assert!(!finding["fix"].to_string().contains("recv"), "{finding}");
    assert!(finding["why"].to_string().contains("start the program that receives"), "{finding}");
}

#[test]
fn a_living_consumer_gets_a_larger_queue() {
    if !only_root("only root can be two users") {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --mode 666; ipctool chown 65534 msg:0").exits(0);
    shell.run("ipctool limits --queue-bytes 2000 msg:0; ipctool send 0 first").exits(0);
    let _receiver = receiver(&shell, 0, "sleep 60");
    shell.wait_until("[ -e received ]");
    shell.run("head -c 2000 /dev/zero | ipctool send 0; head -c 1900 /dev/zero > large").ok();
    let sender = shell.start("exec ipctool send 0 < large").waits();
    // To those who see no blocked sender, a message of this second says that the queue is in use.
    shell.run("sleep 1.1").ok();
    // The owner may go up to msgmnb by themselves.
    let as_nobody = "ipctool doctor --only queue-full --json";
    let finding = diagnosis::of(&shell.run_as(NOBODY, as_nobody).unwrap());
    assert_eq!(finding[0]["severity"], "warning");
    let fix = finding[0]["fix"].as_str().unwrap();
    assert_eq!(fix, "ipctool limits --queue-bytes 4000 msg:0");
    shell.run_as(NOBODY, fix).unwrap().exits(0);
    sender.ends().exits(0);
    // At msgmnb they need root.
    shell
        .run("ipctool limits --queue-bytes 16384 msg:0; ipctool recv 0 --all > /dev/null")
        .exits(0);
    shell.run("for i in 1 2; do head -c 8192 /dev/zero | ipctool send 0; done").ok();
    let receiving = shell.start(
        "exec perl -e '$0 = \"ipctool\"; msgrcv(0, $m, 9000, 0, 0); $m = pack(\"l! a*\", 1, \"x\" x 8192); msgsnd(0, $m, 0); open F, q(>), q(again); close F; sleep 60'",
    );
    shell.wait_until("[ -e again ]");
    let sender = shell.start("exec ipctool send 0 late").waits();
    shell.run("sleep 1.1").ok();
    let finding = diagnosis::of(&shell.run_as(NOBODY, as_nobody).unwrap());
    let theirs = finding[0]["fix"].as_str().unwrap();
    assert_eq!(theirs, "sudo ipctool limits --queue-bytes 32768 msg:0");
    let mine = fix_of_error(&shell);
    shell.run(&mine).exits(0);
    sender.ends().exits(0);
    drop(receiving);
}

fn fix_of_error(shell: &Sandbox) -> String {
    assert_eq!(found(shell, "queue-full"), "error msg:0");
    fix(shell, "queue-full")
}

#[test]
fn without_the_privilege_msgmnb_comes_first() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run(FULL).ok();
    let sender = shell.start("exec ipctool send 0 late").waits();
    // Whatever of a container's root, or of the machine's: it works.
    mend(&shell, "queue-full");
    sender.ends().exits(0);
}

#[test]
fn nobody_reads_these_types() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run("ipctool create msg --mode 600; ipctool send 0 -t 3 three; ipctool send 0 -t 5 five")
        .exits(0);
    assert_eq!(found(&shell, "nobody-reads-type"), "", "nobody waits");
    let one = receiver(&shell, 7, "1").waits();
    if !sees_everybody() {
        assert_eq!(found(&shell, "nobody-reads-type"), "", "somebody hidden may read");
        return;
    }
    assert_eq!(all_found(&shell), "warning msg:0 nobody-reads-type");
    let finding = only(&shell, "nobody-reads-type");
    let words = finding["why"].as_str().unwrap();
    let start = "nobody reads what is queued (1 message of type 3, 1 message of type 5): every receiver waits for type 7: ";
    assert!(words.starts_with(start), "{words}");
    assert_eq!(finding["fix"], Value::Null);
    // Another one would take the lower types; it has a message at once.
    let two = receiver(&shell, -4, "msgrcv(0, $m, 9000, -4, 0)").waits();
    shell.wait_until("[ -e received ]");
    shell.until("ipctool list -q -o waiting --no-headings", |ran| ran.stdout().trim() == "2");
    assert!(why(&shell, "nobody-reads-type").contains("waits for a type up to 4 or type 7"));
    shell.run("ipctool list -q -o messages --no-headings | tr -d ' '").prints("1\n");
    // What comes is taken.
    shell.run("ipctool send 0 -t 4 four; ipctool send 0 -t 7 seven").ok();
    one.ends().exits(0);
    two.ends();
    assert_eq!(found(&shell, "nobody-reads-type"), "");
    shell.run("ipctool list -q -o messages --no-headings | tr -d ' '").prints("1\n");
}

#[test]
fn a_receiver_that_is_busy_may_read_any_type() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg; ipctool send 0 -t 3 three").exits(0);
    // This one lives, and will come back for another one.
    let _busy = receiver(&shell, 3, "sleep 60");
    shell.wait_until("[ -e received ]");
    shell.run("ipctool send 0 -t 3 again").ok();
    let _waiting = receiver(&shell, 7, "1").waits();
    assert_eq!(found(&shell, "nobody-reads-type"), "");
}

#[test]
fn more_room_is_no_help_where_nobody_reads_the_type() {
    let Some(shell) = Sandbox::new() else { return };
    if !sees_everybody() {
        return;
    }
    shell.run(FULL).ok();
    let _receiver = receiver(&shell, 7, "1").waits();
    let _sender = shell.start("exec ipctool send 0 late").waits();
    assert_eq!(all_found(&shell), "error msg:0 queue-full");
    let finding = only(&shell, "queue-full");
    assert_eq!(finding["fix"], Value::Null);
    assert!(finding["why"].as_str().unwrap().contains("every receiver waits for type 7"));
    assert_eq!(finding["pids"].as_array().unwrap().len(), 2);
}

#[test]
fn a_nearly_full_queue() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg; ipctool limits --queue-bytes 1000 msg:0").exits(0);
    shell.run("head -c 799 /dev/zero | ipctool send 0").ok();
    assert_eq!(found(&shell, "queue-near-full"), "");
    assert_eq!(findings(&shell, "--only queue-near-full --threshold 75").len(), 1);
    shell.run("ipctool send 0 x").ok();
    assert_eq!(found(&shell, "queue-near-full"), "warning msg:0");
    assert!(why(&shell, "queue-near-full").starts_with("2 messages take 800 of 1000 bytes, 80 %"));
    shell.run("ipctool create pmsg --name /near --max-messages 5 --message-size 10").ok();
    shell.run("for i in 1 2 3; do ipctool send /near x; done").ok();
    assert_eq!(findings(&shell, "--only queue-near-full").len(), 1);
    shell.run("ipctool send /near x").ok();
    assert_eq!(found(&shell, "queue-near-full"), "warning msg:0, warning pmsg:/near");
    shell.run("ipctool send /near x").ok();
    assert_eq!(found(&shell, "queue-near-full"), "warning msg:0", "that is full");
    mend(&shell, "queue-near-full");
}

#[test]
fn a_full_posix_queue() {
    let Some(shell) = Sandbox::with_posix() else { return };
    shell.run("ipctool create pmsg --name /q --max-messages 2 --message-size 10").ok();
    shell.run("ipctool send /q a; ipctool send /q b").ok();
    let holder = shell.start("exec ./posix /q mq_open > out");
    shell.wait_until("[ -s out ]");
    assert_eq!(found(&shell, "queue-full"), "warning pmsg:/q");
    let finding = only(&shell, "queue-full");
    assert_eq!(finding["fix"], Value::Null, "somebody may want what lies there");
    assert!(finding["why"].as_str().unwrap().contains("(./posix /q mq_open), which must receive"));
    let sender = shell.start("exec ipctool send /q late").waits();
    assert_eq!(found(&shell, "queue-full"), "error pmsg:/q");
    drop(holder);
    if sees_everybody() {
        assert!(why(&shell, "queue-full").ends_with("start the program that receives"));
    }
    shell.run("ipctool recv /q").prints("a\n");
    sender.ends().exits(0);
    if sees_everybody() {
        // Nobody has it open any more; at first somebody may be about to.
        assert_eq!(all_found(&shell), "warning pmsg:/q queue-full");
        assert_eq!(only(&shell, "queue-full")["fix"], Value::Null);
        let age = "unshare -m sh -c 'mount -t mqueue none /mnt && touch -d \"2 hours ago\" /mnt/q'";
        shell.run(age).ok();
        let fix = mend(&shell, "queue-full");
        shell.run("wc -l < pmsg--q.jsonl; ipctool list pmsg -o ref --no-headings").prints("2\n");
        assert_eq!(
            fix,
            "(umask 077; ipctool recv pmsg:/q --all --then-rm --json >> pmsg--q.jsonl)"
        );
    }
}
