//! `understudy top`: where a served run stands, drawn anew every second.
//!
//! Always holds: the terminal is left as it was found; no line is wider than it, and no more lines are drawn than it has.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use console::{Key, Term, truncate_str};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};

use super::standing::lines;
use super::status::asked;
use super::{Exit, found};

/// How often it is drawn.
const EVERY: Duration = Duration::from_secs(1);

/// Watch where a run stands that `understudy serve` serves, drawn anew every second. `q` or Ctrl-C ends it. Where output is no
/// terminal it is printed once.
#[derive(clap::Args)]
pub(super) struct Top {
    /// The run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
}

impl Top {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let terminal = Term::buffered_stdout();
        if !terminal.is_term() {
            lines(&asked(&self.run)?).iter().try_for_each(found)?;
            return Ok(Exit::Done);
        }
        // A thread that waits for a key leaves the terminal raw until one comes.
        let before = tcgetattr(std::io::stdin()).ok();
        terminal.hide_cursor()?;
        let watched = watch(&terminal, &self.run);
        if let Some(before) = before {
            tcsetattr(std::io::stdin(), OptionalActions::Now, &before)?;
        }
        terminal.show_cursor()?;
        terminal.write_line("")?;
        terminal.flush()?;
        watched
    }
}

/// Draws until somebody has seen enough, or nobody serves the run any more.
fn watch(terminal: &Term, run: &Path) -> anyhow::Result<Exit> {
    let (enough, ends) = channel();
    let pressed = enough.clone();
    // Both threads end with the process at the latest.
    std::thread::spawn(move || keys(&pressed));
    std::thread::spawn(move || signals(&enough));
    terminal.clear_screen()?;
    loop {
        let lines = lines(&asked(run)?);
        draw(terminal, &lines)?;
        match ends.recv_timeout(EVERY) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(Exit::Done),
        }
    }
}

/// Draws lines over those that are there.
fn draw(terminal: &Term, lines: &[String]) -> std::io::Result<()> {
    let (rows, columns) = terminal.size();
    terminal.move_cursor_to(0, 0)?;
    let last = usize::from(rows).saturating_sub(1);
    for line in lines.iter().take(last) {
        terminal.clear_line()?;
        terminal.write_line(&truncate_str(line, usize::from(columns), "…"))?;
    }
    terminal.clear_to_end_of_screen()?;
    terminal.write_str(&truncate_str("q ends this; the run goes on", usize::from(columns), "…"))?;
    terminal.flush()
}

/// Waits for a key that ends it.
fn keys(enough: &Sender<()>) {
    let terminal = Term::stdout();
    loop {
        match terminal.read_key_raw() {
            Ok(Key::Char('q' | 'Q' | '\u{3}') | Key::CtrlC | Key::Escape) => break,
            Ok(_) => {}
            // Keys cannot be read, so signals have to do.
            Err(_) => return,
        }
    }
    // It may have ended by itself.
    let _ = enough.send(());
}

/// Waits for a signal that ends it, so that the cursor is shown again.
fn signals(enough: &Sender<()>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let (Ok(mut pressed), Ok(mut asked)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        tokio::select! {
            _ = pressed.recv() => {}
            _ = asked.recv() => {}
        }
        // It may have ended by itself.
        let _ = enough.send(());
    });
}
