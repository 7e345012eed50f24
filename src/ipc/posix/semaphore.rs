//! POSIX named semaphores.

use super::file::NamedFile;

/// A POSIX named semaphore, `sem_overview(7)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PosixSemaphore {
    /// Name, owner and mode.
    pub file: NamedFile,
    /// Its value and who waits; nothing where it may not be read, or is laid out in a way that is
    /// not known.
    pub state: Option<SemaphoreState>,
}

/// What a named semaphore says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SemaphoreState {
    /// Its value, 0 to 2,147,483,647, as `sem_getvalue(3)` gives it.
    pub value: u32,
    /// How many threads wait for it to grow, as the C library counts them: one that was killed while it
    /// waited stays in this count.
    pub waiters: u32,
}

impl SemaphoreState {
    /// Reads the `sem_t` that the file of a named semaphore holds, without touching it. The layouts
    /// are those of the C libraries, which give no other way to look at one that may only be read:
    ///
    /// - glibc, 64 bits (32 bytes): a word of 64 bits with the value in its lower half and the number
    ///   of waiters in its upper one, then the mark 128 of a shared semaphore, then nothing;
    /// - glibc, 32 bits (16 bytes): twice the value (its lowest bit tells of waiters), 128, nothing,
    ///   waiters;
    /// - musl, which has its own place for them, [`SemaphoreState::from_musl`].
    pub fn from_file(bytes: &[u8]) -> Option<SemaphoreState> {
        const GLIBC_SHARED: u32 = 128;
        let (words, []) = bytes.as_chunks::<4>() else { return None };
        let words: Vec<u32> = words.iter().map(|word| u32::from_ne_bytes(*word)).collect();
        let state = match *words.as_slice() {
            [first, second, GLIBC_SHARED, 0, 0, 0, 0, 0] => {
                let (value, waiters) =
                    if cfg!(target_endian = "little") { (first, second) } else { (second, first) };
                SemaphoreState { value, waiters }
            }
            [doubled, GLIBC_SHARED, _, waiters] => SemaphoreState { value: doubled >> 1, waiters },
            _ => return SemaphoreState::from_musl(bytes),
        };
        (state.value <= i32::MAX as u32).then_some(state)
    }

    /// Reads what may be a `sem_t` of musl: 32 bytes, or 16 on a machine of 32 bits, with the value, the
    /// number of waiters, and 0 for shared. The highest bit of the value says that somebody waits, and is
    /// no part of it; before musl 1.2.4, -1 says so of a semaphore of value 0. What follows is not
    /// initialised. So no rule can tell a semaphore from any other memory of this size, which is as often
    /// full of zeros: this is for those who know, or say, that it may be one.
    pub fn from_musl(bytes: &[u8]) -> Option<SemaphoreState> {
        /// The most threads that Linux has.
        const MOST: u32 = 1 << 22;
        let (words, []) = bytes.as_chunks::<4>() else { return None };
        let [value, waiters, shared, _, rest @ ..] = words else { return None };
        let [value, waiters, shared] =
            [value, waiters, shared].map(|word| u32::from_ne_bytes(*word));
        let is_one = matches!(rest.len(), 0 | 4) && shared == 0 && waiters <= MOST;
        let value = if value == u32::MAX { 0 } else { value & i32::MAX as u32 };
        is_one.then_some(SemaphoreState { value, waiters })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_layouts_of_a_named_semaphore() {
        let state = |words: &[u32]| {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
            SemaphoreState::from_file(&bytes).map(|state| (state.value, state.waiters))
        };
        if cfg!(target_endian = "little") {
            assert_eq!(state(&[3, 2, 128, 0, 0, 0, 0, 0]), Some((3, 2)), "glibc, 64 bits");
        }
        assert_eq!(state(&[7, 128, 0, 1]), Some((3, 1)), "glibc, 32 bits");
        assert_eq!(state(&[3, 0, 0, 0, 0, 0, 0, 0]), Some((3, 0)), "musl, 64 bits");
        assert_eq!(state(&[0x8000_0000, 1, 0, 0]), Some((0, 1)), "musl, 32 bits, with a waiter");
        assert_eq!(state(&[0x8000_0002, 1, 0, 0, 0, 0, 0, 0]), Some((2, 1)), "with a waiter");
        assert_eq!(state(&[u32::MAX, 1, 0, 0, 0, 0, 0, 0]), Some((0, 1)), "an older musl");
        assert_eq!(
            state(&[3, 0, 0, 0, 9, 9, 9, 9]),
            Some((3, 0)),
            "musl leaves the rest as it was"
        );
        assert_eq!(state(&[3, 0, 7, 0, 0, 0, 0, 0]), None);
        assert_eq!(state(&[3, 0x6c6c_6568, 0, 0, 0, 0, 0, 0]), None, "text");
        assert_eq!(state(&[3, 0, 0]), None);
        assert_eq!(SemaphoreState::from_file(&[0; 33]), None);
    }

    proptest! {
        #[test]
        fn no_file_panics(bytes: Vec<u8>) {
            let _ = SemaphoreState::from_file(&bytes);
        }
    }
}
