//! JSON Schemas of everything that `--json` prints, made from the columns. `docs/schema/` holds them.

use std::collections::BTreeMap;

use ipctool::ipc::Kind;
use ipctool::output::{Column, Shape, columns};
use serde_json::{Map, Value, json};

/// The files of `docs/schema/`.
pub fn files() -> BTreeMap<String, String> {
    let schemas = [
        (
            "list",
            "ipctool list --json; with --format jsonl each line is an item",
            array(any_object(&[])),
        ),
        (
            "list-by",
            "ipctool list --by WHAT --json",
            array(record(&columns::TALLY, &["objects", "bytes"])),
        ),
        ("stat", "ipctool stat --json", array(any_object(&["users", "waiting", "command"]))),
        ("create", "ipctool create --json", array(any_object(&[]))),
        ("rm", "ipctool rm --json", rm()),
        ("chmod", "ipctool chmod --json and ipctool chown --json", array(whole(&columns::ACCESS))),
        ("key", "ipctool key --json", array(whole(&columns::PATH_KEY))),
        ("limits", "ipctool limits --json", array(whole(&columns::LIMIT))),
        (
            "limits-set",
            "ipctool limits --set or --queue-bytes, with --json",
            array(whole(&columns::ADJUSTMENT)),
        ),
        ("doctor", "ipctool doctor --json", array(whole(&columns::FINDING))),
        ("recv", "ipctool recv --json: each line", recv()),
        ("watch", "ipctool watch --json: each line", watch()),
        ("guard", "ipctool guard --report FILE", guard()),
        ("trace", "ipctool trace --json: each line", trace()),
        ("learn", "ipctool learn --json", array(whole(&columns::LESSON))),
        ("overview", "ipctool --json", overview()),
    ];
    let file = |(name, title, schema): (&str, &str, Value)| {
        let mut all = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": title,
        });
        if schema.to_string().contains("#/$defs/user") {
            all["$defs"] = json!({"user": whole(&columns::USER)});
        }
        merge(&mut all, schema);
        (format!("{name}.json"), format!("{all:#}\n"))
    };
    schemas.into_iter().map(file).collect()
}

fn array(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// An object of one of the kinds, with these fields besides the usual ones.
fn any_object(also: &[&str]) -> Value {
    json!({"anyOf": Kind::ALL.map(|kind| object(kind, also))})
}

fn object(kind: Kind, also: &[&str]) -> Value {
    let usual = columns::of_kind(kind).map(|column| column.name);
    let required: Vec<_> = usual.chain(also.iter().copied()).collect();
    let mut schema = record(columns::with_requests(kind), &required);
    let properties = &mut schema["properties"];
    properties["kind"]["const"] = json!(kind.name());
    match kind {
        Kind::Sem => {
            let items = whole(&columns::SEMAPHORE);
            properties["semaphores"] = json!({"type": ["array", "null"], "items": items, "description": "with stat: the semaphores; null if they may not be read"});
        }
        Kind::Pshm => {
            let count = json!({"type": "integer"});
            properties["musl_semaphore"] = json!({"type": ["object", "null"], "properties": {"value": count, "waiters": count}, "description": "with stat: what it holds if a program that uses musl made it as a semaphore"});
        }
        Kind::Msg | Kind::Shm | Kind::Pmsg | Kind::Psem => {}
    }
    schema
}

/// A record that always has all of these columns, except those that tell where it lives.
fn whole<T>(columns: &'static [Column<T>]) -> Value {
    let names = columns.iter().map(|column| column.name);
    let always = names.filter(|name| !columns::is_home(name));
    record(columns, &always.collect::<Vec<_>>())
}

fn record<T: 'static>(
    columns: impl IntoIterator<Item = &'static Column<T>>,
    required: &[&str],
) -> Value {
    let properties: Map<_, _> = columns
        .into_iter()
        .map(|column| {
            let mut value = of_shape(column.shape);
            value["description"] = json!(column.help);
            (column.name.to_owned(), value)
        })
        .collect();
    json!({"type": "object", "properties": properties, "required": required})
}

