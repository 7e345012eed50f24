use super::*;
use crate::ipc::message::{Wanted, set_type};
use crate::ipc::posix::{
    FileIdentity, FileKind, MemoryStatus, NamedFile, PosixMemory, PosixQueue, PosixSemaphore,
    SemaphoreState,
};
use crate::ipc::process::observed::Users;
use crate::ipc::process::role::{Role, State};
use crate::ipc::sysv::{Operation, Queue, Segment, SegmentStatus, Semaphore, SemaphoreSet};
use crate::ipc::{Foreign, Key, Kind, Mode, Name, Permissions, Use};
use crate::output::Screen;
use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

const PERMISSIONS: Permissions = Permissions {
    key: Key(0xbeef),
    uid: 0,
    gid: 0,
    cuid: 0,
    cgid: 0,
    mode: Mode::from_bits(0o600),
};

fn canvas(columns: usize) -> Canvas {
    Canvas { columns, glyphs: Glyphs::UTF8, screen: Screen::NONE }
}

fn queue(messages: u64, bytes: u64) -> Object {
    Object::Queue(Queue {
        id: 0,
        permissions: PERMISSIONS,
        changed: None,
        bytes,
        messages,
        max_bytes: Some(16384),
        last_send_pid: 0,
        last_send: None,
        last_recv_pid: 0,
        last_recv: None,
    })
}

fn segment(mode: u32, rss: Option<u64>, swap: Option<u64>, attached: u64) -> Object {
    Object::Segment(Segment {
        id: 0,
        permissions: PERMISSIONS,
        changed: None,
        size: 65536,
        attached,
        status: SegmentStatus::from_mode(mode),
        huge_page: None,
        rss,
        swap,
        creator_pid: 7,
        last_pid: 7,
        last_attach: None,
        last_detach: None,
    })
}

fn file(kind: Kind, name: &str) -> NamedFile {
    NamedFile {
        name: Name::parse(kind, name).unwrap(),
        permissions: PERMISSIONS,
        modified: None,
        made_before: None,
        identity: FileIdentity { device: 1, inode: 1 },
    }
}

fn used(object: Object, users: &[(i32, &str, Role)]) -> Observed {
    let of = |(pid, command, role): &(i32, &str, Role)| Use {
        pid: *pid,
        kind: object.kind(),
        role: role.clone(),
        since: None,
        uid: Some(0),
        command: (!command.is_empty()).then(|| Foreign::command(*command, false)),
        state: if command.is_empty() { State::Gone } else { State::Alive },
        living: None,
        doubt: None,
    };
    let all = users.iter().map(of).collect();
    Observed { users: Some(Users { all, ..Users::default() }), ..Observed::from(object) }
}

fn messages(texts: &[(i64, &[u8])]) -> Vec<Message> {
    let of = |(number, payload): &(i64, &[u8])| {
        let mut message = Message::new(crate::ipc::message::Label::Type(1));
        message.payload_mut().extend(*payload);
        let mut bytes = message.as_bytes().to_vec();
        set_type(&mut bytes, *number);
        Message::from_bytes(&bytes)
    };
    texts.iter().map(of).collect()
}

fn sem(index: u32, value: u32, counts: (u32, u32), last_pid: i32) -> Semaphore {
    Semaphore { index, value, ncount: counts.0, zcount: counts.1, last_pid }
}

/// A set with these semaphores.
fn set(semaphores: &[Semaphore], users: &[(i32, &str, Role)]) -> Observed {
    let nsems = semaphores.len() as u64;
    let permissions = PERMISSIONS;
    let set = SemaphoreSet { id: 0, permissions, changed: None, nsems, last_op: None };
    let observed = used(Object::SemaphoreSet(set), users);
    Observed { semaphores: Some(semaphores.to_vec()), ..observed }
}

fn waits(operations: &[(u16, i16)]) -> Role {
    let of = |&(semaphore, change): &(u16, i16)| Operation { semaphore, change };
    Role::WaitsOnSemaphores(operations.iter().map(of).collect())
}

#[track_caller]
fn is_drawn(observed: &Observed, messages: Option<&[Message]>, canvas: &Canvas, expected: &[&str]) {
    let drawn = draw(observed, messages, canvas);
    assert_eq!(drawn, expected, "\n{}", drawn.join("\n"));
}

