//! `ipctool relay`.

mod sandbox;

use sandbox::{Needs, Sandbox, skip, until};
use serde_json::json;

/// A relay with its journal in the directory of the shell. Pauses are short.
const RELAY: &str = "XDG_STATE_HOME=$PWD/state ipctool relay --backoff 5ms";

fn dead_letters(shell: &Sandbox, queue: &str) -> String {
    shell.run(&format!("cat state/ipctool/relay/{queue}.dead.jsonl")).stdout()
}

/// A shell with a queue of key 0xbeef.
fn with_queue() -> Option<Sandbox> {
    let shell = Sandbox::new()?;
    shell.run("ipctool create msg --key 0xbeef").prints("msg:0\n");
    Some(shell)
}

#[test]
fn each_message_runs_the_command_once() {
    let Some(shell) = with_queue() else { return };
    shell.run("ipctool send 0xbeef -t 7 'one two'; ipctool send 0xbeef -t 8 ''").ok();
    let line = "'cat; echo \" $IPCTOOL_REF $IPCTOOL_TYPE $IPCTOOL_ATTEMPT $1\"' sh x";
    shell
        .run(&format!("{RELAY} 0xbeef --once -- sh -c {line}"))
        .prints("one two msg:0 7 1 x\n msg:0 8 1 x\n");
    shell.run("ipctool list msg --no-headings -o messages").prints("0\n");
    // Nothing is left behind but what relays lock.
    shell.run("ls state/ipctool/relay").prints("msg%3a0x0000beef.turn\n");
    shell.run(&format!("{RELAY} 0xbeef --once -v -- false")).prints("");
    shell.run("ipctool send 0xbeef hello").ok();
    shell
        .run(&format!("{RELAY} 0xbeef --once -v true"))
        .exits(0)
        .says("ipctool: relay msg:0x0000beef: type 1, 5 bytes: delivered\n");
}

#[test]
fn of_one_type_and_of_a_posix_queue() {
    let Some(shell) = with_queue() else { return };
    shell.run("for t in 1 2 1 2; do ipctool send 0xbeef -t $t $t; done").ok();
    shell.run(&format!("{RELAY} 0xbeef -t 2 --once cat")).prints("22");
    shell.run("ipctool recv 0xbeef --all").prints("1\n1\n");
    shell.run("ipctool create pmsg --name /q --max-messages 4 && ipctool send /q low && ipctool send /q --priority 9 high").ok();
    shell
        .run(&format!("{RELAY} /q --once -- sh -c 'cat; echo \" $IPCTOOL_PRIORITY\"'"))
        .prints("high 9\nlow 0\n");
    shell.run(&format!("{RELAY} /q -t 1 true")).exits(2).says("-t is for System V queues");
}

#[test]
fn many_at_once_as_lines_of_json() {
    let Some(shell) = with_queue() else { return };
    shell.run("seq 5 | ipctool send 0xbeef --lines; printf '\\377' | ipctool send 0xbeef").ok();
    let ran = shell.run(&format!(
        "{RELAY} 0xbeef --once --batch 4 -- sh -c 'cat; echo $IPCTOOL_COUNT >> counts'"
    ));
    let ran = ran.exits(0);
    let texts: Vec<_> = ran.records().iter().map(|record| record["text"].clone()).collect();
    assert_eq!(json!(texts), json!(["1", "2", "3", "4", "5", null]));
    assert_eq!(ran.records()[5]["base64"], "/w==");
    shell.run("cat counts").prints("4\n2\n");
    // What they are is what send takes.
    shell.run("ipctool create msg --key 6; seq 3 | ipctool send 0x6 --lines").ok();
    shell.run(&format!("{RELAY} 0x6 --once --batch 9 -- ipctool send 0xbeef --jsonl")).ok();
    shell.run("ipctool recv 0xbeef --all").prints("1\n2\n3\n");
}

