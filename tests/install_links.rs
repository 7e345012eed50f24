//! `ipctool install-links`

mod sandbox;

use sandbox::Sandbox;

#[test]
fn four_links_lead_to_the_binary() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("mkdir bin && PATH=$PWD/bin:$PATH ipctool install-links bin").prints("");
    shell.run("ls bin | tr '\\n' ' '").prints("ipcmk ipcrm ipcs msgtool ");
    shell.run("bin/ipcmk -Q && bin/ipcs -q | grep -c ^0x").prints("Message queue id: 0\n1\n");
    // Again, and after one is gone.
    shell.run("PATH=$PWD/bin:$PATH ipctool install-links bin").prints("");
    shell
        .run("rm bin/ipcs; PATH=$PWD/bin:$PATH ipctool install-links -v bin")
        .ok()
        .shows("bin/ipcs -> /");
}

#[test]
fn nothing_is_overwritten_and_then_nothing_is_made() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("mkdir bin && echo mine > bin/ipcrm && ln -s nowhere bin/msgtool").ok();
    shell
        .run("ipctool install-links bin")
        .exits(1)
        .says("ipctool: install-links bin/ipcrm: it is there already, and is not ipctool")
        .says("ipctool: install-links bin/msgtool: it is there already");
    shell
        .run("ls bin | tr '\\n' ' '; cat bin/ipcrm; readlink bin/msgtool")
        .prints("ipcrm msgtool mine\nnowhere\n");
}

#[test]
fn what_is_no_directory_is_told() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run("ipctool install-links nowhere")
        .exits(3)
        .says("install-links nowhere: No such file or directory (ENOENT)\nhint: 'mkdir -p nowhere' makes it\n");
    shell.run("touch file && ipctool install-links file").exits(1).says("(ENOTDIR)");
    shell.run("ipctool install-links").exits(2).says("<DIR>");
    if let Some(ran) = shell
        .run_as(sandbox::NOBODY, "mkdir shut && chmod 500 shut && ./ipctool install-links shut")
    {
        ran.exits(5).says("install-links shut/ipcs: Permission denied (EACCES)");
    }
}

#[test]
fn links_beside_the_binary_move_with_it() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run("mkdir bin && cp $(command -v ipctool) bin && bin/ipctool install-links bin 2> notes")
        .exits(0);
    shell
        .run("readlink bin/ipcs && mv bin moved && moved/ipcs -l | grep -c Limits")
        .prints("ipctool\n3\n");
}

#[test]
fn what_a_shell_finds_in_place_of_them_is_told() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("mkdir first bin && cp /bin/true first/ipcs").ok();
    shell
        .run("PATH=$PWD/first:$PWD/bin:$PATH ipctool install-links bin")
        .exits(0)
        .says("ipctool: install-links: note: with your PATH, a shell still runs /")
        .says("/first/ipcs\n");
}
