//! `ipctool metrics`.

mod containers;
mod prometheus;
mod sandbox;

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use containers::{Container, Like};
use prometheus::Exporter;
use sandbox::{Running, Sandbox, only_root, sees_everybody, until};

/// The value of a series; its name and labels as the text has them, the labels in any number.
fn value(text: &str, name: &str, labels: &[&str]) -> Option<f64> {
    let mut lines = text.lines().filter(|line| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|label| line.contains(label))
    });
    lines.next()?.rsplit_once(' ')?.1.parse().ok()
}

/// Every series is there once, and none has a label that changes with each process or moment.
#[track_caller]
fn is_sound(text: &str) {
    assert!(text.ends_with("# EOF\n"), "{text}");
    let series = text.lines().filter(|line| !line.starts_with('#'));
    let mut seen = HashSet::new();
    for line in series {
        let (series, value) = line.rsplit_once(' ').expect(line);
        assert!(value.parse::<f64>().is_ok(), "{line}");
        assert!(seen.insert(series), "twice: {line}");
        assert!(!series.contains("pid=") && !series.contains("time="), "{line}");
    }
}

#[test]
fn the_numbers_are_those_of_the_kernel() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run("ipctool create msg --key 0xbeef; ipctool send 0xbeef hello; ipctool send 0xbeef you")
        .ok();
    shell.run("ipctool create shm --size 10000; ipctool create sem --nsems 3").ok();
    shell.run("ipctool create pmsg --name /q --max-messages 4 && ipctool send /q x").ok();
    shell
        .run("ipctool create pshm --name /m --size 5000; ipctool create psem --name /s --value 7")
        .ok();
    let waiting = shell.start("exec ipctool recv 0xbeef -t 77").waits();
    let text = shell.run("ipctool metrics").ok().stdout();
    is_sound(&text);
    let of = |name, labels: &[&str]| value(&text, name, labels);
    let queue = ["kind=\"msg\"", "ref=\"msg:0\"", "key=\"0x0000beef\"", "owner=\"", "ns=\""];
    assert_eq!(of("ipc_queue_messages", &queue), Some(2.0));
    assert_eq!(of("ipc_queue_bytes", &queue), Some(8.0));
    assert_eq!(of("ipc_object_waiters", &queue), Some(1.0));
    assert!(of("ipc_object_idle_seconds", &queue).is_some_and(|age| age < 60.0));
    let most = of("ipc_queue_max_bytes", &queue).expect("it is known");
    assert_eq!(of("ipc_queue_fill_ratio", &queue), Some(8.0 / most));
    assert_eq!(of("ipc_queue_fill_ratio", &["ref=\"pmsg:/q\""]), Some(0.25));
    assert_eq!(of("ipc_objects_fullest_ratio", &["kind=\"pmsg\""]), Some(0.25));
    assert_eq!(of("ipc_memory_size_bytes", &["ref=\"shm:0\""]), Some(10_000.0));
    assert_eq!(of("ipc_memory_attached", &["ref=\"shm:0\""]), Some(0.0));
    assert_eq!(of("ipc_set_semaphores", &["ref=\"sem:0\""]), Some(3.0));
    assert_eq!(of("ipc_memory_size_bytes", &["ref=\"pshm:/m\""]), Some(5000.0));
    assert_eq!(of("ipc_semaphore_value", &["ref=\"psem:/s\""]), Some(7.0));
    for kind in ["msg", "shm", "sem", "pmsg", "pshm", "psem"] {
        assert_eq!(of("ipc_objects", &[&format!("kind=\"{kind}\"")]), Some(1.0), "{kind}");
    }
    assert_eq!(of("ipc_objects_messages", &["kind=\"msg\""]), Some(2.0));
    assert_eq!(of("ipc_limit_used", &["limit=\"msgmni\""]), Some(1.0));
    assert!(of("ipc_limit_used_bytes", &["limit=\"RLIMIT_MSGQUEUE\"", "user=\""]) > Some(0.0));
    assert!(of("ipc_dev_shm_used_bytes", &[]).is_some());
    assert!(of("ipctool_scrape_duration_seconds", &[]) > Some(0.0));
    assert_eq!(of("ipctool_scrape_errors", &[]), Some(0.0));
    assert_eq!(of("ipctool_build_info", &["version=\"0."]), Some(1.0));
    assert_eq!(of("ipc_namespaces_unreadable", &[]), Some(0.0));
    // The receiver waits for a type that is not there. A check without a finding is told of as well.
    let found = ["check=\"nobody-reads-type\"", "severity=\"warning\""];
    if sees_everybody() {
        assert_eq!(of("ipc_findings", &found), Some(1.0));
        assert_eq!(of("ipc_finding_objects", &found), Some(1.0));
    }
    assert_eq!(of("ipc_findings", &["check=\"ftok-failed\""]), Some(0.0));
    waiting.signal("TERM").ends();
}