#[test]
fn what_fails_is_tried_again_and_then_a_dead_letter() {
    let Some(shell) = with_queue() else { return };
    shell.run("seq 3 | ipctool send 0xbeef --lines").ok();
    let command = "sh -c 'read x; echo $x.$IPCTOOL_ATTEMPT >> log; [ $x != 2 ] || exit 3'";
    let ran = shell.run(&format!("{RELAY} 0xbeef --once --retries 2 -v -- {command}")).exits(1);
    let ran = ran.says("attempt 1 failed: the command ended with status 3\n");
    ran.says("2 messages delivered, 1 dead letter in ");
    shell.run("cat log").prints("1.1\n2.1\n2.2\n2.3\n3.1\n");
    let dead = dead_letters(&shell, "msg%3a0x0000beef");
    assert_eq!(dead, "{\"ref\":\"msg:0x0000beef\",\"type\":1,\"size\":1,\"text\":\"2\"}\n");
    // They can be sent back.
    shell.run("ipctool send 0xbeef --jsonl < state/ipctool/relay/msg%3a0x0000beef.dead.jsonl").ok();
    shell.run("ipctool create msg --key 0xdead").ok();
    let line =
        format!("{RELAY} 0xbeef --once --retries 0 --dead-letter 0xdead -- sh -c 'kill -9 $$'");
    shell.run(&line).exits(1).says("1 dead letter in msg:0x0000dead\n");
    shell.run("ipctool recv 0xdead").prints("2\n");
    shell.run("ipctool send 0xbeef x").ok();
    shell.run(&format!("{RELAY} 0xbeef --once --retries 0 --dead-letter file -- false")).exits(1);
    assert_eq!(shell.run("cat file").fields("text"), json!([["x"]]));
    // What cannot be started makes none.
    shell.run("ipctool send 0xbeef y").ok();
    let ran = shell.run(&format!("{RELAY} 0xbeef --once --dead-letter file -- ./none")).exits(1);
    ran.says("relay ./none: No such file or directory (ENOENT)")
        .says("1 message not delivered: in ");
    shell.run("touch none");
    let ran = shell.run(&format!("{RELAY} 0xbeef --once --dead-letter file -- ./none")).exits(1);
    ran.says("relay ./none: Permission denied (EACCES)");
    let once = format!("{RELAY} 0xbeef --once --dead-letter file");
    let ran = shell.run(&format!("{once} -- sh -c 'echo \"$(cat)\"'")).exits(0);
    assert_eq!(ran.says("1 message from before in ").stdout(), "y\n");
    // One that fails for long is told once, until it is mended.
    shell.run("seq 3 | ipctool send 0xbeef --lines; echo 0 > n").ok();
    let command = "sh -c 'n=$(cat n); echo $((n + 1)) > n; [ $n -gt 2 ] && [ $n != 5 ]'";
    let ran = shell.run(&format!("{once} --backoff 1ms -- {command}")).exits(0);
    let told = "type 1, 1 byte: attempt 1 failed: the command ended with status 1\n";
    assert_eq!((ran.stderr().matches(told).count(), ran.stderr().lines().count()), (2, 2));
    shell.run(&format!("{RELAY} 0xbeef --once --dead-letter 0xabc true")).exits(3);
    shell
        .run(&format!("{RELAY} 0xbeef --once --dead-letter msg:0 true"))
        .exits(2)
        .says("the same queue");
    shell
        .run(&format!("{RELAY} 0xbeef --once --dead-letter no/file true"))
        .exits(1)
        .says("(ENOENT)");
}

#[test]
fn one_bad_message_does_not_spoil_a_batch() {
    let Some(shell) = with_queue() else { return };
    shell.run("seq 6 | ipctool send 0xbeef --lines").ok();
    let command = "sh -c 'cat > input; grep -q \"\\\"4\\\"\" input && exit 1; cat input >> good'";
    shell.run(&format!("{RELAY} 0xbeef --once --batch 10 --retries 1 -- {command}")).exits(1);
    let good = shell.run("cat good").fields("text");
    assert_eq!(good, json!([["1"], ["2"], ["3"], ["5"], ["6"]]));
    assert!(dead_letters(&shell, "msg%3a0x0000beef").contains("\"text\":\"4\""));
}

