//! The lessons that the program brings with it.

use std::sync::LazyLock;

use super::{Lesson, read};

// The files of `lessons/`, in their order: pairs of a name and a text. `build.rs` collects them.
include!(concat!(env!("OUT_DIR"), "/lessons.rs"));

static COURSE: LazyLock<Vec<Lesson>> = LazyLock::new(|| {
    // A test reads them all, so none is left out here.
    TEXTS.iter().filter_map(|(name, text)| read(name, text).ok()).collect()
});

/// All lessons, in the order of the course.
pub fn all() -> &'static [Lesson] {
    &COURSE
}

/// The lesson with this name.
pub fn find(name: &str) -> Option<&'static Lesson> {
    all().iter().find(|lesson| lesson.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::Block;

    #[test]
    fn every_lesson_can_be_read_and_asks_something() {
        assert!(!TEXTS.is_empty());
        for (name, text) in TEXTS {
            let lesson = read(name, text).unwrap_or_else(|mistake| panic!("{name}: {mistake}"));
            let is_question = |block: &Block| matches!(block, Block::Question(_));
            let blocks = || lesson.steps.iter().flat_map(|step| &step.blocks);
            assert!(blocks().any(is_question), "{name} has no question");
            assert!(lesson.steps.iter().any(|step| step.is_task()), "{name} has no task");
            assert!(lesson.about.chars().count() <= 50, "{name}: about is too long");
        }
    }
}