#[test]
fn names_are_escaped_as_the_format_says() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run(r#"ipctool create pshm --name '/a"b' --size 1"#).ok();
    shell.run(r"ipctool create pshm --name '/c\\d' --size 2").ok();
    shell.run("printf x > \"/dev/shm/$(printf 'e\\nf')\"").ok();
    shell.run("printf xy > \"/dev/shm/$(printf 'g\\377h')\"").ok();
    let text = shell.run("ipctool metrics --kind pshm").ok().stdout();
    is_sound(&text);
    for (label, size) in
        [(r#"/a\"b""#, 1.0), (r"/c\\\\d", 2.0), (r#"/e\\x0af""#, 1.0), (r#"/g\\xffh""#, 2.0)]
    {
        let found = value(&text, "ipc_memory_size_bytes", &[label]);
        assert_eq!(found, Some(size), "{label}\n{text}");
    }
}

#[test]
fn few_objects_have_series_and_the_others_are_summed() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("for i in 1 2 3 4 5; do ipctool create msg --key $i; done").ok();
    shell.run("ipctool send 0x3 12345; ipctool send 0x4 1; ipctool create shm --size 100").ok();
    let text = shell.run("ipctool metrics --max-objects 1").ok().stdout();
    is_sound(&text);
    // The fullest queue comes first.
    let messages = |label: &str| value(&text, "ipc_queue_messages", &[label]);
    assert_eq!(messages("key=\"0x00000003\""), Some(1.0));
    assert_eq!(messages("ref=\"other\""), Some(1.0));
    assert_eq!(value(&text, "ipc_objects_summed", &["kind=\"msg\""]), Some(4.0));
    assert_eq!(value(&text, "ipc_objects_summed", &["kind=\"shm\""]), Some(1.0));
    assert_eq!(value(&text, "ipc_memory_size_bytes", &["ref=\"other\""]), Some(100.0));
    // No sum of shares, ages or values.
    for name in ["ipc_queue_fill_ratio", "ipc_object_idle_seconds"] {
        assert_eq!(value(&text, name, &["ref=\"other\""]), None);
    }
    let all = shell.run("ipctool metrics --max-objects 0").ok().stdout();
    assert_eq!(value(&all, "ipc_queue_messages", &["ref=\"other\""]), Some(2.0));
    shell.run("ipctool metrics --max-objects -1").exits(2).says("--max-objects: ");
}

#[test]
fn filters_choose_series_and_not_totals() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run("ipctool create msg --key 5; ipctool create msg --key 6; ipctool create shm --size 9")
        .ok();
    let of = |options: &str, labels: &[&str]| {
        let text = shell.run(&format!("ipctool metrics {options}")).exits(0).stdout();
        assert_eq!(value(&text, "ipc_objects", &["kind=\"msg\""]), Some(2.0), "{options}");
        value(&text, "ipc_object_idle_seconds", labels).is_some()
    };
    assert!(of("--key 6", &["msg:1"]) && !of("--key 6", &["msg:0"]));
    assert!(of("--kind shm", &["shm:0"]) && !of("--kind shm", &["msg:0"]));
    assert!(!of("--orphan --kind msg --key 7", &["msg:"]));
    assert!(of("--unused --ignore 5", &["shm:0"]) && !of("--ignore 5", &["msg:0"]));
}