#[test]
fn a_command_may_hang_or_leave_its_input_alone() {
    let Some(shell) = with_queue() else { return };
    shell.run("head -c 8000 /dev/zero | ipctool send 0xbeef; ipctool send 0xbeef x").ok();
    shell.run(&format!("{RELAY} 0xbeef --once -- sh -c 'exec <&-; true'")).prints("");
    shell.run("ipctool send 0xbeef x").ok();
    let line = format!(
        "{RELAY} 0xbeef --once --timeout 50ms --retries 1 -v -- sh -c 'sleep 60 & echo $! > pid; wait'"
    );
    shell.run(&line).exits(1).says("the command took longer than --timeout, and was ended\n");
    shell.wait_until("! kill -0 $(cat pid)");
    // It ends although SIGTERM does not move it.
    shell.run("ipctool send 0xbeef x").ok();
    let deaf = "sh -c 'trap \"\" TERM; sleep 60'";
    shell.run(&format!("{RELAY} 0xbeef --once --timeout 50ms --retries 0 -- {deaf}")).exits(1);
}

#[test]
fn what_a_killed_relay_had_is_delivered_by_the_next() {
    let Some(shell) = with_queue() else { return };
    shell.run("seq 3 | ipctool send 0xbeef --lines").ok();
    let relay = shell
        .start(&format!("exec env {RELAY} 0xbeef --batch 2 -- sh -c 'echo $$ > begun; exec sleep 60 > /dev/null 2>&1'"));
    shell.wait_until("test -s begun");
    relay.signal("KILL").ends();
    shell.run("ipctool list msg --no-headings -o messages").prints("1\n");
    let ran = shell.run(&format!("{RELAY} 0xbeef --once cat")).exits(0);
    let ran =
        ran.says("ipctool: relay: 2 messages from before in ").says("perhaps for a second time\n");
    assert_eq!(ran.stdout(), "123");
    shell.run("kill $(cat begun); ls state/ipctool/relay").shows("msg%3a0x0000beef.turn\n");
}

#[test]
fn a_signal_lets_the_command_finish() {
    let Some(shell) = with_queue() else { return };
    shell.run("seq 2 | ipctool send 0xbeef --lines").ok();
    let command = "sh -c 'touch begun; until test -e go; do sleep 0.01; done; cat >> out'";
    for (name, status) in [("TERM", 143), ("INT", 130)] {
        shell.run("rm -f begun go").ok();
        let relay = shell.start(&format!("exec env {RELAY} 0xbeef -- {command}"));
        shell.wait_until("test -e begun");
        let relay = relay.signal(name);
        std::thread::sleep(std::time::Duration::from_millis(50));
        shell.run("touch go").ok();
        assert_eq!(relay.ends().status(), status);
    }
    shell.run("cat out").prints("12");
    // Of a stream of batches it may have taken the next one already: nothing stays in the journal.
    shell.run("rm begun go; seq 9 | ipctool send 0xbeef --lines").ok();
    let late = "sh -c '[ $IPCTOOL_COUNT-$(wc -l < out) = 2-0 ] || until test -e go; do touch begun; sleep 0.01; done; cat >> out'";
    shell.run("> out").ok();
    let relay = shell.start(&format!("exec env {RELAY} 0xbeef --batch 2 -- {late}"));
    shell.wait_until("test -e begun");
    let relay = relay.signal("TERM");
    shell.run("touch go").ok();
    relay.ends().exits(143).denies("not delivered");
    assert_eq!(shell.run("cat out").records().len(), 6);
    shell.run("ipctool recv 0xbeef --all").prints("7\n8\n9\n");
    // While it pauses, it ends at once, and the message stays in the journal.
    shell.run("ipctool send 0xbeef 3").ok();
    let relay = shell
        .start(&format!("exec env {RELAY} --backoff 1h 0xbeef -- sh -c 'touch tried; exit 1'"));
    shell.wait_until("test -e tried");
    let ended = relay.signal("TERM").ends();
    ended
        .exits(143)
        .says("1 message not delivered: in ")
        .says("for the next relay of this queue\n");
    shell.run(&format!("{RELAY} 0xbeef --once cat")).exits(0).shows("3");
}