#[test]
fn a_queue_with_room_for_all_of_its_messages() {
    let texts: &[(i64, &[u8])] = &[(1, b"an order"), (2, b"two\nlines \x1b[31m"), (30, b"")];
    let receiver = (749, "ipctool recv 0", Role::WaitsToReceive(Wanted::Type(7)));
    is_drawn(
        &used(queue(3, 23), &[receiver]),
        Some(&messages(texts)),
        &canvas(80),
        &[
            "msg:0  3 messages, 23 of 16384 bytes",
            "         ┌ type 1 ──┐ ┌ type 2 ─────────────┐ ┌ type 30 ┐",
            "  recv ◄ │ an order │ │ two\\nlines \\x1b[31m │ │         │ ◄ send",
            "         └ 8 B ─────┘ └ 15 B ───────────────┘ └ 0 B ────┘",
            "  waiting to receive type 7: 749 (ipctool recv 0)",
        ],
    );
}

#[test]
fn a_queue_with_more_messages_than_fit() {
    let all = messages(&[(1, b"a long message that goes on and on".as_slice()); MOST_MESSAGES]);
    is_drawn(
        &used(queue(1000, 16384), &[]),
        Some(&all),
        &canvas(60),
        &[
            "msg:0  1000 messages, 16384 of 16384 bytes, full",
            "         ┌ type 1 ──────┐ ┌ type 1 ──────┐",
            "  recv ◄ │ a long mess… │ │ a long mess… │ +998 more ◄ send",
            "         └ 34 B ────────┘ └ 34 B ────────┘",
        ],
    );
    let drawn = draw(&used(queue(1000, 16384), &[]), Some(&all), &canvas(100)).join("\n");
    assert_eq!(drawn.matches("type 1").count(), 4, "{drawn}");
    assert!(drawn.contains("+996 more ◄ send"), "{drawn}");
}

#[test]
fn a_queue_that_is_empty_or_cannot_be_read() {
    let sender = (12, "", Role::WaitsToSend(1));
    let empty =
        &["msg:0  0 messages, 0 of 16384 bytes", "         ┌───────┐", "  recv ◄ │ empty │ ◄ send"];
    let drawn = draw(&used(queue(0, 0), &[]), None, &canvas(80));
    assert_eq!(drawn[..3], *empty);
    is_drawn(
        &used(queue(2, 5), &[sender]),
        None,
        &Canvas { glyphs: Glyphs::ASCII, ..canvas(80) },
        &[
            "msg:0  2 messages, 5 of 16384 bytes",
            "         +---+ +---+",
            "  recv < | ? | | ? | < send",
            "         +---+ +---+",
            "  waiting to send 1 byte: 12",
        ],
    );
}

#[test]
fn more_processes_than_lines() {
    let receive = |pid, wanted| (pid, "/usr/bin/perl worker.pl", Role::WaitsToReceive(wanted));
    let mut users: Vec<_> = (100..140).map(|pid| receive(pid, Wanted::Any)).collect();
    users.push(users[0].clone());
    is_drawn(
        &used(queue(0, 0), &users),
        None,
        &canvas(50),
        &[
            "msg:0  0 messages, 0 of 16384 bytes",
            "         ┌───────┐",
            "  recv ◄ │ empty │ ◄ send",
            "         └───────┘",
            "  waiting to receive: 100, 101, 102, 103, +36 more",
        ],
    );
    users.extend((1..=5).map(|number| receive(200, Wanted::Type(number))));
    let drawn = draw(&used(queue(0, 0), &users), None, &canvas(80));
    assert_eq!(drawn.len(), 7, "{drawn:#?}");
    assert_eq!(drawn[6], "  +4 more");
    let drawn = draw(&used(queue(0, 0), &[users[0].clone(), users[0].clone()]), None, &canvas(80));
    assert_eq!(drawn[4], "  waiting to receive: 100 (/usr/bin/perl worker.pl), 2 threads");
}

