//! `ipctool chown`

mod sandbox;

use sandbox::{NOBODY, Sandbox, only_ordinary_user, only_root};

fn owners(shell: &Sandbox) -> String {
    let line = "ipctool list --format csv --no-headings -o uid,gid,cuid,cgid";
    shell.run(line).ok().stdout().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A namespace in which root may give objects away; nothing for anybody else, who is alone in theirs.
fn root() -> Option<Sandbox> {
    if !only_root("only root can be two users") {
        return None;
    }
    let shell = Sandbox::new()?;
    shell.run("ipctool create msg; ipctool create shm --size 5; ipctool create sem").ok();
    Some(shell)
}

#[test]
fn names_numbers_and_groups() {
    let Some(shell) = root() else { return };
    shell.run("ipctool chown nobody msg:0 shm:0 sem:0").prints("");
    assert_eq!(owners(&shell), "65534,0,0,0 65534,0,0,0 65534,0,0,0");
    shell.run("ipctool chown 1:2 msg:0").prints("");
    shell.run("ipctool chown :daemon shm:0").prints("");
    shell.run("ipctool chown daemon: sem:0").prints("");
    assert_eq!(owners(&shell), "1,2,0,0 65534,1,0,0 1,1,0,0");
    shell.run("ipctool chown -v root:root msg:0").prints("msg:0: daemon:bin → root:root\n");
    shell.run("ipcs -m -c").shows("nobody");
}

#[test]
fn only_owner_and_group_change() {
    let Some(shell) = root() else { return };
    shell.run("ipctool chmod 646 msg:0; ipctool limits --queue-bytes 4321 msg:0").exits(0);
    shell.run("ipctool chown 1:2 msg:0").ok();
    shell.run("ipctool list -q --format csv --no-headings -o mode,max_bytes").prints("0646,4321\n");
}

#[test]
fn by_owner_by_creator_and_not_by_a_stranger() {
    let Some(shell) = root() else { return };
    let nobody = |line: &str| shell.run_as(NOBODY, line).unwrap();
    let daemon = |line: &str| shell.run_as(1, line).unwrap();
    nobody("ipctool create msg").prints("msg:1\n");
    // The owner gives it away, and as its creator keeps all rights.
    nobody("ipctool chown daemon msg:1").prints("");
    nobody("ipctool stat msg:1").exits(0).shows("you may read, write, change and remove");
    nobody("ipctool chown nobody msg:1").prints("");
    nobody("ipctool chown daemon msg:1").prints("");
    daemon("ipctool chmod 660 msg:1").prints("");
    // An owner who is not the creator cannot take it back.
    daemon("ipctool chown nobody msg:1")
        .exits(0)
        .says("chown msg:1: warning: you can no longer read, write, change or remove it\n")
        .says("hint: only nobody or a privileged process can undo this\n");
    daemon("ipctool chown daemon msg:1").exits(5).says("(EPERM)").says(
        "owner nobody:nogroup, creator nobody; you are daemon (uid 1) without CAP_SYS_ADMIN\n",
    );
    // The creator can, even if another user owns it.
    shell.run("ipctool create msg && ipctool chown nobody msg:2").exits(0);
    nobody("ipctool chown daemon msg:2")
        .says("only daemon, the creator root or a privileged process can");
    assert_eq!(owners(&shell).split(' ').nth(1), Some("65534,65534,65534,65534"));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg").ok();
    shell
        .run("ipctool chown nobody-of-that-name msg:0")
        .exits(2)
        .says("there is no user 'nobody-of-that-name'");
    shell
        .run("ipctool chown :no-such-group msg:0")
        .exits(2)
        .says("there is no group 'no-such-group'");
    shell.run("ipctool chown : msg:0").exits(2).says("':' names neither an owner nor a group");
    shell.run("ipctool chown '' msg:0").exits(2);
    shell.run("ipctool chown 4294967295 msg:0").exits(2).says("there is no user '4294967295'");
    shell
        .run("ipctool chown 4711: msg:0")
        .exits(2)
        .says("user 4711 is not in the user database, so has no login group");
    shell.run("ipctool chown root").exits(2).says("nothing to change: give a REF or a filter");
    shell.run("ipctool chown 0 msg:9").exits(3).says("no such message queue");
}

#[test]
fn a_user_who_is_not_in_the_namespace_is_explained() {
    if !only_ordinary_user("every user is mapped in the namespace of root") {
        return;
    }
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create msg").ok();
    shell
        .run("ipctool chown 4711 msg:0")
        .exits(1)
        .says("chown msg:0: this user or group is not mapped in your user namespace (EINVAL)\n");
}
