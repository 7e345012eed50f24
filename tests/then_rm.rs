//! `ipctool recv --all --then-rm`

mod sandbox;

use sandbox::{NOBODY, Sandbox};

#[test]
fn it_takes_all_and_removes_the_queue() {
    let Some(shell) = Sandbox::with_posix() else { return };
    for (create, queue) in
        [("msg --key 0xbeef", "0xbeef"), ("msg --key 6", "0x6"), ("pmsg --name /q", "/q")]
    {
        shell.run(&format!("ipctool create {create}; ipctool send {queue} one two")).ok();
        shell
            .run(&format!("ipctool recv {queue} --all --then-rm -v"))
            .exits(0)
            .says(": removed\n")
            .shows("one\ntwo\n");
        shell.run(&format!("ipctool recv {queue} --nowait")).exits(3).says("(ENOENT)");
    }
    // An empty one goes, too.
    shell.run("ipctool create pmsg --name /q; ipctool recv /q --all --then-rm").ok();
    shell.run("ipctool create msg --key 5; ipctool recv 0x5 --all --then-rm").ok();
    shell
        .run("ipctool recv 0x5 --all --then-rm")
        .exits(3)
        .says("no message queue has this key (ENOENT)");
    shell.run("ipctool recv /q --all --then-rm").exits(3).says("(ENOENT)");
    for options in ["--then-rm", "--then-rm -n 1", "--all --then-rm --peek", "--all --then-rm -t 1"]
    {
        shell.run(&format!("ipctool recv 0 {options}")).exits(2);
    }
}

/// No mode stops root. A process that sends meanwhile learns of each message whether it was sent.
#[test]
fn nothing_is_lost_that_is_sent_meanwhile() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("sender");
    for _ in 0..5 {
        shell.run("ipctool create msg --key 5 > id").ok();
        shell
            .run(
                "id=$(cut -d : -f 2 id)
                 ./sender $id > a & ./sender $id > b & ./sender $id > c & sleep 0.05
                 ipctool recv $id --all --then-rm > got; status=$?
                 wait; cut -d ' ' -f 2 a b c | uniq; cat a b c | awk '{ sent += $1 } END { print sent }' > sent
                 grep -c hello got | cmp - sent; exit $status",
            )
            .prints("EIDRM\n");
    }
}

#[test]
fn what_goes_wrong_leaves_the_queue_as_it_was() {
    let Some(shell) = Sandbox::new() else { return };
    let state = "ipctool list -q --no-headings -o messages,max_bytes,mode -P --bytes | tr -s ' '";
    shell.run("ipctool create msg --mode 640; ipctool send 0 one two").exits(0);
    let before = shell.run(state).ok().stdout();
    shell
        .run("ipctool recv 0 --all --then-rm > /dev/full")
        .exits(1)
        .says("(ENOSPC); 2 messages went back on the queue; the queue was not removed\n");
    shell.run(state).prints(&before);
    shell
        .run(
            "mkfifo full; exec 3<> full; head -c 65536 /dev/zero >&3; ulimit -c 0
             for signal in HUP TERM ABRT RTMAX; do
                 ipctool recv 0 --all --then-rm >&3 2> error & sleep 0.3
                 ipctool send 0 --nowait while-closed && echo it is open
                 kill -s $signal $!; wait $!
             done 2> /dev/null; true",
        )
        .prints("");
    shell.run(state).prints(&before);
    if let Some(ran) = shell.run_as(NOBODY, "ipctool recv 0 --all --then-rm") {
        ran.exits(5).says("recv msg:0: only its owner, its creator or a privileged process");
        shell.run(state).prints(&before);
    }
}

