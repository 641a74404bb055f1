//! Runs the program as a child process: input through a pipe, signals, kills, and isolated mount namespaces.

use std::fs;
use std::io::{Read, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::{CommandOutput, TestWorkspace, caches, program};

/// Maximum wait for any condition. It is not a measurement: a test that reaches it has failed.
const LIMIT: Duration = Duration::from_secs(120);

/// Waits until a condition holds. Panics after two minutes.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < LIMIT, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The peak of the resident memory of a process in KiB, by its folder in `/proc`. `None` once the process has ended.
pub fn peak_kib(process: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// A child process whose standard input the test controls. It is killed when dropped.
pub struct TestProcess {
    child: Child,
}

impl TestProcess {
    /// Starts a command.
    pub fn start(mut command: Command) -> TestProcess {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        TestProcess { child: command.spawn().expect("the program can be started") }
    }

    /// Writes to standard input and keeps it open.
    pub fn feed(&mut self, text: impl AsRef<[u8]>) {
        let pipe = self.child.stdin.as_mut().expect("standard input is open");
        pipe.write_all(text.as_ref()).and_then(|()| pipe.flush()).expect("the process reads");
    }

    /// Closes standard input.
    pub fn close_stdin(&mut self) {
        self.child.stdin = None;
    }

    /// Sends a signal, such as `INT`.
    pub fn signal(&self, name: &str) {
        let kill = ["-c", "kill -$0 $1", name, &self.child.id().to_string()].map(str::to_owned);
        let status = Command::new("sh").args(kill).status().expect("there is a shell");
        assert!(status.success(), "no process to send {name} to");
    }

    /// Bytes written so far to files and pipes; `None` if the process has ended.
    pub fn bytes_written(&mut self) -> Option<u64> {
        if self.child.try_wait().expect("a child can be waited for").is_some() {
            return None;
        }
        let io = fs::read_to_string(format!("/proc/{}/io", self.child.id())).ok()?;
        io.lines().find_map(|line| line.strip_prefix("wchar: "))?.parse().ok()
    }

    /// Kills the process and waits for its end. Returns whether it was still alive.
    pub fn kill(&mut self) -> bool {
        self.child.kill().expect("a child can be killed");
        let status = self.child.wait().expect("a child can be waited for");
        status.signal() == Some(9)
    }

    /// Waits for the end of the process and returns its output.
    pub fn wait_with_output(mut self) -> CommandOutput {
        let stdout = read_in_background(self.child.stdout.take().expect("it is piped"));
        let stderr = read_in_background(self.child.stderr.take().expect("it is piped"));
        let mut status = None;
        wait_until("the process ends", || {
            status = self.child.try_wait().expect("a child can be waited for");
            status.is_some()
        });
        let text = |gathering: JoinHandle<String>| gathering.join().expect("the thread reads to the end");
        CommandOutput {
            code: status.and_then(|status| status.code()).unwrap_or(-1),
            stdout: text(stdout),
            stderr: text(stderr),
        }
    }
}

/// Reads a pipe to its end on a thread, so that the process never blocks on it.
fn read_in_background(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("a pipe can be read");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Drop for TestProcess {
    fn drop(&mut self) {
        // Fails if the process has ended, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl TestWorkspace {
    /// Runs a shell script in this folder in a mount namespace of its own, so that it can mount anything
    /// without affecting other processes. `$UNDERSTUDY` is the program.
    pub fn run_isolated(&self, script: &str) -> CommandOutput {
        let isolated = |script: &str| {
            let mut command = Command::new("unshare");
            command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
            command.current_dir(self.path()).env("UNDERSTUDY", program()).env("XDG_CACHE_HOME", caches());
            command
        };
        let probe = isolated("mount -t tmpfs none .").output();
        let probe = probe.expect("`unshare` of util-linux is installed");
        assert!(
            probe.status.success(),
            "this test needs user namespaces with mounts, which this machine denies: {}",
            String::from_utf8_lossy(&probe.stderr)
        );
        self.redacted(isolated(script).output().expect("it started before").into())
    }
}
