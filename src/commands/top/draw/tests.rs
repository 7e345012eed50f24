use std::time::Duration;

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::commands::top::app::Action;
use crate::commands::top::board::Key;
use crate::ipc::changes::View;
use crate::ipc::filter::cases::{marked_segment, memory, queue};
use crate::ipc::{Kind, Object, Observed, Time};
use crate::kernel::terminal::Key as Pressed;
use crate::output::Style;

/// A screen with a queue, a segment and shared memory.
fn app() -> App {
    let Object::Queue(mut queue) = queue() else { unreachable!() };
    (queue.messages, queue.bytes, queue.max_bytes) = (3, 512, Some(1024));
    let objects = [Object::Queue(queue), marked_segment(), memory("/a\u{7}b")];
    let view = View { objects: objects.map(Observed::from).into(), ..View::default() };
    let mut app = App::new(Kind::ALL.to_vec(), Style::new(Time(1_000_000)), Duration::from_secs(1));
    app.board.follow(view, Duration::from_secs(1), 15, &app.style);
    app
}

fn drawn(app: &mut App, (columns, rows): (u16, u16), theme: Theme) -> String {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| draw(frame, app, &theme)).unwrap();
    terminal.backend().to_string()
}

#[test]
fn a_queue_has_a_bar_in_either_alphabet() {
    let fine = drawn(&mut app(), (80, 24), Theme::of(true, true));
    assert!(fine.contains("3 messages  █████░░░░░  50%"), "{fine}");
    let coarse = drawn(&mut app(), (80, 24), Theme::of(false, false));
    assert!(coarse.contains("3 messages  #####.....  50%"), "{coarse}");
    assert!(coarse.is_ascii(), "{coarse}");
    // A name never acts on the terminal.
    assert!(fine.contains(r"/a\x07b"), "{fine}");
}

#[test]
fn all_keys_of_the_table_fit() {
    let screen = drawn(&mut app(), (80, 24), Theme::of(true, true));
    for (key, means) in foot::TABLE.iter().filter(|(key, _)| *key != "A") {
        assert!(screen.contains(&format!("{key} {means}")), "{key}: {screen}");
    }
}

#[test]
fn a_question_is_answered_with_yes_or_not_at_all() {
    let mut app = app();
    assert_eq!(app.press(Pressed::Character('x')), None);
    let screen = drawn(&mut app, (80, 24), Theme::of(true, true));
    assert!(screen.contains("remove msg:0 with 3 messages?"), "{screen}");
    assert_eq!(app.press(Pressed::Character('n')), None);
    app.press(Pressed::Character('x'));
    assert!(matches!(app.press(Pressed::Character('y')), Some(Action::Remove(_))));
}

#[test]
fn what_is_typed_filters_at_once_and_escape_takes_it_back() {
    let mut app = app();
    for key in ['/', 's', 'h'] {
        app.press(Pressed::Character(key));
    }
    assert_eq!(app.board.count(), (3, 2));
    app.press(Pressed::Backspace);
    app.press(Pressed::Escape);
    assert_eq!(app.board.count(), (3, 3));
    for key in ['s', 'j', '\n'] {
        app.press(Pressed::Character(key));
    }
    assert_eq!((app.board.key, app.board.descends), (Key::Messages, true));
}

#[test]
fn the_interval_is_changed_step_by_step() {
    let mut app = app();
    for (key, milliseconds) in [('+', 500), ('+', 200), ('-', 500), ('-', 1000), ('-', 2000)] {
        app.press(Pressed::Character(key));
        assert_eq!(app.interval, Duration::from_millis(milliseconds));
    }
    (0..20).for_each(|_| drop(app.press(Pressed::Character('+'))));
    assert_eq!(app.interval, Duration::from_millis(50));
}

proptest! {
    #[test]
    fn no_size_and_no_keys_are_too_much(
        columns in 1u16..320, rows in 1u16..110, keys in proptest::collection::vec(0u8..128, 0..40),
    ) {
        let mut app = app();
        app.is_everywhere = columns % 2 == 0;
        for key in keys {
            let key = match key {
                0..=31 => [
                    Pressed::Up, Pressed::Down, Pressed::PageDown, Pressed::End, Pressed::Escape,
                    Pressed::Backspace, Pressed::Home, Pressed::Character('\n'),
                ][usize::from(key % 8)],
                key => Pressed::Character(char::from(key)),
            };
            app.press(key);
        }
        drawn(&mut app, (columns, rows), Theme::of(rows % 2 == 0, columns % 3 == 0));
    }
}