/// Its owner could not open it again, and would have to leave it closed if anything went wrong.
#[test]
fn a_queue_with_more_room_than_usual_is_refused() {
    let Some(shell) = Sandbox::privileged() else { return };
    let create = "ipctool create msg && ipctool send 0 one two";
    let Some(ran) = shell.run_as(NOBODY, create) else { return };
    ran.exits(0);
    shell.run("echo 100 > /proc/sys/kernel/msgmnb").ok();
    shell
        .run_as(NOBODY, "ipctool recv 0 --all --then-rm")
        .unwrap()
        .exits(5)
        .says("recv msg:0: its max_bytes, 16384, are above msgmnb, so its owner could not restore them (EPERM); nothing was taken\nhint: as root: ipctool limits --set msgmnb=16384\n");
    shell.run("ipctool limits --set msgmnb=16384").exits(0);
    shell.run_as(NOBODY, "ipctool recv 0 --all --then-rm").unwrap().prints("one\ntwo\n");
}

/// SIGKILL leaves the queue closed, because no process can react to it.
#[test]
fn a_queue_that_another_one_closed_can_be_opened_again() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("ipctool create msg; ipctool send 0 one two; mkfifo full").exits(0);
    shell
        .run(
            "exec 3<> full; head -c 65536 /dev/zero >&3
             ipctool recv 0 --all --then-rm >&3 & sleep 0.3; kill -KILL $!; wait $! 2> /dev/null
             ipctool recv 0 --all --then-rm",
        )
        .exits(1)
        .says("it accepts no messages: another --then-rm is emptying it, or was killed before it finished; nothing was taken\n")
        .says("hint: if no other --then-rm is running, open it again: ipctool limits --queue-bytes 16384 msg:0\n");
    shell
        .run("ipctool send 0 three")
        .exits(1)
        .says("'recv --then-rm' is emptying it, or was killed before it ended; in the second case, as its owner: ipctool limits --queue-bytes 16384 msg:0\n");
    shell.run("ipctool limits --queue-bytes 16384 msg:0; ipctool send 0 three").exits(0);
    shell.run("ipctool recv 0 --all --then-rm").exits(0).shows("three\n");
}

#[test]
fn a_posix_queue_of_another_user_is_left_alone() {
    let Some(shell) = Sandbox::with_posix() else { return };
    shell.run("ipctool create pmsg --name /q --mode 666; ipctool send /q one").exits(0);
    let Some(ran) = shell.run_as(NOBODY, "ipctool recv /q --all --then-rm") else { return };
    ran.exits(5).says("(EACCES)").says("; nothing was taken\n");
    shell.run("ipctool recv /q --all").prints("one\n");
}

#[test]
fn a_posix_queue_that_somebody_has_open_is_left_alone() {
    let Some(shell) = Sandbox::with_posix() else { return };
    shell.run("ipctool create pmsg --name /q; ipctool send /q one").exits(0);
    shell
        .run("mkfifo in; ipctool send /q --lines < in & exec 3> in; sleep 0.2; ipctool recv /q --all --then-rm")
        .exits(1)
        .says("recv pmsg:/q: a process has it open, and could still send to it after its name is removed; nothing was taken\n")
        .says("hint: to see which processes have it open: ipctool stat pmsg:/q\n");
    shell.run("ipctool recv /q --all").prints("one\n");
}

/// A process that opens it, sends and closes it finds either this queue or a new one. A sender whose queue is
/// removed meanwhile reports that its message may be lost, but it is not.
#[test]
fn a_posix_queue_loses_nothing_that_is_sent_meanwhile() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run(
            "ipctool create pmsg --name /q > /dev/null; touch go
             (n=0; while [ -e go ]; do ipctool send /q --nowait x 2> error && n=$((n + 1)) && touch some; done; echo $n > sent) &
             i=0; while [ $i -lt 10 ] || [ ! -e some ]; do
                 i=$((i + 1)); ipctool recv /q --all --then-rm >> got 2>> errors
                 ipctool create pmsg --name /q --exclusive > /dev/null 2>&1
             done; rm go; wait
             ipctool recv /q --all >> got 2> /dev/null
             [ $(cat sent) -gt 0 ] && [ $(grep -c x got) -ge $(cat sent) ] || echo $(grep -c x got) of $(cat sent)",
        )
        .prints("");
}
