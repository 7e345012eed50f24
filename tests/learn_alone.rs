//! Lessons of `ipctool learn` that use up what a user may have, or measure the memory of the machine: nothing is played
//! beside them.

mod sandbox;

use sandbox::{Needs, Sandbox, skip};

#[test]
fn lessons_that_disturb_each_other_are_right() {
    let Some(shell) = Sandbox::new() else { return };
    for lesson in ["emfile", "memory"] {
        let ran = shell.run(&format!("TMPDIR=$PWD ipctool learn --check {lesson}"));
        if ran.status() == 5 {
            return skip(Needs::Machine, "no namespace is to be had here");
        }
        ran.ok().shows("all good");
    }
}
