//! The program while it serves a run.
//!
//! Always holds: it listens on a free port of this machine, and is ended with the test.

use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::http::Client;
use crate::process::until;
use crate::{Bench, Said};

/// A process that serves.
pub struct Serving {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// `http` or `https`.
    pub scheme: String,
    out: Arc<Mutex<String>>,
    told: Arc<Mutex<String>>,
    reading: Vec<JoinHandle<()>>,
}

impl Bench {
    /// The small study with both its sources taken over HTTP. The five snapshots and decisions are still in their files.
    pub fn served() -> Bench {
        let bench = Bench::small();
        bench.change(&[
            ("{ file = \"snapshots.jsonl\" }", "{ http = true }"),
            ("{ file = \"decisions.jsonl\" }", "{ http = true }"),
        ]);
        bench
    }
}

impl Serving {
    /// Serves `study.toml` of a bench into `run`, with further arguments, and waits until it takes records. Without `--listen`
    /// among them it is on loopback.
    pub fn start(bench: &Bench, arguments: &[&str]) -> Serving {
        let listen: &[&str] =
            if arguments.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        let all = [&["serve", "study.toml", "--run", "run"], listen, arguments].concat();
        Serving::of(bench.command(&all))
    }

    /// The same with a command of the caller's.
    pub fn of(mut command: Command) -> Serving {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        let (out, told): (Arc<Mutex<String>>, Arc<Mutex<String>>) = Default::default();
        let reading = vec![
            gather(child.stdout.take().expect("it was piped"), &out),
            gather(child.stderr.take().expect("it was piped"), &told),
        ];
        let mut found = None;
        until("it listens", || {
            let told = told.lock().expect("no holder panics");
            let ended = child.try_wait().expect("a child can be waited for");
            assert!(ended.is_none(), "it has ended: {told}");
            found = told.lines().find_map(|line| {
                let (scheme, address) = line.strip_prefix("listening on ")?.split_once("://")?;
                Some((scheme.to_owned(), address.parse().expect("an address")))
            });
            found.is_some()
        });
        let (scheme, address) = found.expect("it was found");
        let serving = Serving { child, address, scheme, out, told, reading };
        if serving.scheme == "http" {
            serving.ready();
        }
        serving
    }

    /// Waits until it takes records.
    pub fn ready(&self) {
        until("it takes records", || Client::new(self.address).get("/readyz").status == 200);
    }

    /// A client without a token.
    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has written to standard error so far.
    pub fn told(&self) -> String {
        self.told.lock().expect("no holder panics").clone()
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let kill = ["-c", "kill -$0 $1", name, &self.child.id().to_string()].map(str::to_owned);
        let status = Command::new("sh").args(kill).status().expect("there is a shell");
        assert!(status.success(), "no process to send {name} to");
    }

    /// Ends it as a system does, by SIGTERM, and gives what it said.
    pub fn stop(self) -> Said {
        self.signal("TERM");
        self.said()
    }

    /// Kills it, so that it can do nothing more.
    pub fn kill(mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// Waits for its end.
    pub fn said(mut self) -> Said {
        let mut status = None;
        until("the process ends", || {
            status = self.child.try_wait().expect("a child can be waited for");
            status.is_some()
        });
        let code = status.and_then(|status| status.code()).unwrap_or(-1);
        until("all that it wrote is read", || self.reading.iter().all(JoinHandle::is_finished));
        let out = self.out.lock().expect("no holder panics").clone();
        Said { code, out, err: self.told() }
    }
}

/// Reads a pipe to its end, line by line, so that the process never waits for its reader.
fn gather(pipe: impl Read + Send + 'static, text: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let text = text.clone();
    thread::spawn(move || {
        let (mut pipe, mut line) = (BufReader::new(pipe), Vec::new());
        while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            text.lock().expect("no holder panics").push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    })
}

impl Drop for Serving {
    fn drop(&mut self) {
        // One that has ended cannot be killed, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
