//! `ipctool key`

mod sandbox;

use sandbox::Sandbox;

#[test]
fn it_is_the_key_of_the_c_library() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("mkdir directory && touch file").ok();
    shell.compile("ftok");
    for path in ["file", "directory", ".", "/", "/usr", "/dev/null"] {
        for project in ["1", "65", "255", "256257", "0x41"] {
            let c = shell.run(&format!("./ftok {path} $(({project}))")).ok().stdout();
            shell.run(&format!("ipctool key {path} {project}")).prints(&c);
        }
    }
    let letter = shell.run("ipctool key file A").ok().stdout();
    shell.run("ipctool key file 65").prints(&letter);
    let default = shell.run("ipctool key file 1").ok().stdout();
    shell.run("ipctool key file").prints(&default);
}

#[test]
fn a_missing_path_is_an_error_and_never_a_key() {
    let Some(shell) = Sandbox::new() else { return };
    let ran = shell.run("ipctool key missing").exits(3).says("ipctool: key missing: ");
    assert_eq!(ran.stdout(), "");
    shell.run("ipctool key '' 1").exits(2).says("a value is required for '<PATH>'");
    shell.run("ipctool key /etc/passwd/x 1").exits(1).says("(ENOTDIR)");
}

#[test]
fn a_project_is_a_number_or_a_character() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool key . 0").exits(2).says("POSIX leaves that undefined");
    shell.run("ipctool key . 512").exits(2).says("0 in its low 8 bits");
    shell.run("ipctool key . AB").exits(2).says("'AB' is neither a number nor one ASCII character");
    shell.run("ipctool key").exits(2).says("<PATH>");
}