fn of_shape(shape: Shape) -> Value {
    match shape {
        Shape::Text => json!({"type": ["string", "null"]}),
        Shape::Time => json!({"type": ["string", "null"], "format": "date-time"}),
        Shape::Key => json!({"type": ["string", "null"], "pattern": "^0x[0-9a-f]{8}$"}),
        Shape::Mode => json!({"type": ["string", "null"], "pattern": "^0[0-7]{3}$"}),
        Shape::Integer => json!({"type": ["integer", "null"]}),
        Shape::Decimal => json!({"type": ["number", "null"]}),
        Shape::Integers => json!({"type": ["integer", "string", "null"]}),
        Shape::Words => json!({"type": ["array", "null"], "items": {"type": "string"}}),
        Shape::Pids => json!({"type": "array", "items": {"type": "integer"}}),
        Shape::Users => array(json!({"$ref": "#/$defs/user"})),
        Shape::Wait => wait(),
        Shape::Access => {
            let (text, number) = (of_shape(Shape::Text), of_shape(Shape::Integer));
            json!({
                "type": ["object", "null"],
                "properties": {"owner": text, "group": text, "uid": number, "gid": number, "mode": of_shape(Shape::Mode)},
                "required": ["owner", "group", "uid", "gid", "mode"],
            })
        }
    }
}

fn wait() -> Value {
    let integer = of_shape(Shape::Integer);
    let operation = json!({"semaphore": integer, "operation": integer});
    let mut properties = json!({
        "call": {"enum": ["msgsnd", "msgrcv", "semop", "mq_send", "mq_receive", "sem_wait"]},
        "type": {"type": ["integer", "null"], "description": "msgtyp of msgrcv(2)"},
        "except": {"type": "boolean", "description": "true with MSG_EXCEPT"},
        "size": {"type": "integer", "description": "size of the message that waits for room"},
        "operations": array(json!({"type": "object", "properties": operation})),
    });
    merge(&mut properties, operation);
    json!({"type": ["object", "null"], "properties": properties, "required": ["call"]})
}

/// An object of `list` with what has become of it. Of one that came and went, only what its reference tells is known.
fn watch() -> Value {
    let event = |kind| {
        let mut schema = object(kind, &["time", "event", "remark"]);
        let columns = columns::of_kind(kind).map(|column| {
            let value = of_shape(column.shape);
            let change = json!({"type": "array", "items": value, "minItems": 2, "maxItems": 2});
            (column.name.to_owned(), change)
        });
        let properties = &mut schema["properties"];
        merge(
            properties,
            json!({
                "time": {"type": "string", "format": "date-time", "description": "when the look was, in milliseconds"},
                "event": {"enum": ["=", "+", "-", "~"], "description": "there at first, appeared, gone, changed"},
                "changes": {
                    "type": "object",
                    "properties": columns.collect::<Map<_, _>>(),
                    "description": "with '~': the old and the new value of each field that has changed",
                },
                "remark": {
                    "enum": [null, "matches", "no-longer-matches", "out-of-sight", "back-in-sight", "brief"],
                    "description": "why it is not what it seems; with 'brief' most fields are null",
                },
            }),
        );
        // On request only, and watch has no request.
        for name in ["semaphores", "musl_semaphore"] {
            properties.as_object_mut().map(|all| all.remove(name));
        }
        schema
    };
    json!({"anyOf": Kind::ALL.map(event)})
}

fn references() -> Value {
    json!({"type": "array", "items": {"type": "string"}})
}

fn rm() -> Value {
    let text = json!({"type": "string"});
    let failed = json!({
        "type": "object",
        "properties": {"ref": text, "error": text, "errno": of_shape(Shape::Text)},
        "required": ["ref", "error", "errno"],
    });
    json!({
        "type": "object",
        "properties": {
            "removed": references(),
            "marked": references(),
            "failed": array(failed),
            "selected": array(whole(&columns::SELECTED)),
        },
        "required": ["removed", "marked", "failed"],
    })
}

fn recv() -> Value {
    json!({
        "type": "object",
        "properties": {
            "ref": {"type": "string"},
            "type": {"type": "integer", "description": "type of a System V message"},
            "priority": {"type": "integer", "description": "priority of a POSIX message"},
            "size": {"type": "integer", "description": "length of the payload in bytes"},
            "text": {"type": "string", "description": "the payload, if it is UTF-8"},
            "base64": {"type": "string", "description": "the payload, if it is not UTF-8"},
        },
        "required": ["ref", "size"],
        "oneOf": [{"required": ["text"]}, {"required": ["base64"]}],
    })
}

