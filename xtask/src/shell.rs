//! Running other programs, loudly when they fail.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

/// A program to be run in `folder`.
pub fn command(program: impl AsRef<OsStr>, folder: &Path) -> Running {
    let mut command = Command::new(program);
    command.current_dir(folder);
    Running(command)
}

/// The cargo that runs this task.
pub fn cargo(folder: &Path) -> Running {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), folder)
}

/// A command that is being put together.
pub struct Running(pub Command);

impl Running {
    /// One more argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Running {
        self.0.arg(argument);
        self
    }

    /// More arguments.
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Running {
        self.0.args(arguments);
        self
    }

    /// An environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Running {
        self.0.env(name, value);
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When it cannot be started or does not end well.
    pub fn run(mut self) -> anyhow::Result<()> {
        let shown = self.shown();
        let status = self.0.status().with_context(|| format!("cannot start `{shown}`"))?;
        anyhow::ensure!(status.success(), "`{shown}` ended with {status}");
        Ok(())
    }

    /// Runs it to its end, which is to come with one of these exit codes, and gives what it printed.
    ///
    /// # Errors
    /// When it cannot be started or ends otherwise.
    pub fn said(mut self, codes: &[i32]) -> anyhow::Result<String> {
        let shown = self.shown();
        let output = self.0.output().with_context(|| format!("cannot start `{shown}`"))?;
        let [out, err] =
            [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let known = output.status.code().is_some_and(|code| codes.contains(&code));
        anyhow::ensure!(known, "`{shown}` ended with {}\n{out}{err}", output.status);
        Ok(out + &err)
    }

    /// The command line, for a message.
    pub fn shown(&self) -> String {
        let words = std::iter::once(self.0.get_program()).chain(self.0.get_args());
        words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }
}
