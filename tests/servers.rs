//! Real servers: nothing of one that lives is ever an orphan, whatever the kernel has recorded of
//! its processes, and everything is once its last process is gone. PostgreSQL keeps a segment that
//! nobody has mapped while there is no session, Apache semaphores that a worker operated on that has
//! long been replaced.

mod sandbox;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{fs, process, thread};

use sandbox::{NOBODY, Needs, Ran, Sandbox, is_root, only_root, sees_everybody, skip, until};

const POSTGRESQL: &str = "/usr/lib/postgresql/15/bin";
const APACHE: &str = "/usr/sbin/apache2";
const MODULES: &str = "/usr/lib/apache2/modules";
const WORKERS: usize = 3;

/// Of files in /dev/shm that were written within the hour, an orphan must be asked for by its kind.
const LIST: [&str; 3] = [
    "ipctool list --orphan -o ref --no-headings",
    "ipctool list --orphan -o ref --no-headings pshm",
    "ipctool list --orphan -o ref --no-headings psem",
];

/// Prints what it removes.
const REMOVE: [&str; 3] = [
    "ipctool rm --orphan --yes --verbose",
    "ipctool rm --orphan --yes --verbose --kind pshm",
    "ipctool rm --orphan --yes --verbose --kind psem",
];

/// The processes of a server, in the namespace of a shell. They end with this, whatever happens.
struct Server<'a> {
    shell: &'a Sandbox,
    namespace: PathBuf,
    /// What was there before.
    others: HashSet<u32>,
}