#[test]
fn relays_share_a_queue() {
    let Some(shell) = with_queue() else { return };
    let start =
        || shell.start(&format!("exec env {RELAY} 0xbeef -- sh -c 'read x; echo $x >> out'"));
    let relays = [start(), start(), start()];
    shell.run("seq 300 | ipctool send 0xbeef --lines").ok();
    until("all are there", || shell.run("sort -un out").stdout().lines().count() == 300);
    for relay in relays {
        assert_eq!(relay.signal("TERM").ends().status(), 143);
    }
    // None came twice, since none was killed.
    shell.run("sort -n out | uniq -d").prints("");
    shell.run("ls state/ipctool/relay").prints("msg%3a0x0000beef.turn\n");
    // A journal that was named is for one alone.
    let relay = shell.start(&format!("exec env {RELAY} 0xbeef --journal own -- true"));
    shell.wait_until("test -e own");
    shell.run(&format!("{RELAY} 0xbeef --journal own true")).exits(1).says("another relay uses it");
    relay.signal("TERM").ends();
}

#[test]
fn others_may_receive_from_the_queue() {
    let Some(shell) = with_queue() else { return };
    shell.run("seq 2000 | ipctool send 0xbeef --lines; touch out").ok();
    let slow = r#"exec perl -e '$| = 1; my $queue = msgget(0xbeef, 0);
        while (msgrcv($queue, my $message, 99, 0, 0)) {
            print substr($message, length pack("l!", 0)), "\n"; select(undef, undef, undef, 0.0003);
        }' > taken"#;
    let other = shell.start(slow);
    let relay = shell.start(&format!("exec env {RELAY} 0xbeef --batch 20 -- sh -c 'cat >> out'"));
    let both = "{ sed 's/.*\"text\":\"\\([0-9]*\\)\".*/\\1/' out; cat taken; } | sort -n | uniq -c";
    until("all are there", || shell.run(both).stdout().lines().count() == 2000);
    shell.run(&format!("{both} | grep -v '^ *1 '; true")).prints("");
    for file in ["out", "taken"] {
        assert_ne!(shell.run(&format!("cat {file}")).stdout(), "", "{file}");
    }
    relay.signal("TERM").ends();
    other.signal("TERM").ends();
}

#[test]
fn damage_is_set_aside() {
    let Some(shell) = with_queue() else { return };
    shell.run("ipctool send 0xbeef one; ipctool send 0xbeef two").ok();
    let line = format!(
        "timeout -s KILL 1 {} 0xbeef --journal j --batch 2 -- sleep 9",
        RELAY.replace("XDG_STATE_HOME=$PWD/state ", "")
    );
    shell.run(&line).exits(137);
    shell.run("sed -i s/two/owt/ j").ok();
    let ran = shell.run(&format!("{RELAY} 0xbeef --journal j --once cat")).exits(0);
    ran.says("ipctool: relay: the journal had 1 damaged line, now in j.damaged.0\n").shows("one");
    shell.run("grep -c owt j.damaged.0; ls j").exits(2).shows("1\n");
}

