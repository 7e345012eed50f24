//! `--trace` next to `strace(1)`: the same calls in the same words, line by line.

mod sandbox;
mod strace;

use std::collections::BTreeSet;

use strace::{name, path, received, whole};

use sandbox::{NOBODY, Needs, Ran, Sandbox, skip};

/// Traces what follows, from outside into the file `calls` and from inside to standard error. Calls that
/// this machine's architecture has not are no error.
const TRACED: &str = "strace -f -qq -a1 -e signal=none -o calls -e trace=%ipc,?mq_open,?mq_unlink,\
    ?mq_timedsend,?mq_timedreceive,?mq_notify,?mq_getsetattr,?open,?openat,?unlink,?unlinkat,\
    ?truncate,?ftruncate,?chmod,?fchmod,?fchmodat,?chown,?lchown,?fchown,?fchownat \
    ipctool --trace";

/// A sandbox in which programs can be traced, and the names of the calls that were compared.
struct Traced {
    shell: Sandbox,
    seen: BTreeSet<String>,
}

impl Traced {
    fn new(shell: Option<Sandbox>) -> Option<Traced> {
        let shell = shell?;
        let try_out = shell.run("strace -qq -o calls -e trace=none true; echo $?");
        if try_out.stdout() != "0\n" {
            skip(Needs::Machine, "strace(1) is missing, or may trace nothing here");
            return None;
        }
        Some(Traced { shell, seen: BTreeSet::new() })
    }

    /// Runs a line of shell in which each `ipctool` is traced, and compares.
    #[track_caller]
    fn run(&mut self, line: &str) -> Ran {
        let ran = self.shell.run(&line.replace("ipctool", TRACED));
        self.compare(line, &ran);
        ran
    }

    /// The same as another user; only root can.
    #[track_caller]
    fn run_as(&mut self, uid: u32, line: &str) -> Option<Ran> {
        self.shell.run("rm calls").ok();
        let ran = self.shell.run_as(uid, &line.replace("ipctool", TRACED))?;
        self.compare(line, &ran);
        Some(ran)
    }

    #[track_caller]
    fn compare(&mut self, line: &str, ran: &Ran) {
        let theirs = self.shell.run("cat calls").ok().stdout();
        let theirs = theirs_of(&theirs);
        let ours = ours_of(&ran.stderr());
        for (place, pair) in ours.iter().zip(&theirs).enumerate() {
            assert_eq!(pair.0, pair.1, "{line}: call {place}, ours and strace's");
        }
        assert_eq!(ours, theirs, "{line}: ours and strace's");
        self.seen.extend(ours.iter().map(|call| name(call).to_owned()));
    }

    /// Just these calls have been compared.
    #[track_caller]
    fn has_seen(&self, names: &[&str]) {
        assert_eq!(self.seen, names.iter().map(|name| (*name).to_owned()).collect());
    }
}

/// The calls on standard error, between whatever else is there. Some are functions of the C library, of
/// which strace sees only what they do: [`is_inside`], and the `stat` of `ftok`.
fn ours_of(stderr: &str) -> Vec<String> {
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let lines = stderr.lines().filter(|line| is_name(name(line)) && line.contains(") = "));
    let of_library = ["ftok", "sem_open", "sem_post", "sem_trywait", "sem_timedwait"];
    lines.filter(|line| !of_library.contains(&name(line))).map(str::to_owned).collect()
}

/// What strace has written, in the order in which the calls returned. Addresses and descriptors are those of
/// the same process. Two things differ:
///
/// - A call that a signal ends returns `EINTR` in the process; strace shows the kernel's own word for that.
/// - Of a message that `msgrcv` has received, strace shows the whole buffer, also what lies there from
///   before; ipctool shows the message.
fn theirs_of(calls: &str) -> Vec<String> {
    let lines = whole(calls);
    let made: Vec<&str> = lines
        .iter()
        .filter(|line| is_unnamed_semaphore(line))
        .filter_map(|line| path(line))
        .collect();
    lines
        .iter()
        .filter(|line| is_of_an_object(line) && !is_inside(line, &made))
        .map(|line| match line.split_once(" = ? ERESTART") {
            Some((call, _)) => format!("{call} = -1 EINTR (Interrupted system call)"),
            None => received(line).unwrap_or_else(|| line.clone()),
        })
        .collect()
}

