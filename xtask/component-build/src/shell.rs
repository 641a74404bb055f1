//! Runs other programs and reports their failures.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

/// A command that runs a program in `folder`.
pub fn command(program: impl AsRef<OsStr>, folder: &Path) -> ShellCommand {
    let mut command = Command::new(program);
    command.current_dir(folder);
    ShellCommand(command)
}

/// A command of the cargo that runs this task.
pub fn cargo(folder: &Path) -> ShellCommand {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), folder)
}

/// A builder of commands.
pub struct ShellCommand(pub Command);

impl ShellCommand {
    /// Adds an argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> ShellCommand {
        self.0.arg(argument);
        self
    }

    /// Adds arguments.
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> ShellCommand {
        self.0.args(arguments);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> ShellCommand {
        self.0.env(name, value);
        self
    }

    /// Runs the command.
    ///
    /// # Errors
    /// If it cannot be started or fails.
    pub fn run(mut self) -> anyhow::Result<()> {
        let shown = self.shown();
        let status = self.0.status().with_context(|| format!("cannot start `{shown}`"))?;
        anyhow::ensure!(status.success(), "`{shown}` ended with {status}");
        Ok(())
    }

    /// Runs the command and returns its standard output and standard error.
    ///
    /// # Errors
    /// If it cannot be started, or if its exit code is not one of `codes`.
    pub fn output(mut self, codes: &[i32]) -> anyhow::Result<String> {
        let shown = self.shown();
        let output = self.0.output().with_context(|| format!("cannot start `{shown}`"))?;
        let [out, err] =
            [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let expected = output.status.code().is_some_and(|code| codes.contains(&code));
        anyhow::ensure!(expected, "`{shown}` ended with {}\n{out}{err}", output.status);
        Ok(out + &err)
    }

    /// The command line for messages.
    pub fn shown(&self) -> String {
        let words = std::iter::once(self.0.get_program()).chain(self.0.get_args());
        words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }
}
