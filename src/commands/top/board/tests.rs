use super::*;
use crate::ipc::filter::cases::{marked_segment, queue};
use crate::ipc::{Key as IpcKey, Time};

const SECOND: Duration = Duration::from_secs(1);

fn style() -> Style {
    Style::new(Time(0))
}

/// Queues with these ids and numbers of messages, and a segment.
fn objects(all: &[(i32, u64)]) -> Vec<Observed> {
    let with = |&(number, many): &(i32, u64)| {
        let Object::Queue(mut queue) = queue() else { unreachable!() };
        (queue.id, queue.messages, queue.bytes) = (number, many, 10 * many);
        queue.max_bytes = Some(1000);
        queue.permissions.key = IpcKey(0xa0 + number);
        Observed::from(Object::Queue(queue))
    };
    all.iter().map(with).chain([Observed::from(marked_segment())]).collect()
}

fn board(all: &[(i32, u64)]) -> Board {
    let mut board = Board::new(vec![Kind::Msg, Kind::Shm]);
    follow(&mut board, all);
    board
}

fn follow(board: &mut Board, all: &[(i32, u64)]) {
    board.follow(View { objects: objects(all), ..View::default() }, 2 * SECOND, 15, &style());
}

fn rows(board: &Board) -> Vec<String> {
    let (_, shown) = board.count();
    (0..shown).map(|row| board.object(row).unwrap().reference().to_string()).collect()
}

#[test]
fn rates_are_changes_a_second() {
    let mut board = board(&[(0, 4), (1, 1)]);
    assert_eq!(board.rate(board.object(0).unwrap()), Rate::default());
    follow(&mut board, &[(0, 7), (1, 1)]);
    assert_eq!(board.rate(board.object(0).unwrap()), Rate { messages: 1.5, bytes: 15.0 });
    assert_eq!(board.rate(board.object(1).unwrap()), Rate::default());
    follow(&mut board, &[(0, 7), (1, 0)]);
    assert_eq!(board.rate(board.object(0).unwrap()), Rate::default());
    assert_eq!(board.rate(board.object(1).unwrap()).messages, -0.5);
}

#[test]
fn a_history_goes_back_to_the_first_look() {
    let mut board = board(&[(0, 4)]);
    let depths = |board: &Board, count| board.depths(board.object(0).unwrap(), count).unwrap();
    assert_eq!(depths(&board, 3), [40]);
    for many in [4, 5, 5, 0] {
        follow(&mut board, &[(0, many)]);
    }
    assert_eq!(depths(&board, 9), [40, 40, 50, 50, 0]);
    assert_eq!(depths(&board, 2), [50, 0]);
    for _ in 0..HISTORY {
        follow(&mut board, &[(0, 0)]);
    }
    assert_eq!(depths(&board, HISTORY), [0; HISTORY]);
    // One that appears has no past.
    follow(&mut board, &[(0, 0), (9, 3)]);
    assert_eq!(board.depths(board.object(1).unwrap(), 3).unwrap(), [30]);
    follow(&mut board, &[(0, 0), (9, 4)]);
    assert_eq!(board.depths(board.object(1).unwrap(), 3).unwrap(), [30, 40]);
    assert_eq!(board.depths(board.object(2).unwrap(), 3), None);
}

#[test]
fn rows_are_chosen_and_sorted() {
    let mut board = board(&[(0, 1), (1, 5), (2, 3)]);
    assert_eq!(rows(&board), ["msg:0", "msg:1", "msg:2", "shm:0"]);
    (board.key, board.descends) = (Key::Column("messages"), true);
    board.arrange(&style());
    assert_eq!(rows(&board), ["msg:1", "msg:2", "msg:0", "shm:0"]);
    board.kinds = vec![Kind::Msg];
    board.search = "0XA1".to_owned();
    board.arrange(&style());
    assert_eq!((rows(&board), board.count()), (vec!["msg:1".to_owned()], (4, 1)));
    board.search = "nothing".to_owned();
    board.arrange(&style());
    assert!(board.selected().is_none());
    board.search.clear();
    (board.key, board.kinds) = (Key::Messages, Kind::ALL.to_vec());
    follow(&mut board, &[(0, 1), (1, 9), (2, 3)]);
    assert_eq!(rows(&board)[0], "msg:1");
}

#[test]
fn the_selected_object_stays_so_as_long_as_it_is_there() {
    let mut board = board(&[(0, 1), (1, 5), (2, 3)]);
    let selected = |board: &Board| board.selected().unwrap().reference().to_string();
    board.select(1);
    follow(&mut board, &[(1, 5), (2, 3)]);
    assert_eq!((selected(&board).as_str(), board.row()), ("msg:1", 0));
    // The next one is in its place then.
    follow(&mut board, &[(2, 3)]);
    assert_eq!((selected(&board).as_str(), board.row()), ("msg:2", 0));
    board.select(9);
    assert_eq!(selected(&board), "shm:0");
}
