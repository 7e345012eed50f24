//! Objects by kinds, keys, names and sizes, on every command that selects objects.

mod sandbox;

use sandbox::{Sandbox, only_root, sees_everybody};

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

#[test]
fn a_key_or_name_that_one_object_has_needs_no_kind() {
    let Some(shell) = many() else { return };
    shell.run("ipctool stat 0x78000001 -J").exits(0).shows("\"shm:0\"");
    shell.run("ipctool stat /jobs -J").exits(0).shows("\"pmsg:/jobs\"");
    shell
        .run("ipctool chmod -v 640 0xdeadbeef /cache")
        .ok()
        .shows("sem:0: ")
        .shows("pshm:/cache: ");
    shell.run("ipctool chown -v :$(id -g) /torch_lock").ok().shows("psem:/torch_lock: ");
    shell.run("ipctool rm /jobs 0x78000000").ok();
    assert_eq!(list(&shell, "msg,pmsg"), "msg:1");
}

#[test]
fn a_key_or_name_that_several_have_is_refused_with_their_references() {
    let Some(shell) = many() else { return };
    shell.run("ipctool create sem --key 0x78000001").ok();
    shell.run("ipctool create psem --name /cache").ok();
    for command in ["stat", "rm", "chmod 600", "chown :0"] {
        shell
            .run(&format!("ipctool {command} 0x78000001"))
            .exits(2)
            .says("0x78000001: several objects have this key: shm:0, sem:1")
            .says("such as shm:0");
        let both = shell.run(&format!("ipctool {command} /cache")).exits(2);
        both.says("/cache: several objects have this name: pshm:/cache, psem:/cache");
    }
    assert_eq!(list(&shell, "--name /cache"), "pshm:/cache psem:/cache");
    shell.run("ipctool rm /cache msg:0").exits(2);
    assert_eq!(list(&shell, "msg"), "msg:1", "what is clear is removed");
}

#[test]
fn a_key_or_name_that_nobody_has() {
    let Some(shell) = many() else { return };
    shell.run("ipctool stat 0x7").exits(3).says("0x00000007: no object has this key");
    shell.run("ipctool rm /nothing").exits(3).says("/nothing: no object has this name");
    shell.run("ipctool rm -f /nothing 0x7").ok();
    shell.run("ipctool stat 0xffffffff").exits(3).says("ftok");
    shell.run("ipctool stat 0x0").exits(2).says("IPC_PRIVATE");
    shell.run("ipctool stat 5").exits(2).says("write msg:5, shm:5 or sem:5");
}

#[test]
fn a_pattern_is_a_filter() {
    let Some(shell) = many() else { return };
    shell.run("ipctool rm 'pshm:/torch_*'").exits(2).says("needs --yes");
    let dry = shell.run("ipctool rm 'pshm:/torch_*' --dry-run").ok();
    dry.shows("pshm:/torch_1 ").shows("pshm:/torch_22 ").shows("name\n").lacks("psem");
    assert_eq!(list(&shell, "pshm"), list(&shell, "--name '*' pshm"));
    shell
        .run("ipctool rm 'pshm:/torch_*' --yes")
        .exits(0)
        .says("rm: removed 2 POSIX shared memory objects");
    assert_eq!(list(&shell, "pshm,psem"), "pshm:/cache psem:/torch_lock");
    shell.run("ipctool rm 'pshm:/torch_*' --yes").ok();
    // With other filters, with other references, and for every kind.
    shell.run("ipctool rm 'pshm:/*' --size +2M --yes").ok();
    shell.run("ipctool rm msg:0 '/[ct]*' --yes").exits(0);
    assert_eq!(list(&shell, "msg,pmsg,pshm,psem"), "msg:1 pmsg:/jobs");
    shell.run("ipctool rm msg:1 '/j*' --unused --yes").exits(2).says("cannot be combined");
    shell.run("ipctool rm 'shm:/j*' --yes").exits(2).says("has an id or a key");
}

#[test]
fn a_person_is_asked_before_a_pattern_is_used() {
    let Some(shell) = many() else { return };
    let ask = |answer: &str, command: &str| {
        shell.run(&format!("echo {answer} | script -qec \"ipctool {command}\" /dev/null"))
    };
    ask("n", "rm 'pshm:/torch_*'").exits(1).shows("remove 2 POSIX shared memory objects? [y/N]");
    assert_eq!(list(&shell, "pshm"), "pshm:/cache pshm:/torch_1 pshm:/torch_22");
    ask("n", "chmod 644 --kind pshm").exits(1).shows("chmod 3 POSIX shared memory objects? [y/N]");
    assert_eq!(list(&shell, "pshm -P -o mode"), "0600 0600 0600");
    ask("y", "chmod 644 '/torch_*'").exits(0).shows("1 POSIX semaphore?");
    assert_eq!(list(&shell, "pshm,psem -P -o mode"), "0600 0644 0644 0644");
    ask("y", "chown :0 0x7").exits(3);
}

