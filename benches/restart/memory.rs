//! What this process holds, as the system counts it.

/// The size of a page on the machines this runs on; `statm` counts pages.
const PAGE_BYTES: u64 = 4_096;

/// Resident bytes, or `None` where there is no `/proc`.
pub(crate) fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * PAGE_BYTES)
}
