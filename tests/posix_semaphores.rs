//! Named semaphores as the two C libraries keep them, and who waits on one.

mod sandbox;

use sandbox::{Needs, Sandbox, skip};
use serde_json::json;

/// A sandbox with the program `posix` of [`Sandbox::with_posix`], linked with musl.
fn with_musl() -> Option<Sandbox> {
    let shell = Sandbox::new()?;
    if !shell.run("command -v musl-gcc").stdout().contains("musl-gcc") {
        skip(Needs::Machine, "there is no musl-gcc");
        return None;
    }
    shell.compile_with("musl-gcc -static", "posix");
    Some(shell)
}

#[test]
fn a_semaphore_of_musl_is_the_memory_that_it_is_and_stat_says_what_it_may_be() {
    let Some(shell) = with_musl() else { return };
    shell.run("./posix /lock sem_open 3").prints("3\n");
    shell.run("ipctool list pshm psem -o ref --no-headings").prints("pshm:/lock\n");
    shell
        .run("ipctool stat pshm:/lock")
        .exits(0)
        .shows("semaphore    if a musl program created it as one: value 3, waiters 0\n");
    let stat = shell.run("ipctool stat pshm:/lock --json").exits(0).json();
    assert_eq!(stat[0]["musl_semaphore"], json!({"value": 3, "waiters": 0}));
    for verb in ["stat", "rm", "chmod 600"] {
        shell
            .run(&format!("ipctool {verb} psem:/lock"))
            .exits(3)
            .says("no such POSIX semaphore (ENOENT)")
            .says("hint: only programs that use glibc know that name; pshm:/lock may be the semaphore of a program that uses musl; to see its value: ipctool stat pshm:/lock\n");
    }
    // Ours is another one, which musl's programs do not see.
    shell.run("ipctool create psem --name /lock --value 7").ok();
    shell.run("./posix /lock sem_open 0").prints("3\n");
    shell.run("ipctool list psem -o value --no-headings").prints("7\n");
    shell.run("ipctool rm psem:/lock pshm:/lock").ok();
    shell.run("ls /dev/shm").prints("");
}

/// Not even when a program with musl calls it as glibc's are called.
#[test]
fn the_mark_of_a_waiter_is_no_part_of_the_value_of_musl() {
    let Some(shell) = with_musl() else { return };
    shell.run("./posix /sem.x sem_open 0").prints("0\n");
    let _waiter = shell.start("exec ./posix /sem.x sem_wait");
    shell.wait_until("ipctool list psem --json -o waiters | grep -q ':1'");
    let ran = shell.run("ipctool list psem --json -o ref,value,waiters,waiting");
    assert_eq!(
        ran.json(),
        json!([{"ref": "psem:/x", "value": 0, "waiters": 1, "waiting": 1}]),
        "{}",
        ran.stderr()
    );
}

/// Ordinary memory of that size: nothing that removes semaphores may touch it.
#[test]
fn memory_of_the_size_of_a_semaphore_is_none() {
    let Some(shell) = Sandbox::new() else { return };
    shell.run("ipctool create pshm --name /zeros --size 32").prints("pshm:/zeros\n");
    shell.run("ipctool create pshm --name /small --size 16").prints("pshm:/small\n");
    shell.run("printf 'some words that are just 32 long' > /dev/shm/text").ok();
    shell.run("touch -d '2 days ago' /dev/shm/*").ok();
    shell.run("ipctool list psem").prints("");
    shell.run("ipctool rm --kind psem --yes; ipctool rm --all psem --yes").exits(0);
    shell
        .run("ipctool list pshm psem -o ref --no-headings")
        .prints("pshm:/small\npshm:/text\npshm:/zeros\n");
    let stat = shell.run("ipctool stat pshm:/text --json").exits(0).json();
    assert_eq!(stat[0].get("musl_semaphore"), Some(&json!(null)));
    assert!(!shell.run("ipctool stat pshm:/text").exits(0).stdout().contains("semaphore"));
    shell
        .run("ipctool stat psem:/text")
        .exits(3)
        .says("hint: to see what exists: ipctool list psem");
}

/// glibc counts waiters in the semaphore itself, and a killed waiter stays in the count.
#[test]
fn a_waiter_that_was_killed_is_counted_and_not_found() {
    let Some(shell) = Sandbox::with_posix() else { return };
    shell.run("ipctool create psem --name /s").ok();
    let counts = "ipctool list psem --who --no-headings -o waiters | tr -s ' ' | cut -d ' ' -f 2,3";
    let waiter = shell.start("exec ./posix /s sem_wait");
    shell.wait_until(&format!("[ \"$({counts})\" = '1 1' ]"));
    let waiters = |found: u32| {
        format!(
            "waiters      1 by the count of the C library, including killed threads; {found} found waiting now\n"
        )
    };
    shell.run("ipctool stat psem:/s").exits(0).shows(&waiters(1));
    waiter.signal("KILL").ends().exits(137);
    shell.run(counts).exits(0).shows("1 0\n");
    shell.run("ipctool stat psem:/s").exits(0).shows(&waiters(0));
    shell.run("ipctool list --help").ok().shows("the C library's count of waiting threads");
}
