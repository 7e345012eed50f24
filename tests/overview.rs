//! `ipctool` alone

mod sandbox;

use sandbox::{NOBODY, Sandbox, is_root, only_root};
use serde_json::{Value, json};

/// The line about a kind, in JSON.
fn kind(shell: &Sandbox, name: &str) -> Value {
    let overview = shell.run("ipctool --json").ok().json();
    let kinds = overview["kinds"].as_array().unwrap();
    kinds.iter().find(|kind| kind["kind"] == name).unwrap().clone()
}

#[test]
fn a_line_a_kind() {
    let Some(shell) = Sandbox::with_posix() else { return };
    assert_eq!(
        kind(&shell, "msg"),
        json!({"kind": "msg", "count": 0, "memory": 0, "size": 0, "fullest": null})
    );
    shell
        .run(
            "ipctool create msg; ipctool create msg; ipctool create msg --key 0xbeef; \
             ipctool send 1 hello; ipctool create shm --size 64K; ipctool create shm --size 1M; \
             ipctool create sem --nsems 3; ipctool create pmsg --name /q --max-messages 4; \
             ipctool send /q a b; ipctool create pshm --name /memory --size 4096; \
             ipctool create psem --name /lock",
        )
        .exits(0);
    assert_eq!(
        kind(&shell, "msg"),
        json!({
            "kind": "msg", "count": 3, "memory": 5, "size": 3 * 16384,
            "fullest": {"ref": "msg:1", "used": 5, "limit": 16384, "size": null, "unit": "bytes"},
        })
    );
    let shm = kind(&shell, "shm");
    assert_eq!((&shm["count"], &shm["size"]), (&json!(2), &json!((1 << 20) + (64 << 10))));
    assert_eq!(shm["fullest"]["ref"], "shm:1");
    assert_eq!(kind(&shell, "sem")["fullest"]["size"], 3);
    let pmsg = kind(&shell, "pmsg");
    assert_eq!((&pmsg["fullest"]["used"], &pmsg["fullest"]["limit"]), (&json!(2), &json!(4)));
    assert_eq!(kind(&shell, "pshm")["size"], 4096);
    assert_eq!(kind(&shell, "psem")["count"], 1);
    let text = shell.run("ipctool").ok().stdout();
    for line in ["KIND ", "msg        3 ", "pmsg:/q 50% (2/4 messages)", "limits  ", "doctor  "] {
        assert!(text.contains(line), "{text}");
    }
    for command in ["ipctool list ", "ipctool doctor ", "ipctool help "] {
        assert!(text.lines().any(|line| line.starts_with(command)), "{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80) && text.lines().count() <= 24);
}

#[test]
fn limits_of_which_half_is_used() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("ipctool").ok().shows("limits      all below 50 %\n");
    shell.run("echo 4 > /proc/sys/kernel/msgmni; ipctool create msg; ipctool create msg").exits(0);
    shell.run("ipctool").ok().shows("limits      msgmni 50 %: 2 of 4 queues\n");
    let limits = shell.run("ipctool --json").ok().json()["limits"].clone();
    assert_eq!(
        limits,
        json!([{
            "name": "msgmni", "limit": 4, "used": 2, "percent": 50.0, "unit": "queues", "user": null,
        }])
    );
    // What doctor finds quickly is counted.
    assert_eq!(shell.run("ipctool --json").ok().json()["findings"]["error"], 0);
    shell.run("ipctool create msg; ipctool create msg").exits(0);
    let findings = shell.run("ipctool --json").ok().json()["findings"].clone();
    assert_eq!((&findings["error"], &findings["complete"]), (&json!(1), &json!(true)));
    shell.run("ipctool").ok().shows("1 error by 6 of 17 checks; ipctool doctor runs all\n");
    shell.run("ipctool doctor --only limit-near").exits(6);
}

#[test]
fn other_namespaces_with_processes() {
    let Some(shell) = Sandbox::new() else { return };
    let _other = shell
        .start("exec unshare --user --map-current-user --ipc sh -c 'echo ready; exec sleep 60'")
        .ready();
    // There is not always time for every process.
    shell.until("ipctool -J", |ran| ran.json()["namespaces"]["others"].as_u64() >= Some(1));
}

#[test]
fn it_is_a_document_even_for_a_stranger() {
    let Some(shell) = Sandbox::with_posix() else { return };
    shell
        .run("ipctool create msg --mode 0 --key 5; ipctool create pmsg --name /closed --mode 0")
        .exits(0);
    let line = "ipctool --json";
    let ran = match is_root() {
        true => shell.run_as(NOBODY, line).unwrap(),
        false => shell.run(line),
    };
    let overview = ran.exits(0).json();
    assert_eq!(overview["kinds"][0]["count"], 1);
    assert_eq!(overview["kinds"][3]["count"], 1);
}

#[test]
fn what_cannot_be_seen_is_not_none() {
    let Some(shell) = Sandbox::new() else { return };
    if !only_root("only root can be two users") {
        return;
    }
    let ran = shell.run_as(NOBODY, "ipctool --json").unwrap();
    let (said, overview) = (ran.stderr(), ran.exits(0).json());
    let pmsg = &overview["kinds"][3];
    match said.is_empty() {
        true => assert_eq!(pmsg["count"], 0),
        false => assert_eq!(pmsg["count"], Value::Null, "{said}"),
    }
}

#[test]
fn its_options_go_before_no_command() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run("ipctool --json list")
        .exits(2)
        .says("ipctool: --json goes behind the command\nhint: for example: ipctool list --json\n");
    shell.run("ipctool --color always").ok();
    shell.run("ipctool --trace").exits(0).shows("KIND");
    shell.run("ipctool > /dev/full").exits(1).says("(ENOSPC)");
    shell.run("ipctool --json > /dev/full").exits(1).says("(ENOSPC)");
    shell.run("ipctool | head -n 1").ok().shows("KIND");
}
