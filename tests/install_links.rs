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
        .says(
            "ipctool: install-links bin/ipcrm: it is there already, and is no link: left alone, and \
             no link was made\nipctool: install-links bin/msgtool: it is there already, and leads to \
             nowhere, where nothing is: left alone, and no link was made\n\
             hint: to remove that link: rm -- bin/msgtool\n",
        );
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
        .says("install-links nowhere: No such file or directory (ENOENT)\nhint: to make it: mkdir -p -- nowhere\n");
    shell
        .run("ipctool install-links -- '-my dir'")
        .exits(3)
        .says("hint: to make it: mkdir -p -- '-my dir'\n");
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
fn links_follow_the_one_by_which_the_binary_is_called() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run(
            "mkdir bin links 'two words' && cp $(command -v ipctool) v1 && cp v1 v2 && \
             ln -s ../v1 bin/ipctool",
        )
        .ok();
    shell.run("PATH=$PWD/bin:$PATH ipctool install-links links 2> notes; readlink links/ipcs > to; echo $PWD/bin/ipctool | cmp - to").ok();
    shell.run("$PWD/bin/ipctool install-links bin 2> notes; readlink bin/ipcs").prints("ipctool\n");
    // The next version.
    shell.run("ln -sf ../v2 bin/ipctool && rm v1 && links/ipcs -l | grep -c Limits").prints("3\n");
    shell.run("PATH=$PWD/bin:$PATH ipctool install-links links 2> notes").ok();
    // A path that holds in one directory only is none to lead to.
    shell
        .run("bin/ipctool install-links 'two words' 2> notes; readlink 'two words/ipcs' > to; echo $PWD/v2 | cmp - to")
        .ok();
    // Another copy is not taken for this one.
    shell
        .run("cp v2 v3 && ./v3 install-links 'two words'")
        .exits(1)
        .says("/ipcs: it is there already, and leads to /")
        .says("/v2: left alone, and no link was made\nhint: to remove that link: rm -- 'two words/ipcs'\n");
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

#[test]
fn a_directory_that_is_exchanged_for_a_link_costs_nobody_a_file() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("exchange");
    shell.run("mkdir mine others && touch others/ipcs others/msgtool && ln -s others trap").ok();
    shell.run("mkfifo go").ok();
    let runs = "exec 3<> go; ./exchange mine trap < go & \
                for n in $(seq 500); do \
                    ipctool install-links mine > /dev/null 2>&1 && echo >> made || echo >> refused; \
                    find mine/ trap/ -type l -delete 2> /dev/null; \
                done; echo >&3; wait $!; echo $?; ls others; test -s made && test -s refused";
    shell.run(runs).prints("0\nipcs\nmsgtool\n");
}
