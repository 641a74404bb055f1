//! The `Content-Encoding` of a request body.
//!
//! Invariants:
//! - No body is decompressed beyond its maximum size.
//! - A body that ends early or continues after its end is damaged, and nothing of it is used.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};

use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use flate2::bufread::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};

/// Size of the steps in which the decompressed text grows, in bytes.
const STEP_BYTES: usize = 64 << 10;
/// Binary logarithm of the largest window of a zstd frame, in bytes: RFC 9659 allows 8 MiB in HTTP.
const MAX_ZSTD_WINDOW_LOG: u32 = 23;

/// The supported encodings, for messages.
pub const SUPPORTED_ENCODINGS: &str = "gzip, deflate, zstd, or none";

/// The encoding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentEncoding {
    /// Not compressed.
    Identity,
    /// One or more gzip members, RFC 1952.
    Gzip,
    /// A zlib stream, RFC 1950; or a bare deflate stream, RFC 1951, which some clients send under this name.
    Deflate,
    /// One or more zstd frames, RFC 8878.
    Zstd,
}

/// Why a body cannot be decompressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecompressError {
    /// It exceeds its maximum size.
    TooLarge,
    /// It is not valid in its encoding.
    Damaged(String),
}

impl ContentEncoding {
    /// The encoding that the headers declare.
    ///
    /// # Errors
    /// The declared value, if it is not one supported encoding.
    pub fn from_headers(headers: &HeaderMap) -> Result<ContentEncoding, String> {
        let values = headers.get_all(CONTENT_ENCODING).iter();
        let declared: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        let declared = declared.join(",").to_ascii_lowercase();
        let mut encodings =
            declared.split(',').map(str::trim).filter(|word| !matches!(*word, "" | "identity"));
        let encoding = match encodings.next() {
            None => ContentEncoding::Identity,
            Some("gzip" | "x-gzip") => ContentEncoding::Gzip,
            Some("deflate") => ContentEncoding::Deflate,
            Some("zstd") => ContentEncoding::Zstd,
            Some(_) => return Err(declared),
        };
        // A client has no reason to compress twice, and each layer would need memory of its own.
        if encodings.next().is_some() { Err(declared) } else { Ok(encoding) }
    }

    /// The name in `Content-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            ContentEncoding::Identity => "identity",
            ContentEncoding::Gzip => "gzip",
            ContentEncoding::Deflate => "deflate",
            ContentEncoding::Zstd => "zstd",
        }
    }

    /// The decompressed text of a body of at most `limit` bytes. An empty body is empty in every encoding.
    ///
    /// # Errors
    /// If it exceeds `limit` bytes or is damaged.
    pub fn decompress<'b>(self, body: &'b [u8], limit: usize) -> Result<Cow<'b, [u8]>, DecompressError> {
        if body.is_empty() {
            return Ok(Cow::Borrowed(body));
        }
        let text = match self {
            ContentEncoding::Identity => return Ok(Cow::Borrowed(body)),
            ContentEncoding::Gzip => read_up_to(MultiGzDecoder::new(body), limit)?,
            ContentEncoding::Deflate => inflate(body, limit)?,
            ContentEncoding::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(body)?;
                decoder.window_log_max(MAX_ZSTD_WINDOW_LOG)?;
                read_up_to(decoder, limit)?
            }
        };
        Ok(Cow::Owned(text))
    }
}

impl From<io::Error> for DecompressError {
    fn from(error: io::Error) -> DecompressError {
        DecompressError::Damaged(error.to_string())
    }
}

impl fmt::Display for ContentEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// All that a decoder returns, unless it is more than `limit` bytes.
fn read_up_to(decoder: impl Read, limit: usize) -> Result<Vec<u8>, DecompressError> {
    let mut text = Vec::new();
    let read = decoder.take(limit as u64 + 1).read_to_end(&mut text)?;
    if read > limit { Err(DecompressError::TooLarge) } else { Ok(text) }
}

/// Decompresses one zlib or bare deflate stream.
fn inflate(body: &[u8], limit: usize) -> Result<Vec<u8>, DecompressError> {
    if !has_zlib_header(body) {
        return inflate_stream(body, limit, false);
    }
    // One bare stream in some hundreds begins like a zlib stream.
    inflate_stream(body, limit, true).or_else(|error| match error {
        DecompressError::TooLarge => Err(error),
        DecompressError::Damaged(_) => inflate_stream(body, limit, false).map_err(|_| error),
    })
}