#[test]
fn half_a_line_that_a_kill_has_left_harms_no_other() {
    let Some(shell) = with_queue() else { return };
    shell.run("ipctool send 0xbeef one; printf '{\"ref\":\"msg' > dead").ok();
    shell.run(&format!("{RELAY} 0xbeef --once --retries 0 --dead-letter dead -- false")).exits(1);
    shell.run("tail -n 1 dead | ipctool send 0xbeef --jsonl; ipctool recv 0xbeef").prints("one\n");
    // The line of a message that is still on the queue.
    shell.run("ipctool send 0xbeef two; printf '=1234 {\"ref\"' > j").ok();
    let ran = shell.run(&format!("{RELAY} 0xbeef --journal j --once cat")).ok();
    ran.prints("two");
}

#[test]
fn a_full_disk_takes_nothing_off_the_queue() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell
        .run("ipctool create msg --key 0xbeef; ipctool create pmsg --name /q --max-messages 2")
        .ok();
    shell.run("ipctool send 0xbeef one; ipctool send /q two").ok();
    for (queue, left) in [("0xbeef", "msg:0x0000beef"), ("/q", "pmsg:/q")] {
        let line = format!(
            "mkdir -p full; mount -t tmpfs -o size=4k none full; head -c 9999 /dev/zero > full/x; \
             ipctool relay {queue} --journal full/j --once cat"
        );
        let ran = shell.run_with("unshare --mount sh", line.as_bytes()).exits(1);
        ran.says(
            "ipctool: relay journal full/j: cannot write to it: No space left on device (ENOSPC)",
        );
        shell.run(&format!("ipctool stat {left} --json")).shows("\"messages\":1");
    }
    // Nor does one for dead letters lose any.
    shell.run("ipctool limits --queue-bytes 1 $(ipctool create msg --key 0xdead)").ok();
    let line = format!("{RELAY} 0xbeef --once --retries 0 --dead-letter 0xdead false");
    shell
        .run(&line)
        .exits(1)
        .says("cannot write the dead letter to msg:0x0000dead: ")
        .says("1 message not delivered");
    shell.run(&format!("{RELAY} 0xbeef --once cat")).exits(0).shows("one");
}

#[test]
fn a_queue_that_goes() {
    let Some(shell) = with_queue() else { return };
    let relay = shell.start(&format!("exec env {RELAY} 0xbeef true")).waits();
    shell.run("ipctool rm 0xbeef").ok();
    relay.ends().exits(3).says("ipctool: relay msg:0x0000beef: ");
    shell.run(&format!("{RELAY} 0xbeef true")).exits(3);
    for line in [
        "relay 0xbeef",
        "relay",
        "relay 0xbeef --batch 0 true",
        "relay 0xbeef -t 0 true",
        "relay 0xbeef --retries -1 true",
    ] {
        shell.run(&format!("ipctool {line}")).exits(2);
    }
    shell.run("ipctool create msg --key 0xbeef").ok();
    shell.run("mkfifo pipe; mkdir directory").ok();
    for path in ["pipe", "directory", "no/such"] {
        shell.run(&format!("ipctool relay 0xbeef --once --journal {path} true")).exits(1);
    }
    let nowhere = "env -u HOME -u XDG_STATE_HOME ipctool relay 0xbeef --once true";
    shell.run(nowhere).exits(1).says("hint: name it: --journal FILE\n");
}

/// Whether these programs are installed; if not, the part that takes them is skipped.
#[track_caller]
fn has(shell: &Sandbox, programs: &str) -> bool {
    let has =
        shell.run(&format!("for p in {programs}; do command -v $p || exit 1; done")).status() == 0;
    if !has {
        skip(Needs::Machine, &format!("not all of these are installed: {programs}"));
    }
    has
}

