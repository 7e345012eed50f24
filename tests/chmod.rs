//! `ipctool chmod`

mod sandbox;

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use ipctool::ipc::{Mode, ModeChange};
use proptest::prelude::*;
use sandbox::{NOBODY, Sandbox};

/// One object of each kind, mode 0600, each with the key 0xbeef.
fn one_of_each() -> Option<Sandbox> {
    let shell = Sandbox::new()?;
    shell.run("ipctool create msg --key 0xbeef").ok();
    shell.run("ipctool create shm --key 0xbeef --size 5; ipctool create sem --key 0xbeef").ok();
    Some(shell)
}

fn modes(shell: &Sandbox) -> String {
    let listed = shell.run("ipctool list -o mode --format csv --no-headings").ok().stdout();
    listed.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn octal_and_symbolic_on_every_kind() {
    let Some(shell) = one_of_each() else { return };
    shell.run("ipctool chmod 660 msg:0 shm:0xbeef sem:0").prints("");
    assert_eq!(modes(&shell), "0660 0660 0660");
    shell.run("ipctool chmod --force u=r,g-w,o=u msg:0 sem:0").prints("");
    assert_eq!(modes(&shell), "0444 0660 0444");
    shell.run("ipctool chmod -f -w shm:0").prints("");
    shell.run("ipctool chmod +w,o= sem:0").prints("");
    assert_eq!(modes(&shell), "0444 0440 0660");
    shell.run("ipcs -q -i 0").shows("mode=0444");
}

#[test]
fn verbose_prints_old_and_new() {
    let Some(shell) = one_of_each() else { return };
    shell.run("ipctool chmod -v g+r msg:0xbeef sem:0").prints(
        "msg:0: 0600 (rw-------) → 0640 (rw-r-----)\nsem:0: 0600 (rw-------) → 0640 (rw-r-----)\n",
    );
    shell.run("ipctool chmod -v 640 msg:0").shows("msg:0: unchanged, 0640 (rw-r-----), ");
}

#[test]
fn what_failed_is_said_where_the_output_cannot_be_written() {
    let Some(shell) = one_of_each() else { return };
    shell
        .run("ipctool chmod -v 640 msg:9 msg:0 > /dev/full")
        .exits(1)
        .says("chmod msg:9: no such message queue (EINVAL)")
        .says("cannot write to standard output: No space left on device (ENOSPC)");
}

#[test]
fn bits_that_ipc_has_not_are_refused_with_the_reason() {
    let Some(shell) = one_of_each() else { return };
    shell
        .run("ipctool chmod 755 msg:0")
        .exits(2)
        .says("'755' sets execute bits, which IPC objects do not have");
    shell.run("ipctool chmod u+x msg:0").exits(2).says("'u+x' sets execute bits");
    shell.run("ipctool chmod 1660 msg:0").exits(2).says("'1660' sets set-id or sticky bits");
    shell
        .run("ipctool chmod rw msg:0")
        .exits(2)
        .says("'rw' is not a mode: write it in octal (660) or symbolically (u+rw,g-w,o=)");
    shell.run("ipctool chmod 660").exits(2).says("nothing to change: give a REF or a filter");
    shell.run("ipctool chmod 660 nonsense").exits(2).says("'nonsense' is not a reference");
    assert_eq!(modes(&shell), "0600 0600 0600");
}

#[test]
fn only_the_mode_changes() {
    let Some(shell) = Sandbox::privileged() else { return };
    shell.run("ipctool create msg && ipctool limits --queue-bytes 4321 msg:0").exits(0);
    let rest = "ipctool list --json -o ref,uid,gid,cuid,cgid,max_bytes,bytes";
    let before = shell.run(rest).ok().stdout();
    shell.run("ipctool chmod 646 msg:0").ok();
    shell.run(rest).prints(&before);
    assert!(before.contains("\"max_bytes\":4321"), "{before}");
}

#[test]
fn an_owner_who_is_locked_out_regains_access() {
    let Some(shell) = one_of_each() else { return };
    let lock_and_unlock = |who: &dyn Fn(&str) -> Option<sandbox::Ran>| -> Option<()> {
        for object in ["msg", "shm --size 5", "sem"] {
            let reference = who(&format!("ipctool create {object}"))?.ok().stdout();
            let reference = reference.trim();
            for mode in ["0000", "0200", "0400"] {
                let shown = "ipctool list -o ref,mode --format csv --no-headings";
                who(&format!("ipctool chmod --force {mode} {reference}"))?.prints("");
                who(shown)?.ok().shows(&format!("{reference},{mode}\n"));
                who(&format!("ipctool chmod 600 {reference}"))?.prints("");
                who(shown)?.ok().shows(&format!("{reference},0600\n"));
            }
        }
        Some(())
    };
    match sandbox::is_root() {
        // Root is never locked out.
        true => lock_and_unlock(&|line| shell.run_as(NOBODY, line)),
        false => lock_and_unlock(&|line| Some(shell.run(line))),
    };
}

#[test]
fn locking_oneself_out_warns_and_tells_the_way_back() {
    let Some(shell) = Sandbox::new() else { return };
    let me = |line: &str| match sandbox::is_root() {
        true => shell.run_as(NOBODY, line).expect("root can be two users"),
        false => shell.run(line),
    };
    me("ipctool create msg").prints("msg:0\n");
    me("ipctool chmod 200 msg:0")
        .exits(0)
        .says("ipctool: chmod msg:0: warning: you can no longer read it\n")
        .says("hint: to undo this: ipctool chmod 0600 msg:0\n");
    me("ipctool recv 0 --nowait").exits(5).says("(EACCES)");
    me("ipctool chmod 0 msg:0").exits(0).says("you can no longer write it");
    me("ipctool chmod 400 msg:0").prints("");
    me("ipctool chmod 0600 msg:0").prints("");
    me("ipctool chmod --force 0 msg:0").prints("");
    // Execute bits, which chmod takes none of, do not spoil the way back.
    me("ipctool create msg --mode 777").prints("msg:1\n");
    me("ipctool chmod 0 msg:1").exits(0).says("to undo this: ipctool chmod 0666 msg:1\n");
    // The warning speaks of the caller, and root can always read.
    if sandbox::only_root("only root can always read") {
        shell.run("ipctool chmod 600 msg:0 && ipctool chmod 0 msg:0").prints("");
    }
}

#[test]
fn what_can_be_changed_is_and_each_failure_is_reported() {
    let Some(shell) = one_of_each() else { return };
    shell
        .run("ipctool chmod 640 msg:9 msg:0 shm:0x99 sem:0")
        .exits(3)
        .says("ipctool: chmod msg:9: no such message queue (EINVAL)\n")
        .says("ipctool: chmod shm:0x00000099: no shared memory segment has this key (ENOENT)\n");
    assert_eq!(modes(&shell), "0640 0600 0640");
}

#[test]
fn a_stranger_may_not() {
    let Some(shell) = one_of_each() else { return };
    for object in ["msg:0", "shm:0", "sem:0"] {
        let Some(ran) = shell.run_as(NOBODY, &format!("ipctool chmod 666 {object}")) else {
            return;
        };
        ran.exits(5)
            .says(&format!("chmod {object}: only its owner, its creator or a privileged process may do this (EPERM)\n"))
            .says("owner root:root, creator root; you are nobody (uid 65534) without CAP_SYS_ADMIN\n");
    }
    assert_eq!(modes(&shell), "0600 0600 0600");
}

#[test]
fn a_marked_segment_stays_marked() {
    let Some(shell) = one_of_each() else { return };
    shell
        .run_while_attached(
            0,
            "ipcrm -m 0; ipctool chmod 640 shm:0; \
             ipctool list -m --format csv -o mode,status --no-headings",
        )
        .shows("0640,dest\n");
}

/// MODE strings that `chmod(1)` understands, too: who, operators, rights or a class to copy.
fn symbolic() -> impl Strategy<Value = String> {
    proptest::string::string_regex(
        "[ugoa]{0,3}([+=-](r|w|rw|wr|u|g|o|)){1,3}(,[ugoa]{0,2}([+=-](r|w|rw|u|g|o|)){1,2}){0,2}",
    )
    .expect("a pattern")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The same string on the same mode has the same result as for a file.
    #[test]
    fn symbols_mean_what_they_mean_to_chmod(text in symbolic(), before in 0u32..0o1000) {
        let directory = tempfile::tempdir()?;
        let file = directory.path().join("file");
        std::fs::write(&file, "")?;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(before))?;
        let status = Command::new("sh")
            .args(["-c", "umask 0; exec chmod -- \"$1\" \"$2\"", "sh", &text])
            .arg(&file)
            .status()?;
        prop_assert!(status.success(), "chmod does not understand {}", text);
        let theirs = std::fs::metadata(&file)?.permissions().mode() & 0o777;
        let ours: ModeChange = text.parse()?;
        prop_assert_eq!(ours.apply(Mode::from_bits(before)).bits(), theirs, "{}", text);
    }
}
