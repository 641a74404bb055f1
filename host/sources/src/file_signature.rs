//! Recognises the format of a file by its first bytes.
//!
//! Invariants: only what cannot begin a file of JSON Lines is recognised as another format.

use std::fmt;

/// The kind of a file by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileSignature {
    /// Text, as far as the first bytes say.
    Text,
    /// Members of gzip or frames of Zstandard.
    Compressed,
    /// A format that is not read.
    Unsupported(UnsupportedFormat),
}

/// A format that is recognised and not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnsupportedFormat {
    /// The end of a sentence that begins with "it is".
    what: &'static str,
    advice: &'static str,
}

impl fmt::Display for UnsupportedFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is {}; {}", self.what, self.advice)
    }
}

impl std::error::Error for UnsupportedFormat {}

/// The first bytes of a gzip member.
pub(crate) const GZIP: &[u8] = b"\x1f\x8b";
/// The first bytes of a Zstandard frame.
pub(crate) const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

const DECOMPRESS: &str = "decompress it first, or compress it with gzip or zstd";
const UNPACK: &str = "unpack it first";
const EXPORT: &str = "export its rows as JSON Lines, CSV or Parquet first";
const DECLARE_PARQUET: &str = "end its name in .parquet, or write format = \"parquet\" beside it";
const CONVERT: &str = "convert it to UTF-8 first, for instance with `iconv -t UTF-8`";