#[test]
fn a_name_with_the_characters_of_patterns_is_printed_so_that_it_is_none() {
    let Some(shell) = Sandbox::with_posix() else { return };
    for name in ["/a1", "/a[1]", "/ab", "/a?", "/a*"] {
        shell.run(&format!("ipctool create pshm --size 1 --name '{name}'")).ok();
    }
    let refs = "ipctool list -o ref --no-headings";
    shell.run(refs).ok().shows("pshm:/a\\x5b1]").shows("pshm:/a\\x3f").shows("pshm:/a\\x2a");
    shell.run(&format!("{refs} | grep x | xargs -d '\\n' ipctool rm -v")).ok();
    assert_eq!(list(&shell, ""), "pshm:/a1 pshm:/ab");
}

#[test]
fn stat_shows_what_a_filter_selects() {
    let Some(shell) = many() else { return };
    shell.run("ipctool stat --kind msg --key 0x780000ff").exits(0).shows("msg:1").lacks("msg:0");
    let found = shell.run("ipctool stat --kind shm,pshm --size -4K -J").exits(0);
    let refs: Vec<_> =
        found.json().as_array().unwrap().iter().map(|one| one["ref"].clone()).collect();
    assert_eq!(refs, ["shm:0", "pshm:/torch_1"]);
    shell.run("ipctool stat 'pshm:/torch_?' pshm:/torch_1 -J").exits(0).shows("/torch_1");
    assert_eq!(
        shell.run("ipctool stat '/torch_?' pshm:/torch_1 -J").json().as_array().unwrap().len(),
        1
    );
    shell.run("ipctool stat --owner daemon").prints("");
    shell.run("ipctool stat --owner daemon -J").prints("[]\n");
    if sees_everybody() {
        shell.run("ipctool stat --unused --kind msg -J").ok().shows("max_bytes\":16384");
    }
    shell.run("ipctool stat msg:0 --unused").exits(2).says("cannot be combined with a filter");
    shell.run("ipctool stat --ignore daemon").exits(2).says("nothing to show");
}

#[test]
fn chmod_and_chown_change_what_a_filter_selects() {
    let Some(shell) = many() else { return };
    shell.run("ipctool chmod 644 --kind msg").exits(2).says("needs --yes");
    shell.run("ipctool chmod 644").exits(2).says("nothing to change");
    shell.run("ipctool chmod 644 msg:0 --empty").exits(2).says("cannot be combined with a filter");
    let dry = shell.run("ipctool chmod 644 --kind msg,shm --dry-run").ok();
    dry.shows("msg:0 ").shows("shm:1 ").shows("kind\n");
    shell.run("ipctool chmod 644 -n msg:0 0x78000001").prints("msg:0\nshm:0\n");
    shell.run("ipctool chmod 644 -n msg:7").exits(3);
    assert_eq!(list(&shell, "msg,shm -P -o mode"), "0600 0600 0600 0600");
    // Without a look at every process it is in doubt what is unused.
    let unused = if sees_everybody() { "--unused" } else { "" };
    shell
        .run(&format!("ipctool chmod 644 --kind msg {unused} --yes -v"))
        .ok()
        .shows("msg:0: ")
        .shows("msg:1: ");
    shell.run("ipctool chmod 640 --size +1M --yes").ok();
    assert_eq!(list(&shell, "msg,shm -P -o mode"), "0644 0644 0600 0640");
    shell.run("ipctool chmod 600 --key 5 --yes").prints("");
    if !only_root("only root can give objects away") {
        return;
    }
    shell.run("ipctool chown 1 --name '/torch_*' --kind pshm --yes").ok();
    assert_eq!(list(&shell, "--owner 1"), "pshm:/torch_1 pshm:/torch_22");
    shell.run("ipctool chown 2:2 --owner 1 -y -v").ok().shows("pshm:/torch_1: ");
    assert_eq!(list(&shell, "--owner 1"), "");
}

#[test]
fn a_pattern_that_is_a_name_means_this_object() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run("ipctool create pshm --name '/a*' --size 1; ipctool create pshm --name /ab --size 1")
        .exits(0);
    shell.run("ipctool rm 'pshm:/a*'").ok();
    shell.run("ipctool list pshm -o ref --no-headings").prints("pshm:/ab\n");
    // Now it is a pattern again.
    shell.run("ipctool rm 'pshm:/a*'").exits(2).says("needs --yes");
    shell.run("ipctool create pshm --name '/a?' --size 1; ipctool rm '/a?'").exits(0);
    shell.run("ipctool list pshm -o ref --no-headings").prints("pshm:/ab\n");
}
