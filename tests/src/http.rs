//! HTTP/1.1 as a client sends it, down to the single byte, so that a test can send what no library would.
//!
//! Always holds: what the server sent is given as it came; nothing waits longer than [`LIMIT`].

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long a read or write may take. Nothing is measured by it: a test that waits so long has failed.
pub const LIMIT: Duration = Duration::from_secs(60);

/// What came back.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, their names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of a name, which is written in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {}", self.status, self.headers, self.text())
    }
}

/// A stream of bytes to a server and back.
pub trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

/// A client that keeps its connection, and makes another once the server has closed it.
pub struct Client {
    address: SocketAddr,
    token: Option<String>,
    connection: Option<TcpStream>,
}

impl Client {
    /// A client of a server.
    pub fn new(address: SocketAddr) -> Client {
        Client { address, token: None, connection: None }
    }

    /// The same with a token, which every request carries.
    pub fn with_token(address: SocketAddr, token: &str) -> Client {
        Client { token: Some(token.to_owned()), ..Client::new(address) }
    }

    /// Sends a request and gives the answer. `Host` and `Content-Length` are added, unless they are among the headers.
    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.try_send(method, path, headers, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// The same, where the connection may break.
    ///
    /// # Errors
    /// When it does.
    pub fn try_send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Answer> {
        let request = self.request(method, path, headers, body);
        if let Some(mut kept) = self.connection.take() {
            // One that the server has closed meanwhile took nothing: an answer has not even begun.
            if let Ok(answer) = exchange(&mut kept, &request, method) {
                self.keep(kept, &answer);
                return Ok(answer);
            }
        }
        let mut fresh = connect(self.address)?;
        let answer = exchange(&mut fresh, &request, method)?;
        self.keep(fresh, &answer);
        Ok(answer)
    }

    /// `GET` of a path.
    pub fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    /// `POST` of JSON.
    pub fn post(&mut self, path: &str, body: impl AsRef<[u8]>) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], body.as_ref())
    }

    /// The bytes of a request.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let host = self.address.to_string();
        let length = body.len().to_string();
        let bearer = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let given = |name: &str| headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        let mut own = vec![("host", host.as_str()), ("content-length", &length)];
        own.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        own.retain(|(name, _)| !given(name));
        let mut request = format!("{method} {path} HTTP/1.1\r\n").into_bytes();
        for (name, value) in own.iter().chain(headers) {
            request.extend(format!("{name}: {value}\r\n").bytes());
        }
        request.extend(b"\r\n");
        request.extend(body);
        request
    }

    fn keep(&mut self, connection: TcpStream, answer: &Answer) {
        let closes = answer.header("connection").is_some_and(|said| said.eq_ignore_ascii_case("close"));
        self.connection = (!closes).then_some(connection);
    }
}

/// A new connection, with the test's limit on every read and write.
///
/// # Errors
/// When there is none.
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends bytes on a new connection, which stays open on this side, and gives everything that comes back until the server
/// closes. A connection that is reset has nothing more to give.
pub fn raw(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(address).expect("the server takes connections");
    // A server that has seen enough may close before it has read all.
    let _ = stream.write_all(bytes);
    rest(&mut stream)
}

/// Everything that comes until the server closes.
pub fn rest(stream: &mut impl Read) -> Vec<u8> {
    let mut came = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return came,
            Ok(read) => came.extend(&piece[..read]),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                panic!("the server neither answers nor closes; so far {:?}", String::from_utf8_lossy(&came))
            }
            Err(_) => return came,
        }
    }
}

/// The status in the first line of what came back; `None` if nothing did.
pub fn status(came: &[u8]) -> Option<u16> {
    let text = String::from_utf8_lossy(came);
    let rest = text.strip_prefix("HTTP/1.1 ").or_else(|| text.strip_prefix("HTTP/1.0 "))?;
    rest.get(..3)?.parse().ok()
}

/// Sends a request and reads its answer.
///
/// # Errors
/// When the connection breaks, or what comes is no HTTP.
pub fn exchange(wire: &mut impl Wire, request: &[u8], method: &str) -> io::Result<Answer> {
    // A server that refuses a request may answer before it has read all, and close.
    let written = wire.write_all(request).and_then(|()| wire.flush());
    match receive(wire, method) {
        Err(error) => Err(written.err().unwrap_or(error)),
        answer => answer,
    }
}

/// Reads an answer to a request of a method.
///
/// # Errors
/// When the connection breaks, or what comes is no HTTP.
pub fn receive(wire: &mut impl Read, method: &str) -> io::Result<Answer> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(byte(wire)?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let status = status(first.as_bytes()).ok_or_else(|| wrong(first))?;
    let split = |line: &str| line.split_once(':').map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned()));
    let headers: Vec<_> = lines.filter_map(split).collect();
    let mut answer = Answer { status, headers, body: Vec::new() };
    if method == "HEAD" || matches!(status, 100..200 | 204 | 304) {
        return Ok(answer);
    }
    answer.body = match (answer.header("transfer-encoding"), answer.header("content-length")) {
        (Some(_), _) => chunks(wire)?,
        (None, Some(length)) => {
            let mut body = vec![0; length.parse().map_err(|_| wrong(length))?];
            wire.read_exact(&mut body)?;
            body
        }
        (None, None) => rest(wire),
    };
    Ok(answer)
}

fn chunks(wire: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.push(byte(wire)?);
        }
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        let length = usize::from_str_radix(&line, 16).map_err(|_| wrong(&line))?;
        let mut chunk = vec![0; length + 2];
        wire.read_exact(&mut chunk)?;
        if length == 0 {
            return Ok(body);
        }
        body.extend(&chunk[..length]);
    }
}

fn byte(wire: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    wire.read_exact(&mut byte)?;
    Ok(byte[0])
}

fn wrong(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("no HTTP: {text:?}"))
}

/// Sends a request on a new connection and gives the status of its answer, of which no more is read; `None` if it is closed.
pub fn status_of(address: SocketAddr, request: &[u8]) -> Option<u16> {
    let mut stream = connect(address).expect("the server takes connections");
    // A server that has seen enough may close before it has read all.
    let _ = stream.write_all(request);
    let mut first = [0; 12];
    stream.read_exact(&mut first).ok()?;
    status(&first)
}
