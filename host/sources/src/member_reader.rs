//! Decompresses a file of gzip members and Zstandard frames, one behind the other.
//!
//! Invariants: the content of all members is returned in order; zeros and skippable frames between members and behind the
//! last are passed over; other bytes there are an error, once the content before them has been returned.
//!
//! Block devices and tapes pad files with zeros. The usual tools read such files without a word.

use std::fmt;
use std::io::{self, BufRead, ErrorKind, Read};

use flate2::bufread::GzDecoder;
use zstd::stream::raw::{self, Operation as _};

use crate::file_signature::{FileSignature, GZIP, ZSTD, is_skippable_frame, recognise, unsupported_format};
use crate::peek_reader::PeekReader;

/// Bytes behind a member that are neither another member nor padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TrailingBytes {
    /// The byte of the compressed file at which they begin, from 0.
    pub offset: u64,
}

impl fmt::Display for TrailingBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the bytes from {} on are neither gzip nor zstd", self.offset)
    }
}

impl std::error::Error for TrailingBytes {}

/// Reads the decompressed content.
pub(crate) struct MemberReader<R> {
    member: Member<R>,
    /// Whether a member has begun.
    begun: bool,
    /// Whether the first content was recognised as text.
    recognised: bool,
}

/// The member that is being read, with the compressed file.
enum Member<R> {
    Gzip(Box<GzDecoder<PeekReader<R>>>),
    Zstd(Frame<R>),
    /// Between two members.
    Between(PeekReader<R>),
    Ended,
}

/// A Zstandard frame.
struct Frame<R> {
    source: PeekReader<R>,
    decoder: raw::Decoder<'static>,
    ended: bool,
}

impl<R: Read> MemberReader<R> {
    /// Reads a compressed file from its beginning.
    pub fn new(source: PeekReader<R>) -> MemberReader<R> {
        MemberReader { member: Member::Between(source), begun: false, recognised: false }
    }

    fn read_content(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match &mut self.member {
                Member::Gzip(decoder) => decoder.read(out)?,
                Member::Zstd(frame) => frame.read(out)?,
                Member::Between(_) => 0,
                Member::Ended => return Ok(0),
            };
            if read > 0 {
                return Ok(read);
            }
            let source = match std::mem::replace(&mut self.member, Member::Ended) {
                Member::Gzip(decoder) => decoder.into_inner(),
                Member::Zstd(Frame { source, .. }) | Member::Between(source) => source,
                Member::Ended => return Ok(0),
            };
            self.member = next_member(source, self.begun)?;
            self.begun = true;
        }
    }
}

impl<R: Read> Read for MemberReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let read = self.read_content(out)?;
        if !std::mem::replace(&mut self.recognised, true) {
            match recognise(&out[..read]) {
                FileSignature::Unsupported(format) => {
                    return Err(io::Error::new(ErrorKind::InvalidData, format));
                }
                FileSignature::Text | FileSignature::Compressed => {}
            }
        }
        Ok(read)
    }
}

impl<R: Read> Read for Frame<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.ended {
            let input = self.source.fill_buf()?;
            let at_end = input.is_empty();
            let status = self.decoder.run_on_buffers(input, out)?;
            self.source.consume(status.bytes_read);
            // The decoder would take what follows for another frame.
            self.ended = status.remaining == 0;
            if status.bytes_written > 0 {
                return Ok(status.bytes_written);
            }
            if at_end && !self.ended {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(0)
    }
}

/// The member that begins next. `begun` is whether there was one before.
fn next_member<R: Read>(mut source: PeekReader<R>, begun: bool) -> io::Result<Member<R>> {
    loop {
        let next = source.peek(4)?;
        if next.is_empty() {
            return Ok(Member::Ended);
        }
        if next.starts_with(GZIP) {
            return Ok(Member::Gzip(Box::new(GzDecoder::new(source))));
        }
        if next.starts_with(ZSTD) {
            return Ok(Member::Zstd(Frame { source, decoder: raw::Decoder::new()?, ended: false }));
        }
        if is_skippable_frame(next) {
            skip_frame(&mut source)?;
        } else if next[0] == 0 {
            let zeros = next.iter().take_while(|byte| **byte == 0).count();
            source.consume(zeros);
        } else if next.len() < 4 && (GZIP.starts_with(next) || ZSTD.starts_with(next)) {
            return Err(ErrorKind::UnexpectedEof.into());
        } else {
            return Err(match unsupported_format(next).filter(|_| !begun) {
                Some(format) => io::Error::new(ErrorKind::InvalidData, format),
                None => io::Error::new(ErrorKind::InvalidData, TrailingBytes { offset: source.position() }),
            });
        }
    }
}

