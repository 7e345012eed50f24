//! What keys do to a text that is typed, and to a place in a list.

use crate::kernel::terminal::Key;

/// How many characters of an input are taken.
const MOST_TYPED: usize = 200;

/// Types a key into a text.
pub(super) fn type_into(input: &mut String, key: Key) {
    match key {
        Key::Backspace => {
            input.pop();
        }
        Key::DeleteLine => input.clear(),
        Key::Character(character)
            if !character.is_control() && input.chars().count() < MOST_TYPED =>
        {
            input.push(character);
        }
        _ => {}
    }
}

/// The place in a list after a key.
pub(super) fn moved(place: usize, key: Key, count: usize, page: usize) -> usize {
    let last = count.saturating_sub(1);
    let moved = match key {
        Key::Up | Key::Character('k') => place.saturating_sub(1),
        Key::Down | Key::Character('j') => place + 1,
        Key::PageUp => place.saturating_sub(page),
        Key::PageDown => place + page,
        Key::Home | Key::Character('g') => 0,
        Key::End | Key::Character('G') => last,
        _ => place,
    };
    moved.min(last)
}
