//! `ipctool wait`.

mod sandbox;

use sandbox::{NOBODY, Sandbox, only_root};

#[test]
fn until_it_exists_or_is_gone() {
    let Some(shell) = Sandbox::new() else { return };
    for (reference, create, remove) in [
        ("msg:0xbeef", "create msg --key 0xbeef", "rm msg:0xbeef"),
        ("shm:0xbeef", "create shm --key 0xbeef --size 1", "rm shm:0xbeef"),
        ("sem:0xbeef", "create sem --key 0xbeef", "rm sem:0xbeef"),
        ("pmsg:/x", "create pmsg --name /x --max-messages 1", "rm pmsg:/x"),
        ("pshm:/x", "create pshm --name /x --size 1", "rm pshm:/x"),
        ("psem:/x", "create psem --name /x", "rm psem:/x"),
    ] {
        let wait = format!("ipctool wait {reference}");
        shell.run(&format!("{wait} --until gone")).prints("");
        shell
            .run(&format!("{wait} --until exists --timeout 10ms"))
            .exits(4)
            .says("timed out: there is no such ");
        shell.run(&format!("{wait} --until unused")).exits(3).says("ENOENT");
        let waiter = shell.start(&format!("exec {wait} --until exists --timeout 20s")).waits();
        shell.run(&format!("ipctool {create}")).exits(0);
        waiter.ends().ok();
        shell.run(&format!("{wait} --until exists")).ok();
        shell
            .run(&format!("{wait} --until gone --timeout 10ms"))
            .exits(4)
            .says("timed out: it is still there");
        // One that is removed is gone, even if there is another one at once.
        let waiter = shell.start(&format!("exec {wait} --until gone --timeout 20s")).waits();
        let other = shell.start(&format!("exec {wait} --until 'waiting>9'")).waits();
        shell.run(&format!("ipctool {remove}; ipctool {create}")).exits(0);
        waiter.ends().ok();
        other.ends().exits(3).says(" was removed during the wait\n");
    }
}

#[test]
fn until_a_queue_has_so_much() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg; ipctool create pmsg --name /q --max-messages 4").ok();
    for (reference, queue) in [("msg:0", "0"), ("pmsg:/q", "/q")] {
        let wait = format!("ipctool wait {reference} --until");
        shell.run(&format!("{wait} empty && {wait} 'messages<1' && {wait} 'messages = 0' && {wait} 'messages<=0'")).ok();
        let full = shell.start(&format!("exec {wait} 'messages>=3'")).waits();
        shell.run(&format!("ipctool send {queue} a b")).ok();
        shell
            .run(&format!("{wait} 'messages>2' --timeout 30ms"))
            .exits(4)
            .says("timed out: messages is 2\n");
        shell
            .run(&format!("{wait} empty --timeout 30ms"))
            .exits(4)
            .says("timed out: messages is 2\n");
        let empty = shell.start(&format!("exec {wait} empty")).waits();
        shell.run(&format!("ipctool send {queue} c")).ok();
        full.ends().ok();
        shell.run(&format!("ipctool recv {queue} --all > /dev/null")).ok();
        empty.ends().ok();
        let waiter = shell.start(&format!("exec {wait} 'fill>50'")).waits();
        assert_eq!(waiter.signal("TERM").ends().status(), 143);
    }
    shell.run("ipctool send 0 1234567890").ok();
    shell
        .run("ipctool wait msg:0 --until 'bytes>=10' && ipctool wait msg:0 --until 'max_bytes>1K'")
        .ok();
    shell.run("ipctool wait msg:0 --until 'last_recv_pid>0'").ok();
    for (arguments, status, why) in [
        (
            "msg:0 --until 'mode=1'",
            2,
            "--until: 'mode' is no number\nhint: its numbers are id, uid, ",
        ),
        ("msg:0 --until 'size=1'", 2, "--until: a message queue has no column 'size'"),
        ("msg:0 --until 'ns=1'", 2, "'ns' is no number"),
        ("msg:0 --until 'messages>=x'", 2, "'x' is not a size"),
        (
            "msg:0 --until full",
            2,
            "'full' is not a condition: write exists, gone, empty, unused, or a column",
        ),
        ("msg:0", 2, "--until"),
        ("sem:0 --until empty", 2, "a semaphore set is never empty: only a queue is"),
        ("0xbeef --until exists", 2, "'0xbeef' has no kind"),
        ("msg:7 --until empty", 3, "no such message queue (EINVAL)"),
    ] {
        shell.run(&format!("ipctool wait {arguments}")).exits(status).says(why);
    }
}

