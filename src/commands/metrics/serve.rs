//! `metrics --listen`: a small HTTP server, RFC 9112.
//!
//! The main thread looks, since it is in the right namespace, and receives signals. One thread accepts
//! connections, and each connection has a thread for as long as it takes to read the request and write the
//! answer, with a deadline. Requests that come while the main thread looks wait for the next look, and share it.

use std::fs;
use std::io::{self, ErrorKind, PipeWriter, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::VERB;
use super::look::Looker;
use crate::cli::Address;
use crate::commands::{Result, print_error, report_each};
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::Foreign;
use crate::kernel::io::os_error;
use crate::kernel::io::poll::wait_any_readable;
use crate::kernel::signals::{self, Inbox};
use crate::metrics::CONTENT_TYPE;

/// How long a client may take to send its request and to read the answer, each.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many connections are served at once. Others are refused.
const MOST_CLIENTS: usize = 64;

/// The most bytes of the head of a request.
const LONGEST_HEAD: usize = 8192;

/// What a look gave: the text, or why there is none.
type Looked = Arc<Result<String, String>>;

/// A request for the metrics.
struct Request(Sender<Looked>);

/// Serves until a signal.
pub(super) fn run(address: &Address, looker: &Looker<'_>) -> Result<Status> {
    let listener = Listener::bind(address).map_err(|error| {
        let reason = match error.kind() {
            ErrorKind::PermissionDenied => Reason::NotPermitted,
            _ => Reason::Failed,
        };
        let what = format!("cannot serve there: {}", os_error::describe(&error));
        Failure::new(VERB, format!("--listen {address}"), what, reason)
    })?;
    // Before the other threads begin, so that they receive none.
    let inbox = Inbox::open()?;
    let (wake, woken) = {
        let (reader, writer) = io::pipe()?;
        (writer, reader)
    };
    let (sender, requests) = mpsc::channel();
    let clients = Arc::new(Clients { count: AtomicUsize::new(0), are_welcome: true.into() });
    let path = listener.path();
    print_error(format_args!("{VERB}: {}", listener.announcement()?));
    crate::commands::say_each_once();
    let door = Door { clients: clients.clone(), requests: sender, wake: Arc::new(wake) };
    thread::Builder::new().spawn(move || door.keep(&listener))?;

    let mut woken = woken;
    let mut deadline = None;
    loop {
        let left = deadline.map(|deadline: Instant| deadline - Instant::now().min(deadline));
        if left == Some(Duration::ZERO) || (left.is_some() && clients.are_gone()) {
            break;
        }
        // While it ends, it looks now and then whether all clients are served.
        let pause = left.map(|left| left.min(Duration::from_millis(10)));
        wait_any_readable(&[inbox.as_fd(), woken.as_fd()], pause);
        while let Some(notice) = inbox.next() {
            if ![signals::CHILD, signals::CONTINUE].contains(&notice.signal) {
                clients.are_welcome.store(false, Ordering::SeqCst);
                deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
            }
        }
        answer(looker, &requests, &mut woken);
    }
    if let Some(path) = path {
        // It is gone, or somebody else's by now.
        let _ = fs::remove_file(path);
    }
    Ok(Status::Done)
}

/// Looks once for all requests that are there.
fn answer(looker: &Looker<'_>, requests: &Receiver<Request>, woken: &mut io::PipeReader) {
    let waiting: Vec<Request> = requests.try_iter().collect();
    if waiting.is_empty() {
        return;
    }
    // Each of them has written a byte, or is about to; a byte too many wakes in vain.
    let _ = woken.read(&mut vec![0; waiting.len()]);
    let looked = Arc::new(looker.text().map_err(|error| {
        let failures: Vec<Failure> = error.into_failure(VERB).into_iter().collect();
        let (_, failed) = report_each(looker.namespace, &failures);
        failed.into_iter().map(|failed| failed.error + "\n").collect()
    }));
    for Request(reply) in waiting {
        // The client may have left.
        let _ = reply.send(looked.clone());
    }
}

/// Who is being served.
struct Clients {
    count: AtomicUsize,
    /// Whether more may come.
    are_welcome: AtomicBool,
}

impl Clients {
    fn are_gone(&self) -> bool {
        self.count.load(Ordering::SeqCst) == 0
    }

    /// Takes one more in, unless there are too many.
    fn take_in(self: &Arc<Self>) -> Option<Guest> {
        let guest = Guest(self.clone());
        let before = self.count.fetch_add(1, Ordering::SeqCst);
        (before < MOST_CLIENTS && self.are_welcome.load(Ordering::SeqCst)).then_some(guest)
    }
}

/// A client while it is served.
struct Guest(Arc<Clients>);

impl Drop for Guest {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Lets clients in.
struct Door {
    clients: Arc<Clients>,
    requests: Sender<Request>,
    wake: Arc<PipeWriter>,
}

impl Door {
    fn keep(self, listener: &Listener) {
        loop {
            let Ok(stream) = listener.accept() else {
                // No descriptors or no memory for the moment.
                thread::sleep(Duration::from_millis(50));
                continue;
            };
            let Some(guest) = self.clients.take_in() else {
                let mut exchange = Exchange::new(stream);
                let _ = exchange.write(&Answer::plain("503 Service Unavailable", "too busy\n"));
                continue;
            };
            let (requests, wake) = (self.requests.clone(), self.wake.clone());
            let serve = move || {
                let _guest = guest;
                // A client that leaves, or takes too long, is nobody's fault here.
                let _ = serve(stream, &requests, &wake);
            };
            // Without a thread the client is let go.
            let _ = thread::Builder::new().stack_size(256 << 10).spawn(serve);
        }
    }
}

/// Reads a request and answers it.
fn serve(stream: Stream, requests: &Sender<Request>, wake: &PipeWriter) -> io::Result<()> {
    let mut exchange = Exchange::new(stream);
    let asked = exchange.read()?;
    let answer = match &asked {
        Asked::Nonsense => Answer::plain("400 Bad Request", "this is not HTTP\n"),
        Asked::TooMuch => {
            Answer::plain("431 Request Header Fields Too Large", "the request is too long\n")
        }
        Asked::Other => Answer {
            allow: "Allow: GET, HEAD\r\n",
            ..Answer::plain("405 Method Not Allowed", "only GET and HEAD\n")
        },
        Asked::For { path, .. } => match path.as_str() {
            "/metrics" => {
                let (reply, looked) = mpsc::channel();
                let gone = |_| io::Error::from(ErrorKind::BrokenPipe);
                requests.send(Request(reply)).map_err(|_| gone(()))?;
                let mut wake = wake;
                wake.write_all(b"!")?;
                Answer::of_look(looked.recv().map_err(|_| gone(()))?)
            }
            "/healthz" => Answer::plain("200 OK", "ok\n"),
            "/" => Answer::plain("200 OK", "ipctool: the metrics are at /metrics\n"),
            _ => Answer::plain("404 Not Found", "there are /metrics and /healthz\n"),
        },
    };
    let is_head = matches!(asked, Asked::For { is_head: true, .. });
    exchange.write(&Answer { is_head, ..answer })
}

/// What a client asked for.
enum Asked {
    /// To get something, or just what a `GET` would say of it.
    For { path: String, is_head: bool },
    /// Another method.
    Other,
    /// No request of HTTP.
    Nonsense,
    /// A request with a longer head than is read.
    TooMuch,
}

/// What a client gets.
struct Answer {
    status: &'static str,
    content_type: &'static str,
    allow: &'static str,
    body: Looked,
    is_head: bool,
}

impl Answer {
    fn plain(status: &'static str, text: &str) -> Answer {
        let body = Arc::new(Ok(text.to_owned()));
        let content_type = "text/plain; charset=utf-8";
        Answer { status, content_type, allow: "", body, is_head: false }
    }

    fn of_look(body: Looked) -> Answer {
        let (status, content_type) = match &*body {
            Ok(_) => ("200 OK", CONTENT_TYPE),
            Err(_) => ("500 Internal Server Error", "text/plain; charset=utf-8"),
        };
        Answer { status, content_type, allow: "", body, is_head: false }
    }
}

/// A connection with a deadline.
struct Exchange {
    stream: Stream,
    deadline: Instant,
}

impl Exchange {
    fn new(stream: Stream) -> Exchange {
        Exchange { stream, deadline: Instant::now() + PATIENCE }
    }

    /// How much time is left. `TimedOut` if none is.
    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
    }

    fn read(&mut self) -> io::Result<Asked> {
        let mut head = vec![0; LONGEST_HEAD];
        let mut length = 0;
        while length < head.len() {
            self.stream.set_timeouts(self.left()?)?;
            match self.stream.read(&mut head[length..]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => length += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            let mut headers = [httparse::EMPTY_HEADER; 64];
            let mut request = httparse::Request::new(&mut headers);
            match request.parse(&head[..length]) {
                Ok(httparse::Status::Partial) => {}
                Ok(httparse::Status::Complete(_)) => {
                    let path = request.path.unwrap_or_default();
                    let path = path.split(['?', '#']).next().unwrap_or_default().to_owned();
                    return Ok(match request.method {
                        Some("GET") => Asked::For { path, is_head: false },
                        Some("HEAD") => Asked::For { path, is_head: true },
                        _ => Asked::Other,
                    });
                }
                Err(httparse::Error::TooManyHeaders) => return Ok(Asked::TooMuch),
                Err(_) => return Ok(Asked::Nonsense),
            }
        }
        Ok(Asked::TooMuch)
    }

    /// Writes the answer, and ends the connection so that the client gets all of it.
    fn write(&mut self, answer: &Answer) -> io::Result<()> {
        self.deadline = Instant::now() + PATIENCE;
        let Answer { status, content_type, allow, body, is_head } = answer;
        let body = match &**body {
            Ok(text) | Err(text) => text.as_str(),
        };
        let mut text = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n{allow}\
             Connection: close\r\n\r\n",
            body.len()
        );
        if !is_head {
            text.push_str(body);
        }
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            self.stream.set_timeouts(self.left()?)?;
            match self.stream.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.stream.end()
    }
}

/// A connection of either family.
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    fn set_timeouts(&self, time: Duration) -> io::Result<()> {
        let time = Some(time);
        match self {
            Stream::Tcp(stream) => {
                stream.set_read_timeout(time).and_then(|()| stream.set_write_timeout(time))
            }
            Stream::Unix(stream) => {
                stream.set_read_timeout(time).and_then(|()| stream.set_write_timeout(time))
            }
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buffer),
            Stream::Unix(stream) => stream.read(buffer),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(bytes),
            Stream::Unix(stream) => stream.write(bytes),
        }
    }

    fn end(&self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.shutdown(std::net::Shutdown::Write),
            Stream::Unix(stream) => stream.shutdown(std::net::Shutdown::Write),
        }
    }
}

