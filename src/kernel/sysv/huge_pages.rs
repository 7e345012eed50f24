//! Segments with huge pages, `SHM_HUGETLB` in `shmget(2)`. The kernel does not report them directly.
//! They are recognized by the mappings of processes, and by an error in the kernel's `rss`.

use std::cell::OnceCell;
use std::fs;

use crate::ipc::{Object, Segment};
use crate::kernel::namespace::identity::Handle;
use crate::kernel::process;
use crate::kernel::process::scan::{Scan, ScanScope};

/// The sizes of huge pages on this kernel, in bytes, unsorted.
fn sizes() -> Vec<u64> {
    let entries = fs::read_dir("/sys/kernel/mm/hugepages").into_iter().flatten().flatten();
    let size = |name: &str| {
        let kilobytes = name.strip_prefix("hugepages-")?.strip_suffix("kB")?;
        Some(kilobytes.parse::<u64>().ok()? * 1024)
    };
    entries.filter_map(|entry| size(entry.file_name().to_str()?)).collect()
}

/// Corrects a segment from `/proc/sysvipc/shm` whose `rss` exceeds its size.
pub(in crate::kernel) fn correct(object: &mut Object) {
    let Object::Segment(segment) = object else { return };
    let page = process::page_size();
    if segment.rss.is_some_and(|rss| rss > segment.size.div_ceil(page).saturating_mul(page))
        && let Some(huge_page) = segment.proven_huge_page(&sizes(), page)
    {
        segment.set_huge_page(huge_page, page, None);
    }
}

/// Finds the segments with huge pages. Inspects the processes only if there may be any.
#[derive(Debug)]
pub struct Finder {
    namespace: Handle,
    are_reserved: OnceCell<bool>,
    scan: OnceCell<Scan>,
}

impl Finder {
    /// A finder for the segments of this namespace.
    pub fn new(namespace: &Handle) -> Finder {
        Finder {
            namespace: namespace.clone(),
            are_reserved: OnceCell::new(),
            scan: OnceCell::new(),
        }
    }

    /// Adds that a segment has huge pages, if it has, is attached, and may be inspected in one of the
    /// processes.
    pub fn complete(&self, segment: &mut Segment) {
        if segment.attached == 0 || segment.swap.is_some_and(|swap| swap > 0) {
            return;
        }
        /// The smallest huge pages of any machine.
        const SMALLEST: u64 = 64 << 10;
        let may_have_some = segment.rss.is_none_or(|rss| rss % SMALLEST == 0);
        if !may_have_some || !*self.are_reserved.get_or_init(are_reserved) {
            return;
        }
        let here = self.namespace.identity().ok();
        let scan = self.scan.get_or_init(|| {
            let mut scope = ScanScope::default();
            scope.attachments = true;
            // Without access to the processes, the segment stays as it is.
            Scan::new(here, &scope).unwrap_or_default()
        });
        if let Some(here) = here {
            scan.complete(here, segment);
        }
    }
}

/// Whether the machine has reserved memory for huge pages.
fn are_reserved() -> bool {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Hugetlb:"));
    line.is_none_or(|rest| rest.trim().split(' ').next() != Some("0"))
}
