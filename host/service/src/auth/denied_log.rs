//! The log of denied requests: `denied.jsonl` in the run directory, one JSON object per line.
//!
//! Invariants:
//! - No request waits for the log.
//! - The log contains no token.
//! - It grows by at most [`MAX_LINES_PER_SECOND`] lines per second, and counts what it omits.
//! - Its two files have at most [`MAX_FILE_BYTES`] bytes each.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use parking_lot::{Condvar, Mutex};
use serde::Serialize;
use understudy_run_log::open_regular_file;

/// File name in the run directory.
const FILE: &str = "denied.jsonl";
/// File name after rotation.
const ROTATED_FILE: &str = "denied.1.jsonl";
/// Size in bytes at which the file is rotated.
const MAX_FILE_BYTES: u64 = 16 << 20;
/// Maximum number of lines per second.
const MAX_LINES_PER_SECOND: usize = 100;
/// Maximum number of lines that wait in memory, for instance before the run has started. The oldest are
/// dropped.
const MAX_PENDING: usize = 1000;
/// Minimum time between two writes, and the window of the rate limit.
const INTERVAL: Duration = Duration::from_secs(1);
/// Maximum number of characters of a path.
const MAX_PATH_CHARS: usize = 200;

/// A denied request.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Denial {
    /// Time of the denial.
    pub at: Timestamp,
    /// Address of the client, or `local`.
    pub peer: String,
    /// HTTP method; empty if no request was read.
    pub method: String,
    /// Path, cut to 200 characters; empty if no request was read.
    pub path: String,
    /// HTTP status of the response; 0 if the connection was closed without one.
    pub status: u16,
    /// Why access was denied.
    pub reason: String,
    /// Name of the token, if it is a known one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// A line that counts denials without a line of their own.
#[derive(Serialize)]
struct OmittedDenials {
    at: Timestamp,
    omitted: u64,
}

/// Collects denied requests and writes them on a thread of its own.
#[derive(Default)]
pub struct DeniedLog(Arc<SharedLog>);

#[derive(Default)]
struct SharedLog {
    state: Mutex<LogState>,
    changed: Condvar,
}

#[derive(Default)]
struct LogState {
    pending: VecDeque<Denial>,
    /// Denials that were omitted since the last write.
    omitted: u64,
    /// Start of the current second, and the number of its lines.
    second: Option<(Instant, usize)>,
    total: u64,
    writer: Option<JoinHandle<()>>,
    ending: bool,
}

impl DeniedLog {
    /// Adds a denial, or counts it as omitted if there are too many.
    pub fn add(&self, mut denial: Denial) {
        denial.path = denial.path.chars().take(MAX_PATH_CHARS).collect();
        let mut state = self.0.state.lock();
        state.total += 1;
        let current = state.second.filter(|(start, _)| start.elapsed() < INTERVAL);
        let (start, lines) = current.unwrap_or_else(|| (Instant::now(), 0));
        state.second = Some((start, lines + 1));
        if lines >= MAX_LINES_PER_SECOND {
            state.omitted += 1;
            return;
        }
        if state.pending.len() >= MAX_PENDING {
            state.pending.pop_front();
            state.omitted += 1;
        }
        state.pending.push_back(denial);
        drop(state);
        self.0.changed.notify_one();
    }

    /// Number of denials since the process started.
    pub fn total(&self) -> u64 {
        self.0.state.lock().total
    }

    /// Starts the thread that writes pending and future denials into a run directory.
    ///
    /// # Errors
    /// If the file cannot be opened or the thread cannot be started.
    pub fn start_writer(&self, run: &Path) -> io::Result<()> {
        let mut writer = DenialWriter::open(run)?;
        let shared = self.0.clone();
        let write = move || shared.write_until_end(&mut writer);
        let thread = thread::Builder::new().name("denied".to_owned()).spawn(write)?;
        self.0.state.lock().writer = Some(thread);
        Ok(())
    }

    /// Writes the remaining denials and stops the thread.
    pub fn finish(&self) {
        let writer = {
            let mut state = self.0.state.lock();
            state.ending = true;
            state.writer.take()
        };
        self.0.changed.notify_one();
        if let Some(writer) = writer {
            // The thread has logged its errors.
            let _ = writer.join();
        }
    }
}