/// Where clients come in.
enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

impl Listener {
    fn bind(address: &Address) -> io::Result<Listener> {
        match address {
            Address::Socket(address) => TcpListener::bind(address).map(Listener::Tcp),
            Address::Name(name, port) => {
                let all: Vec<SocketAddr> = (name.as_str(), *port).to_socket_addrs()?.collect();
                TcpListener::bind(all.as_slice()).map(Listener::Tcp)
            }
            Address::Unix(path) => {
                let bound = match UnixListener::bind(path) {
                    Err(error) if error.kind() == ErrorKind::AddrInUse && is_left_over(path) => {
                        fs::remove_file(path).and_then(|()| UnixListener::bind(path))
                    }
                    bound => bound,
                };
                bound.map(|listener| Listener::Unix(listener, path.clone()))
            }
        }
    }

    fn accept(&self) -> io::Result<Stream> {
        match self {
            Listener::Tcp(listener) => listener.accept().map(|(stream, _)| Stream::Tcp(stream)),
            Listener::Unix(listener, _) => {
                listener.accept().map(|(stream, _)| Stream::Unix(stream))
            }
        }
    }

    /// The path to remove at the end.
    fn path(&self) -> Option<PathBuf> {
        match self {
            Listener::Tcp(_) => None,
            Listener::Unix(_, path) => Some(path.clone()),
        }
    }

    /// Where it can be reached, and by whom.
    fn announcement(&self) -> io::Result<String> {
        Ok(match self {
            Listener::Tcp(listener) => {
                let address = listener.local_addr()?;
                let whom = match address.ip().is_loopback() {
                    true => "on this machine only",
                    false => "everybody who reaches this machine may read it",
                };
                format!("serving http://{address}/metrics, {whom}")
            }
            Listener::Unix(_, path) => {
                let path = Foreign::from(path.as_path());
                format!("serving /metrics at unix:{path}, to whom its mode permits")
            }
        })
    }
}

/// Whether this is the socket of a server that has ended.
fn is_left_over(path: &Path) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|data| data.file_type().is_socket());
    is_socket
        && UnixStream::connect(path)
            .is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}
