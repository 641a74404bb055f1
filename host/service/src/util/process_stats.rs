//! Disk and memory usage of the serving process.
//!
//! Invariants:
//! - The disk is measured at most once per [`MEASURE_INTERVAL`], on a blocking thread.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

/// Maximum age of a disk measurement before it is repeated.
const MEASURE_INTERVAL: Duration = Duration::from_secs(30);

/// Usage of the file system that holds the run directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DiskUsage {
    /// Bytes available to this process.
    pub free_bytes: u64,
    /// Total size of the files in the run directory, in bytes.
    pub run_bytes: u64,
}

/// The latest disk measurement and its time.
#[derive(Default)]
pub struct DiskGauge(Mutex<Option<(Instant, DiskUsage)>>);

impl DiskGauge {
    /// Disk usage of a run directory; `None` if the system does not report it.
    pub async fn read(&self, run: &Path) -> Option<DiskUsage> {
        // A caller that arrives during a measurement waits for its result.
        let mut latest = self.0.lock().await;
        if let Some((_, disk)) = latest.filter(|(since, _)| since.elapsed() < MEASURE_INTERVAL) {
            return Some(disk);
        }
        let run = run.to_owned();
        let disk = tokio::task::spawn_blocking(move || measure(&run)).await.ok()??;
        *latest = Some((Instant::now(), disk));
        Some(disk)
    }
}

fn measure(run: &Path) -> Option<DiskUsage> {
    let system = rustix::fs::statvfs(run).ok()?;
    Some(DiskUsage {
        free_bytes: system.f_bavail.saturating_mul(system.f_frsize),
        run_bytes: folder_size(run.to_owned()),
    })
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

/// Resident memory of this process in bytes; `None` if the system does not report it.
pub fn resident_bytes() -> Option<u64> {
    parse_resident(&std::fs::read_to_string("/proc/self/status").ok()?)
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
        assert!(resident_bytes().is_some_and(|bytes| bytes > 100_000));
    }

    #[test]
    fn run_size_is_the_sum_of_its_files_without_links() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("in")).expect("a folder");
        std::fs::write(folder.path().join("a"), [0; 10]).expect("a file");
        std::fs::write(folder.path().join("in/b"), [0; 7]).expect("a file");
        std::os::unix::fs::symlink("/", folder.path().join("elsewhere")).expect("a link");
        let disk = measure(folder.path()).expect("a disk");
        assert_eq!(disk.run_bytes, 17);
        assert!(disk.free_bytes > 0);
    }
}
