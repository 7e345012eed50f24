//! The verb for monitoring.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueHint};

use super::options::Selecting;
use super::page::{self, Group, List, Page};
use crate::ipc::{Foreign, number};
use crate::metrics;

/// Where to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// This address of the machine.
    Socket(SocketAddr),
    /// The addresses of this name, and a port.
    Name(String, u16),
    /// A socket with this path, `unix(7)`.
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Socket(address) => write!(f, "{address}"),
            Address::Name(name, port) => write!(f, "{name}:{port}"),
            Address::Unix(path) => write!(f, "unix:{}", Foreign::from(path.as_path())),
        }
    }
}

/// Text that is no address to serve at.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not an address: it is PORT, ADDR:PORT, [IPV6]:PORT, NAME:PORT or unix:PATH")]
pub struct InvalidAddress(String);

impl FromStr for Address {
    type Err = InvalidAddress;

    /// A port alone is one of the loopback interface.
    fn from_str(text: &str) -> Result<Address, InvalidAddress> {
        let invalid = || InvalidAddress(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() { Err(invalid()) } else { Ok(Address::Unix(path.into())) };
        }
        if let Ok(address) = text.parse() {
            return Ok(Address::Socket(address));
        }
        let (name, port) = text.rsplit_once(':').unwrap_or(("", text));
        let port = port.parse().map_err(|_| invalid())?;
        match name {
            "" => Ok(Address::Socket(SocketAddr::from(([127, 0, 0, 1], port)))),
            // What is left of these is no IPv6 address.
            name if name.contains([':', '[', ']', '/', ' ']) => Err(invalid()),
            name => Ok(Address::Name(name.to_owned(), port)),
        }
    }
}

/// Print metrics of IPC objects for Prometheus, or serve them
///
/// Prints what Prometheus and other monitoring systems read, OpenMetrics text: how many objects of each kind
/// there are and what they take, the limits and how much of each is used, /dev/shm, the findings of 'ipctool
/// doctor' by check, and for each object how full it is, who waits for it, and since when it is idle.
///
/// Filters choose the objects that have series of their own. Totals, limits and findings are about all of them.
/// At most --max-objects of them have series, the fullest queues and the largest memory first; the others are
/// summed, with the label ref="other", and ipc_objects_summed says how many.
///
/// --listen serves the metrics at /metrics, and /healthz, until a signal; each request looks anew. A port alone
/// is one of the loopback interface, which only programs on this machine reach. There is no encryption: put a
/// reverse proxy in front, or use --textfile.
#[derive(Debug, Args)]
pub struct Metrics {
    /// Tell of every IPC namespace
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Write to this file in one step, for node_exporter
    ///
    /// The text goes to a file beside it, which then takes its name. So its reader never sees a part. The
    /// textfile collector reads names that end with .prom.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "listen")]
    pub textfile: Option<PathBuf>,
    /// Serve at this address until a signal: PORT, ADDR:PORT or unix:PATH
    ///
    /// Port 0 takes one that is free. Standard error says which address it is.
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<Address>,
    /// How many objects have series of their own at most
    #[arg(long, value_name = "N", default_value_t = 1000, allow_hyphen_values = true, value_parser = number::from::<usize>(0))]
    pub max_objects: usize,
    /// Which objects.
    #[command(flatten)]
    pub selecting: Selecting,
}

pub(super) const METRICS: Page = Page {
    command: "metrics",
    synopsis: &[
        "ipctool metrics [-A] [--max-objects N] [--kind KIND,…] [FILTER…]",
        "ipctool metrics --textfile FILE [-A] [--max-objects N] [--kind KIND,…] [FILTER…]",
        "ipctool metrics --listen ADDR:PORT [-A] [--max-objects N] [--kind KIND,…] [FILTER…]",
    ],
    lists: || {
        vec![List {
            title: "METRICS",
            introduction: "All metrics are gauges. Those of an object have the labels kind, ref, key, owner, ns and container.",
            groups: vec![Group::new("Metrics", metrics::all())],
        }]
    },
    statuses: &[
        ("0", "the metrics were printed or written, or a signal ended --listen"),
        ("1", "they could not be gathered or written, or the address cannot be used"),
        page::USAGE,
        page::NOT_PERMITTED,
    ],
    environment: page::COLOR,
    files: &[page::SYSVIPC, page::DEV_SHM, page::DEV_MQUEUE, page::PROCESSES, page::SYSCTL],
    examples: &[
        ("See the metrics", "ipctool metrics"),
        (
            "Write those of all containers for node_exporter",
            "ipctool metrics -A --textfile /var/lib/prometheus/node-exporter/ipc.prom",
        ),
        ("Serve them on this machine", "ipctool metrics -A --listen 9639"),
        ("Serve them through a socket", "ipctool metrics --listen unix:/run/ipctool.sock"),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-doctor(1)",
        "ipctool-limits(1)",
        "ipctool-list(1)",
        "prometheus(1)",
        "sysvipc(7)",
    ],
    ..Page::EMPTY
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let socket = |text: &str| Some(Address::Socket(text.parse().unwrap()));
        let parse = |text: &str| text.parse::<Address>().ok();
        assert_eq!(parse("9639"), socket("127.0.0.1:9639"));
        assert_eq!(parse(":9639"), socket("127.0.0.1:9639"));
        assert_eq!(parse("0.0.0.0:80"), socket("0.0.0.0:80"));
        assert_eq!(parse("[::1]:80"), socket("[::1]:80"));
        assert_eq!(parse("db.example.org:80"), Some(Address::Name("db.example.org".into(), 80)));
        assert_eq!(parse("unix:/run/x"), Some(Address::Unix("/run/x".into())));
        for text in ["", "x", "::1:80", "unix:", "1.2.3.4", "host:", "host:70000", "http://h:1"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
