//! `ipctool create`

mod sandbox;

use sandbox::{NOBODY, Needs, Sandbox, only_root, skip};

#[test]
fn it_prints_the_reference_and_nothing_else() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg").prints("msg:0\n");
    shell.run("ipctool create queue --key 0xbeef").prints("msg:1\n");
    shell.run("ipctool create shm --size 64K").prints("shm:0\n");
    shell.run("ipctool create sem --nsems 3").prints("sem:0\n");
}

#[test]
fn the_installed_tools_see_what_it_makes() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --key 0xbeef --mode 640").ok();
    shell.run("ipctool create shm --key 0xbeef --size 1GiB").ok();
    shell.run("ipctool create sem --key 0xbeef --nsems 3 --mode 0").ok();
    let seen = shell.run("ipcs").ok().stdout();
    let words: Vec<Vec<&str>> = seen.lines().map(|l| l.split_whitespace().collect()).collect();
    let with_key: Vec<_> = words.iter().filter(|w| w.first() == Some(&"0x0000beef")).collect();
    assert_eq!(with_key.len(), 3, "{seen}");
    assert_eq!(with_key[0][3..], ["640", "0", "0"]);
    assert_eq!(with_key[1][3..], ["600", "1073741824", "0"]);
    assert_eq!(with_key[2][3..], ["0", "3"]);
    shell.run("ipcrm -Q 0xbeef -M 0xbeef -S 0xbeef").ok();
    shell.run("ipctool list").prints("");
}

#[test]
fn an_existing_key_is_opened_unless_exclusive() {
    let Some(shell) = Sandbox::new() else { return };
    for kind in ["msg", "shm --size 1", "sem"] {
        let created = shell.run(&format!("ipctool create {kind} --key 48879")).ok().stdout();
        shell.run(&format!("ipctool create {kind} --key 0xbeef")).prints(&created);
        shell
            .run(&format!("ipctool create {kind} --key 0xbeef --exclusive"))
            .exits(1)
            .says("(EEXIST)")
            .says(&format!("hint: it is {}", created.trim()));
    }
}

#[test]
fn ftok_keys_are_those_of_the_c_library() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("touch here with:colon").ok();
    shell.run("ipctool create msg --ftok here:A").ok();
    let perl = shell.run("perl -MIPC::SysV=ftok -e 'print ftok(\"here\", ord \"A\")'");
    match perl.stdout().parse::<u32>() {
        Ok(key) => {
            shell.run("ipctool list -o key --no-headings").prints(&format!("0x{key:08x}\n"));
        }
        Err(_) => skip(Needs::Machine, "perl has no IPC::SysV"),
    }
    shell.run("ipctool create msg --ftok with:colon").exits(2).says("'colon' is neither");
    shell.run("ipctool create msg --ftok with:colon:1").ok();
    shell
        .run("ipctool create msg --ftok missing")
        .exits(3)
        .says("create missing: ")
        .says("(ENOENT)");
    shell.run("ipctool create msg --ftok here:0").exits(2).says("POSIX leaves that undefined");
}

#[test]
fn what_makes_no_sense_is_refused_with_the_reason() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create").exits(2);
    shell.run("ipctool create shm").exits(2).says("a shared memory segment needs --size");
    shell.run("ipctool create msg --size 5").exits(2).says("a message queue has no --size");
    shell.run("ipctool create sem --size 5").exits(2).says("a semaphore set has no --size");
    shell.run("ipctool create msg --nsems 5").exits(2).says("a message queue has no --nsems");
    shell.run("ipctool create shm --size 5 --nsems 5").exits(2).says("has no --nsems");
    shell.run("ipctool create sem --nsems 0").exits(2).says("--nsems: 0 is less than 1");
    shell.run("ipctool create msg --key 0x0").exits(2).says("IPC_PRIVATE, which names no object");
    shell.run("ipctool create msg --mode 888").exits(2).says("'888' is not a mode");
    shell.run("ipctool create shm --size 5Q").exits(2).says("'5Q' is not a size");
    shell
        .run("ipctool create pizza")
        .exits(2)
        .says("[possible values: msg, shm, sem, pmsg, pshm, psem]");
    shell.run("ipctool list").prints("");
}

#[test]
fn sizes_that_the_kernel_refuses_are_explained() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create shm --size 0").exits(1).says("(EINVAL)").says("kernel.shmmax");
    shell.run("ipctool create sem --nsems 2000000000").exits(1).says("a set has 1 to ");
    shell.run("ipctool create shm --key 5 --size 10").ok();
    shell.run("ipctool create shm --key 5 --size 11").exits(1).says("10 bytes, fewer than 11");
    shell.run("ipctool create sem --key 5 --nsems 2").ok();
    shell.run("ipctool create sem --key 5 --nsems 3").exits(1).says("2 semaphores, fewer than 3");
}

