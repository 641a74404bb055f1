//! `understudy top`: the status of a served run, refreshed every second.
//!
//! Invariants:
//! - The terminal is restored on exit.
//! - The output is cut to the size of the terminal.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use console::{Key, Term, truncate_str};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};

use super::Exit;
use super::output::print_out;
use super::status::request_status;
use super::status_text::status_lines;

/// Time between two refreshes.
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);

/// Watch the status of a served run.
///
/// Refreshes the output of `understudy status` every second. `q` or Ctrl-C quits; the run continues. If
/// standard output is not a terminal, prints the status once.
#[derive(clap::Args)]
pub(super) struct Top {
    /// Run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
}

impl Top {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let terminal = Term::buffered_stdout();
        if !terminal.is_term() {
            status_lines(&request_status(&self.run)?).iter().try_for_each(print_out)?;
            return Ok(Exit::Done);
        }
        // A thread that waits for a key leaves the terminal in raw mode.
        let before = tcgetattr(std::io::stdin()).ok();
        terminal.hide_cursor()?;
        let result = watch(&terminal, &self.run);
        if let Some(before) = before {
            tcsetattr(std::io::stdin(), OptionalActions::Now, &before)?;
        }
        terminal.show_cursor()?;
        terminal.write_line("")?;
        terminal.flush()?;
        result
    }
}

/// Refreshes until the user quits or no process serves the run.
fn watch(terminal: &Term, run: &Path) -> anyhow::Result<Exit> {
    let (sender, quit) = channel();
    let key_sender = sender.clone();
    // Both threads end with the process.
    std::thread::spawn(move || wait_for_key(&key_sender));
    std::thread::spawn(move || wait_for_signal(&sender));
    terminal.clear_screen()?;
    loop {
        let lines = status_lines(&request_status(run)?);
        draw(terminal, &lines)?;
        match quit.recv_timeout(REFRESH_INTERVAL) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(Exit::Done),
        }
    }
}

/// Replaces the content of the terminal.
fn draw(terminal: &Term, lines: &[String]) -> std::io::Result<()> {
    let (rows, columns) = terminal.size();
    terminal.move_cursor_to(0, 0)?;
    let last = usize::from(rows).saturating_sub(1);
    for line in lines.iter().take(last) {
        terminal.clear_line()?;
        terminal.write_line(&truncate_str(line, usize::from(columns), "…"))?;
    }
    terminal.clear_to_end_of_screen()?;
    terminal.write_str(&truncate_str("q quits; the run continues", usize::from(columns), "…"))?;
    terminal.flush()
}

/// Waits for a key that quits.
fn wait_for_key(quit: &Sender<()>) {
    let terminal = Term::stdout();
    loop {
        match terminal.read_key_raw() {
            Ok(Key::Char('q' | 'Q' | '\u{3}') | Key::CtrlC | Key::Escape) => break,
            Ok(_) => {}
            // Without a keyboard, signals still quit.
            Err(_) => return,
        }
    }
    // The receiver is gone if the watch has ended.
    let _ = quit.send(());
}

/// Waits for a signal, so that the cursor is restored.
fn wait_for_signal(quit: &Sender<()>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        // The receiver is gone if the watch has ended.
        let _ = quit.send(());
    });
}