/// First bytes that no line of text has, with what they begin.
const SIGNATURES: &[(&[u8], &str, &str)] = &[
    (b"\xfd7zXZ\0", "compressed with xz", DECOMPRESS),
    (b"\x04\x22\x4d\x18", "compressed with lz4", DECOMPRESS),
    (b"\x02\x21\x4c\x18", "compressed with lz4", DECOMPRESS),
    (b"BZh", "compressed with bzip2", DECOMPRESS),
    (b"LZIP\x01", "compressed with lzip", DECOMPRESS),
    (b"\x5d\0\0\x80\0", "compressed with lzma", DECOMPRESS),
    (b"\x1f\x9d", "compressed with compress (.Z)", DECOMPRESS),
    (b"\xff\x06\0\0sNaPpY", "compressed with Snappy", DECOMPRESS),
    (b"PK\x03\x04", "a zip archive, as .xlsx files are, too", UNPACK),
    (b"PK\x05\x06", "an empty zip archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"Rar!\x1a\x07", "a rar archive", UNPACK),
    (b"PAR1", "a Parquet file", DECLARE_PARQUET),
    (b"PARE", "an encrypted Parquet file", EXPORT),
    (b"ARROW1\0\0", "an Arrow file", EXPORT),
    (b"\xff\xff\xff\xff", "an Arrow stream", EXPORT),
    (b"Obj\x01", "an Avro file", EXPORT),
    (b"ORC", "an ORC file", EXPORT),
    (b"SQLite format 3\0", "an SQLite database", EXPORT),
    (b"\xff\xfe\0\0", "UTF-32 text", CONVERT),
    (b"\0\0\xfe\xff", "UTF-32 text", CONVERT),
    (b"\xff\xfe", "UTF-16 text", CONVERT),
    (b"\xfe\xff", "UTF-16 text", CONVERT),
];

/// The place and the text that mark a tar archive.
const TAR: (usize, &[u8]) = (257, b"ustar");

/// The format of a file with these first bytes: four or more, unless the file is shorter. A tar archive is recognised
/// by 262 bytes.
pub(crate) fn recognise(first: &[u8]) -> FileSignature {
    let unsupported = |what, advice| FileSignature::Unsupported(UnsupportedFormat { what, advice });
    if first.starts_with(GZIP) || first.starts_with(ZSTD) || is_skippable_frame(first) {
        return FileSignature::Compressed;
    }
    if let Some(format) = unsupported_format(first) {
        return FileSignature::Unsupported(format);
    }
    // Without a byte order mark: JSON begins with ASCII characters (RFC 4627, section 3).
    let [a, b, c, d, ..] = *first else { return FileSignature::Text };
    match [a, b, c, d].map(|byte| byte == 0) {
        [true, true, true, false] | [false, true, true, true] => unsupported("UTF-32 text", CONVERT),
        [true, false, true, false] | [false, true, false, true] => unsupported("UTF-16 text", CONVERT),
        _ => FileSignature::Text,
    }
}

/// The format that is not read and begins so; `None` if no signature is recognised.
pub(crate) fn unsupported_format(first: &[u8]) -> Option<UnsupportedFormat> {
    if first.get(TAR.0..).is_some_and(|rest| rest.starts_with(TAR.1)) {
        return Some(UnsupportedFormat { what: "a tar archive", advice: UNPACK });
    }
    // Signatures of letters alone could begin a line of text, which has no bytes outside of text behind them.
    let is_text = |signature: &[u8]| signature.iter().all(u8::is_ascii_graphic);
    let binary = |rest: &[u8]| rest.iter().take(64).any(|byte| !byte.is_ascii() || *byte < b'\t');
    let matches = |signature: &[u8]| {
        first.strip_prefix(signature).is_some_and(|rest| !is_text(signature) || binary(rest))
    };
    let (_, what, advice) = SIGNATURES.iter().find(|(signature, ..)| matches(signature))?;
    Some(UnsupportedFormat { what, advice })
}

/// Whether a skippable frame of Zstandard begins so. Tools write their index or a seek table into such frames.
pub(crate) fn is_skippable_frame(first: &[u8]) -> bool {
    matches!(first, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(first: &[u8]) -> String {
        match recognise(first) {
            FileSignature::Text => "text".to_owned(),
            FileSignature::Compressed => "compressed".to_owned(),
            FileSignature::Unsupported(format) => format.to_string(),
        }
    }

    #[test]
    fn formats_are_recognised_by_their_signatures() {
        let mut tar = vec![b'a'; 512];
        tar[257..263].copy_from_slice(b"ustar\0");
        for (first, what) in [
            (&b"\xfd7zXZ\0\0\x04"[..], "xz"),
            (b"\x04\x22\x4d\x18\x64", "lz4"),
            (b"BZh91AY&SY\x9a", "bzip2"),
            (b"PK\x03\x04\x14", "zip"),
            (b"PAR1\x15\x04", "Parquet"),
            (b"ARROW1\0\0\xff", "Arrow"),
            (b"\xff\xff\xff\xff\x10\0", "Arrow"),
            (b"Obj\x01\x04", "Avro"),
            (b"ORC\x0a\x03\0", "ORC"),
            (b"SQLite format 3\0", "SQLite"),
            (b"\xff\xfe{\0\"\0", "UTF-16"),
            (b"{\0\"\0i\0", "UTF-16"),
            (b"\0{\0\"", "UTF-16"),
            (b"\xff\xfe\0\0{\0\0\0", "UTF-32"),
            (b"{\0\0\0\"\0\0\0", "UTF-32"),
            (b"\0\0\0{", "UTF-32"),
            (&tar, "tar"),
        ] {
            assert!(signature(first).contains(what), "{first:?}: {}", signature(first));
        }
        for first in
            [&b"\x1f\x8b\x08"[..], b"\x28\xb5\x2f\xfd\x04", b"\x50\x2a\x4d\x18\0\0\0\0", b"\x5f\x2a\x4d\x18"]
        {
            assert_eq!(signature(first), "compressed");
        }
    }

    #[test]
    fn text_is_text() {
        for first in [
            &b"{\"id\":1}"[..],
            b"\xef\xbb\xbf{\"id\":1}",
            b"",
            b"{}",
            b"\n\n\n{",
            b"BZhang, Wei",
            b"ORCHARD\n{\"id\":1}",
            b"PAR1 is a file name\n",
            b"id,at,booked\n",
            b"\x1e{\"id\":1}",
            b"\0\0\0\0",
        ] {
            assert_eq!(signature(first), "text", "{first:?}");
        }
    }
}
