//! The format of a file, by its first bytes.

use crate::options::Format;

/// What to export instead of a file that is not read.
const ADVICE: &str = "export the model as .onnx, as XGBoost's .json or .ubj, or as LightGBM's .txt";

/// The format of a file.
///
/// # Errors
/// If the file is of no format that can be read. The message names the format where its first bytes tell it.
pub(crate) fn format(file: &[u8]) -> Result<Format, String> {
    let text = file.trim_ascii_start();
    let is_lightgbm =
        text.strip_prefix(b"tree").is_some_and(|rest| rest.trim_ascii_start().len() < rest.len());
    let other = match file {
        [] => "is empty",
        // UBJSON begins like JSON.
        _ if text.starts_with(b"{") => return Ok(Format::Xgboost),
        _ if is_lightgbm => return Ok(Format::Lightgbm),
        [0x80, 2..=5, ..] => "is a Python pickle, which is a program and is never run here",
        [b'P', b'K', 3, 4, ..] => "is a zip archive",
        [0x1f, 0x8b, ..] => "is compressed",
        [b'C', b'B', b'M', b'1', ..] => "is CatBoost's own format",
        [b'b', b'i', b'n', b'f', ..] => "is XGBoost's old binary format",
        // The first field of an ONNX file is a small number: the version, or a message.
        [first, ..] if (*first >> 3) > 0 && matches!(*first & 7, 0 | 2) => return Ok(Format::Onnx),
        _ => "has no known format",
    };
    Err(format!("the file {other}; {ADVICE}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_detected_by_their_first_bytes() {
        assert_eq!(format(b"\x08\x0a\x12\x08skl2onnx"), Ok(Format::Onnx));
        assert_eq!(format(b"{\"learner\":{"), Ok(Format::Xgboost));
        assert_eq!(format(b"{L\0\0\0\0\0\0\0\x07learner"), Ok(Format::Xgboost));
        assert_eq!(format(b"tree\nversion=v4\n"), Ok(Format::Lightgbm));
        let fault = |file: &[u8]| format(file).unwrap_err();
        insta::assert_snapshot!(fault(b""), @"the file is empty; export the model as .onnx, as XGBoost's .json or .ubj, or as LightGBM's .txt");
        insta::assert_snapshot!(fault(b"\x80\x04\x95"), @"the file is a Python pickle, which is a program and is never run here; export the model as .onnx, as XGBoost's .json or .ubj, or as LightGBM's .txt");
        insta::assert_snapshot!(fault(b"\0asm"), @"the file has no known format; export the model as .onnx, as XGBoost's .json or .ubj, or as LightGBM's .txt");
    }
}
