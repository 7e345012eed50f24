//! Fits the columns of a table into a line.

/// The blanks between two columns.
pub const GAP: usize = 2;

/// A text column that must be cut keeps at least this many characters, if there is any room for it.
const LEAST: usize = 8;

/// What a column needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The width of its widest cell.
    pub natural: usize,
    /// The width to which it may be cut before another column has to go.
    pub least: usize,
    /// When it goes: 0 never, otherwise the highest first.
    pub rank: u8,
    /// Whether it is a number: a number without its end is a wrong number.
    pub is_number: bool,
}

/// The width of each column in a line of this width; `None` for those that are left out. Columns of
/// sentences are cut first, then columns go by their rank, then columns of words are cut, and at last
/// columns go from the right.
pub fn fit(needs: &[Need], room: usize) -> Vec<Option<usize>> {
    let mut widths: Vec<_> = needs.iter().map(|need| Some(need.least)).collect();
    while total(&widths) > room {
        let shown = needs.iter().enumerate().filter(|(place, _)| widths[*place].is_some());
        match shown.filter(|(_, need)| need.rank > 0).max_by_key(|(_, need)| need.rank) {
            Some((place, _)) => widths[place] = None,
            None => break,
        }
    }
    while total(&widths) > room {
        let words = widths.iter_mut().zip(needs).filter(|(_, need)| !need.is_number);
        match words.filter_map(|(width, _)| width.as_mut()).max() {
            Some(width) if *width > LEAST => *width -= 1,
            _ => break,
        }
    }
    while total(&widths) > room {
        let mut shown = widths.iter_mut().filter(|width| width.is_some());
        let first = shown.next();
        match (shown.next_back(), first) {
            (Some(last), _) => *last = None,
            (None, Some(only)) => {
                *only = Some(room.max(1));
                break;
            }
            (None, None) => break,
        }
    }
    widen(&mut widths, needs, room);
    widths
}

/// Gives the room that is left to the columns that were cut, evenly.
fn widen(widths: &mut [Option<usize>], needs: &[Need], room: usize) {
    let mut left = room.saturating_sub(total(widths));
    while left > 0 {
        let cut = widths
            .iter_mut()
            .zip(needs)
            .filter_map(|(width, need)| width.as_mut().filter(|width| **width < need.natural));
        match cut.min() {
            Some(width) => *width += 1,
            None => return,
        }
        left -= 1;
    }
}

/// The width of a line with these columns.
pub fn total(widths: &[Option<usize>]) -> usize {
    let shown = widths.iter().flatten();
    shown.clone().sum::<usize>() + GAP * shown.count().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn word(natural: usize, rank: u8) -> Need {
        Need { natural, least: natural, rank, is_number: false }
    }

    fn sentence(natural: usize) -> Need {
        Need { natural, least: natural.min(16), rank: 0, is_number: false }
    }

    #[test]
    fn what_has_room_stays() {
        assert_eq!(fit(&[word(5, 0), word(6, 1), sentence(7)], 80), [Some(5), Some(6), Some(7)]);
    }

    #[test]
    fn sentences_give_way_first_then_columns_by_rank() {
        let needs = [word(10, 0), word(10, 2), word(10, 1), sentence(60)];
        assert_eq!(fit(&needs, 80), [Some(10), Some(10), Some(10), Some(44)]);
        assert_eq!(fit(&needs, 50), [Some(10), None, Some(10), Some(26)]);
        assert_eq!(fit(&needs, 30), [Some(10), None, None, Some(18)]);
    }

    #[test]
    fn words_are_cut_and_numbers_are_not() {
        let number = Need { is_number: true, ..word(9, 0) };
        assert_eq!(fit(&[word(60, 0), number], 40), [Some(29), Some(9)]);
        assert_eq!(fit(&[word(60, 0), number], 12), [Some(12), None]);
    }

    proptest! {
        #[test]
        fn no_line_is_too_long(
            columns: Vec<(u8, u8, u8, bool)>, room in 1usize..250,
        ) {
            let needs: Vec<_> = columns.into_iter().map(|(natural, least, rank, is_number)| {
                let natural = usize::from(natural).max(1);
                let least = usize::from(least).clamp(1, natural);
                Need { natural, least, rank, is_number }
            }).collect();
            let widths = fit(&needs, room);
            prop_assert!(total(&widths) <= room, "{widths:?}");
            for (width, need) in widths.iter().zip(&needs) {
                prop_assert!(width.is_none_or(|width| (1..=need.natural.max(room)).contains(&width)));
            }
        }
    }
}