/// Whether a call is about an IPC object: a file is one if it lies in `/dev/shm` or among the POSIX queues,
/// which may be mounted where only a descriptor leads. All else that is opened are libraries, `/proc`, and
/// the directories.
fn is_of_an_object(line: &str) -> bool {
    if !matches!(name(line), "open" | "openat") {
        return true;
    }
    let path = path(line).unwrap_or_default();
    let places = ["\"/dev/shm/", "\"/dev/mqueue/", "\"/proc/self/fd/"];
    places.iter().any(|place| path.starts_with(place)) && !line.contains("O_DIRECTORY")
}

/// Whether a call makes the file of a semaphore that has no name yet: `sem_open(3)` writes one, and then
/// links it to its name.
fn is_unnamed_semaphore(line: &str) -> bool {
    line.contains("\"/dev/shm/sem.") && line.contains("O_RDWR|O_CREAT|O_EXCL")
}

/// Whether a call is made by the C library inside of `sem_open(3)`, which is shown by its own name:
/// `made` are the files that it makes and unlinks again; and it opens semaphores to write to them, which
/// ipctool never does.
fn is_inside(line: &str, made: &[&str]) -> bool {
    let Some(path) = path(line) else { return false };
    made.contains(&path) || (path.starts_with("\"/dev/shm/sem.") && line.contains("O_RDWR"))
}

#[test]
fn queues_of_system_v() {
    let Some(mut traced) = Traced::new(Sandbox::new()) else { return };
    traced.run("ipctool create msg").exits(0).says("msgget(IPC_PRIVATE, IPC_CREAT|0600) = 0\n");
    traced
        .run("ipctool create msg --key 0xbeef --mode 644 --exclusive")
        .exits(0)
        .says("msgget(0xbeef, IPC_CREAT|IPC_EXCL|0644) = 1\n");
    traced
        .run("ipctool create msg --key 0xbeef --exclusive")
        .exits(1)
        .says("msgget(0xbeef, IPC_CREAT|IPC_EXCL|0600) = -1 EEXIST (File exists)\n");
    traced
        .run("ipctool stat msg:0xdeadbeef")
        .exits(3)
        .says("msgget(0xdeadbeef, 000) = -1 ENOENT (No such file or directory)\n");
    traced.run("ipctool create msg --ftok /").exits(0);
    traced
        .run("ipctool send 0 hello '' -t 3")
        .exits(0)
        .says("msgsnd(0, {mtype=3, mtext=\"hello\"}, 5, IPC_NOWAIT) = 0\n")
        .says("msgsnd(0, {mtype=3, mtext=\"\"}, 0, IPC_NOWAIT) = 0\n");
    for bytes in [
        r#"\000\0011\n\t\r\v\f\"\\\177\200\3772\1778a\033[31m\2339m"#,
        "12345678901234567890123456789012",
        "123456789012345678901234567890123",
        r"1234567890123456789012345678901\0013",
        "ünïcödé",
    ] {
        traced.run(&format!("printf '{bytes}' | ipctool send 0xbeef -t 2147483647")).exits(0);
    }
    traced
        .run("ipctool recv 0 --peek --all")
        .exits(0)
        .says("msgrcv(0, {mtype=3, mtext=\"hello\"}, 8192, 0, MSG_COPY|IPC_NOWAIT) = 5\n");
    traced
        .run("ipctool recv 0 -t 3")
        .exits(0)
        .says("msgrcv(0, {mtype=3, mtext=\"hello\"}, 8192, 3, IPC_NOWAIT) = 5\n");
    traced.run("ipctool recv 0 -t -9").exits(0);
    traced
        .run("ipctool recv 0 --nowait")
        .exits(4)
        .says(", 8192, 0, IPC_NOWAIT) = -1 ENOMSG (No message of desired type)\n");
    traced.run("ipctool recv 0 --timeout 50ms").exits(4).says(") = -1 EINTR (");
    traced.run("ipctool recv 0xbeef --all -t 5 --except").exits(0);
    traced.run("ipctool send 0 long").exits(0);
    traced.run("ipctool chmod 640 msg:0 msg:9").exits(3).says("msgctl(0, IPC_SET, {msg_perm={uid=");
    traced
        .run("ipctool limits --queue-bytes 4000 msg:0")
        .exits(0)
        .says(", mode=0640}, msg_qbytes=4000}) = 0\n");
    traced
        .run("head -c 3998 /dev/zero | ipctool send 0 --nowait")
        .exits(4)
        .says("\\0\"...}, 3998,");
    traced.run("head -c 9000 /dev/zero | ipctool send 0").exits(1);
    traced.run("ipctool stat msg:0 msg:1").exits(0).says("msgctl(0, MSG_STAT_ANY, {msg_perm={uid=");
    traced.run("ipctool list -q -v").exits(0);
    // That check looks into other namespaces.
    traced.run("ipctool doctor --skip pmsg-limit");
    traced.run("ipctool recv 0 --all --then-rm").exits(0);
    traced
        .run("ipctool rm msg:9")
        .exits(3)
        .says("msgctl(9, IPC_RMID, NULL) = -1 EINVAL (Invalid argument)\n");
    traced.run("ipctool rm msg:0xbeef").exits(0).says("msgctl(1, IPC_RMID, NULL) = 0\n");
    traced.run("ipctool rm --all -y").exits(0);
    traced.has_seen(&["msgget", "msgsnd", "msgrcv", "msgctl"]);
}