#[test]
fn until_nobody_uses_it() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create shm --size 1; ipctool create sem; ipctool create pshm --name /m --size 1").ok();
    for (reference, hold) in [
        ("shm:0", "ipctool attach shm:0"),
        ("pshm:/m", "ipctool attach pshm:/m"),
        ("sem:0", "ipctool semop sem:0 -1"),
    ] {
        let wait = format!("ipctool wait {reference} --until unused");
        shell.run(&wait).ok();
        let holder = shell.start(&format!("exec {hold}")).waits();
        shell
            .run(&format!("{wait} --timeout 30ms"))
            .exits(4)
            .says(&format!("timed out: {} (ipctool ", holder.pid()));
        let waiter = shell.start(&format!("exec {wait}")).waits();
        // By its end, whatever ends it.
        holder.signal("KILL").ends();
        waiter.ends().ok();
    }
    let holder = shell.start("exec ipctool attach shm:0").waits();
    let waiter = shell.start("exec ipctool wait shm:0 --until attached=0").waits();
    holder.signal("TERM").ends();
    waiter.ends().ok();
}

#[test]
fn until_a_semaphore_has_a_value() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create psem --name /p").ok();
    let waiter = shell.start("exec ipctool wait psem:/p --until 'value>1'").waits();
    shell.run("ipctool semop /p +1").ok();
    shell.run("ipctool wait psem:/p --until 'value>1' --timeout 30ms").exits(4).says("value is 1");
    shell.run("ipctool semop /p +1").ok();
    waiter.ends().ok();
    // It stays as it is.
    shell.run("ipctool list psem -o value --no-headings").prints("2\n");
    shell
        .run("head -c 9 /dev/zero > /dev/shm/sem.x; ipctool wait psem:/x --until 'value=0'")
        .exits(1)
        .says("its value cannot be told");
}

#[test]
fn what_is_not_known_is_not_unused() {
    if !only_root("only root can be two users") {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --mode 666").ok();
    let _holder = shell.start("exec ipctool recv 0").waits();
    let ran = shell.run_as(NOBODY, "ipctool wait msg:0 --until unused --timeout 50ms").unwrap();
    ran.exits(4).says("timed out: whether it is used is not known: ");
}

/// Whoever waits a minute must not be seen in `top`: it looks five times a second at most, and a look is cheap.
#[test]
fn it_rests_while_it_waits() {
    let Some(shell) = Sandbox::new() else { return };
    if shell.run("command -v strace").status() != 0 {
        return;
    }
    shell.run("ipctool create msg").ok();
    shell.run("strace -f -o calls -e trace=msgctl ipctool wait msg:0 --until 'messages>0' --timeout 3s").exits(4);
    // Pauses that grow from 10 to 200 ms.
    let looks: u32 = shell.run("grep -c MSG_STAT_ANY calls").stdout().trim().parse().unwrap();
    assert!((10..32).contains(&looks), "{looks}");
}

/// Others may write to files of their own as fast as they can.
#[test]
fn noise_in_dev_shm_does_not_keep_it_busy() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create psem --name /p").ok();
    let _noise = shell.start(
        "exec dd if=/dev/zero of=/dev/shm/noise bs=1 count=1000000000 conv=notrunc 2> /dev/null",
    );
    shell.wait_until("test -s /dev/shm/noise");
    let waiter = shell.start("exec ipctool wait psem:/p --until gone").waits();
    std::thread::sleep(std::time::Duration::from_secs(2));
    // User and system time in ticks of 10 ms.
    let ticks = format!("cut -d' ' -f 14,15 /proc/{}/stat | tr ' ' '+'", waiter.pid());
    let ticks = shell.run(&format!("echo $(($({ticks})))")).stdout();
    assert!(ticks.trim().parse::<u64>().unwrap() < 60, "{ticks}");
    shell.run("ipctool rm psem:/p").ok();
    waiter.ends().ok();
}