#[test]
fn a_file_for_node_exporter_is_written_in_one_step() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool metrics --textfile ipc.prom").prints("");
    is_sound(&shell.run("cat ipc.prom").stdout());
    // Others may read it.
    shell.run("stat -c %a ipc.prom").prints("644\n");
    // A reader that has it open keeps the old one, and no other file is left.
    let line = "exec 3< ipc.prom; ipctool create msg; ipctool metrics --textfile ipc.prom; cat <&3";
    let old = shell.run(line).ok().stdout();
    assert_eq!(value(&old, "ipc_objects", &["kind=\"msg\""]), Some(0.0));
    let new = shell.run("cat ipc.prom").stdout();
    assert_eq!(value(&new, "ipc_objects", &["kind=\"msg\""]), Some(1.0));
    shell.run("ls -A").prints("ipc.prom\n");
    // On a full disk the old one stays.
    shell
        .run("ulimit -f 1; ipctool metrics --textfile ipc.prom")
        .exits(1)
        .says("ipctool: metrics --textfile ipc.prom: cannot write: ");
    shell.run("cat ipc.prom").prints(&new);
    shell.run("ls -A").prints("ipc.prom\n");
    shell.run("ipctool metrics --textfile nowhere/ipc.prom").exits(1).says("(ENOENT)");
    shell.run("ipctool metrics > /dev/full").exits(1).says("(ENOSPC)");
    shell.run("ipctool metrics | head -n 1").shows("# HELP ").says("");
}

#[test]
fn every_namespace() {
    if !only_root("only root may enter the namespaces of others") {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    let Some(web) = Container::start("metrics", Like::Docker) else { return };
    shell.run(&format!("ipctool --in {web} create msg --key 5")).ok();
    shell.run("ipctool create msg --key 6").ok();
    let text = shell.run("ipctool metrics -A").exits(0).stdout();
    is_sound(&text);
    let number = format!("ns=\"{}\"", web.namespace());
    let container = format!("container=\"{web}\"");
    let there = [number.as_str(), &container, "key=\"0x00000005\""];
    assert_eq!(value(&text, "ipc_queue_messages", &there), Some(0.0));
    assert_eq!(value(&text, "ipc_limit_used", &["limit=\"msgmni\"", &number]), Some(1.0));
    assert!(value(&text, "ipc_namespace_processes", &there[..2]) >= Some(1.0));
    assert!(value(&text, "ipc_queue_messages", &["key=\"0x00000006\""]).is_some());
    assert!(value(&text, "ipc_namespaces", &[]) >= Some(2.0));
    let text = shell.run(&format!("ipctool --in {web} metrics --key 5")).ok().stdout();
    assert_eq!(value(&text, "ipc_queue_messages", &there), Some(0.0));
    assert_eq!(value(&text, "ipc_namespaces", &[]), Some(1.0));
    shell.run(&format!("ipctool --in {web} metrics -A")).exits(2);
}

/// A server, and the port on which it listens.
fn serve(shell: &Sandbox, address: &str) -> (Running, u16) {
    // One that listened here before has left its log.
    shell.run("rm -f log").ok();
    let server = shell.start(&format!("exec ipctool metrics --listen '{address}' 2> log"));
    let said = shell.until("cat log", |ran| ran.stdout().contains("serving")).stdout();
    let port = said.split("/metrics").next().and_then(|rest| rest.rsplit_once(':'));
    (server, port.and_then(|(_, port)| port.parse().ok()).unwrap_or(0))
}

fn ask(stream: &mut (impl Read + Write), request: &str) -> String {
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    answer
}

fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    ask(&mut stream, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))
}