#[test]
fn the_slots_of_a_posix_queue() {
    let jobs = |messages, max_messages| {
        Object::PosixQueue(PosixQueue {
            file: file(Kind::Pmsg, "/jobs"),
            messages,
            bytes: messages.map(|messages| 10 * messages),
            max_messages,
            message_size: Some(512),
            notified_pid: 0,
        })
    };
    // A process that waits has the queue open, which goes without saying.
    let users = [
        (7, "./reader", Role::Open),
        (8, "./waiter", Role::Open),
        (8, "./waiter", Role::WaitsToReceive(Wanted::Any)),
    ];
    is_drawn(
        &used(jobs(Some(3), Some(8)), &users),
        None,
        &canvas(80),
        &[
            "pmsg:/jobs  3 of 8 messages, 30 bytes, each at most 512 bytes",
            "  recv ◄ ■■■□□□□□ ◄ send",
            "  waiting to receive: 8 (./waiter)",
            "  open: 7 (./reader)",
        ],
    );
    let slots =
        |messages, most| draw(&used(jobs(messages, most), &[]), None, &canvas(80))[1].clone();
    assert_eq!(slots(Some(1), Some(65_536)), format!("  recv ◄ ■{} ◄ send", "□".repeat(39)));
    assert_eq!(slots(Some(65_535), Some(65_536)), format!("  recv ◄ {}□ ◄ send", "■".repeat(39)));
    assert_eq!(slots(None, None), "  recv ◄ ? ◄ send");
}

#[test]
fn a_set_with_who_waits_on_each() {
    let mut semaphores = [sem(0, 3, (0, 0), 12), sem(1, 0, (3, 1), 7), sem(2, 32767, (0, 0), 0)];
    let users = [
        (749, "ipctool semop", waits(&[(1, -1)])),
        (750, "perl lock.pl", waits(&[(2, -1), (1, -1)])),
        (751, "perl", waits(&[(1, 0)])),
        (7, "", Role::LastOperation(vec![1])),
        (12, "sleep", Role::LastOperation(vec![0])),
    ];
    is_drawn(
        &set(&semaphores, &users),
        None,
        &canvas(150),
        &[
            "sem:0  3 semaphores",
            "  0  ●●●              3  last: 12",
            "  1  ○                0  ◄ 2 wait for +1: 749 (ipctool), 750 (perl); 1 waits for 0: 751 (perl); 1 waits for an increase  last: 7 (gone)",
            "  2  ●●●●●●●●●●+  32767",
        ],
    );
    semaphores[1].ncount = 2;
    semaphores[1].zcount = 0;
    let of_two = |columns| draw(&set(&semaphores, &users[..2]), None, &canvas(columns))[2].clone();
    let waiting = "  1  ○                0  ◄ 2 wait for +1:";
    assert_eq!(of_two(76), format!("{waiting} 749 (ipctool), 750 (perl)  last: 7"));
    assert_eq!(of_two(75), format!("{waiting} 749, 750  last: 7"));
    assert_eq!(of_two(57), format!("{waiting} 749, 750"));
    assert_eq!(of_two(49), format!("{waiting} 749, +…"));
    assert_eq!(of_two(30), "  1  ○                0  ◄ 2 …");
    let unread = Observed { semaphores: None, ..set(&semaphores[..2], &users) };
    is_drawn(
        &unread,
        None,
        &canvas(50),
        &["sem:0  2 semaphores", "  0  ?  ?", "  1  ?  ?  ◄ 2 wait for +1: 749, 750; 1 waits for…"],
    );
}

#[test]
fn equal_neighbours_in_a_large_set_share_a_line() {
    let mut semaphores: Vec<_> = (0..32_000).map(|index| sem(index, 0, (0, 0), 0)).collect();
    semaphores[7].value = 2;
    semaphores[8] = sem(8, 0, (1, 0), 0);
    is_drawn(
        &set(&semaphores, &[]),
        None,
        &canvas(80),
        &[
            "sem:0  32000 semaphores",
            "      0-6  ○   0",
            "        7  ●●  2",
            "        8  ○   0  ◄ 1 waits for an increase",
            "  9-31999  ○   0",
        ],
    );
    semaphores.iter_mut().for_each(|one| one.value = one.index % 2);
    let drawn = draw(&set(&semaphores, &[]), None, &canvas(80));
    assert_eq!((drawn.len(), drawn[40].as_str()), (41, "  +31961 more"));
}

