//! `ipcrm` beside the installed one: what it says, and what it removes.

mod oracle;
mod sandbox;

use oracle::{agree_apart, agree_as, script};
use sandbox::{NOBODY, Sandbox};

/// Makes two queues, segments and sets anew, and sets `q1`, `q2`, `m1`, … to their ids.
const FRESH: &str = r#"
fresh() { eval "$(perl -e '
    for $kind ("msg", "shm", "sem") {
        open $list, "<", "/proc/sysvipc/$kind"; <$list>;
        for (<$list>) { /\S+\s+(\d+)/; msgctl($1, 0, 0) if $kind eq "msg";
            shmctl($1, 0, 0) if $kind eq "shm"; semctl($1, 0, 0, 0) if $kind eq "sem" }
    }
    for $n (1, 2) {
        $key = $n == 1 ? 0x1000 : 0xdeadbeef - 0x100000000;
        printf "q$n=%d m$n=%d s$n=%d\n", msgget($key, 01640), shmget($key, 10, 01640), semget($key, 1, 01640);
    }
')"; }
run() { fresh; echo "== $*"; echo "== $*" >&2; eval "ipcrm $*"; echo "-- $?"; ipctool list -o kind,key --no-headings | sort; }
"#;

/// Command lines of `ipcrm`.
fn ipcrm_lines() -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (id, key, word, variable) in
        [("q", "Q", "msg", "$q"), ("m", "M", "shm", "$m"), ("s", "S", "sem", "$s")]
    {
        for line in [
            "-ID ${V}1",
            "-IDKEY",
            "-KEY 0x1000",
            "-KEY 4096",
            "-KEY 010000",
            "-KEY 0xdeadbeef",
            "-KEY 0XDEADBEEF",
            "-KEY -559038737",
            "-KEY 3735928559",
            "-KEY 0",
            "-KEY 0x0",
            "-KEY 0x",
            "-KEY abc",
            "-KEY 1x",
            "-KEY ' 4096'",
            "-KEY +4096",
            "-KEY 0x77",
            "-KEY 99999999999999999999",
            "-KEY 0xffffffff",
            "-ID 77",
            "-ID -1",
            "-ID 2147483647",
            "-ID 2147483648",
            "-ID abc",
            "-ID ''",
            "-ID 0x0",
            "-ID",
            "-KEY",
            "-ID ${V}1 -ID ${V}2 -v",
            "-v -ID ${V}1 -KEY 0xdeadbeef",
            "-ID 77 -ID ${V}1",
            "-ID abc -ID ${V}1",
            "-ID ${V}1 -ID abc",
            "-ID ${V}1 -ID ${V}1",
            "-v -ID 77 -KEY 0x77",
            "-ID ${V}1 -z",
            "-z -ID ${V}1",
            "-ID ${V}1 foo",
            "foo -ID ${V}1",
            "-ID ${V}1 -- foo",
            "WORD ${V}1",
            "WORD ${V}1 ${V}2",
            "WORD ${V}1 77 ${V}2",
            "WORD abc ${V}1",
            "WORD",
            "WORD -1",
            "WORD 0x1",
            "WORD 99999999999999999999",
            "WORD -v ${V}1",
            "-v WORD ${V}1",
            "-a WORD",
            "-aWORD",
            "--all=WORD",
            "--al=WORD",
            "-v -aWORD -v",
            "-aWORD -ID ${V}1",
        ] {
            lines.push(
                line.replace("ID", id)
                    .replace("KEY", key)
                    .replace("WORD", word)
                    .replace("${V}", variable),
            );
        }
    }
    let others = [
        "",
        "-a",
        "-v -a",
        "-av",
        "--all",
        "--verbose --all",
        "-afoo",
        "--all=foo",
        "--all=",
        "-a -amsg",
        "-amsg -a",
        "-amsg -ashm",
        "foo",
        "-h",
        "--help",
        "--he",
        "--ver",
        "--v",
        "--verb=1",
        "--shmem-id $m1",
        "--shmem-key=0x1000",
        "--shmem-i $m1",
        "--s 1",
        "--sh 1",
        "--queue-id $q1 --queue-key 0xdeadbeef",
        "--semaphore-id=$s1 --semaphore-key 0xdeadbeef",
        "--queue-id",
        "--queue-id=",
        "-q $q1 -m $m1 -s $s1 -v",
        "-qmsQ",
        "-vq$q1",
        "--",
        "-- -a",
        "-",
        "''",
        "-x",
        "--foo",
        "--=",
        "--=x",
        "--queue",
        "msg $q1 -a",
        "shm $m2 sem $s1",
        "-q $q1 -q 77 -a",
    ];
    lines.extend(others.map(str::to_owned));
    lines
}

#[test]
fn ipcrm_removes_the_same() {
    let quoted = ipcrm_lines().into_iter().map(|line| format!("run \"{line}\"\n"));
    let script = quoted.fold(FRESH.to_owned(), |script, line| script + &line.replace('$', "\\$"));
    agree_apart(&script, 200);
}

#[test]
fn ipcrm_of_somebody_else_removes_nothing() {
    let Some(shell) = Sandbox::new() else { return };
    let Some(_) = shell.run_as(NOBODY, "mkdir links && ./ipctool install-links links 2> notes")
    else {
        return;
    };
    shell
        .run("ipctool create msg --key 5 --mode 644; ipctool create msg --mode 600; ipctool create sem --mode 666; ipctool create shm --size 1 --mode 0; ipctool create msg --mode 200 && ipctool chown 65534 msg:2")
        .exits(0);
    let lines = ["-q 0", "-Q 5", "-v -q 0 -q 1 -s 0 -m 0", "msg 0 1", "-amsg", "-a", "-v -a"];
    let script = script("ipcrm", &lines.map(str::to_owned));
    agree_as(Some(NOBODY), &shell, "", &(script + "ipctool list -o ref --no-headings"), 7);
}
