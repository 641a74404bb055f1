//! Adds a body to the responses that the HTTP library sends on its own.
//!
//! The library answers a request head that it cannot parse before any handler sees it: 400, 414 or 431 with an
//! empty body. This stream recognises such a response as it is written, and writes a problem in its place.
//!
//! Invariants:
//! - A response of a handler is written as it is: no handler answers 4xx with an empty body.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::http::response::Problem;

/// A stream to a client whose automatic responses get a body.
pub struct ProblemBodies<S> {
    stream: S,
    /// The rest of the response that is written in place of an automatic one.
    pending: Vec<u8>,
    written: usize,
}

impl<S> ProblemBodies<S> {
    /// Wraps the stream of a connection.
    pub fn new(stream: S) -> ProblemBodies<S> {
        ProblemBodies { stream, pending: Vec::new(), written: 0 }
    }
}

impl<S: AsyncWrite + Unpin> ProblemBodies<S> {
    /// Writes the rest of a response that replaces an automatic one.
    fn poll_write_pending(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.pending.len() {
            let rest = &self.pending[self.written..];
            match ready!(Pin::new(&mut self.stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.written += written,
            }
        }
        (self.pending, self.written) = (Vec::new(), 0);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ProblemBodies<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_write_pending(context))?;
        let Some(response) = with_problem(bytes) else {
            return Pin::new(&mut this.stream).poll_write(context, bytes);
        };
        this.pending = response;
        // What cannot be written now is written by a flush, which follows every response.
        if let Poll::Ready(Err(error)) = this.poll_write_pending(context) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_write_pending(context))?;
        Pin::new(&mut this.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_write_pending(context))?;
        Pin::new(&mut this.stream).poll_shutdown(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ProblemBodies<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

/// The response with a problem body that replaces an automatic one; `None` for any other bytes.
fn with_problem(bytes: &[u8]) -> Option<Vec<u8>> {
    let head = std::str::from_utf8(bytes.strip_prefix(b"HTTP/1.1 4")?.strip_suffix(b"\r\n\r\n")?).ok()?;
    let mut lines = head.split("\r\n");
    let status = StatusCode::from_bytes(format!("4{}", lines.next()?.get(..2)?).as_bytes()).ok()?;
    let headers: Vec<&str> = lines.collect();
    let is_empty = headers.iter().any(|line| line.eq_ignore_ascii_case("content-length: 0"));
    if !is_empty {
        return None;
    }
    let body = serde_json::to_vec(&problem(status)).expect("a problem is plain data");
    let reason = status.canonical_reason().unwrap_or_default();
    let mut response = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16());
    for line in headers.iter().filter(|line| !line.to_ascii_lowercase().starts_with("content-length:")) {
        response.push_str(line);
        response.push_str("\r\n");
    }
    response.push_str("content-type: application/problem+json\r\ncache-control: no-store\r\n");
    response.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    Some([response.into_bytes(), body].concat())
}

/// The problem of a request head that cannot be parsed.
fn problem(status: StatusCode) -> Problem {
    match status {
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            let detail =
                "the request head exceeds 16 KiB or has more than 100 headers; send fewer or shorter headers";
            Problem::new(status, "request head too large", detail)
        }
        StatusCode::URI_TOO_LONG => {
            Problem::new(status, "path too long", "the path of the request is too long; shorten it")
        }
        _ => Problem::new(
            status,
            "malformed request",
            "the request head is not valid HTTP/1.1; send it as RFC 9112 defines it",
        ),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const AUTOMATIC: &[u8] = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\ndate: Sun, 01 Mar 2026 10:00:00 GMT\r\n\r\n";

    /// What a client receives of the written bytes through a pipe of `capacity` bytes.
    fn received(written: &[&[u8]], capacity: usize) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (near, mut far) = duplex(capacity);
            let read = tokio::spawn(async move {
                let mut text = String::new();
                far.read_to_string(&mut text).await.unwrap();
                text
            });
            let mut stream = ProblemBodies::new(near);
            for bytes in written {
                stream.write_all(bytes).await.unwrap();
            }
            stream.flush().await.unwrap();
            drop(stream);
            read.await.unwrap()
        })
    }

    #[test]
    fn an_automatic_response_gets_a_problem() {
        for capacity in [7, 10_000] {
            let text = received(&[AUTOMATIC], capacity);
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            insta::allow_duplicates! {
                insta::assert_snapshot!(head.replace("\r\n", "\n"), @r"
                HTTP/1.1 431 Request Header Fields Too Large
                connection: close
                date: Sun, 01 Mar 2026 10:00:00 GMT
                content-type: application/problem+json
                cache-control: no-store
                content-length: 164
                ");
                insta::assert_snapshot!(body, @r#"{"title":"request head too large","status":431,"detail":"the request head exceeds 16 KiB or has more than 100 headers; send fewer or shorter headers","retry":false}"#);
            }
            assert!(head.ends_with(&format!("content-length: {}", body.len())));
        }
    }

    #[test]
    fn other_responses_are_written_as_they_are() {
        for bytes in [
            &b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"[..],
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n",
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}",
            b"{\"text\":\"HTTP/1.1 431\"}",
            b"",
        ] {
            assert_eq!(received(&[bytes, bytes], 10_000).as_bytes(), [bytes, bytes].concat());
        }
        let ok: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        let text = received(&[ok, AUTOMATIC], 5);
        assert!(text.starts_with("HTTP/1.1 200 OK") && text.ends_with("\"retry\":false}"), "{text}");
    }
}