/// Decompresses one stream, with or without the zlib header. The decoders of `flate2` that implement `Read`
/// accept a stream that ends early.
fn inflate_stream(body: &[u8], limit: usize, has_header: bool) -> Result<Vec<u8>, DecompressError> {
    let damaged = |what: &str| DecompressError::Damaged(what.to_owned());
    let mut stream = Decompress::new(has_header);
    let mut text = Vec::new();
    loop {
        text.reserve(STEP_BYTES);
        let rest = &body[stream.total_in() as usize..];
        let status = stream.decompress_vec(rest, &mut text, FlushDecompress::None);
        let status = status.map_err(|error| DecompressError::Damaged(error.to_string()))?;
        if text.len() > limit {
            return Err(DecompressError::TooLarge);
        }
        let ended = stream.total_in() as usize == body.len();
        match status {
            Status::StreamEnd if ended => return Ok(text),
            Status::StreamEnd => return Err(damaged("bytes follow its end")),
            Status::Ok | Status::BufError if ended && text.len() < text.capacity() => {
                return Err(damaged("unexpected end of file"));
            }
            Status::Ok | Status::BufError => {}
        }
    }
}

/// Whether a body begins with the header of a zlib stream: RFC 1950, section 2.2.
fn has_zlib_header(body: &[u8]) -> bool {
    let [method, flags, ..] = *body else { return false };
    method & 0x0f == 8 && u16::from_be_bytes([method, flags]).is_multiple_of(31)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use axum::http::HeaderValue;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const TEXT: &[u8] = b"{\"id\":\"1\",\"at\":\"2026-03-01T10:00:00Z\"}";

    /// The text in each encoding; deflate with and without its header.
    fn packed(text: &[u8]) -> [(ContentEncoding, Vec<u8>); 4] {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(text).unwrap();
        zlib.write_all(text).unwrap();
        bare.write_all(text).unwrap();
        [
            (ContentEncoding::Gzip, gzip.finish().unwrap()),
            (ContentEncoding::Deflate, zlib.finish().unwrap()),
            (ContentEncoding::Deflate, bare.finish().unwrap()),
            (ContentEncoding::Zstd, zstd::encode_all(text, 0).unwrap()),
        ]
    }

    #[test]
    fn every_encoding_is_decompressed() {
        for text in [TEXT, &[b' '; 200_000]] {
            for (encoding, body) in packed(text) {
                assert_eq!(encoding.decompress(&body, text.len()).unwrap(), text, "{encoding}");
                assert_eq!(
                    encoding.decompress(&body, text.len() - 1),
                    Err(DecompressError::TooLarge),
                    "{encoding}"
                );
            }
        }
    }

    #[test]
    fn a_body_that_is_cut_off_is_damaged() {
        for (encoding, body) in packed(TEXT) {
            for end in 1..body.len() {
                let read = encoding.decompress(&body[..end], 1000);
                assert!(matches!(read, Err(DecompressError::Damaged(_))), "{encoding} {end}: {read:?}");
            }
            assert!(encoding.decompress(b"", 1000).unwrap().is_empty());
            let plain = encoding.decompress(TEXT, 1000);
            assert!(matches!(plain, Err(DecompressError::Damaged(_))), "{encoding}: {plain:?}");
        }
    }

    #[test]
    fn bytes_after_the_end_are_damage() {
        for (encoding, body) in packed(TEXT) {
            let body = [&body[..], b"more"].concat();
            let read = encoding.decompress(&body, 1000);
            assert!(matches!(read, Err(DecompressError::Damaged(_))), "{encoding}: {read:?}");
        }
    }

    #[test]
    fn the_encoding_is_read_from_the_headers() {
        let declared = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
            }
            ContentEncoding::from_headers(&headers)
        };
        assert_eq!(declared(&[]), Ok(ContentEncoding::Identity));
        assert_eq!(declared(&[""]), Ok(ContentEncoding::Identity));
        assert_eq!(declared(&["identity"]), Ok(ContentEncoding::Identity));
        assert_eq!(declared(&["GZIP"]), Ok(ContentEncoding::Gzip));
        assert_eq!(declared(&["identity, x-gzip"]), Ok(ContentEncoding::Gzip));
        assert_eq!(declared(&[" deflate"]), Ok(ContentEncoding::Deflate));
        assert_eq!(declared(&["zstd"]), Ok(ContentEncoding::Zstd));
        assert_eq!(declared(&["br"]), Err("br".to_owned()));
        assert_eq!(declared(&["gzip", "gzip"]), Err("gzip,gzip".to_owned()));
        assert_eq!(declared(&["deflate, gzip"]), Err("deflate, gzip".to_owned()));
    }
}