/// Passes over a skippable frame: its signature, its length in four bytes, and its content.
fn skip_frame<R: Read>(source: &mut PeekReader<R>) -> io::Result<()> {
    let mut header = [0; 8];
    source.read_exact(&mut header)?;
    let [.., a, b, c, d] = header;
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    match io::copy(&mut source.take(length), &mut io::sink())? {
        skipped if skipped < length => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).expect("a vector takes all");
        encoder.finish().expect("a vector takes all")
    }

    fn zstd(text: &str) -> Vec<u8> {
        zstd::encode_all(text.as_bytes(), 1).expect("a vector takes all")
    }

    fn skippable(content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u32).to_le_bytes();
        [&b"\x53\x2a\x4d\x18"[..], &length, content].concat()
    }

    /// Returns a few bytes at a time.
    struct Slow(Vec<u8>, usize);

    impl Read for Slow {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let size = out.len().min(self.1).min(self.0.len());
            out[..size].copy_from_slice(&self.0[..size]);
            self.0.drain(..size);
            Ok(size)
        }
    }

    /// The content, and the error behind it.
    fn read(parts: &[&[u8]]) -> (String, Option<String>) {
        let mut results = [1, 3, 7, 100_000].map(|size| {
            let mut reader = MemberReader::new(PeekReader::new(Slow(parts.concat(), size)));
            let mut content = Vec::new();
            let fault = loop {
                let mut block = [0; 300];
                match reader.read(&mut block) {
                    Ok(0) => break None,
                    Ok(read) => content.extend(&block[..read]),
                    Err(error) => break Some(error.to_string()),
                }
            };
            (String::from_utf8(content).expect("the parts are text"), fault)
        });
        assert!(results.windows(2).all(|two| two[0] == two[1]), "{results:?}");
        std::mem::take(&mut results[0])
    }

    #[test]
    fn members_and_frames_follow_one_another() {
        let long = "0123456789".repeat(40_000);
        let whole = (format!("ab{long}c"), None);
        assert_eq!(read(&[&gzip("ab"), &gzip(&long), &gzip("c")]), whole);
        assert_eq!(read(&[&zstd("ab"), &zstd(&long), &zstd("c")]), whole);
        assert_eq!(read(&[&gzip("ab"), &zstd(&long), &gzip("c")]), whole);
        assert_eq!(read(&[&gzip(""), &zstd(""), &gzip("ab"), &zstd("")]), ("ab".to_owned(), None));
        assert_eq!(read(&[]), (String::new(), None));
    }

    #[test]
    fn padding_and_skippable_frames_are_passed_over() {
        let zeros = [0; 70_000];
        assert_eq!(read(&[&gzip("a"), &zeros[..512]]), ("a".to_owned(), None));
        assert_eq!(read(&[&gzip("a"), &zeros, &gzip("b"), &zeros[..1]]), ("ab".to_owned(), None));
        assert_eq!(read(&[&zstd("a"), &zeros[..3]]), ("a".to_owned(), None));
        let index = skippable(&[7; 70_000]);
        assert_eq!(read(&[&index, &zstd("a"), &skippable(b""), &zstd("b"), &index]), ("ab".to_owned(), None));
        assert_eq!(read(&[&index, &gzip("a")]), ("a".to_owned(), None));
        assert_eq!(read(&[&index]), (String::new(), None));
    }

    #[test]
    fn other_bytes_behind_a_member_are_an_error_after_its_content() {
        let one = gzip("a");
        let wanted = format!("the bytes from {} on are neither gzip nor zstd", one.len());
        assert_eq!(read(&[&one, b"-----"]), ("a".to_owned(), Some(wanted.clone())));
        assert_eq!(read(&[&one, b"\n"]), ("a".to_owned(), Some(wanted)));
        let two = zstd("a");
        let wanted = format!("the bytes from {} on are neither gzip nor zstd", two.len() + 2);
        assert_eq!(read(&[&two, b"\0\0{\"id\":1}"]), ("a".to_owned(), Some(wanted)));
        let lz4 = b"\x04\x22\x4d\x18\x64";
        let (content, fault) = read(&[&skippable(b"index"), lz4]);
        assert_eq!((content.as_str(), fault.unwrap_or_default().contains("lz4")), ("", true));
    }

    #[test]
    fn a_member_that_is_cut_off_is_an_error() {
        let eof = Some(io::Error::from(ErrorKind::UnexpectedEof).to_string());
        let (gzipped, framed) = (gzip("some text"), zstd("some text"));
        for cut in 1..gzipped.len() {
            let (content, fault) = read(&[&gzip("a"), &gzipped[..cut]]);
            assert!(content.starts_with('a') && fault.is_some(), "{cut}: {fault:?}");
        }
        for cut in 1..framed.len() {
            let (content, fault) = read(&[&zstd("a"), &framed[..cut]]);
            assert!(content.starts_with('a') && fault == eof, "{cut}: {fault:?}");
        }
        let index = skippable(b"index");
        for cut in 4..index.len() {
            assert!(read(&[&zstd("a"), &index[..cut]]).1.is_some(), "{cut}");
        }
    }

    #[test]
    fn compressed_content_of_another_format_is_named() {
        let mut tar = vec![b'a'; 512];
        tar[257..262].copy_from_slice(b"ustar");
        let archive = gzip(std::str::from_utf8(&tar).expect("it is ASCII"));
        let mut reader = MemberReader::new(PeekReader::new(&archive[..]));
        let error = reader.read(&mut [0; 1024]).expect_err("an archive is not text");
        assert_eq!(error.to_string(), "it is a tar archive; unpack it first");
    }
}
