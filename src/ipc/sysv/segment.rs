//! System V shared memory.

use crate::ipc::{Permissions, Time};

/// A System V shared memory segment, `struct shmid_ds` in `shmctl(2)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its identifier.
    pub id: i32,
    /// Key, owners and mode.
    pub permissions: Permissions,
    /// When it was created or last changed by `IPC_SET`.
    pub changed: Option<Time>,
    /// Size in bytes, as requested at creation.
    pub size: u64,
    /// `shm_nattch`: the current number of attaches.
    pub attached: u64,
    /// The bits of the mode that are not permissions.
    pub status: SegmentStatus,
    /// Size in bytes of its huge pages, `SHM_HUGETLB` in `shmget(2)`. `None` for ordinary pages, and if
    /// it is not known: the kernel does not show it for a segment that is not attached.
    pub huge_page: Option<u64>,
    /// Bytes in memory; `None` on older kernels. See also [`Segment::set_huge_page`].
    pub rss: Option<u64>,
    /// Bytes swapped out; `None` on older kernels.
    pub swap: Option<u64>,
    /// The process that created it.
    pub creator_pid: i32,
    /// The process that last attached or detached it; 0 for none.
    pub last_pid: i32,
    /// When it was last attached.
    pub last_attach: Option<Time>,
    /// When it was last detached.
    pub last_detach: Option<Time>,
}

impl Segment {
    /// The names of its states: `dest`, `locked`, `hugetlb`. There is none for `SHM_NORESERVE`, which
    /// the kernel does not expose.
    pub fn status_names(&self) -> impl Iterator<Item = &'static str> {
        self.status.names().chain(self.huge_page.map(|_| "hugetlb"))
    }

    /// Sets the size of its huge pages, where an ordinary page has `page` bytes, and corrects `rss`:
    /// since Linux 6.7 the kernel treats the count of ordinary pages in it as one of huge pages.
    ///
    /// `resident` is the number of bytes in memory, if another source shows it, and replaces `rss`.
    /// Otherwise `rss` stays if it can be right, is converted if it cannot be, and becomes `None` if it
    /// may be either.
    pub fn set_huge_page(&mut self, huge_page: u64, page: u64, resident: Option<u64>) {
        let room = self.size.div_ceil(huge_page).saturating_mul(huge_page);
        let factor = huge_page / page;
        self.huge_page = Some(huge_page);
        self.rss = match (self.rss, resident) {
            (Some(_), Some(resident)) => Some(resident),
            (Some(rss), None) if rss > room => Some(rss / factor),
            (Some(rss @ 1..), None) if rss % (huge_page * factor) == 0 => None,
            (rss, None) => rss,
            (None, _) => None,
        };
    }

    /// The size of its huge pages, one of `sizes`, if `rss` proves that it has some: it exceeds the
    /// size of the segment, which is impossible with ordinary pages of `page` bytes.
    pub fn proven_huge_page(&self, sizes: &[u64], page: u64) -> Option<u64> {
        let rss = self.rss?;
        let is_proven = |&&huge_page: &&u64| {
            let factor = huge_page / page;
            let room = self.size.div_ceil(huge_page).saturating_mul(huge_page);
            rss > room && rss % (huge_page * factor) == 0 && rss / factor <= room
        };
        sizes.iter().find(is_proven).copied()
    }
}

/// The bits of a segment's mode that are not permissions, as in the kernel's `shm.h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SegmentStatus(u32);

impl SegmentStatus {
    /// `SHM_HUGETLB` and `SHM_NORESERVE` are flags of `shmget(2)` only and never appear in a mode.
    const NAMES: [(u32, &'static str); 2] = [(0o1000, "dest"), (0o2000, "locked")];

    /// Extracts the bits from a raw mode.
    pub fn from_mode(mode: u32) -> SegmentStatus {
        SegmentStatus(mode & !0o777)
    }

    /// The bits, at their places in the raw mode.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Locked into memory.
    pub fn is_locked(self) -> bool {
        self.0 & 0o2000 != 0
    }

    /// Marked for destruction: it is destroyed when the last process detaches it.
    pub fn is_marked(self) -> bool {
        self.0 & 0o1000 != 0
    }

    /// The names of the bits that are set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().filter(move |(bit, _)| self.0 & bit != 0).map(|&(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::{Key, Mode};

    const PAGE: u64 = 4096;
    const SIZES: [u64; 2] = [2 << 20, 1 << 30];

    fn segment(size: u64, rss: u64) -> Segment {
        let mode = Mode::from_bits(0o600);
        let permissions = Permissions { key: Key::PRIVATE, uid: 0, gid: 0, cuid: 0, cgid: 0, mode };
        Segment {
            id: 0,
            permissions,
            changed: None,
            size,
            attached: 0,
            status: SegmentStatus::default(),
            huge_page: None,
            rss: Some(rss),
            swap: Some(0),
            creator_pid: 0,
            last_pid: 0,
            last_attach: None,
            last_detach: None,
        }
    }

    #[test]
    fn more_in_memory_than_there_is_proves_huge_pages() {
        let proven = |size, rss| segment(size, rss).proven_huge_page(&SIZES, PAGE);
        assert_eq!(proven(4 << 20, 1 << 30), Some(2 << 20), "one of two pages");
        assert_eq!(proven(1 << 30, 1 << 48), Some(1 << 30), "the only page");
        assert_eq!(proven(4 << 20, 4 << 20), None);
        assert_eq!(proven(5000, 8192), None);
        assert_eq!(proven(5000, 2 << 20), None, "a transparent huge page");
        assert_eq!(proven(4 << 20, 3 << 30), None, "three of two pages");
    }

    #[test]
    fn what_is_in_memory_is_in_the_right_unit_or_not_known() {
        let mended = |size, rss, resident| {
            let mut segment = segment(size, rss);
            segment.set_huge_page(2 << 20, PAGE, resident);
            assert_eq!(segment.status_names().collect::<Vec<_>>(), ["hugetlb"]);
            segment.rss
        };
        assert_eq!(mended(4 << 20, 1 << 30, None), Some(2 << 20));
        assert_eq!(mended(4 << 20, 0, None), Some(0));
        assert_eq!(mended(4 << 20, 2 << 20, None), Some(2 << 20), "Linux before 6.7");
        assert_eq!(mended(2 << 30, 1 << 30, None), None, "half of it, or one page");
        assert_eq!(mended(2 << 30, 1 << 30, Some(2 << 20)), Some(2 << 20));
    }
}
