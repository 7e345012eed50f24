//! What programs read: JSON of every command, the formats for shells, and the fields of processes.

mod sandbox;

use sandbox::{Sandbox, sees_everybody};
use serde_json::{Value, json};

/// The `waits` of each process that the record shows.
fn waits(record: &Value) -> Vec<&Value> {
    record["users"].as_array().unwrap().iter().map(|user| &user["waits"]).collect()
}

#[test]
fn a_list_has_the_processes_as_stat_does() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("use");
    shell.run("ipctool create shm --size 4096; ipctool create msg").ok();
    let _holder = shell.start("exec ./use shm 0 holder").ready();
    let listed = shell.run("ipctool list msg shm --who --json").ok().records();
    let shown = shell.run("ipctool stat msg:0 shm:0 --json").ok().records();
    for (listed, shown) in listed.iter().zip(&shown) {
        assert_eq!(listed["users"], shown["users"]);
    }
    let holder = &listed[1]["users"][0];
    assert_eq!(holder["role"], "attached");
    assert_eq!(holder["command"], "./use shm 0 holder");
    assert_eq!(holder["waits"], Value::Null);
    assert_eq!(shell.run("ipctool list msg -o users --json").records(), [json!({"users": []})]);
}

#[test]
fn who_waits_for_what() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("waiters");
    shell.run("ipctool create msg; ipctool create msg; ipctool create sem").ok();
    let _waiting = [
        shell.start("exec ipctool recv msg:1 -t 7").waits(),
        shell.start("exec ipctool recv msg:1 -t -7").waits(),
        shell.start("exec ipctool recv msg:1 -t 7 --except").waits(),
        shell.start("exec ./waiters semaphore").waits(),
    ];
    let ran = shell.run("ipctool list msg sem --who --json").ok();
    let records = ran.records();
    let calls = [
        json!({"call": "msgrcv", "type": 7}),
        json!({"call": "msgrcv", "type": -7}),
        json!({"call": "msgrcv", "type": 7, "except": true}),
    ];
    for call in &calls {
        assert!(waits(&records[1]).contains(&call), "{call} {}", records[1]);
    }
    let take = json!({"call": "semop", "semaphore": 0, "operation": -1});
    assert!(waits(&records[2]).contains(&&take), "{}", records[2]);
}

#[test]
fn who_waits_on_posix_objects() {
    let Some(shell) = Sandbox::with_posix() else { return };
    shell.run("ipctool create pmsg --name /jobs").ok();
    let _reader = shell.start("exec ipctool recv /jobs").waits();
    let ran = shell.run("ipctool list pmsg --who --json").ok();
    let call = json!({"call": "mq_receive", "type": null});
    assert!(waits(&ran.records()[0]).contains(&&call), "{}", ran.stdout());
}

#[test]
fn the_command_of_the_creator_or_the_last_user() {
    let Some(shell) = Sandbox::new() else { return };
    if !sees_everybody() {
        return;
    }
    shell.compile("use");
    shell.run("ipctool create shm --size 4096; ipctool create msg").ok();
    let gone = "ipctool list msg shm -o command --no-headings";
    shell.run(gone).prints("-\n-\n");
    let _holder = shell.start("exec ./use shm 0 holder").ready();
    shell.run("ipctool list shm -o ref,command --no-headings").ok().shows("./use shm 0 holder\n");
    shell.run("ipctool list shm --json").ok().lacks("\"command\"");
    shell
        .run("ipctool list shm -o +command --json")
        .ok()
        .shows("\"command\":\"./use shm 0 holder\"");
}