impl SharedLog {
    fn write_until_end(&self, writer: &mut DenialWriter) {
        let mut error_logged = false;
        loop {
            let (lines, omitted, ending) = {
                let idle =
                    |state: &mut LogState| state.pending.is_empty() && state.omitted == 0 && !state.ending;
                let mut state = self.state.lock();
                self.changed.wait_while(&mut state, idle);
                (std::mem::take(&mut state.pending), std::mem::take(&mut state.omitted), state.ending)
            };
            match writer.write(&lines, omitted) {
                Ok(()) => error_logged = false,
                Err(error) if !error_logged => {
                    error_logged = true;
                    tracing::error!(%error, "cannot write the log of denied requests");
                }
                Err(_) => {}
            }
            if ending {
                return;
            }
            // Denials of the next second are written together; the end of the run interrupts the wait.
            let mut state = self.state.lock();
            let _ = self.changed.wait_while_for(&mut state, |state| !state.ending, INTERVAL);
        }
    }
}

/// The open log file.
struct DenialWriter {
    run: PathBuf,
    file: File,
    bytes: u64,
}

impl DenialWriter {
    fn open(run: &Path) -> io::Result<DenialWriter> {
        let file =
            open_regular_file(&run.join(FILE), OpenOptions::new().append(true).create(true).mode(0o600))?;
        let bytes = file.metadata()?.len();
        Ok(DenialWriter { run: run.to_owned(), file, bytes })
    }

    fn write(&mut self, lines: &VecDeque<Denial>, omitted: u64) -> io::Result<()> {
        let mut text = Vec::new();
        for denial in lines {
            push_json_line(&mut text, denial)?;
        }
        if omitted > 0 {
            push_json_line(&mut text, &OmittedDenials { at: Timestamp::now(), omitted })?;
        }
        if text.is_empty() {
            return Ok(());
        }
        if self.bytes + text.len() as u64 > MAX_FILE_BYTES {
            fs::rename(self.run.join(FILE), self.run.join(ROTATED_FILE))?;
            *self = DenialWriter::open(&self.run)?;
        }
        self.bytes += text.len() as u64;
        self.file.write_all(&text)?;
        self.file.sync_data()
    }
}

fn push_json_line(text: &mut Vec<u8>, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *text, line)?;
    text.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn denial(path: &str) -> Denial {
        Denial {
            at: Timestamp::UNIX_EPOCH,
            peer: "127.0.0.1:9".to_owned(),
            method: "GET".to_owned(),
            path: path.to_owned(),
            status: 401,
            reason: "no token".to_owned(),
            token: None,
        }
    }

    fn lines(path: &Path) -> Vec<Value> {
        let text = fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn denials_before_the_start_of_the_run_are_written_too() {
        let folder = tempfile::tempdir().unwrap();
        let denied = DeniedLog::default();
        denied.add(denial("/early"));
        denied.start_writer(folder.path()).unwrap();
        denied.add(denial(&format!("/\u{7}\n{}", "x".repeat(500))));
        denied.finish();
        let written = lines(&folder.path().join(FILE));
        assert_eq!(written.len(), 2);
        assert_eq!(written[0]["path"], "/early");
        assert_eq!(written[1]["path"].as_str().unwrap().chars().count(), MAX_PATH_CHARS);
        assert_eq!(denied.total(), 2);
    }

    #[test]
    fn a_flood_is_counted_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let denied = DeniedLog::default();
        let many = 20_000;
        (0..many).for_each(|_| denied.add(denial("/")));
        denied.start_writer(folder.path()).unwrap();
        denied.finish();
        let written = lines(&folder.path().join(FILE));
        let counted: u64 = written.iter().map(|line| line["omitted"].as_u64().unwrap_or(1)).sum();
        assert_eq!(counted, many);
        assert_eq!(written.iter().filter(|line| line.get("omitted").is_some()).count(), 1);
        assert!(written.len() <= MAX_PENDING + 1, "{}", written.len());
    }

    #[test]
    fn a_full_file_is_rotated() {
        let folder = tempfile::tempdir().unwrap();
        let full = vec![b'\n'; MAX_FILE_BYTES as usize];
        fs::write(folder.path().join(FILE), &full).unwrap();
        let denied = DeniedLog::default();
        denied.start_writer(folder.path()).unwrap();
        denied.add(denial("/"));
        denied.finish();
        assert_eq!(fs::metadata(folder.path().join(ROTATED_FILE)).unwrap().len(), MAX_FILE_BYTES);
        assert_eq!(lines(&folder.path().join(FILE)).len(), 1);
    }
}
