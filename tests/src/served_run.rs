//! Runs `understudy serve` as a child process.
//!
//! Invariants:
//! - It listens on a free loopback port, unless the arguments say otherwise.
//! - It is killed when dropped.

use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::http::Client;
use crate::process::wait_until;
use crate::{CommandOutput, TestWorkspace};

/// A serving process.
pub struct ServedRun {
    child: Child,
    /// The address on which it listens.
    pub address: SocketAddr,
    /// `http` or `https`.
    pub scheme: String,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl TestWorkspace {
    /// The small study with both streams over HTTP. The five snapshots and decisions remain in their files.
    pub fn served() -> TestWorkspace {
        let workspace = TestWorkspace::small();
        workspace.edit_study(&[
            ("{ file = \"snapshots.jsonl\" }", "{ http = true }"),
            ("{ file = \"decisions.jsonl\" }", "{ http = true }"),
        ]);
        workspace
    }
}

impl ServedRun {
    /// Serves `study.toml` of a workspace into `run` with further arguments, and waits until it accepts
    /// records.
    pub fn start(workspace: &TestWorkspace, arguments: &[&str]) -> ServedRun {
        let listen: &[&str] =
            if arguments.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        let all = [&["serve", "study.toml", "--run", "run"], listen, arguments].concat();
        ServedRun::from_command(workspace.command(&all))
    }

    /// Starts a command that serves, and waits until it accepts records (if it speaks HTTP).
    pub fn from_command(mut command: Command) -> ServedRun {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        let (stdout, stderr): (Arc<Mutex<String>>, Arc<Mutex<String>>) = Default::default();
        let readers = vec![
            read_in_background(child.stdout.take().expect("it is piped"), &stdout),
            read_in_background(child.stderr.take().expect("it is piped"), &stderr),
        ];
        let mut endpoint = None;
        wait_until("it listens", || {
            let stderr = stderr.lock().expect("no holder panics");
            let ended = child.try_wait().expect("a child can be waited for");
            assert!(ended.is_none(), "it has ended: {stderr}");
            endpoint = stderr.lines().find_map(|line| {
                let (scheme, address) = line.strip_prefix("listening on ")?.split_once("://")?;
                Some((scheme.to_owned(), address.parse().expect("an address")))
            });
            endpoint.is_some()
        });
        let (scheme, address) = endpoint.expect("it listens");
        let serving = ServedRun { child, address, scheme, stdout, stderr, readers };
        if serving.scheme == "http" {
            serving.wait_until_ready();
        }
        serving
    }

    /// Waits until it accepts records.
    pub fn wait_until_ready(&self) {
        wait_until("it accepts records", || Client::new(self.address).get("/readyz").status == 200);
    }

    /// A client without a token.
    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.lock().expect("no holder panics").clone()
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let kill = ["-c", "kill -$0 $1", name, &self.child.id().to_string()].map(str::to_owned);
        let status = Command::new("sh").args(kill).status().expect("there is a shell");
        assert!(status.success(), "no process to send {name} to");
    }

    /// Ends the process with SIGTERM and returns its output.
    pub fn stop(self) -> CommandOutput {
        self.signal("TERM");
        self.wait_with_output()
    }

    /// Kills the process and waits for its end.
    pub fn kill(mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// Waits for the end of the process and returns its output.
    pub fn wait_with_output(mut self) -> CommandOutput {
        let mut status = None;
        wait_until("the process ends", || {
            status = self.child.try_wait().expect("a child can be waited for");
            status.is_some()
        });
        let code = status.and_then(|status| status.code()).unwrap_or(-1);
        wait_until("its output is read", || self.readers.iter().all(JoinHandle::is_finished));
        let stdout = self.stdout.lock().expect("no holder panics").clone();
        CommandOutput { code, stdout, stderr: self.stderr() }
    }
}

/// Reads a pipe to its end line by line on a thread, so that the process never blocks on it.
fn read_in_background(pipe: impl Read + Send + 'static, text: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let text = text.clone();
    thread::spawn(move || {
        let (mut pipe, mut line) = (BufReader::new(pipe), Vec::new());
        while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            text.lock().expect("no holder panics").push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    })
}

impl Drop for ServedRun {
    fn drop(&mut self) {
        // Fails if the process has ended, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
