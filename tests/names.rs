//! Objects by kinds, keys, names and sizes, on every command that selects objects.

mod sandbox;

use sandbox::Sandbox;

/// Some objects of each kind.
fn many() -> Option<Sandbox> {
    let shell = Sandbox::with_posix()?;
    for line in [
        "create msg --key 0x78000000",
        "create msg --key 0x780000ff",
        "create shm --key 0x78000001 --size 4K",
        "create shm --size 2M",
        "create sem --key -559038737",
        "create pmsg --name /jobs",
        "create pshm --name /torch_1 --size 4K",
        "create pshm --name /torch_22 --size 1M",
        "create pshm --name /cache --size 1M",
        "create psem --name /torch_lock",
    ] {
        shell.run(&format!("ipctool {line}")).ok();
    }
    Some(shell)
}

/// What `list` finds, one reference after the other.
fn list(shell: &Sandbox, arguments: &str) -> String {
    let listed = shell.run(&format!("ipctool list -o ref --no-headings {arguments}")).ok();
    listed.stdout().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn kinds_go_by_several_words_and_with_commas() {
    let Some(shell) = many() else { return };
    for (kinds, found) in [
        ("msg,shm", "msg:0 msg:1 shm:0 shm:1"),
        ("queue segment,semaphore", "msg:0 msg:1 shm:0 shm:1 sem:0"),
        ("q,s mqueue", "msg:0 msg:1 sem:0 pmsg:/jobs"),
        ("shmem", "shm:0 shm:1"),
        ("m", "shm:0 shm:1"),
        ("mq,psem", "pmsg:/jobs psem:/torch_lock"),
    ] {
        assert_eq!(list(&shell, kinds), found, "{kinds}");
    }
    shell.run("ipctool list msg,nonsense").exits(2).says("'nonsense'");
    shell.run("ipctool list msg,").exits(2);
    shell.run("ipctool stat segment:1 -J").shows("\"shm:1\"");
    let dry = shell.run("ipctool rm --kind msg,pmsg --dry-run").ok();
    dry.shows("msg:0").shows("msg:1").shows("pmsg:/jobs").lacks("shm").shows("kind\n");
    shell.run("ipctool rm --all msg,sem --yes").exits(0).says("rm: removed ");
    assert_eq!(list(&shell, "-qms"), "shm:0 shm:1");
}

#[test]
fn keys_in_every_form_and_in_ranges() {
    let Some(shell) = many() else { return };
    for (key, found) in [
        ("0x78000000-0x780000ff", "msg:0 msg:1 shm:0"),
        ("0x78000001-0x780000fe", "shm:0"),
        ("2013265920", "msg:0"),
        ("-559038737", "sem:0"),
        ("0xdeadbeef", "sem:0"),
        ("-600000000--1", "sem:0"),
        ("1-0x7fffffff", "msg:0 msg:1 shm:0"),
    ] {
        assert_eq!(list(&shell, &format!("--key {key}")), found, "{key}");
        assert_eq!(list(&shell, &format!("--key={key}")), found, "{key}");
    }
    shell.run("ipctool list --key 5-1").exits(2).says("0x00000005 to 0x00000001");
    shell.run("ipctool list --key 0-1").exits(2).says("IPC_PRIVATE");
    shell
        .run("ipctool rm --kind msg --key 0x78000000-0x780000ff --yes")
        .exits(0)
        .says("rm: removed ");
    assert_eq!(list(&shell, "-qms"), "shm:0 shm:1 sem:0");
}

#[test]
fn the_key_of_a_failed_ftok_is_pointed_out() {
    let Some(shell) = Sandbox::new() else { return };
    for command in ["list --key -1", "list --key=0xffffffff", "rm --key=-1 --yes"] {
        shell.run(&format!("ipctool {command}")).exits(0).says("ftok");
    }
    shell.run("ipctool create msg --key -1").exits(0).shows("msg:0").says("ftok");
    shell
        .run("ipctool list --key -1 -o ref,key --no-headings")
        .exits(0)
        .shows("0xffffffff")
        .says("ftok");
    shell.run("ipctool list --key -2").ok().denies("ftok");
}

#[test]
fn names_match_patterns() {
    let Some(shell) = many() else { return };
    for (name, found) in [
        ("'/torch_*'", "pshm:/torch_1 pshm:/torch_22 psem:/torch_lock"),
        ("'torch_*' pshm", "pshm:/torch_1 pshm:/torch_22"),
        ("'/torch_?'", "pshm:/torch_1"),
        ("'/torch_[!l]*'", "pshm:/torch_1 pshm:/torch_22"),
        ("/jobs", "pmsg:/jobs"),
        ("'/nothing*'", ""),
        ("'*' --size +1M", "pshm:/cache pshm:/torch_22"),
    ] {
        let found_now = list(&shell, &format!("--sort ref --name {name}"));
        assert_eq!(found_now, found, "{name}");
    }
    shell.run("ipctool list --name '/a/b'").exits(2).says("one slash");
    shell.run("ipctool list --name ''").exits(2).says("at least one character");
    shell.run("ipctool rm --name '/torch_*' --kind pshm --yes").exits(0).says("rm: removed ");
    assert_eq!(list(&shell, "pshm,psem"), "pshm:/cache psem:/torch_lock");
}

#[test]
fn sizes_have_bounds() {
    let Some(shell) = many() else { return };
    for (size, found) in [
        ("+1M", "shm:1 pshm:/cache pshm:/torch_22"),
        ("-4K", "shm:0 pshm:/torch_1"),
        ("4096", "shm:0 pshm:/torch_1"),
        ("=+2097153", ""),
        ("=-4095", ""),
    ] {
        assert_eq!(list(&shell, &format!("--sort ref --size{}", gap(size))), found);
    }
    shell.run("ipctool list --size 5X").exits(2).says("'5X' is not a size");
    shell.run("ipctool list --size +").exits(2).says("'+' is not a size");
}

/// The argument of an option, behind a blank if it does not begin with `=`.
fn gap(argument: &str) -> String {
    if argument.starts_with('=') { argument.to_owned() } else { format!(" {argument}") }
}

#[test]
fn a_kind_is_a_reason_only_alone() {
    let Some(shell) = many() else { return };
    shell
        .run("ipctool rm --kind msg --empty --dry-run")
        .ok()
        .shows("no messages\n")
        .lacks("; kind");
    shell.run("ipctool rm --kind pshm --name '*' --dry-run").ok().shows("name\n").lacks("kind");
}