#[test]
fn the_value_of_a_posix_semaphore() {
    let lock = |state| {
        let file = file(Kind::Psem, "/lock");
        Object::PosixSemaphore(PosixSemaphore { file, state })
    };
    let users =
        [(7, "./a", Role::WaitsForIncrease), (7, "./a", Role::Mapped), (8, "./b", Role::Mapped)];
    is_drawn(
        &used(lock(Some(SemaphoreState { value: 0, waiters: 2 })), &users),
        None,
        &canvas(80),
        &[
            "psem:/lock  value 0",
            "  ○  ◄ 1 waits for +1: 7 (a); 2 wait by its own count",
            "  mapped: 8 (./b)",
        ],
    );
    is_drawn(&used(lock(None), &[]), None, &canvas(80), &["psem:/lock  value ?", "  ?"]);
}

#[test]
fn what_of_memory_is_resident_and_who_has_it_attached() {
    let holder = |pid| (pid, "./hold", Role::Attached);
    is_drawn(
        &used(segment(0o1600, Some(16384), Some(32768), 3), &[holder(7), holder(8)]),
        None,
        &canvas(80),
        &[
            "shm:0  65536 bytes, attached 3 times, dest: marked for destruction",
            "  ████████▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒░░░░░░░░  rss 16K, swap 32K of 64K",
            "  attached: 7 (./hold)",
            "            8 (./hold)",
            "  attached: 1 time more, by whom is unknown",
        ],
    );
    let bar = |rss, swap| draw(&used(segment(0, rss, swap, 0), &[]), None, &canvas(30))[1].clone();
    assert_eq!(bar(Some(0), Some(0)), "  ░░░░░░░░░░░░░  rss 0B of 64K");
    assert_eq!(bar(Some(1), None), "  █░░░░░░░░░░░░  rss 1B of 64K");
    assert_eq!(bar(Some(65536), Some(0)), "  ████████████  rss 64K of 64K");
    assert_eq!(bar(None, None), "  ??????????????  rss ? of 64K");
    let memory = |size, status| {
        let (file, file_kind) = (file(Kind::Pshm, "/cache"), FileKind::Regular);
        used(Object::PosixMemory(PosixMemory { file, size, rss: 0, file_kind, status }), &[])
    };
    is_drawn(
        &memory(0, MemoryStatus::Deleted),
        None,
        &canvas(80),
        &["pshm:/cache  0 bytes, deleted", "    rss 0B of 0B"],
    );
}

#[test]
fn colours_only_where_the_screen_has_them() {
    let observed = used(segment(0o1600, Some(0), Some(0), 0), &[]);
    let screen = Screen { color: true, ..Screen::NONE };
    let drawn = draw(&observed, None, &Canvas { screen, ..canvas(80) });
    assert!(drawn[0].contains("\x1b[1m\x1b[31mdest: marked for destruction\x1b[0m"), "{drawn:?}");
    assert!(draw(&observed, None, &canvas(80)).iter().all(|line| !line.contains('\x1b')));
}

proptest! {
    #[test]
    fn no_line_is_too_long_or_has_control_characters(
        payloads in proptest::collection::vec((1i64.., proptest::collection::vec(any::<u8>(), 0..300)), 0..20),
        more in 0u64..100,
        columns in 1usize..120,
        is_ascii: bool,
    ) {
        let texts: Vec<_> = payloads.iter().map(|(number, text)| (*number, text.as_slice())).collect();
        let total = texts.len() as u64 + more;
        let glyphs = if is_ascii { Glyphs::ASCII } else { Glyphs::UTF8 };
        let canvas = Canvas { glyphs, ..canvas(columns) };
        let users = [
            (1, "a\x1b[31m\nb", Role::WaitsToSend(3)),
            (2, "", Role::WaitsToReceive(Wanted::UpTo(4))),
            (3, "x", waits(&[(0, -1)])),
        ];
        for observed in [
            used(queue(total, 1), &users),
            used(segment(0o1600, Some(total), Some(more), total), &users),
            set(&[sem(0, total as u32, (2, more as u32), 9)], &users),
        ] {
            for line in draw(&observed, Some(&messages(&texts)), &canvas) {
                prop_assert!(line.width() <= columns, "{line}");
                prop_assert!(!line.chars().any(char::is_control), "{line:?}");
            }
        }
    }
}