#[test]
fn a_message_larger_than_the_room_for_it() {
    let Some(mut traced) = Traced::new(Sandbox::privileged()) else { return };
    traced.shell.run("cd /proc/sys/kernel; echo 70000 > msgmax; echo 70000 > msgmnb").ok();
    traced.run("ipctool create msg").exits(0);
    traced.run("head -c 65000 /dev/zero | ipctool send 0").exits(0);
    traced
        .run("ipctool recv 0 | wc -c")
        .exits(0)
        .says(" = -1 E2BIG (Argument list too long)\n")
        .says("...}, 65536, 0, IPC_NOWAIT) = 65000\n");
}

#[test]
fn segments_and_sets() {
    let Some(mut traced) = Traced::new(Sandbox::new()) else { return };
    traced
        .run("ipctool create shm --key 0xbeef --size 4K")
        .exits(0)
        .says("shmget(0xbeef, 4096, IPC_CREAT|0600) = 0\n");
    traced
        .run("ipctool create shm --key 0xbeef --size 8K")
        .exits(1)
        .says("shmget(0xbeef, 8192, IPC_CREAT|0600) = -1 EINVAL (Invalid argument)\n");
    traced.run("ipctool create shm --size 16383P").exits(1);
    traced.run("ipctool chmod 000 shm:0xbeef").exits(0).says(", mode=000}}) = 0\n");
    traced.run("ipctool stat shm:0 shm:7").exits(3).says("shmctl(0, SHM_STAT_ANY, {shm_perm={uid=");
    traced.run("ipctool list shm").exits(0);

    traced
        .run("ipctool create sem --key 0xbeef --nsems 3")
        .exits(0)
        .says("semget(0xbeef, 3, IPC_CREAT|0600) = 0\n");
    traced.run("ipctool create sem --key 0xbeef --nsems 4").exits(1);
    traced
        .run("ipctool stat sem:0 sem:0xbeef sem:7")
        .exits(3)
        .says("semctl(0, 2, GETPID, NULL) = 0\n");
    traced.run("ipctool chmod 0 sem:0").exits(0).says("semctl(0, 0, IPC_SET, {sem_perm={uid=");
    traced.run("ipctool doctor --skip pmsg-limit");
    traced.run("ipctool rm --all -y --unused").exits(0);
    traced.run("ipctool rm shm:0xbeef sem:0xbeef").exits(3);
    traced.run("ipctool create sem --key 0xcafe --value 1,2").exits(0);
    traced.run("ipctool semop 0xcafe 0:=4").exits(0).says("semctl(1, 0, SETVAL, 0x4) = 0");
    traced.run("ipctool semop 0xcafe 0:-1 1:+2 0:0 --undo --nowait").exits(4);
    traced
        .run("ipctool semop 0xcafe 0:-1 1:+2 --undo --timeout 1h")
        .exits(0)
        .says("semtimedop(1, [{sem_num=0, sem_op=-1, sem_flg=SEM_UNDO|IPC_NOWAIT}, {");
    traced.run("ipctool create shm --key 0xcafe --size 4096 --noreserve").exits(0);
    traced.run("ipctool attach 0xcafe --for 1ms").exits(0).says("shmat(1, NULL, 0) = 0x");
    traced.run("printf x | ipctool write 0xcafe").exits(0);
    traced.run("ipctool read 0xcafe --length 1").exits(0);
    traced.run("ipctool read shm:77").exits(3).says("shmat(77, NULL, SHM_RDONLY) = -1 EINVAL (Inv");
    let calls = ["shmget", "shmctl", "shmat", "shmdt", "semget", "semctl", "semtimedop"];
    traced.has_seen(&calls);
}

