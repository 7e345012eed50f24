//! `ipctool key`

mod sandbox;

use sandbox::{Sandbox, is_root};

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

#[test]
fn find_shows_the_paths_that_have_a_key() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run("mkdir -p tree/a/b && touch tree/a/b/file tree/other && ln -s ../a/b/file tree/a/link")
        .ok();
    shell
        .run("ln tree/a/b/file tree/second && ln -s nowhere tree/broken && ln -s .. tree/a/b/up")
        .ok();
    let key = shell.run("ipctool key tree/a/b/file A").ok().stdout();
    let key = key.trim();
    shell
        .run(&format!("ipctool key --find {key} tree"))
        .prints("tree/a/b/file\ntree/a/link\ntree/second\n");
    shell
        .run(&format!("ipctool key -v --find {key} tree/second"))
        .shows("tree/second")
        .says(&format!("ipctool: key {key}: project 0x41 ('A'), a device number that ends in 0x"))
        .says(&format!("an inode number that ends in 0x{}", &key[6..]));
    // Any project of the same file.
    let other = shell.run("ipctool key tree/a/b/file 9").ok().stdout();
    shell
        .run(&format!("ipctool key --find {} tree/a", other.trim()))
        .prints("tree/a/b/file\ntree/a/link\n");
    // The directory itself, the file itself, and a link as ftok(3) sees it.
    let of_tree = shell.run("ipctool key tree").ok().stdout();
    shell.run(&format!("ipctool key --find {} tree/", of_tree.trim())).prints("tree/\n");
    shell.run(&format!("ipctool key --find {key} tree/second")).prints("tree/second\n");
    let of_other = shell.run("ipctool key tree/other").ok().stdout();
    shell
        .run(&format!("ipctool key -0 --find {} tree | tr '\\0' '\\n'", of_other.trim()))
        .prints("tree/other\n");
    shell.run("ln -s ../../other tree/a/b/link").ok();
    shell
        .run(&format!("ipctool key --find {} tree", of_other.trim()))
        .prints("tree/a/b/link\ntree/other\n");
}

#[test]
fn find_fails_where_no_path_has_the_key() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("mkdir tree && touch tree/file").ok();
    let key = shell.run("ipctool key tree/file").ok().stdout();
    shell.run("rm tree/file").ok();
    let find = format!("ipctool key --find {} tree", key.trim());
    shell
        .run(&find)
        .exits(3)
        .lacks("tree")
        .says("no path in tree has this key")
        .says("hint: the file may");
    shell
        .run("ipctool key --find 0x01ff0000 /proc/self/status")
        .exits(3)
        .says("hint: no file there");
    shell.run("ipctool key --find 0xbeef missing").exits(3).says("key missing: No such file");
    shell
        .run("ipctool key --find 0xffffffff .")
        .exits(2)
        .says("what ftok(3) returns when it fails");
    shell.run("ipctool key --find zz .").exits(2).says("--find: 'zz' is not a key");
    shell.run("ipctool key --find 0 .").exits(2).says("IPC_PRIVATE");
    shell.run("ipctool key --find 0xbeef . 7").exits(2).says("cannot be used with");
    shell.run("ipctool key -0 .").exits(2).says("--find");
}

#[test]
fn find_says_what_it_could_not_search() {
    let Some(shell) = Sandbox::new() else { return };
    shell
        .run("mkdir -p tree/closed && touch tree/closed/file tree/file && chmod 0 tree/closed")
        .ok();
    let key = shell.run("ipctool key tree/file").ok().stdout();
    let find = format!("ipctool key --find {} tree", key.trim());
    let ran = match is_root() {
        true => shell.run_as(54_321, &find).expect("root can be two users"),
        false => shell.run(&find),
    };
    ran.exits(1)
        .shows("tree/file\n")
        .says("key tree/closed: Permission denied (EACCES)")
        .says("1 place could not be searched, so paths may be missing");
}