fn trace() -> Value {
    let time = json!({"type": ["string", "null"], "format": "date-time", "description": "when it began, or ended"});
    let pid = json!({"type": "integer", "description": "the process"});
    let text = of_shape(Shape::Text);
    let call = json!({
        "type": "object",
        "properties": {
            "time": time,
            "pid": pid,
            "tid": {"type": "integer", "description": "the thread"},
            "call": {"type": "string", "description": "the name of the call"},
            "args": {"type": "array", "items": {"type": "string"}, "description": "its arguments, as strace(1) prints them"},
            "result": {"type": ["integer", "null"], "description": "what it returned; null if it did not"},
            "errno": text,
            "duration": {"type": "number", "description": "seconds"},
            "ended": {"const": false, "description": "only for a call that still waits"},
            "hint": text,
        },
        "required": ["time", "pid", "tid", "call", "args", "result", "errno", "duration", "hint"],
    });
    let left = json!({
        "type": "object",
        "properties": {
            "what": {"enum": ["left", "taken", "attached"]},
            "ref": {"type": "string"},
            "text": {"type": "string", "description": "a sentence about it"},
        },
        "required": ["what", "ref", "text"],
    });
    let exit = json!({
        "type": "object",
        "properties": {
            "time": time,
            "pid": pid,
            "exited": {"type": ["integer", "null"], "description": "the status with which it exited"},
            "signal": text,
            "left": array(left),
        },
        "required": ["time", "pid", "exited", "signal", "left"],
    });
    json!({"anyOf": [call, exit]})
}

fn guard() -> Value {
    let found = |more: Value| {
        let one = |kind| {
            let mut schema = object(kind, &["outcome", "why"]);
            merge(&mut schema["properties"], more.clone());
            schema
        };
        array(json!({"anyOf": Kind::ALL.map(one)}))
    };
    let outcome = json!({"enum": ["removed", "marked", "left", "gone with the namespace"]});
    let process = json!({
        "type": "object",
        "properties": {"pid": {"type": "integer"}, "command": of_shape(Shape::Text)},
        "required": ["pid"],
    });
    let leak = json!({
        "pid": of_shape(Shape::Integer),
        "command": of_shape(Shape::Text),
        "holders": array(process.clone()),
        "outcome": outcome,
        "why": of_shape(Shape::Text),
        "file": {"type": "string", "description": "type of a file in /dev/shm that is no object"},
    });
    let mut stray = process;
    stray["properties"]["ended"] = json!({"type": "boolean"});
    let flag = json!({"type": "boolean"});
    json!({
        "type": "object",
        "properties": {
            "command": references(),
            "status": {"type": "integer"},
            "timed_out": flag,
            "isolated": flag,
            "leaks": found(leak.clone()),
            "ignored": found(leak),
            "appeared": found(json!({"outcome": outcome, "why": {"type": "string"}})),
            "vanished": references(),
            "processes": array(stray),
            "uninspected": references(),
        },
        "required": ["command", "status", "timed_out", "isolated", "leaks"],
    })
}

fn overview() -> Value {
    let (integer, number) = (of_shape(Shape::Integer), of_shape(Shape::Decimal));
    let some = |properties: Value| {
        let names: Vec<_> =
            properties.as_object().into_iter().flat_map(Map::keys).cloned().collect();
        json!({"type": ["object", "null"], "properties": properties, "required": names})
    };
    let text = json!({"type": "string"});
    // With -A.
    let placed = |mut object: Value| {
        let home = json!({"ns": integer, "container": of_shape(Shape::Text)});
        merge(&mut object["properties"], home);
        object
    };
    let fullest = placed(some(
        json!({"ref": text, "used": integer, "limit": integer, "size": integer, "unit": text}),
    ));
    let kind = some(json!({
        "kind": {"enum": Kind::ALL.map(Kind::name)},
        "count": integer, "memory": integer, "size": integer, "fullest": fullest,
    }));
    let limit = placed(some(json!({
        "name": text, "limit": integer, "used": integer, "percent": number, "unit": text, "user": integer,
    })));
    let residence = placed(some(json!({
        "processes": integer, "objects": integer, "memory": integer,
    })));
    let mut overview = some(json!({
        "kinds": array(kind),
        "limits": array(limit),
        "dev_shm": some(json!({
            "size": integer, "used": integer, "inodes": integer, "used_inodes": integer,
        })),
        "findings": some(json!({
            "error": integer, "warning": integer, "note": integer,
            "checks": references(), "complete": {"type": "boolean"},
        })),
        "namespaces": some(json!({
            "others": integer, "processes": integer, "complete": {"type": "boolean"},
        })),
    }));
    overview["properties"]["all_namespaces"] = array(residence);
    overview["properties"]["seen_from"] =
        some(json!({"process_namespace": integer, "dev_shm": of_shape(Shape::Text)}));
    overview
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}