#[test]
fn served_by_http() {
    let Some(shell) = Sandbox::new() else { return };
    let (server, port) = serve(&shell, "0");
    let said = format!(
        "ipctool: metrics: serving http://127.0.0.1:{port}/metrics, on this machine only\n"
    );
    shell.run("cat log").prints(&said);
    let answer = get(port, "/metrics?name[]=x");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains(
        "\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"
    ));
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    is_sound(body);
    assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{head}");
    // Each request looks anew.
    shell.run("ipctool create msg").ok();
    assert_eq!(value(&get(port, "/metrics"), "ipc_objects", &["kind=\"msg\""]), Some(1.0));
    assert!(get(port, "/healthz").ends_with("\r\n\r\nok\n"));
    assert!(get(port, "/other").starts_with("HTTP/1.1 404 "));
    let connect = || TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let head = ask(&mut connect(), "HEAD /metrics HTTP/1.1\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    let refused = ask(&mut connect(), "POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
    assert!(refused.starts_with("HTTP/1.1 405 ") && refused.contains("Allow: GET, HEAD\r\n"));
    assert!(ask(&mut connect(), "\x16\x03\x01 hello\r\n\r\n").starts_with("HTTP/1.1 400 "));
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(8192));
    assert!(ask(&mut connect(), &long[..8192]).starts_with("HTTP/1.1 431 "));
    let ended = server.signal("TERM").ends();
    assert_eq!((ended.status(), shell.run("cat log").stdout()), (0, said));
}

#[test]
fn clients_that_say_nothing_or_leave_hold_up_nobody() {
    let Some(shell) = Sandbox::new() else { return };
    let (server, port) = serve(&shell, "127.0.0.1:0");
    let connect = || TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let silent: Vec<TcpStream> = (0..30).map(|_| connect()).collect();
    for _ in 0..20 {
        // It asks and does not wait for the answer.
        connect().write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
    }
    let start = Instant::now();
    let clients: Vec<_> = (0..10)
        .map(|_| {
            std::thread::spawn(move || (0..10).map(|_| get(port, "/metrics")).collect::<Vec<_>>())
        })
        .collect();
    for client in clients {
        for answer in client.join().unwrap() {
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        }
    }
    // Far from the ten seconds that a client may take.
    assert!(start.elapsed() < Duration::from_secs(8));
    // More than it serves at once are told so.
    let more: Vec<TcpStream> = (0..40).map(|_| connect()).collect();
    assert!(get(port, "/healthz").starts_with("HTTP/1.1 503 "));
    drop((silent, more));
    until("it serves again", || get(port, "/healthz").starts_with("HTTP/1.1 200 "));
    assert_eq!(server.signal("TERM").ends().status(), 0);
}

#[test]
fn a_signal_lets_the_answer_be_finished() {
    let Some(shell) = Sandbox::new() else { return };
    let (server, port) = serve(&shell, "[::1]:0");
    let mut stream = TcpStream::connect(("::1", port)).expect("it listens");
    stream.write_all(b"GET /metrics HTTP/1.1\r\n").unwrap();
    until("it reads", || {
        shell.run(&format!("ls /proc/{}/task", server.pid())).stdout().lines().count() == 3
    });
    let server = server.signal("TERM");
    std::thread::sleep(Duration::from_millis(100));
    let answer = ask(&mut stream, "\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("# EOF\n"), "{answer}");
    assert_eq!(server.ends().status(), 0);
}

#[test]
fn served_by_a_socket_with_a_path() {
    let Some(shell) = Sandbox::new() else { return };
    let path = shell.directory().join("ipc.sock");
    let listen = || serve(&shell, "unix:ipc.sock").0;
    let server = listen();
    shell
        .run("cat log")
        .prints("ipctool: metrics: serving /metrics at unix:ipc.sock, to whom its mode permits\n");
    let mut stream = UnixStream::connect(&path).expect("it listens");
    let answer = ask(&mut stream, "GET /metrics HTTP/1.1\r\n\r\n");
    assert!(answer.ends_with("# EOF\n"), "{answer}");
    // Another one does not take it away.
    shell.run("ipctool metrics --listen unix:ipc.sock").exits(1).says("(EADDRINUSE)");
    assert_eq!(server.signal("INT").ends().status(), 0);
    assert!(!path.exists());
    // One that was killed leaves its socket, which the next one takes over. No other file is touched.
    listen().signal("KILL").ends();
    assert!(path.exists());
    assert_eq!(listen().signal("TERM").ends().status(), 0);
    shell.run("echo precious > ipc.sock; ipctool metrics --listen unix:ipc.sock").exits(1);
    shell.run("cat ipc.sock").prints("precious\n");
}

#[test]
fn addresses_that_cannot_be_used() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool metrics --listen nonsense").exits(2).says(
        "ipctool: metrics: --listen: 'nonsense' is not an address: it is PORT, ADDR:PORT, [IPV6]:PORT, NAME:PORT or unix:PATH\n",
    );
    shell.run("ipctool metrics --listen 192.0.2.1:9").exits(1).says("(EADDRNOTAVAIL)");
    shell.run("ipctool metrics --listen 1 --textfile x").exits(2);
    let (server, port) = serve(&shell, "0");
    shell.run(&format!("ipctool metrics --listen {port}")).exits(1).says("(EADDRINUSE)");
    server.signal("TERM").ends();
}

