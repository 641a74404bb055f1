//! An HTTP/1.1 client at the level of bytes, so that tests can send what no library would.
//!
//! Invariants:
//! - Responses are returned exactly as the server sent them.
//! - No read or write takes longer than [`LIMIT`].

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Maximum duration of a read or write. It is not a measurement: a test that reaches it has failed.
pub const LIMIT: Duration = Duration::from_secs(60);

/// A response.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Headers in order, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header with a name, given in lower case.
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

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {}", self.status, self.headers, self.text())
    }
}

/// A byte stream to a server and back.
pub trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

/// A client that keeps its connection open and reconnects if the server closes it.
pub struct Client {
    address: SocketAddr,
    token: Option<String>,
    connection: Option<TcpStream>,
}

impl Client {
    /// A client without a token.
    pub fn new(address: SocketAddr) -> Client {
        Client { address, token: None, connection: None }
    }

    /// A client that sends a bearer token with every request.
    pub fn with_token(address: SocketAddr, token: &str) -> Client {
        Client { token: Some(token.to_owned()), ..Client::new(address) }
    }

    /// Sends a request and returns the response. Adds `Host` and `Content-Length` unless `headers` has them.
    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        self.try_send(method, path, headers, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Like [`send`](Client::send), but returns connection errors.
    ///
    /// # Errors
    /// If the connection fails.
    pub fn try_send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Response> {
        let request = self.request(method, path, headers, body);
        if let Some(mut kept) = self.connection.take() {
            // If the server has closed the connection, it has not processed the request.
            if let Ok(answer) = round_trip(&mut kept, &request, method) {
                self.keep(kept, &answer);
                return Ok(answer);
            }
        }
        let mut fresh = connect(self.address)?;
        let answer = round_trip(&mut fresh, &request, method)?;
        self.keep(fresh, &answer);
        Ok(answer)
    }

    /// Sends `GET`.
    pub fn get(&mut self, path: &str) -> Response {
        self.send("GET", path, &[], b"")
    }

    /// Sends `POST` with a JSON body.
    pub fn post(&mut self, path: &str, body: impl AsRef<[u8]>) -> Response {
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

    fn keep(&mut self, connection: TcpStream, answer: &Response) {
        let closes = answer.header("connection").is_some_and(|output| output.eq_ignore_ascii_case("close"));
        self.connection = (!closes).then_some(connection);
    }
}

/// Opens a connection with [`LIMIT`] on every read and write.
///
/// # Errors
/// If the connection fails.
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends bytes on a new connection and returns everything until the server closes or resets it.
pub fn send_raw(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(address).expect("the server takes connections");
    // The server may close the connection before it has read everything.
    let _ = stream.write_all(bytes);
    read_to_close(&mut stream)
}

/// Reads until the server closes the connection.
pub fn read_to_close(stream: &mut impl Read) -> Vec<u8> {
    let mut received = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return received,
            Ok(read) => received.extend(&piece[..read]),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                panic!(
                    "the server neither answers nor closes; so far {:?}",
                    String::from_utf8_lossy(&received)
                )
            }
            Err(_) => return received,
        }
    }
}

/// The status code in the first line of a response; `None` if there is none.
pub fn status(response: &[u8]) -> Option<u16> {
    let text = String::from_utf8_lossy(response);
    let rest = text.strip_prefix("HTTP/1.1 ").or_else(|| text.strip_prefix("HTTP/1.0 "))?;
    rest.get(..3)?.parse().ok()
}

/// Sends a request and reads its response.
///
/// # Errors
/// If the connection fails, or if the response is not HTTP.
pub fn round_trip(wire: &mut impl Wire, request: &[u8], method: &str) -> io::Result<Response> {
    // A server that rejects a request may respond and close before it has read everything.
    let written = wire.write_all(request).and_then(|()| wire.flush());
    match read_response(wire, method) {
        Err(error) => Err(written.err().unwrap_or(error)),
        answer => answer,
    }
}

/// Reads the response to a request with a method.
///
/// # Errors
/// If the connection fails, or if the response is not HTTP.
pub fn read_response(wire: &mut impl Read, method: &str) -> io::Result<Response> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(byte(wire)?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let status = status(first.as_bytes()).ok_or_else(|| invalid(first))?;
    let split = |line: &str| line.split_once(':').map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned()));
    let headers: Vec<_> = lines.filter_map(split).collect();
    let mut answer = Response { status, headers, body: Vec::new() };
    if method == "HEAD" || matches!(status, 100..200 | 204 | 304) {
        return Ok(answer);
    }
    answer.body = match (answer.header("transfer-encoding"), answer.header("content-length")) {
        (Some(_), _) => chunks(wire)?,
        (None, Some(length)) => {
            let mut body = vec![0; length.parse().map_err(|_| invalid(length))?];
            wire.read_exact(&mut body)?;
            body
        }
        (None, None) => read_to_close(wire),
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
        let length = usize::from_str_radix(&line, 16).map_err(|_| invalid(&line))?;
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

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not HTTP: {text:?}"))
}

/// Sends a request on a new connection and reads only the status of the response; `None` if the connection is
/// closed.
pub fn response_status(address: SocketAddr, request: &[u8]) -> Option<u16> {
    let mut stream = connect(address).expect("the server takes connections");
    // The server may close the connection before it has read everything.
    let _ = stream.write_all(request);
    let mut first = [0; 12];
    stream.read_exact(&mut first).ok()?;
    status(&first)
}
