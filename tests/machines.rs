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
    let listed = shell.run("ipctool list msg shm --who --json").exits(0).records();
    let shown = shell.run("ipctool stat msg:0 shm:0 --json").exits(0).records();
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
    let ran = shell.run("ipctool list msg sem --who --json").exits(0);
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
    let ran = shell.run("ipctool list pmsg --who --json").exits(0);
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
    shell
        .run("ipctool list shm -o ref,command --no-headings")
        .exits(0)
        .shows("./use shm 0 holder\n");
    shell.run("ipctool list shm --json").ok().lacks("\"command\"");
    shell
        .run("ipctool list shm -o +command --json")
        .ok()
        .shows("\"command\":\"./use shm 0 holder\"");
}

#[test]
fn export_is_read_back_by_a_shell() {
    let Some(shell) = Sandbox::with_posix() else { return };
    shell.run("ipctool create pshm --name '/it'\\''s \"$x\" `y` \\z' --size 5").ok();
    shell.run("ipctool create msg --key 0xbeef --mode 640; ipctool send 0xbeef hello").ok();
    shell
        .run("ipctool list msg psem -o ref,key,messages,name --format export")
        .prints("REF=\"msg:0\" KEY=\"0x0000beef\" MESSAGES=\"1\" NAME=\"\"\n");
    shell
        .run("eval \"$(ipctool list pshm --format export)\"; printf '%s|%s|%s' \"$NAME\" \"$SIZE\" \"$KIND\"")
        .prints("/it's \"$x\" `y` \\z|5|pshm");
    // Every field of every kind, in every shell that is here.
    for name in ["sh", "bash", "dash", "zsh"] {
        let line = format!(
            "command -v {name} || exit 0; ipctool list --format export > all && {name} -c '\
             while IFS= read -r line; do eval \"$line\" || exit 1; echo \"$REF $MODE $UID_\"; done < all'"
        );
        shell.run(&line).ok();
    }
    shell.run("ipctool create pshm --name \"$(printf '/a\\tb')\" --size 1").ok();
    shell
        .run("eval \"$(ipctool list pshm --size 1 --format export)\"; printf '%s' \"$NAME\" | od -c | head -1")
        .shows("/   a  \\t   b");
}

#[test]
fn records_for_xargs() {
    let Some(shell) = Sandbox::with_posix() else { return };
    shell.run("ipctool create pshm --name '/two words' --size 5; ipctool create msg").ok();
    shell.run("ipctool list -o ref --null").prints("msg:0\0pshm:/two words\0");
    shell.run("ipctool list pshm -o ref,size -0").prints("pshm:/two words\t5\0");
    shell.run("ipctool list -o ref --null | xargs -0 ipctool rm -v").ok().shows("two words");
    shell.run("ipctool list -o ref --null").prints("");
    shell.run("ipctool list --null --json").exits(2);
    shell.run("ipctool list --null --format csv").exits(2).says("--null");
}

#[test]
fn what_create_made() {
    let Some(shell) = Sandbox::with_posix() else { return };
    for line in [
        "msg",
        "sem",
        "shm --size 4096",
        "pshm --name /m --size 8",
        "psem --name /s",
        "pmsg --name /q",
    ] {
        let made = shell.run(&format!("ipctool create {line} --json")).ok().records();
        let listed = shell
            .run(&format!("ipctool list {} --json", line.split(' ').next().unwrap()))
            .ok()
            .records();
        assert_eq!(made, listed, "{line}");
    }
    shell.run("ipctool create psem --name /s -x --json").exits(1).shows("[]\n").says("EEXIST");
}

#[test]
fn what_chmod_and_chown_did() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --mode 600").ok();
    let ran = shell.run("ipctool chmod 660 msg:0 msg:7 --json").exits(3).says("msg:7");
    let [done, failed] = &ran.records()[..] else { panic!("{}", ran.stdout()) };
    assert_eq!(done["ref"], "msg:0");
    assert_eq!((&done["before"]["mode"], &done["after"]["mode"]), (&json!("0600"), &json!("0660")));
    assert_eq!(done["error"], Value::Null);
    assert_eq!((&failed["ref"], &failed["errno"]), (&json!("msg:7"), &json!("EINVAL")));
    assert_eq!(failed["after"], Value::Null);
    let ran = shell.run("ipctool chown \"$(id -u)\" msg:0 --json").ok();
    assert_eq!(ran.records()[0]["after"]["uid"], ran.records()[0]["before"]["uid"]);
}

