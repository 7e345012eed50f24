//! What the commands print as JSON is what `docs/schema/` promises.

mod sandbox;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sandbox::Sandbox;
use serde_json::Value;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema")
}

/// A schema that rejects fields which it does not list.
fn strict(schema: &mut Value) {
    match schema {
        Value::Array(all) => all.iter_mut().for_each(strict),
        Value::Object(all) => {
            if all.get("properties").is_some_and(Value::is_object) {
                all.insert("additionalProperties".into(), false.into());
            }
            all.values_mut().for_each(strict);
        }
        _ => {}
    }
}

#[track_caller]
fn check(name: &str, document: &Value) {
    let text = fs::read_to_string(directory().join(format!("{name}.json"))).unwrap();
    let mut schema = serde_json::from_str(&text).unwrap();
    strict(&mut schema);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(document).collect();
    let errors: Vec<_> =
        errors.iter().map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}");
}

#[test]
fn every_command_prints_what_its_schema_promises() {
    let Some(shell) = Sandbox::with_posix() else { return };
    shell.compile("waiters");
    shell.compile("use");
    let mut checked = BTreeSet::new();
    let mut run = |name: &'static str, line: &str| {
        let ran = shell.run(line);
        check(name, &ran.json());
        checked.insert(format!("{name}.json"));
        ran
    };
    for line in [
        "msg --key 5",
        "shm --size 5000",
        "sem --nsems 2",
        "pmsg --name /q",
        "pshm --name /m --size 9",
        "psem --name /s",
    ] {
        run("create", &format!("ipctool create {line} --json")).ok();
    }
    run("create", "ipctool create psem --name /s -x --json").exits(1);
    let _holder = shell.start("exec ./use shm 0 holder").ready();
    let _waiting = [
        shell.start("exec ipctool recv msg:0 -t 7 --except").waits(),
        shell.start("exec ipctool recv /q").waits(),
        shell.start("exec ./waiters semaphore").waits(),
    ];
    run("list", "ipctool list --json").ok();
    run("list", "ipctool list --who --json -o +command,former_key").ok();
    run("stat", "ipctool stat msg:0 shm:0 sem:0 pmsg:/q pshm:/m psem:/s --json").ok();
    for by in ["owner", "creator", "kind", "process", "container"] {
        run("list-by", &format!("ipctool list --by {by} --json")).ok();
    }
    run("chmod", "ipctool chmod 640 msg:0 msg:9 pshm:/m --json").exits(3);
    run("chmod", "ipctool chown :\"$(id -g)\" sem:0 --json").ok();
    run("learn", "ipctool learn --json").ok();
    run("key", "ipctool key . --json").ok();
    run("key", "ipctool key --find \"$(ipctool key .)\" . --json").ok();
    run("limits", "ipctool limits --json").ok();
    run("limits", "ipctool limits --check 1 --json");
    run("limits-set", "ipctool limits --queue-bytes 5000 msg:0 --json").ok();
    run("limits-set", "ipctool limits --queue-bytes 5000 msg:9 --json").exits(3);
    shell.run("ipctool create msg --key -1; ipctool send 0xffffffff hello").exits(0);
    run("overview", "ipctool --json").ok();
    run("doctor", "ipctool doctor --json").exits(6);
    run("recv", "ipctool recv 0xffffffff --json").ok();
    run("recv", "ipctool send 0xffffffff -e \"$(printf '\\377')\"; ipctool recv 0xffffffff --json")
        .ok();
    run("rm", "ipctool rm --dry-run --json --all").ok();
    run("rm", "ipctool rm --json shm:0 msg:0 msg:99").exits(3);
    let made = "ipctool create msg; ipctool create shm --size 1M; ipctool create psem --name /leak";
    run(
        "guard",
        &format!(
            "ipctool guard --report report.json -- sh -c '{made}' > /dev/null 2>&1; cat report.json"
        ),
    );
    run("trace", "ipctool trace --json -o - perl -e 'msgctl(99, 0, 0)'").ok();
    run("trace", "ipctool trace --json --failed -o - perl -e 'msgget(0, 01600)'").ok();
    // A world in which something of each kind appears, changes and goes; each line is a document.
    let watch = shell.start("exec ipctool watch --initial --json -d 50ms > log");
    shell.wait_until("test -s log");
    let has = |line: &str| {
        shell.wait_until(&format!("grep -q -e '{}' log", line.replace(' ', ".*")));
    };
    shell.run("ipctool send 0x77 --create x").exits(0);
    shell.run("ipctool create pmsg --name /w --max-messages 1; ipctool create pshm --name /w --size 1; ipctool create psem --name /w").exits(0);
    has("+ pmsg:/w");
    has("+ psem:/w");
    shell.run("ipctool send /w x; ipctool semop psem:/w +1").exits(0);
    has("~ pmsg:/w changes");
    has("~ psem:/w changes");
    shell.run("ipctool rm pmsg:/w pshm:/w psem:/w").exits(0);
    has("- pshm:/w");
    watch.signal("INT").ends().exits(0);
    for event in shell.run("cat log").ok().records() {
        check("watch", &event);
    }
    checked.insert("watch.json".into());
    let all: BTreeSet<_> = fs::read_dir(directory())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(checked, all, "each schema has a command");
}
