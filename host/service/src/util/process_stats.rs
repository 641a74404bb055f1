//! What the run takes of the machine: disk and memory.
//!
//! Always holds: the disk is looked at no more often than every [`EVERY`], on a thread on which waiting holds up nobody.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

/// How old what is known of the disk may be.
const EVERY: Duration = Duration::from_secs(30);

/// The disk that a run is written to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Disk {
    /// Bytes that are free to this process.
    pub free_bytes: u64,
    /// Bytes that the files in the run directory have.
    pub run_bytes: u64,
}

/// What is known of the disk, and since when.
#[derive(Default)]
pub struct DiskGauge(Mutex<Option<(Instant, Disk)>>);

impl DiskGauge {
    /// The disk below a run directory; `None` if the system does not tell.
    pub async fn read(&self, run: &Path) -> Option<Disk> {
        // Whoever asks while it is looked at waits for that look.
        let mut known = self.0.lock().await;
        if let Some((_, disk)) = known.filter(|(since, _)| since.elapsed() < EVERY) {
            return Some(disk);
        }
        let run = run.to_owned();
        let disk = tokio::task::spawn_blocking(move || look(&run)).await.ok()??;
        *known = Some((Instant::now(), disk));
        Some(disk)
    }
}

fn look(run: &Path) -> Option<Disk> {
    let system = rustix::fs::statvfs(run).ok()?;
    Some(Disk {
        free_bytes: system.f_bavail.saturating_mul(system.f_frsize),
        run_bytes: size(run.to_owned()),
    })
}

/// Bytes of the files below a folder. One that vanishes meanwhile has none.
fn size(folder: PathBuf) -> u64 {
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

/// Bytes of memory that this process has in use, by the system's account; `None` if it does not tell.
pub fn resident_bytes() -> Option<u64> {
    resident(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// `VmRSS` in the text of `/proc/PID/status`, which is in KiB there.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_what_the_system_says() {
        assert_eq!(resident("Name:\tx\nVmRSS:\t    2048 kB\nThreads:\t3\n"), Some(2 << 20));
        assert_eq!(resident("Name:\tx\n"), None);
        assert!(resident_bytes().is_some_and(|bytes| bytes > 100_000));
    }

    #[test]
    fn a_folder_has_the_bytes_of_its_files() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("in")).expect("a folder");
        std::fs::write(folder.path().join("a"), [0; 10]).expect("a file");
        std::fs::write(folder.path().join("in/b"), [0; 7]).expect("a file");
        std::os::unix::fs::symlink("/", folder.path().join("elsewhere")).expect("a link");
        let disk = look(folder.path()).expect("there is a disk");
        assert_eq!(disk.run_bytes, 17);
        assert!(disk.free_bytes > 0);
    }
}
