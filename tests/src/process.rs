//! The program while it runs: fed through a pipe, sent signals, killed, or given a world of its own.

use std::fs;
use std::io::{Read, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::{Bench, Said, program};

/// How long anything may take that a test waits for. Nothing is measured by it: a test that waits so long has failed.
const LIMIT: Duration = Duration::from_secs(120);

/// Waits until a condition holds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < LIMIT, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A process with its standard input in a test's hand. It is ended with the test.
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts a command.
    pub fn start(mut command: Command) -> Running {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Running { child: command.spawn().expect("the program can be started") }
    }

    /// Writes to its standard input, which stays open.
    pub fn feed(&mut self, text: impl AsRef<[u8]>) {
        let pipe = self.child.stdin.as_mut().expect("not hung up yet");
        pipe.write_all(text.as_ref()).and_then(|()| pipe.flush()).expect("the process reads");
    }

    /// Closes its standard input.
    pub fn hang_up(&mut self) {
        self.child.stdin = None;
    }

    /// Sends a signal, such as `INT`.
    pub fn signal(&self, name: &str) {
        let kill = ["-c", "kill -$0 $1", name, &self.child.id().to_string()].map(str::to_owned);
        let status = Command::new("sh").args(kill).status().expect("there is a shell");
        assert!(status.success(), "no process to send {name} to");
    }

    /// How many bytes it has written by now, to files and pipes; `None` if it has ended.
    pub fn written(&mut self) -> Option<u64> {
        if self.child.try_wait().expect("a child can be waited for").is_some() {
            return None;
        }
        let io = fs::read_to_string(format!("/proc/{}/io", self.child.id())).ok()?;
        io.lines().find_map(|line| line.strip_prefix("wchar: "))?.parse().ok()
    }

    /// Kills it, so that it can do nothing more. Gives whether it was still alive.
    pub fn kill(&mut self) -> bool {
        self.child.kill().expect("a child can be killed");
        let status = self.child.wait().expect("a child can be waited for");
        status.signal() == Some(9)
    }

    /// Waits for its end, with standard input as it is.
    pub fn said(mut self) -> Said {
        let out = gather(self.child.stdout.take().expect("it was piped"));
        let err = gather(self.child.stderr.take().expect("it was piped"));
        let mut status = None;
        until("the process ends", || {
            status = self.child.try_wait().expect("a child can be waited for");
            status.is_some()
        });
        let text = |gathering: JoinHandle<String>| gathering.join().expect("the thread reads to the end");
        Said { code: status.and_then(|status| status.code()).unwrap_or(-1), out: text(out), err: text(err) }
    }
}

/// Reads a pipe to its end, so that the process never waits for its reader.
fn gather(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("a pipe can be read");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended cannot be killed, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Bench {
    /// Runs a shell script in this folder, in which it may mount what it likes: nobody else sees that, and it is gone
    /// with the script. `$UNDERSTUDY` is the program.
    pub fn isolated(&self, script: &str) -> Said {
        let alone = |script: &str| {
            let mut command = Command::new("unshare");
            command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
            command.current_dir(self.path()).env("UNDERSTUDY", program());
            command
        };
        let may = alone("mount -t tmpfs none .").output();
        let may = may.expect("`unshare` of util-linux is installed");
        assert!(
            may.status.success(),
            "this test needs user namespaces with mounts, which this machine refuses: {}",
            String::from_utf8_lossy(&may.stderr)
        );
        self.nameless(alone(script).output().expect("it could be started before").into())
    }
}
