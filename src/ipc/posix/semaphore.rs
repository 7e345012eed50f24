//! POSIX named semaphores.

use super::file::NamedFile;

/// A POSIX named semaphore, `sem_overview(7)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PosixSemaphore {
    /// Name, owner and mode.
    pub file: NamedFile,
    /// Its value and waiters; `None` if it cannot be read or has an unknown layout.
    pub state: Option<SemaphoreState>,
}

/// The state that a named semaphore stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SemaphoreState {
    /// Its value, 0 to 2,147,483,647, as `sem_getvalue(3)` returns it.
    pub value: u32,
    /// How many threads wait for it to increase, as the C library counts them. A thread that was killed
    /// while waiting stays in this count.
    pub waiters: u32,
}

impl SemaphoreState {
    /// Reads the `sem_t` in the file of a named semaphore, without changing it. The C libraries have no
    /// call to inspect a semaphore that is only readable, so their layouts are repeated here:
    ///
    /// - glibc, 64 bits (32 bytes): a 64-bit word with the value in its lower half and the number of
    ///   waiters in its upper half, then 128, the mark of a shared semaphore, then zeros;
    /// - glibc, 32 bits (16 bytes): twice the value (its lowest bit says whether there are waiters),
    ///   128, zeros, waiters;
    /// - musl, which stores them elsewhere, [`SemaphoreState::from_musl`].
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

    /// Whether this is a shared semaphore of the C library and the word size of this program, which alone may
    /// operate on it.
    pub fn is_native(bytes: &[u8]) -> bool {
        let word = |place: usize| {
            let word = bytes.get(4 * place..4 * place + 4)?;
            Some(u32::from_ne_bytes(word.try_into().ok()?))
        };
        let is_glibc = match bytes.len() {
            32 => word(2) == Some(128),
            16 => word(1) == Some(128),
            _ => false,
        };
        let has_own_size = bytes.len() == if cfg!(target_pointer_width = "64") { 32 } else { 16 };
        has_own_size && is_glibc == cfg!(target_env = "gnu")
    }

    /// Reads a possible musl `sem_t`: 32 bytes, or 16 on a 32-bit machine, with the value, the number
    /// of waiters, and 0 for shared. The highest bit of the value is a flag that there are waiters;
    /// before musl 1.2.4, -1 is that flag for a semaphore of value 0. The rest is not initialized. So
    /// any memory of this size can look like a semaphore, zeros in particular: call this only if there
    /// is another reason to expect one.
    pub fn from_musl(bytes: &[u8]) -> Option<SemaphoreState> {
        /// The maximum number of threads on Linux.
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