#[test]
fn redis_streams_both_ways() {
    let Some(shell) = with_queue() else { return };
    if !has(&shell, "redis-server redis-cli") {
        return;
    }
    // A socket in the directory of the shell, so that no port can be taken.
    let server =
        shell.start("exec redis-server --port 0 --unixsocket $PWD/redis --save '' > /dev/null");
    shell.wait_until("redis-cli -s redis ping");
    shell.run("printf 'one\\ntwo' | ipctool send 0xbeef; ipctool send 0xbeef three").ok();
    shell
        .run(&format!(
            "{RELAY} 0xbeef --once -- redis-cli -s redis -x XADD jobs '*' message > /dev/null"
        ))
        .ok();
    let stream = "redis-cli -s redis --json XRANGE jobs - + | tr -d ' \\n'";
    shell.run(stream).shows("[\"message\",\"one\\ntwo\"]").shows("[\"message\",\"three\"]");
    // And back.
    let take = "redis-cli -s redis XREAD COUNT 100 STREAMS jobs 0 | tail -n 1 | ipctool send 0xbeef --lines";
    shell.run(take).ok();
    shell.run("ipctool recv 0xbeef").prints("three\n");
    server.signal("TERM").ends();
}

#[test]
fn mqtt_both_ways() {
    let Some(shell) = with_queue() else { return };
    if !has(&shell, "mosquitto mosquitto_pub mosquitto_sub") {
        return;
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = format!("listener {port} 127.0.0.1\nallow_anonymous true\n");
    std::fs::write(shell.directory().join("mosquitto.conf"), config).unwrap();
    let server = shell.start("exec mosquitto -c mosquitto.conf 2> /dev/null");
    shell.wait_until(&format!("mosquitto_pub -p {port} -t up -m x"));
    shell.run("ipctool create msg --key 0xfeed").ok();
    let back = shell
        .start(&format!("mosquitto_sub -p {port} -q 1 -t jobs -C 2 | ipctool send 0xfeed --lines"));
    // The subscription is there when a message comes through.
    shell.wait_until(&format!(
        "mosquitto_pub -p {port} -q 1 -t jobs -m first; ipctool recv 0xfeed --peek"
    ));
    shell.run("ipctool send 0xbeef hello").ok();
    shell.run(&format!("{RELAY} 0xbeef --once -- mosquitto_pub -p {port} -q 1 -t jobs -s")).ok();
    back.ends().ok();
    shell.run("ipctool recv 0xfeed --all").shows("first\n");
    server.signal("TERM").ends();
}

/// A publisher and a subscriber of NATS, in Python.
const NATS: &str = r#"
import asyncio, nats, sys

async def main(port, verb):
    client = await nats.connect(f"nats://127.0.0.1:{port}")
    if verb == "publish":
        await client.publish("jobs", sys.stdin.buffer.read())
        await client.flush()
    else:
        subscription = await client.subscribe("jobs")
        await client.flush()
        for _ in range(2):
            message = await subscription.next_msg(timeout=30)
            print(message.data.decode(), flush=True)
    await client.close()

asyncio.run(main(*sys.argv[1:]))
"#;

#[test]
fn nats_both_ways() {
    let Some(shell) = with_queue() else { return };
    if !has(&shell, "nats-server") || !shell.has_python("nats") {
        return;
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = shell.start(&format!("exec nats-server -a 127.0.0.1 -p {port} 2> /dev/null"));
    std::fs::write(shell.directory().join("nats-client.py"), NATS).unwrap();
    let client = |verb: &str| format!("python3 nats-client.py {port} {verb}");
    shell.run("ipctool create msg --key 0xfeed").ok();
    shell.wait_until(&format!("echo x | {}", client("publish")));
    let back = shell.start(&format!("{} | ipctool send 0xfeed --lines", client("subscribe")));
    // The subscription is there when a message comes through.
    shell.wait_until(&format!("printf first | {}; ipctool recv 0xfeed --peek", client("publish")));
    shell.run("ipctool send 0xbeef hello").ok();
    shell.run(&format!("{RELAY} 0xbeef --once -- {}", client("publish"))).ok();
    back.ends().ok();
    shell.run("ipctool recv 0xfeed --all").shows("first\n");
    server.signal("TERM").ends();
}