impl<'a> Server<'a> {
    fn new(shell: &'a Sandbox) -> Server<'a> {
        let namespace = shell.run("readlink /proc/self/ns/ipc").ok().stdout().trim().into();
        let mut server = Server { shell, namespace, others: HashSet::new() };
        server.others = server.processes().into_iter().collect();
        server
    }

    fn processes(&self) -> Vec<u32> {
        let entries = fs::read_dir("/proc").expect("/proc is mounted").flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let is_here = |pid: &u32| {
            fs::read_link(format!("/proc/{pid}/ns/ipc")).is_ok_and(|link| link == self.namespace)
        };
        pids.filter(|pid| !self.others.contains(pid)).filter(is_here).collect()
    }

    /// With SIGKILL: none of them cleans up.
    fn kill(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let pids = self.processes();
            if pids.is_empty() || Instant::now() > deadline {
                return;
            }
            // One may be gone by now.
            let _ = process::Command::new("sh")
                .args(["-c", "kill -9 \"$@\"", "sh"])
                .args(pids.iter().map(u32::to_string))
                .stderr(process::Stdio::null())
                .status();
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Nothing in the namespace is an orphan, for root and for the user of the server.
    #[track_caller]
    fn keeps_everything(&self) {
        let before = self.objects();
        for line in LIST.iter().chain(&REMOVE) {
            let mut runs = vec![self.shell.run(line)];
            if is_root() {
                runs.extend(self.shell.run_as(NOBODY, line));
            }
            for ran in runs {
                let found = ran.exits(0).stdout();
                assert!(found.is_empty(), "$ {line}\n{found}of\n{}", self.report());
            }
        }
        assert_eq!(self.objects(), before);
    }

    /// Everything in the namespace is an orphan, and is removed.
    #[track_caller]
    fn leaves_orphans(&self) {
        if !sees_everybody() {
            return;
        }
        let everything = self.objects();
        let orphans: HashSet<_> =
            LIST.iter().flat_map(|line| refs(&self.shell.run(line).exits(0))).collect();
        assert_eq!(orphans, everything, "{}", self.report());
        for line in REMOVE {
            self.shell.run(line).exits(0);
        }
        assert_eq!(self.objects(), HashSet::new());
    }

    /// The users of each object, to explain why a test failed.
    fn report(&self) -> String {
        let stat = "ipctool stat $(ipctool list -o ref --no-headings)";
        self.shell.run(&format!("ipctool list --who; {stat}")).stdout()
    }

    fn objects(&self) -> HashSet<String> {
        refs(&self.shell.run("ipctool list -o ref --no-headings"))
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        self.kill();
    }
}

#[track_caller]
fn refs(ran: &Ran) -> HashSet<String> {
    ran.stdout()
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

fn is_installed(program: &str) -> bool {
    let is_installed = fs::exists(program).unwrap_or(false);
    if !is_installed {
        skip(Needs::Machine, &format!("there is no {program}"));
    }
    is_installed
}

/// A line of shell as an ordinary user. It may have no single quotes.
fn as_user(line: &str) -> String {
    match is_root() {
        true => format!(
            "setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups env HOME=/nonexistent sh -c '{line}'"
        ),
        false => format!("sh -c '{line}'"),
    }
}

/// A PostgreSQL without TCP.
struct Postgresql<'a> {
    server: Server<'a>,
}

impl<'a> Postgresql<'a> {
    fn start(shell: &'a Sandbox, dynamic_memory: &str) -> Postgresql<'a> {
        let options = "-U me --auth=trust --no-sync --no-instructions --locale=C -E UTF8";
        shell.run(&as_user(&format!("{POSTGRESQL}/initdb -D data {options}"))).exits(0);
        let settings = format!(
            "listen_addresses = ''
            unix_socket_directories = '{}'
            shared_memory_type = sysv
            dynamic_shared_memory_type = {dynamic_memory}
            fsync = off
            max_connections = 20
            # Between sessions none of its own processes reads statistics.
            autovacuum = off
            max_logical_replication_workers = 0\n",
            shell.directory().to_str().expect("it is text"),
        );
        shell.run_with(&as_user("cat >> data/postgresql.conf"), settings.as_bytes()).ok();
        let postgresql = Postgresql { server: Server::new(shell) };
        let start = format!("{POSTGRESQL}/pg_ctl -w -D data -l log start > started 2>&1");
        shell.run(&as_user(&start)).exits(0);
        postgresql
    }

    fn psql() -> String {
        as_user(&format!("{POSTGRESQL}/psql -h \"$PWD\" -U me -d postgres -v ON_ERROR_STOP=1 -Atq"))
    }

    #[track_caller]
    fn answers(&self, statement: &str, answer: &str) {
        let ran = self.server.shell.run_with(&Self::psql(), statement.as_bytes());
        ran.prints(&format!("{answer}\n"));
    }

    #[track_caller]
    fn serves(&self) {
        let statement = "select count(*) >= 1500 from pg_stat_all_tables where n_live_tup >= 0";
        self.answers(statement, "t");
    }

    /// Makes it keep a segment that only those have mapped who come to need it: the statistics of so
    /// many tables do not fit into the memory that is there from the start.
    fn grows(&self) {
        let tables = "do $$ begin for i in 1..1500 loop
                          execute format('create table t%s()', i);
                      end loop; end $$; select 'grown'";
        self.answers(tables, "grown");
    }
}

fn postgresql(dynamic_memory: &str) {
    if !is_installed(&format!("{POSTGRESQL}/initdb")) {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    let postgresql = Postgresql::start(&shell, dynamic_memory);
    postgresql.grows();

    // Live: a session that two processes share.
    let sleep = "set force_parallel_mode = on; select pg_sleep(600)";
    let session = shell.start(&format!("echo '{sleep}' | {}", Postgresql::psql()));
    let sleeping = "from pg_stat_activity where wait_event = 'PgSleep'";
    let is_asleep = format!("select count(*) {sleeping} and backend_type = 'parallel worker'");
    shell.run_with("cat > asleep.sql", is_asleep.as_bytes()).ok();
    shell.until(&format!("{} < asleep.sql", Postgresql::psql()), |ran| ran.stdout() == "1\n");
    postgresql.server.keeps_everything();
    postgresql.serves();

    // Idle: no session at all.
    let end = format!("select bool_and(pg_terminate_backend(pid)) {sleeping}");
    postgresql.answers(&end, "t");
    session.ends();
    // Its processes release their shared memory a moment after that.
    let others = "select count(*) from pg_stat_activity where pid <> pg_backend_pid() \
                  and backend_type in ('client backend', 'parallel worker')";
    shell.run_with("cat > others.sql", others.as_bytes()).ok();
    shell.until(&format!("{} < others.sql", Postgresql::psql()), |ran| ran.stdout() == "0\n");
    if sees_everybody() {
        let unused = "ipctool list shm pshm --unused -o ref --no-headings";
        shell.until(unused, |ran| !refs(ran).is_empty());
    }
    postgresql.server.keeps_everything();
    postgresql.serves();

    postgresql.server.kill();
    postgresql.server.leaves_orphans();
}

#[test]
fn postgresql_with_segments_of_system_v() {
    postgresql("sysv");
}

#[test]
fn postgresql_with_posix_memory() {
    postgresql("posix");
}

/// An Apache whose workers serve one request each, and take a lock for it.
struct Apache<'a> {
    server: Server<'a>,
    port: u16,
}

impl<'a> Apache<'a> {
    /// With this many sockets to accept on, and its locks of this sort.
    fn start(shell: &'a Sandbox, mutex: &str, sockets: usize) -> Apache<'a> {
        // A port that was free may be taken by the time it starts.
        for _ in 0..4 {
            if let Ok(apache) = Apache::try_to_start(shell, mutex, sockets) {
                return apache;
            }
        }
        Apache::try_to_start(shell, mutex, sockets).unwrap_or_else(|why| panic!("{why}"))
    }

    fn try_to_start(shell: &'a Sandbox, mutex: &str, sockets: usize) -> Result<Apache<'a>, String> {
        let ports: Vec<_> = (0..sockets).map(|_| free_port()).collect();
        let directory = shell.directory().to_str().expect("it is text");
        let mut settings = format!(
            "ServerRoot {directory}\nDefaultRuntimeDir {directory}\nPidFile {directory}/pid\n\
             ErrorLog {directory}/errors\nServerName localhost\nMutex {mutex} default\n\
             StartServers {WORKERS}\nMinSpareServers {WORKERS}\nMaxSpareServers {WORKERS}\nMaxConnectionsPerChild 1\n\
             DocumentRoot {directory}/www\n"
        );
        for module in [
            "mpm_prefork",
            "authn_core",
            "authz_core",
            "authz_user",
            "authn_file",
            "authn_socache",
            "auth_basic",
            "socache_shmcb",
        ] {
            writeln!(settings, "LoadModule {module}_module {MODULES}/mod_{module}.so").unwrap();
        }
        if is_root() {
            writeln!(settings, "User #{NOBODY}\nGroup #{NOBODY}").unwrap();
        }
        for port in &ports {
            writeln!(settings, "Listen 127.0.0.1:{port}").unwrap();
        }
        // Each request looks its password up in a cache, under a lock.
        write!(
            settings,
            "AuthnCacheSOCache shmcb\n<Directory {directory}/www>\n AuthType Basic\n AuthName it\n \
             AuthBasicProvider socache file\n AuthUserFile {directory}/users\n \
             AuthnCacheProvideFor file\n Require valid-user\n</Directory>\n"
        )
        .unwrap();
        shell.run_with("cat > settings", settings.as_bytes()).ok();
        // The password is `secret`.
        shell.run("echo 'me:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=' > users").ok();
        shell.run("mkdir -p www; echo served > www/page").ok();
        let apache = Apache { server: Server::new(shell), port: ports[0] };
        let start = shell.run(&format!("{APACHE} -f \"$PWD/settings\" -k start > started 2>&1"));
        match start.status() {
            0 => Ok(apache),
            _ => Err(shell.run("cat started errors settings 2> /dev/null").stdout()),
        }
    }

    fn serves(&self) {
        let mut answer = String::new();
        let mut socket = self.connect();
        let credentials = "bWU6c2VjcmV0";
        let request = format!("GET /page HTTP/1.0\r\nAuthorization: Basic {credentials}\r\n\r\n");
        socket.write_all(request.as_bytes()).expect("it listens");
        socket.read_to_string(&mut answer).expect("it answers");
        let errors = fs::read_to_string(self.server.shell.directory().join("errors"));
        let errors = errors.unwrap_or_default();
        assert!(answer.ends_with("served\n"), "{answer}\n{errors}");
        assert!(!errors.contains("mutex"), "{errors}");
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).expect("it listens")
    }

    fn workers(&self) -> Vec<u32> {
        let pid = fs::read_to_string(self.server.shell.directory().join("pid")).unwrap_or_default();
        let parent = pid.trim().parse().unwrap_or(0);
        let mut workers = self.server.processes();
        workers.retain(|&pid| pid != parent);
        workers
    }

    /// Waits until every worker waits for requests: one that has served is replaced within a second.
    fn rests(&self) {
        until("all workers are there", || self.workers().len() >= WORKERS);
        thread::sleep(Duration::from_millis(200));
    }

    /// Makes requests until no worker is left that was there in the beginning.
    fn replaces_its_workers(&self) {
        let first = self.workers();
        until("all workers are replaced", || {
            self.serves();
            !self.workers().iter().any(|pid| first.contains(pid))
        });
    }
}

fn free_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").expect("there is a loopback");
    socket.local_addr().expect("it has an address").port()
}

fn apache(mutex: &str, sockets: usize, sets: usize) {
    if !is_installed(APACHE) {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    let apache = Apache::start(&shell, mutex, sockets);
    apache.serves();
    assert_eq!(apache.server.objects().len(), sets);

    // Live: a worker has accepted, and waits for the request.
    apache.rests();
    let socket = apache.connect();
    apache.server.keeps_everything();
    apache.serves();
    drop(socket);

    // Idle: the process that operated last on the lock of the cache is gone.
    apache.replaces_its_workers();
    apache.rests();
    apache.server.keeps_everything();
    apache.serves();

    apache.server.kill();
    apache.server.leaves_orphans();
}

#[test]
fn apache_with_several_sets() {
    apache("sysvsem", 2, 2);
}

#[test]
fn apache_with_one_set() {
    // Run as root it gives the set to its workers' user. Nothing else shows whose a single set is.
    if !only_root("only root's server gives its set away") {
        return;
    }
    apache("sysvsem", 1, 1);
}

#[test]
fn apache_with_semaphores_without_a_name() {
    apache("posixsem", 2, 0);
}
