//! The format of a file, by its first bytes.

use tabular_boosters::catboost;

use crate::mlflow_model::MlflowModel;
use crate::options::Format;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// A model of a format.
    Model(Format),
    /// A description by MLflow of a model in another file.
    Mlflow,
}

/// What to export instead of a file that is not read.
const ADVICE: &str = "export the model as .onnx, as XGBoost's .json or .ubj, as LightGBM's .txt, or as CatBoost's \
                      .json";

/// What a file is.
///
/// # Errors
/// If the file is of no format that can be read. The message names the format where its first bytes tell it.
pub(crate) fn kind(file: &[u8]) -> Result<FileKind, String> {
    let text = file.trim_ascii_start();
    let is_lightgbm =
        text.strip_prefix(b"tree").is_some_and(|rest| rest.trim_ascii_start().len() < rest.len());
    let other = match file {
        [] => "is empty",
        _ if catboost::is_model(text) => return Ok(FileKind::Model(Format::Catboost)),
        // UBJSON begins like JSON.
        _ if text.starts_with(b"{") => return Ok(FileKind::Model(Format::Xgboost)),
        _ if is_lightgbm => return Ok(FileKind::Model(Format::Lightgbm)),
        [0x80, 2..=5, ..] => "is a Python pickle, which is a program and is never run here",
        [b'P', b'K', 3, 4, ..] => "is a zip archive",
        [0x1f, 0x8b, ..] => "is compressed",
        [b'C', b'B', b'M', b'1', ..] => "is CatBoost's own format",
        [b'b', b'i', b'n', b'f', ..] => "is XGBoost's old binary format",
        // The first field of an ONNX file is a small number: the version, or a message.
        [first, ..] if (*first >> 3) > 0 && matches!(*first & 7, 0 | 2) => {
            return Ok(FileKind::Model(Format::Onnx));
        }
        _ if MlflowModel::is_one(file) => return Ok(FileKind::Mlflow),
        _ => "has no known format",
    };
    Err(format!("the file {other}; {ADVICE}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_detected_by_their_first_bytes() {
        assert_eq!(kind(b"\x08\x0a\x12\x08skl2onnx"), Ok(FileKind::Model(Format::Onnx)));
        assert_eq!(kind(b"{\"learner\":{"), Ok(FileKind::Model(Format::Xgboost)));
        assert_eq!(kind(b"{L\0\0\0\0\0\0\0\x07learner"), Ok(FileKind::Model(Format::Xgboost)));
        assert_eq!(kind(b"tree\nversion=v4\n"), Ok(FileKind::Model(Format::Lightgbm)));
        assert_eq!(kind(b"{\n \"features_info\":"), Ok(FileKind::Model(Format::Catboost)));
        assert_eq!(kind(b"artifact_path: model\nflavors:\n  onnx:\n"), Ok(FileKind::Mlflow));
        let fault = |file: &[u8]| kind(file).unwrap_err();
        insta::assert_snapshot!(fault(b""), @"the file is empty; export the model as .onnx, as XGBoost's .json or .ubj, as LightGBM's .txt, or as CatBoost's .json");
        insta::assert_snapshot!(fault(b"\x80\x04\x95"), @"the file is a Python pickle, which is a program and is never run here; export the model as .onnx, as XGBoost's .json or .ubj, as LightGBM's .txt, or as CatBoost's .json");
        insta::assert_snapshot!(fault(b"\0asm"), @"the file has no known format; export the model as .onnx, as XGBoost's .json or .ubj, as LightGBM's .txt, or as CatBoost's .json");
    }
}
