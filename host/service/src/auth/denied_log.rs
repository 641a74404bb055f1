//! The audit of denied requests: `denied.jsonl` in the run directory, one JSON object a line.
//!
//! Always holds: no request waits for it; it never has a token; however many are denied, it grows by a bounded number of
//! lines a second, and says how many more there were; it is never larger than twice [`ROTATE`].

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;

/// The file in the run directory.
const FILE: &str = "denied.jsonl";
/// What it is called once it is full.
const OLDER: &str = "denied.1.jsonl";
/// The bytes with which it is full.
const ROTATE: u64 = 16 << 20;
/// The most lines of a second.
const LINES: usize = 100;
/// The most lines that are kept before the run has begun; the newest ones.
const KEPT: usize = 1000;
/// How often lines are written, at most.
const EVERY: Duration = Duration::from_secs(1);
/// The most characters of a path.
const PATH: usize = 200;

/// A request that was denied.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Denial {
    /// When.
    pub at: Timestamp,
    /// Who had connected: an address, or `local`.
    pub peer: String,
    /// The method; empty where no request was read.
    pub method: String,
    /// The path, cut to 200 characters; empty where no request was read.
    pub path: String,
    /// The status of the answer; 0 where the connection was closed without one.
    pub status: u16,
    /// Why.
    pub why: String,
    /// The name of the token, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// A line that says how many more there were.
#[derive(Serialize)]
struct More {
    at: Timestamp,
    more: u64,
}

/// Where denied requests go.
#[derive(Default)]
pub struct Denied(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Denial>,
    /// How many are not among the lines and not told yet.
    more: u64,
    /// When the present second began, and how many lines it has.
    second: Option<(Instant, usize)>,
    total: u64,
    writer: Option<JoinHandle<()>>,
    ending: bool,
}

impl Denied {
    /// Notes one.
    pub fn note(&self, mut denial: Denial) {
        denial.path = denial.path.chars().take(PATH).collect();
        let mut state = self.0.lock();
        state.total += 1;
        let fresh = state.second.filter(|(began, _)| began.elapsed() < EVERY);
        let (began, lines) = fresh.unwrap_or_else(|| (Instant::now(), 0));
        state.second = Some((began, lines + 1));
        if lines >= LINES {
            state.more += 1;
            return;
        }
        if state.waiting.len() >= KEPT {
            state.waiting.pop_front();
            state.more += 1;
        }
        state.waiting.push_back(denial);
        drop(state);
        self.0.changed.notify_one();
    }

    /// How many there were since the process began.
    pub fn total(&self) -> u64 {
        self.0.lock().total
    }

    /// Writes those that there were, and those that will be, into a run directory, on a thread of its own.
    ///
    /// # Errors
    /// When the file cannot be opened, or the system gives no thread.
    pub fn write_in(&self, run: &Path) -> io::Result<()> {
        let mut writer = Writer::open(run)?;
        let shared = self.0.clone();
        let write = move || shared.work(&mut writer);
        let thread = thread::Builder::new().name("denied".to_owned()).spawn(write)?;
        self.0.lock().writer = Some(thread);
        Ok(())
    }

    /// Writes what is left.
    pub fn finish(&self) {
        let writer = {
            let mut state = self.0.lock();
            state.ending = true;
            state.writer.take()
        };
        self.0.changed.notify_one();
        if let Some(writer) = writer {
            // What it could not write it has told.
            let _ = writer.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, writer: &mut Writer) {
        let mut told = false;
        loop {
            let (lines, more, ending) = {
                let idle = |state: &mut State| state.waiting.is_empty() && state.more == 0 && !state.ending;
                let state = self.changed.wait_while(self.lock(), idle);
                let mut state = state.unwrap_or_else(PoisonError::into_inner);
                (std::mem::take(&mut state.waiting), std::mem::take(&mut state.more), state.ending)
            };
            match writer.write(&lines, more) {
                Ok(()) => told = false,
                Err(error) if !told => {
                    told = true;
                    tracing::error!(%error, "denied requests cannot be written");
                }
                Err(_) => {}
            }
            if ending {
                return;
            }
            // What comes meanwhile is written together. The end is not waited for.
            let wait = |state: &mut State| !state.ending;
            drop(self.changed.wait_timeout_while(self.lock(), EVERY, wait));
        }
    }
}

/// The file.
struct Writer {
    run: PathBuf,
    file: File,
    bytes: u64,
}

impl Writer {
    fn open(run: &Path) -> io::Result<Writer> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(run.join(FILE))?;
        let bytes = file.metadata()?.len();
        Ok(Writer { run: run.to_owned(), file, bytes })
    }

    fn write(&mut self, lines: &VecDeque<Denial>, more: u64) -> io::Result<()> {
        let mut text = Vec::new();
        for denial in lines {
            line(&mut text, denial)?;
        }
        if more > 0 {
            line(&mut text, &More { at: Timestamp::now(), more })?;
        }
        if text.is_empty() {
            return Ok(());
        }
        if self.bytes + text.len() as u64 > ROTATE {
            fs::rename(self.run.join(FILE), self.run.join(OLDER))?;
            *self = Writer::open(&self.run)?;
        }
        self.bytes += text.len() as u64;
        self.file.write_all(&text)?;
        self.file.sync_data()
    }
}

fn line(text: &mut Vec<u8>, line: &impl Serialize) -> io::Result<()> {
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
            why: "no token".to_owned(),
            token: None,
        }
    }

    fn lines(path: &Path) -> Vec<Value> {
        let text = fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn what_was_denied_before_the_run_began_is_written_too() {
        let folder = tempfile::tempdir().unwrap();
        let denied = Denied::default();
        denied.note(denial("/early"));
        denied.write_in(folder.path()).unwrap();
        denied.note(denial(&format!("/\u{7}\n{}", "x".repeat(500))));
        denied.finish();
        let written = lines(&folder.path().join(FILE));
        assert_eq!(written.len(), 2);
        assert_eq!(written[0]["path"], "/early");
        assert_eq!(written[1]["path"].as_str().unwrap().chars().count(), PATH);
        assert_eq!(denied.total(), 2);
    }

    #[test]
    fn a_flood_is_counted_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let denied = Denied::default();
        let many = 20_000;
        (0..many).for_each(|_| denied.note(denial("/")));
        denied.write_in(folder.path()).unwrap();
        denied.finish();
        let written = lines(&folder.path().join(FILE));
        let told: u64 = written.iter().map(|line| line["more"].as_u64().unwrap_or(1)).sum();
        assert_eq!(told, many);
        assert_eq!(written.iter().filter(|line| line.get("more").is_some()).count(), 1);
        assert!(written.len() <= KEPT + 1, "{}", written.len());
    }

    #[test]
    fn a_full_file_gives_way_to_another() {
        let folder = tempfile::tempdir().unwrap();
        let full = vec![b'\n'; ROTATE as usize];
        fs::write(folder.path().join(FILE), &full).unwrap();
        let denied = Denied::default();
        denied.write_in(folder.path()).unwrap();
        denied.note(denial("/"));
        denied.finish();
        assert_eq!(fs::metadata(folder.path().join(OLDER)).unwrap().len(), ROTATE);
        assert_eq!(lines(&folder.path().join(FILE)).len(), 1);
    }
}
