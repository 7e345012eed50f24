//! `ipctool doctor --json`: the processes that a finding names.

mod sandbox;

use sandbox::{Running, Sandbox};

/// Two threads that wait: to send to queue 0, or to take from semaphore 0 of set 0.
const TWO_THREADS: &str = r#"
    #include <pthread.h>
    #include <string.h>
    #include <sys/ipc.h>
    #include <sys/msg.h>
    #include <sys/prctl.h>
    #include <sys/sem.h>
    struct { long type; char text[8]; } message = { 1, "x" };
    static void *wait_for(void *what) {
        struct sembuf take = { 0, -1, 0 };
        if (strcmp(what, "room")) semop(0, &take, 1); else msgsnd(0, &message, 1, 0);
        return 0;
    }
    int main(int count, char **words) {
        pthread_t thread;
        pthread_create(&thread, 0, wait_for, words[1]);
        prctl(PR_SET_NAME, "ipctool");
        wait_for(words[1]);
        return 0;
    }
"#;

/// The processes of the one finding of a check, which must be two threads of one process.
#[track_caller]
fn names_it_once(shell: &Sandbox, waiting: Running, check: &str) {
    let found = shell.run(&format!("ipctool doctor --only {check} --json")).exits(6);
    let [finding] = &found.records()[..] else { panic!("{}", found.stdout()) };
    let pids = finding["pids"].as_array().expect("an array");
    assert_eq!(pids.len(), 1, "{finding}");
    let why = finding["why"].as_str().expect("words");
    assert!(why.contains("2 threads blocked") || why.contains("2 processes wait"), "{why}");
    waiting.signal("KILL").ends().exits(137);
}

#[test]
fn a_process_of_two_threads_that_wait_is_named_once() {
    let Some(shell) = Sandbox::new() else { return };
    shell.compile("two", TWO_THREADS);
    shell.run("ipctool create msg; ipctool limits --queue-bytes 0 msg:0").exits(0);
    names_it_once(&shell, shell.start("exec ./two room").waits(), "queue-full");
    // Taken by a process that is gone.
    shell.run("ipctool create sem").ok();
    shell.run("perl -e 'semop(0, pack(\"s3\", 0, $_, 0)) or die for 1, -1'").ok();
    names_it_once(&shell, shell.start("exec ./two semaphore").waits(), "stuck-semaphore");
}
