//! Names, command lines and directories that somebody has chosen in order to harm who looks at them.

mod sandbox;

use sandbox::{NOBODY, Sandbox};

#[test]
fn a_report_does_not_go_where_the_link_of_another_user_leads() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run("mkdir shared dir && chmod 1777 shared && echo old > victim && chmod 600 victim")
        .ok();
    let plant = "ln -s ../victim shared/report; ln -s ../new shared/fresh; ln -s ../dir shared/way";
    let Some(planted) = shell.run_as(NOBODY, plant) else { return };
    planted.ok();
    for path in ["shared/report", "shared/fresh", "shared/way/report"] {
        shell
            .run(&format!("ipctool guard --report {path} touch ran"))
            .exits(5)
            .says("guard --report shared/")
            .says("a link of user nobody in a directory where every user can make one is not followed (EACCES)");
    }
    shell
        .run("cat victim; ls dir; test -e new || test -e ran || echo nothing")
        .prints("old\nnothing\n");
    // One's own, and one in a directory where nobody else makes any.
    shell.run("ln -s ../victim shared/own; ipctool guard --report shared/own true").ok();
    shell.run("grep -c leaks victim; stat -c %a victim; test -L shared/own").prints("1\n600\n");
    shell
        .run("ln -s dir/new link; ipctool guard --report link true; grep -c leaks dir/new")
        .prints("1\n");
    // A second name that another user may have given to a file is no way into it.
    shell
        .run("echo old > victim; ln victim shared/hard; ipctool guard --report shared/hard true")
        .ok();
    shell.run("cat victim; grep -c leaks shared/hard").prints("old\n1\n");
    // What can be named by a descriptor alone.
    shell.run("ipctool guard --report /dev/fd/3 true 3> three; grep -c leaks three").prints("1\n");
    shell.run("ipctool guard --report /dev/stderr true 2>&1 | grep -c leaks").prints("1\n");
}