#[test]
fn a_limit_that_is_reached_is_named_with_its_use() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("echo 2 > /proc/sys/kernel/msgmni; echo 2 > /proc/sys/kernel/shmmni").ok();
    shell.run("echo 32000 5 500 2 > /proc/sys/kernel/sem; echo 4 > /proc/sys/kernel/shmall").ok();
    shell.run("ipctool create msg && ipctool create msg").ok();
    shell
        .run("ipctool create msg")
        .exits(1)
        .says("create msg: no room for another message queue (ENOSPC)")
        .says("2 of 2 message queues are in use (msgmni), and the request needs 1 more");
    shell.run("ipctool create shm --size 4097").ok();
    shell
        .run("ipctool create shm --size 1M")
        .exits(1)
        .says("2 of 4 pages of shared memory are in use (shmall), and the request needs 256 more");
    shell.run("ipctool create shm --size 1").ok();
    shell.run("ipctool create shm --size 1").exits(1).says("2 of 2 shared memory segments");
    shell.run("ipctool create sem --nsems 4").ok();
    shell.run("ipctool create sem --nsems 4").exits(1).says("4 of 5 semaphores are in use");
    shell.run("ipctool create sem --nsems 1").ok();
    shell.run("ipctool create sem --nsems 1").exits(1).says("2 of 2 semaphore sets are in use");
}

#[test]
fn a_key_that_belongs_to_another_user_says_whose_it_is() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg --key 0xbeef --mode 600").ok();
    let Some(ran) = shell.run_as(NOBODY, "ipctool create msg --key 0xbeef") else { return };
    ran.exits(5)
        .says("create msg:0x0000beef: no permission (EACCES)")
        .says("hint: msg:0 has mode 0600 (rw-------), owner root:root, creator root; you are nobody (uid 65534)");
}

#[test]
fn a_full_disk_does_not_hide_the_object() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run("ipctool create msg > /dev/full")
        .exits(1)
        .says("create msg:0: it exists, but cannot write to standard output: No space left on device (ENOSPC)\n")
        .says("hint: to remove it: ipctool rm msg:0\n");
}

#[test]
fn an_object_that_somebody_else_made_before_is_told() {
    let Some(shell) = Sandbox::new() else { return };
    let kinds = [
        "msg --key 7",
        "shm --key 7 --size 1",
        "sem --key 7",
        "pmsg --name /q",
        "pshm --name /m --size 1",
        "psem --name /s",
    ];
    let refs = ["msg:0", "shm:0", "sem:0", "pmsg:/q", "pshm:/m", "psem:/s"];
    for (kind, reference) in kinds.iter().zip(refs) {
        // One's own, as it was asked for.
        shell.run(&format!("ipctool create {kind}")).prints(&format!("{reference}\n"));
        shell.run(&format!("ipctool create {kind}")).prints(&format!("{reference}\n"));
        // Another mode.
        let ran = shell.run(&format!("ipctool create {kind} --mode 640")).exits(0);
        assert_eq!(ran.stdout(), format!("{reference}\n"));
        let owner = shell.run("id -un").stdout();
        let told = format!(
            "ipctool: create {reference}: it already existed, with owner {} and mode 0600\n",
            owner.trim()
        );
        assert_eq!(ran.stderr(), told);
        shell.run(&format!("ipctool rm {reference}")).ok();
    }
    if !only_root("only root can be two users") {
        return;
    }
    for kind in kinds {
        shell.run_as(NOBODY, &format!("ipctool create {kind} --mode 666")).unwrap().ok();
        let ran = shell.run(&format!("ipctool create {kind} --mode 666")).exits(0);
        let made = ran.stdout();
        let told = format!(
            "ipctool: create {}: it already existed, with owner nobody and mode 0666\n",
            made.trim()
        );
        assert_eq!(ran.stderr(), told);
    }
    // Given away, but its creator keeps the rights of the owner.
    shell.run("ipctool chown root msg:0x7").ok();
    shell
        .run("ipctool create msg --key 7 --mode 666")
        .exits(0)
        .says("it already existed, with owner root, creator nobody and mode 0666\n");
    // Together with what else is different.
    shell
        .run("ipctool create psem --name /s --value 5")
        .exits(0)
        .says("it already existed, with owner nobody and mode 0666, with value 0\n");
}
