//! Segments in huge pages, `SHM_HUGETLB` in `shmget(2)`. The kernel says of none that it has them: what
//! tells are its place in the memory of a process, and a mistake in how the kernel counts them.

use std::cell::OnceCell;
use std::fs;

use crate::ipc::{Object, Segment};
use crate::kernel::namespace::identity::Handle;
use crate::kernel::process;
use crate::kernel::process::scan::{Scan, ScanScope};

/// The sizes of huge pages that this kernel has, in bytes, in no order.
fn sizes() -> Vec<u64> {
    let entries = fs::read_dir("/sys/kernel/mm/hugepages").into_iter().flatten().flatten();
    let size = |name: &str| {
        let kilobytes = name.strip_prefix("hugepages-")?.strip_suffix("kB")?;
        Some(kilobytes.parse::<u64>().ok()? * 1024)
    };
    entries.filter_map(|entry| size(entry.file_name().to_str()?)).collect()
}

/// Corrects a segment as `/proc/sysvipc/shm` shows it, if it is larger in memory than at all.
pub(in crate::kernel) fn correct(object: &mut Object) {
    let Object::Segment(segment) = object else { return };
    let page = process::page_size();
    if segment.rss.is_some_and(|rss| rss > segment.size.div_ceil(page).saturating_mul(page))
        && let Some(huge_page) = segment.proven_huge_page(&sizes(), page)
    {
        segment.set_huge_page(huge_page, page, None);
    }
}

/// Finds the segments in huge pages, and looks at the processes only if there may be one.
#[derive(Debug)]
pub struct Finder {
    namespace: Handle,
    are_reserved: OnceCell<bool>,
    scan: OnceCell<Scan>,
}

impl Finder {
    /// Of the segments of this namespace.
    pub fn new(namespace: &Handle) -> Finder {
        Finder {
            namespace: namespace.clone(),
            are_reserved: OnceCell::new(),
            scan: OnceCell::new(),
        }
    }

    /// Adds that a segment has huge pages, if it has, is attached, and one of the processes that have it
    /// attached may be inspected.
    pub fn complete(&self, segment: &mut Segment) {
        if segment.attached == 0 || segment.swap.is_some_and(|swap| swap > 0) {
            return;
        }
        /// No machine has smaller ones.
        const SMALLEST: u64 = 64 << 10;
        let may_have_some = segment.rss.is_none_or(|rss| rss % SMALLEST == 0);
        if !may_have_some || !*self.are_reserved.get_or_init(are_reserved) {
            return;
        }
        let scan = self.scan.get_or_init(|| {
            let mut scope = ScanScope::default();
            scope.attachments = true;
            // What cannot be looked at stays without this word.
            Scan::new(&self.namespace, &scope).unwrap_or_default()
        });
        scan.complete(segment);
    }
}

/// Whether the machine has set memory aside for huge pages.
fn are_reserved() -> bool {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Hugetlb:"));
    line.is_none_or(|rest| rest.trim().split(' ').next() != Some("0"))
}
