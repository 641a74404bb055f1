//! The progress line of a run on standard error: updated in place on a terminal, a plain line every few
//! seconds elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use understudy_study::{Micros, PerStream};

/// The time between two plain lines.
const PLAIN_LINE_INTERVAL: Duration = Duration::from_secs(5);

/// The progress line of a run.
pub(crate) struct Progress {
    is_disabled: bool,
    bar: Option<ProgressBar>,
    started_at: Instant,
    /// When the last plain line was written.
    last_line: Instant,
}

impl Progress {
    /// A progress line that names the study.
    pub fn start(study: &str) -> Progress {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{spinner} {prefix}  {msg}").expect("a fixed template");
            ProgressBar::new_spinner().with_style(style).with_prefix(study.to_owned())
        });
        Progress { is_disabled: false, bar, started_at: Instant::now(), last_line: Instant::now() }
    }

    /// Removes the line, and shows none from now on.
    pub fn disable(&mut self) {
        self.finish();
        (self.is_disabled, self.bar) = (true, None);
    }

    /// Updates the line: the records read so far of each stream, the latest observed time, and the failed
    /// calls.
    pub fn show(&mut self, records: PerStream<u64>, clock: Option<Micros>, failures: u64) {
        if self.is_disabled {
            return;
        }
        let line = || {
            let at = clock.and_then(Micros::timestamp);
            let at = at.map(|at| format!(" up to {}", at.strftime("%Y-%m-%d %H:%M"))).unwrap_or_default();
            let rate = records.snapshots as f64 / self.started_at.elapsed().as_secs_f64().max(1e-3);
            let failures = if failures > 0 { format!(", {failures} failed calls") } else { String::new() };
            format!(
                "{} snapshots{at}, {} decisions, {rate:.0} snapshots/s{failures}",
                records.snapshots, records.decisions
            )
        };
        match &self.bar {
            Some(bar) => {
                bar.set_message(line());
                bar.tick();
            }
            None => {
                if self.last_line.elapsed() >= PLAIN_LINE_INTERVAL {
                    self.last_line = Instant::now();
                    // A closed standard error is no reason to end a run.
                    let _ = writeln!(std::io::stderr(), "{}", line());
                }
            }
        }
    }

    /// Removes the line from the terminal.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
