//! System V objects are listed by their indexes in the kernel's array or from `/proc/sysvipc`, and both ways give
//! the same.

mod sandbox;

use std::collections::HashSet;

use sandbox::{Ran, Sandbox};

/// A list from the tables: a filter forbids the calls.
const FROM_TABLES: &str = "./forbid EPERM msgctl,semctl,shmctl ipctool list msg,shm,sem --json -o \
    ref,key,owner,mode,creator,cgroup,changed,messages,bytes,last_send,last_recv,last_send_pid,nsems,last_op,\
    size,attached,creator_pid,last_pid,last_attach,last_detach";

/// The same list, by index.
const BY_INDEX: &str = "ipctool list msg,shm,sem --json -o \
    ref,key,owner,mode,creator,cgroup,changed,messages,bytes,last_send,last_recv,last_send_pid,nsems,last_op,\
    size,attached,creator_pid,last_pid,last_attach,last_detach";

/// Creates, uses and removes objects at random.
const CHANGE: &str = r#"perl -e '
    srand($ARGV[0]); my (@queues, @sets, @segments);
    for (1 .. $ARGV[1]) {
        my $what = int rand 8;
        my $key = rand() < 0.5 ? 0 : 1 + int rand 1e9;
        if ($what < 2) { push @queues, msgget($key, 01000 | int rand 512) }
        elsif ($what == 2) { push @sets, semget($key, 1 + int rand 9, 01000 | 0600) }
        elsif ($what == 3 && @queues) { msgsnd($queues[rand @queues], pack("l! a*", 1, "x" x rand 99), 04000) }
        elsif ($what == 4 && @queues) { msgctl(splice(@queues, rand @queues, 1), 0, 0) }
        elsif ($what == 5 && @sets) { semctl(splice(@sets, rand @sets, 1), 0, 0, 0) }
        elsif ($what == 6) { push @segments, shmget($key, 1 + int rand 9999, 01000 | 0600) }
        elsif ($what == 7 && @segments) { shmctl(splice(@segments, rand @segments, 1), 0, 0) }
    }
'"#;

fn references(ran: &Ran) -> Vec<String> {
    let text = |record: &serde_json::Value| record["ref"].as_str().expect("a reference").to_owned();
    ran.records().iter().map(text).collect()
}

#[test]
fn both_ways_give_the_same_in_any_state() {
    let Some(shell) = Sandbox::new().and_then(Sandbox::can_forbid) else { return };
    for seed in 0..12 {
        // From a few objects to some hundreds, with gaps.
        shell.run(&format!("{CHANGE} {seed} {}", 10 * (seed + 1))).ok();
        let from_tables = shell.run(FROM_TABLES).exits(0);
        shell.run(BY_INDEX).prints(&from_tables.stdout());
        assert!(seed < 3 || from_tables.records().len() > 10, "seed {seed}");
    }
}

#[test]
fn few_objects_below_a_high_index() {
    let Some(shell) = Sandbox::new().and_then(Sandbox::can_forbid) else { return };
    let make = r#"perl -e '
        my @all = map { msgget(0, 01600) } 0 .. 400; msgctl($_, 0, 0) for @all[3 .. 399]'"#;
    shell.run(make).ok();
    let found = references(&shell.run("ipctool list msg --json").exits(0));
    assert_eq!(found, ["msg:0", "msg:1", "msg:2", "msg:400"]);
}

#[test]
fn what_is_there_all_the_time_is_listed_once_while_others_come_and_go() {
    let Some(shell) = Sandbox::new().and_then(Sandbox::can_forbid) else { return };
    let stay = r#"perl -e 'for (1 .. 40) { msgget($_, 01600); semget($_, 1, 01600); shmget($_, 1, 01600) }'"#;
    shell.run(stay).ok();
    let change = r#"perl -e '
        $| = 1; print "ready\n";
        while (1) {
            my @queues = map { msgget(0, 01600) } 1 .. 1 + rand 60;
            my @sets = map { semget(0, 1, 01600) } 1 .. 1 + rand 60;
            my @segments = map { shmget(0, 1, 01600) } 1 .. 1 + rand 60;
            msgctl($_, 0, 0) for @queues;
            semctl($_, 0, 0, 0) for @sets;
            shmctl($_, 0, 0) for @segments;
        }'"#;
    let changing = shell.start(&format!("exec {change}")).ready();
    for line in [BY_INDEX, FROM_TABLES, "ipctool list --json"] {
        for _ in 0..40 {
            let list = shell.run(line).exits(0);
            let mut staying = list.records();
            staying.retain(|record| record["key"].is_string());
            assert_eq!(staying.len(), 120, "{line}");
            let found = references(&list);
            let different: HashSet<_> = found.iter().collect();
            assert_eq!(found.len(), different.len(), "{line}");
        }
    }
    changing.signal("TERM").ends();
}