#[test]
fn posix_objects() {
    let Some(mut traced) = Traced::new(Sandbox::new()) else { return };
    traced
        .run("ipctool create pmsg --name /jobs --max-messages 2 --message-size 40")
        .exits(0)
        .says("mq_open(\"jobs\", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0600, {mq_flags=0, mq_maxmsg=2, mq_msgsize=40, mq_curmsgs=0}) = 3\n");
    traced
        .run("ipctool create pmsg --name /jobs --exclusive")
        .exits(1)
        .says("mq_open(\"jobs\", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0600, NULL) = -1 EEXIST (File exists)\n");
    traced.run("ipctool create pmsg --name /jobs").exits(0);
    traced
        .run("ipctool send /jobs hello --priority 3")
        .exits(0)
        .says("mq_timedsend(3, \"hello\", 5, 3, {tv_sec=0, tv_nsec=0}) = 0\n");
    traced.run("ipctool send /jobs 1234567890123456789012345678901234567890").exits(0);
    traced.run("ipctool send /jobs more --nowait").exits(4).says(") = -1 ETIMEDOUT (");
    traced.run("ipctool send /jobs more --timeout 10ms").exits(4);
    traced.run("head -c 50 /dev/zero | ipctool send /jobs").exits(1);
    traced
        .run("ipctool send /none x")
        .exits(3)
        .says("mq_open(\"none\", O_WRONLY|O_CLOEXEC) = -1 ENOENT (");
    traced
        .run("ipctool recv /jobs")
        .exits(0)
        .says("mq_timedreceive(3, \"hello\", 40, [3], {tv_sec=0, tv_nsec=0}) = 5\n");
    traced.run("ipctool recv /jobs --all").exits(0);
    traced.run("ipctool recv /jobs --nowait").exits(4).says(") = -1 ETIMEDOUT (");
    traced.run("ipctool recv /jobs --timeout 10ms").exits(4);
    traced.run("ipctool stat pmsg:/jobs").exits(0).says("mq_getsetattr(3, NULL, {mq_flags=");

    traced
        .run("ipctool create pshm --name /cache --size 4K")
        .exits(0)
        .says("openat(AT_FDCWD, \"/dev/shm/cache\", O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600) = 3\n")
        .says("ftruncate(3, 4096) = 0\n");
    traced.run("ipctool create pshm --name /cache --size 8K").exits(1);
    traced
        .run("ipctool create pshm --name /cache --size 1 --exclusive")
        .exits(1)
        .says(", 0600) = -1 EEXIST (File exists)\n");
    traced
        .run(r"ipctool create pshm --name '/a\x1b[31m\xff\x221' --size 1")
        .exits(0)
        .says("\"/dev/shm/a\\33[31m\\377\\\"1\"");
    traced
        .run("ipctool create psem --name /lock --value 3")
        .exits(0)
        .says("sem_open(\"/lock\", O_CREAT|O_EXCL, 0600, 3) = 0x");
    traced
        .run("ipctool create psem --name /lock --exclusive")
        .exits(1)
        .says("sem_open(\"/lock\", O_CREAT|O_EXCL, 0600, 0) = SEM_FAILED EEXIST (File exists)\n");
    traced.run("ipctool create psem --name /lock").exits(0).says("sem_open(\"/lock\", 0) = 0x");
    let all = "pmsg:/jobs pshm:/cache psem:/lock";
    traced.run(&format!("ipctool stat {all} pshm:/none")).exits(3);
    traced.run("ipctool list").exits(0);
    traced
        .run(&format!("ipctool chmod 606 {all}"))
        .exits(0)
        .says("openat(AT_FDCWD, \"/dev/shm/cache\", O_RDONLY|O_NOFOLLOW|O_CLOEXEC|O_PATH) = ")
        .says("\", 0606) = 0\n");
    traced.run(&format!("ipctool chown $(id -u) {all}")).exits(0).says(", \"\", ");
    traced.run("ipctool doctor --skip pmsg-limit");
    traced.run("ipctool recv /jobs --then-rm --all").exits(0).says("mq_unlink(\"jobs\") = 0\n");
    traced.run("ipctool rm --all --unused -n").exits(0);
    traced
        .run("ipctool rm pshm:/cache pshm:/none psem:/lock")
        .exits(3)
        .says("unlinkat(AT_FDCWD, \"/dev/shm/cache\", 0) = 0\n")
        .says("unlinkat(AT_FDCWD, \"/dev/shm/sem.lock\", 0) = 0\n");
    traced.run("ipctool rm --all -y").exits(0);
    traced.has_seen(&[
        "mq_open",
        "mq_unlink",
        "mq_timedsend",
        "mq_timedreceive",
        "mq_getsetattr",
        "openat",
        "unlinkat",
        "ftruncate",
        "fchmodat",
        "fchownat",
    ]);
}

