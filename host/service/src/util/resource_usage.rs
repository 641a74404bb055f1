//! Disk and memory usage of the serving process.
//!
//! Invariants:
//! - The disk is measured at most once per [`MEASURE_INTERVAL`], on a blocking thread.
//! - A size of the run directory covers at least [`USAGE_BLOCK_ROWS`] snapshots more than the one before, but for those
//!   that are logged during the measurement.
//!
//! The log has the answers, so the size after every record would tell the length of an answer. Free space and resident
//! memory are rounded for the same reason.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use understudy_sandbox::USAGE_BLOCK_ROWS;

/// Maximum age of a disk measurement before it is repeated.
const MEASURE_INTERVAL: Duration = Duration::from_secs(30);
/// Free space is a multiple of this, rounded down.
const FREE_SPACE_UNIT: u64 = 64 << 20;
/// Resident memory is a multiple of this, rounded up.
const RESIDENT_UNIT: u64 = 16 << 20;

/// Usage of the file system that holds the run directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DiskUsage {
    /// Bytes available to this process, rounded down to 64 MiB.
    pub free_bytes: u64,
    /// Total size of the files in the run directory, in bytes; `None` before the first block of snapshots.
    pub run_bytes: Option<u64>,
}

/// The latest disk measurement.
#[derive(Default)]
pub struct DiskGauge(Mutex<Measurement>);

#[derive(Clone, Copy, Default)]
struct Measurement {
    /// The time and the result; `None` before the first measurement.
    latest: Option<(Instant, DiskUsage)>,
    /// Snapshots of this process that the size of the run directory covers.
    covered: u64,
}

impl DiskGauge {
    /// Disk usage of a run directory; `None` if the system does not report it. `snapshots` returns the number
    /// of snapshots that this process has logged.
    pub async fn read(&self, run: &Path, snapshots: impl Fn() -> u64) -> Option<DiskUsage> {
        // A caller that arrives during a measurement waits for its result.
        let mut gauge = self.0.lock().await;
        let size_is_due = snapshots() >= gauge.covered + USAGE_BLOCK_ROWS;
        let known = gauge.latest.and_then(|(_, disk)| disk.run_bytes);
        if let Some((since, disk)) = gauge.latest
            && since.elapsed() < MEASURE_INTERVAL
            && !(size_is_due && known.is_none())
        {
            return Some(disk);
        }
        let run = run.to_owned();
        let measure = move || Some((free_space(&run)?, size_is_due.then(|| folder_size(run))));
        let (free_bytes, size) = tokio::task::spawn_blocking(measure).await.ok()??;
        if size.is_some() {
            gauge.covered = snapshots();
        }
        let disk = DiskUsage { free_bytes, run_bytes: size.or(known) };
        gauge.latest = Some((Instant::now(), disk));
        Some(disk)
    }
}

/// Bytes of the file system that are available to this process, rounded down.
fn free_space(run: &Path) -> Option<u64> {
    let system = rustix::fs::statvfs(run).ok()?;
    let bytes = system.f_bavail.saturating_mul(system.f_frsize);
    Some(bytes / FREE_SPACE_UNIT * FREE_SPACE_UNIT)
}

/// Total size of the regular files below a folder, in bytes. A file that disappears during the walk counts as
/// 0.
fn folder_size(folder: PathBuf) -> u64 {
    let mut folders = vec![folder];
    let mut bytes = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(data) if data.is_dir() => folders.push(entry.path()),
                Ok(data) if data.is_file() => bytes += data.len(),
                _ => {}
            }
        }
    }
    bytes
}

/// Resident memory of this process in bytes, rounded up to 16 MiB; `None` if the system does not report it.
pub fn resident_bytes() -> Option<u64> {
    let bytes = parse_resident(&std::fs::read_to_string("/proc/self/status").ok()?)?;
    bytes.checked_next_multiple_of(RESIDENT_UNIT)
}

/// `VmRSS` in bytes from the text of `/proc/PID/status`, which states it in KiB.
fn parse_resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_from_proc_status() {
        assert_eq!(parse_resident("Name:\tx\nVmRSS:\t    2048 kB\nThreads:\t3\n"), Some(2 << 20));
        assert_eq!(parse_resident("Name:\tx\n"), None);
        assert!(resident_bytes().is_some_and(|bytes| bytes > 0 && bytes % RESIDENT_UNIT == 0));
    }

    #[test]
    fn run_size_is_the_sum_of_its_files_without_links() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("in")).expect("a folder");
        std::fs::write(folder.path().join("a"), [0; 10]).expect("a file");
        std::fs::write(folder.path().join("in/b"), [0; 7]).expect("a file");
        std::os::unix::fs::symlink("/", folder.path().join("elsewhere")).expect("a link");
        assert_eq!(folder_size(folder.path().to_owned()), 17);
    }

    #[tokio::test]
    async fn the_run_size_changes_with_whole_blocks_of_snapshots() {
        let folder = tempfile::tempdir().expect("a folder");
        let gauge = DiskGauge::default();
        let size_at = async |snapshots: u64| {
            std::fs::write(folder.path().join("log"), vec![0; snapshots as usize]).expect("a file");
            let disk = gauge.read(folder.path(), || snapshots).await.expect("a disk");
            assert_eq!(disk.free_bytes % FREE_SPACE_UNIT, 0);
            // As if the interval were over.
            gauge.0.lock().await.latest = Some((Instant::now() - 2 * MEASURE_INTERVAL, disk));
            disk.run_bytes
        };
        let mut sizes = Vec::new();
        for snapshots in [0, 999, 1500, 2000, 2499, 2500, 3000] {
            sizes.push(size_at(snapshots).await);
        }
        assert_eq!(sizes, [None, None, Some(1500), Some(1500), Some(1500), Some(2500), Some(2500)]);
    }
}