/// What they give is what the kernel has, both ways.
#[test]
fn prometheus_and_node_exporter() {
    let Some(shell) = Sandbox::new() else { return };
    if !prometheus::is_there(&shell) {
        return;
    }
    shell.run("ipctool create msg --key 0xbeef; ipctool send 0xbeef hello").ok();
    shell.run("ipctool create pshm --name '/with \"quotes\"' --size 4321").ok();
    // Its linter has nothing to say.
    let lint = shell.run("ipctool metrics | promtool check metrics").exits(0);
    assert_eq!((lint.stdout(), lint.stderr()), (String::new(), String::new()));
    shell.run("mkdir texts && ipctool metrics --textfile texts/ipc.prom").ok();
    let (server, served) = serve(&shell, "0");
    let exporter = Exporter::start(&shell, "texts");
    let database =
        prometheus::Database::start(&shell, &[("served", served), ("text", exporter.port)]);
    for job in ["served", "text"] {
        let of = |query: &str| database.ask(&query.replace("JOB", &format!("job=\"{job}\"")));
        assert_eq!(of("ipc_queue_messages{JOB,key=\"0x0000beef\"}"), 1.0, "{job}");
        assert_eq!(of("ipc_queue_bytes{JOB,ref=\"msg:0\"}"), 5.0, "{job}");
        assert_eq!(of("sum(ipc_objects{JOB})"), 2.0, "{job}");
        let name = r#"ipc_memory_size_bytes{JOB,ref="pshm:/with \"quotes\""}"#;
        assert_eq!(of(name), 4321.0, "{job}");
        assert_eq!(of("ipctool_scrape_errors{JOB}"), 0.0, "{job}");
        assert_eq!(of("count(ipctool_build_info{JOB})"), 1.0, "{job}");
    }
    assert_eq!(database.ask("node_textfile_scrape_error"), 0.0);
    assert_eq!(server.signal("TERM").ends().status(), 0);
}

#[test]
fn the_alerts_are_sound() {
    let Some(shell) = Sandbox::new() else { return };
    if !prometheus::is_there(&shell) {
        return;
    }
    let files = [
        ("ipctool.rules.yml", include_str!("../packaging/prometheus/ipctool.rules.yml")),
        ("ipctool.rules.test.yml", include_str!("../packaging/prometheus/ipctool.rules.test.yml")),
    ];
    for (name, text) in files {
        std::fs::write(shell.directory().join(name), text).unwrap();
    }
    shell.run("promtool check rules ipctool.rules.yml").exits(0).shows("SUCCESS");
    shell.run("promtool test rules ipctool.rules.test.yml").exits(0).shows("SUCCESS");
    // They, and the dashboard, are about metrics that exist.
    let known = ipctool::metrics::all();
    let dashboard = include_str!("../packaging/prometheus/dashboard.json");
    let _: serde_json::Value = serde_json::from_str(dashboard).expect("it is JSON");
    for text in [files[0].1, files[1].1, dashboard] {
        let words = text.split(|byte: char| !(byte.is_ascii_alphanumeric() || byte == '_'));
        for word in words.filter(|word| word.starts_with("ipc_") || word.starts_with("ipctool_")) {
            assert!(known.iter().any(|(name, _)| name == word), "{word}");
        }
    }
}
