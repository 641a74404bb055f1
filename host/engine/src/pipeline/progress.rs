//! How far a run has got, on standard error: a line that moves on a terminal, plain lines elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

/// How often a plain line is written.
const PLAIN: Duration = Duration::from_secs(5);

/// Shows how far a run has got.
pub(crate) struct Progress {
    silent: bool,
    bar: Option<ProgressBar>,
    began: Instant,
    last: Mutex<Instant>,
}

impl Progress {
    pub fn start(study: &str) -> Progress {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{spinner} {prefix}  {msg}").expect("a fixed template");
            ProgressBar::new_spinner().with_style(style).with_prefix(study.to_owned())
        });
        Progress { silent: false, bar, began: Instant::now(), last: Mutex::new(Instant::now()) }
    }

    /// Shows nothing any more.
    pub fn silence(&mut self) {
        self.finish();
        (self.silent, self.bar) = (true, None);
    }

    /// `taken` are the snapshots and decisions so far; `clock` the latest observed time in microseconds.
    pub fn show(&self, taken: [u64; 2], clock: Option<i64>, broken: u64) {
        if self.silent {
            return;
        }
        let line = || {
            let at = clock.and_then(|micros| Timestamp::from_microsecond(micros).ok());
            let at = at.map(|at| format!(" up to {}", at.strftime("%Y-%m-%d %H:%M"))).unwrap_or_default();
            let rate = taken[0] as f64 / self.began.elapsed().as_secs_f64().max(1e-3);
            let broken = if broken > 0 { format!(", {broken} failed calls") } else { String::new() };
            format!("{} snapshots{at}, {} decisions, {rate:.0} snapshots/s{broken}", taken[0], taken[1])
        };
        match &self.bar {
            Some(bar) => {
                bar.set_message(line());
                bar.tick();
            }
            None => {
                let Ok(mut last) = self.last.lock() else { return };
                if last.elapsed() >= PLAIN {
                    *last = Instant::now();
                    // That nobody reads it any more is no reason to end a run.
                    let _ = writeln!(std::io::stderr(), "{}", line());
                }
            }
        }
    }

    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
