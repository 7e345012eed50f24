//! Prometheus and node_exporter, started by a test on ports of their own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::sandbox::{Needs, Running, Sandbox, skip};

/// Whether both are installed; if not, the part that takes them is skipped.
#[track_caller]
pub fn is_there(shell: &Sandbox) -> bool {
    let all = "command -v prometheus && command -v promtool && command -v prometheus-node-exporter";
    let is_there = shell.run(all).status() == 0;
    if !is_there {
        skip(Needs::Machine, "prometheus or prometheus-node-exporter is not installed");
    }
    is_there
}

/// A port that nobody uses at the moment.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("it has one").port()
}

fn get(port: u16, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_owned()))
}

/// Starts a server with a free port, which may be taken meanwhile, until it answers there.
fn start(shell: &Sandbox, path: &str, line: impl Fn(u16) -> String) -> (Running, u16) {
    for _ in 0..5 {
        let port = free_port();
        let running = shell.start(&line(port));
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if get(port, path).is_ok_and(|body| !body.is_empty()) {
                return (running, port);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    panic!("it does not start: {}", line(0));
}

/// node_exporter, which reads the files of a directory.
pub struct Exporter {
    _running: Running,
    pub port: u16,
}

impl Exporter {
    pub fn start(shell: &Sandbox, directory: &str) -> Exporter {
        let line = |port| {
            format!(
                "exec prometheus-node-exporter --web.listen-address=127.0.0.1:{port} --collector.disable-defaults \
                 --collector.textfile --collector.textfile.directory={directory} > /dev/null 2>&1"
            )
        };
        let (running, port) = start(shell, "/metrics", line);
        Exporter { _running: running, port }
    }
}

/// Prometheus.
pub struct Database {
    _running: Running,
    port: u16,
}

impl Database {
    /// Scrapes these ports, each under the name of a job.
    pub fn start(shell: &Sandbox, jobs: &[(&str, u16)]) -> Database {
        let mut config =
            "global: { scrape_interval: 1s, scrape_timeout: 1s }\nscrape_configs:\n".to_owned();
        for (job, port) in jobs {
            config += &format!(
                "- {{ job_name: {job}, static_configs: [{{ targets: ['127.0.0.1:{port}'] }}] }}\n"
            );
        }
        std::fs::write(shell.directory().join("prometheus.yml"), config).expect("room");
        let line = |port| {
            format!(
                "exec prometheus --config.file=prometheus.yml --storage.tsdb.path=data \
                 --web.listen-address=127.0.0.1:{port} > /dev/null 2>&1"
            )
        };
        let (running, port) = start(shell, "/-/ready", line);
        Database { _running: running, port }
    }

    /// The value of a query that gives one, once there is one.
    #[track_caller]
    pub fn ask(&self, query: &str) -> f64 {
        let plain = |byte: u8| byte.is_ascii_alphanumeric();
        let escaped: String = query
            .bytes()
            .map(
                |byte| {
                    if plain(byte) { (byte as char).to_string() } else { format!("%{byte:02x}") }
                },
            )
            .collect();
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let body =
                get(self.port, &format!("/api/v1/query?query={escaped}")).unwrap_or_default();
            let answer: Value = serde_json::from_str(&body).unwrap_or_default();
            if let Some([result]) = answer["data"]["result"].as_array().map(Vec::as_slice) {
                let text = result["value"][1].as_str().expect("a value");
                return text.parse().expect("a number");
            }
            assert!(Instant::now() < deadline, "{query}: {body}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}
