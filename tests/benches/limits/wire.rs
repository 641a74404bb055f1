//! A cheap HTTP client for benchmarks: one connection, and one write and few reads per request.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// A persistent connection.
pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Wire {
    /// Connects to a server.
    pub fn new(address: SocketAddr) -> Wire {
        let stream = TcpStream::connect(address).expect("the server accepts connections");
        stream.set_nodelay(true).expect("a socket");
        Wire { stream, buffer: vec![0; 1 << 16] }
    }

    /// Posts JSON Lines and returns the status.
    pub fn post(&mut self, path: &str, body: &str) -> u16 {
        self.send(path, "application/x-ndjson", body).0
    }

    /// Posts JSON and returns the status and the response.
    pub fn post_json(&mut self, path: &str, body: &str) -> (u16, String) {
        self.send(path, "application/json", body)
    }

    fn send(&mut self, path: &str, media: &str, body: &str) -> (u16, String) {
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: {media}\r\ncontent-length: {length}\r\n\r\n{body}",
            self.stream.peer_addr().expect("it is connected")
        );
        self.stream.write_all(request.as_bytes()).expect("the server reads");
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..]).expect("the server answers");
            assert!(
                read > 0,
                "the server closed the connection: {}",
                String::from_utf8_lossy(&self.buffer[..filled])
            );
            filled += read;
            let came = &self.buffer[..filled];
            let Some(head) = came.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let text = String::from_utf8_lossy(&came[..head]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
            if filled >= head + 4 + length {
                let status = text.get(9..12).and_then(|status| status.parse().ok()).expect("a status");
                return (status, String::from_utf8_lossy(&came[head + 4..]).into_owned());
            }
        }
    }
}