#[test]
fn what_another_user_is_refused() {
    let Some(mut traced) = Traced::new(Sandbox::new()) else { return };
    traced.run("ipctool create msg --mode 600").exits(0);
    traced.run("ipctool create pmsg --name /jobs").exits(0);
    traced.run("ipctool create pshm --name /cache --size 1").exits(0);
    let mut refused = |line: &str| traced.run_as(NOBODY, line);
    let Some(ran) = refused("ipctool send 0 x") else { return };
    ran.exits(5).says("msgsnd(0, {mtype=1, mtext=\"x\"}, 1, IPC_NOWAIT) = -1 EACCES (");
    for line in [
        "ipctool recv 0",
        "ipctool stat msg:0 pmsg:/jobs pshm:/cache",
        "ipctool chmod 666 msg:0 pmsg:/jobs pshm:/cache",
        "ipctool rm msg:0 pmsg:/jobs pshm:/cache",
        "ipctool create pshm --name /cache --size 1",
        "ipctool recv /jobs",
    ] {
        refused(line);
    }
}

#[test]
fn keys_of_paths_are_shown_as_ftok() {
    let Some(shell) = Sandbox::new() else { return };
    let key = shell.run("ipctool key . 0x2a").ok().stdout();
    let key = u32::from_str_radix(key.trim().trim_start_matches("0x"), 16).expect("a key");
    shell
        .run("ipctool key . 0x2a --trace")
        .exits(0)
        .says(&format!("ftok(\".\", 0x2a) = {key:#x}\n"));
    shell
        .run("ipctool --trace create msg --ftok \"$(printf 'a\\033b')\"")
        .exits(3)
        .says("ftok(\"a\\33b\", 0x1) = -1 ENOENT (No such file or directory)\n");
}