#[test]
fn what_rm_would_do() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg; ipctool create sem --key 0xbeef").ok();
    for arguments in ["msg:0 sem:0xbeef", "--all"] {
        let dry = shell.run(&format!("ipctool rm --dry-run --json {arguments}")).ok().json();
        let refs: Vec<_> =
            dry["selected"].as_array().unwrap().iter().map(|one| &one["ref"]).collect();
        assert_eq!(refs, ["msg:0", "sem:0"], "{dry}");
        assert_eq!((&dry["removed"], &dry["failed"]), (&json!([]), &json!([])));
    }
    let dry = shell.run("ipctool rm --dry-run --json msg:9").exits(3).json();
    assert_eq!(
        (&dry["failed"][0]["ref"], &dry["failed"][0]["errno"]),
        (&json!("msg:9"), &json!("EINVAL"))
    );
    assert_eq!(shell.run("ipctool rm --json msg:0").ok().json().get("selected"), None);
}

#[test]
fn the_key_of_a_path() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("touch file").ok();
    let key = shell.run("ipctool key file 65").ok().stdout();
    let record = json!([{"path": "file", "key": key.trim(), "project": 65}]);
    assert_eq!(shell.run("ipctool key file 65 --json").ok().json(), record);
    let found = shell.run(&format!("ipctool key --find {} . --json", key.trim())).ok();
    assert_eq!(found.fields("path project"), json!([["./file", 65]]));
    shell.run("ipctool key nowhere --json").exits(3).shows("[]\n");
    shell.run("ipctool key --find 0x41000000 nowhere --json").exits(3).shows("[]\n");
}

#[test]
fn what_limits_set() {
    let Some(shell) = Sandbox::privileged() else { return };
    let set = shell.run("ipctool limits --set msgmax=9000 --json").ok().records();
    assert_eq!((&set[0]["name"], &set[0]["after"]), (&json!("msgmax"), &json!(9000)));
    shell.run("ipctool create msg").ok();
    let set = shell.run("ipctool limits --queue-bytes 5000 msg:0 --json").ok();
    assert_eq!(set.fields("name before after errno"), json!([["msg:0", 16384, 5000, null]]));
    let set = shell.run("ipctool limits --queue-bytes 5000 msg:9 --json").exits(3);
    assert_eq!(set.fields("name errno"), json!([["msg:9", "EINVAL"]]));
}

#[test]
fn sums() {
    let Some(shell) = Sandbox::with_posix() else { return };
    shell.compile("use");
    shell.run("ipctool create shm --size 5000; ipctool create pshm --name /m --size 700").ok();
    shell.run("ipctool create msg --key 1; ipctool send 0 hello; ipctool create sem").ok();
    let by_owner = shell.run("ipctool list --by owner --json").ok();
    assert_eq!(by_owner.fields("objects bytes msg shm sem pshm"), json!([[4, 5705, 1, 1, 1, 1]]));
    let by_kind = shell.run("ipctool list --by kind --json").ok().fields("kind objects bytes");
    let sums = json!([["shm", 1, 5000], ["pshm", 1, 700], ["msg", 1, 5], ["sem", 1, 0]]);
    assert_eq!(by_kind, sums);
    let sorted = "ipctool list --by kind --sort bytes -o kind --no-headings";
    shell.run(sorted).prints("sem\nmsg\npshm\nshm\n");
    let by_creator = shell.run("ipctool list --by creator --format csv -o creator,objects").ok();
    assert!(by_creator.stdout().contains("\n,1\n"), "POSIX objects have no creator");
    let holder = shell.start("exec ./use shm 0 holder").ready();
    let by_process = shell.run("ipctool list shm --by process --json").exits(0).records();
    let mine = by_process.iter().find(|row| row["process"] == holder.pid()).unwrap();
    assert_eq!((&mine["bytes"], &mine["command"]), (&json!(5000), &json!("./use shm 0 holder")));
    let by_container = shell.run("ipctool list --by container --json").exits(0).records();
    assert_eq!(by_container.iter().map(|row| row["objects"].as_u64().unwrap()).sum::<u64>(), 4);
    shell.run("ipctool list --by owner -o mode").exits(2).says("columns: owner objects bytes");
    shell.run("ipctool list --by owner").ok().shows("OBJECTS");
}
