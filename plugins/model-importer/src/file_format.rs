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

const PICKLE: &str = "is a Python pickle, which is a program and is never run here";

/// Whether a file begins with text: an ONNX file has small numbers among its first bytes.
fn is_text(file: &[u8]) -> bool {
    file[..file.len().min(64)]
        .iter()
        .all(|byte| *byte >= 0x20 && *byte != 0x7f || matches!(byte, b'\t' | b'\n' | b'\r'))
}

/// Whether a document is what LightGBM's `dump_model` returns.
fn is_lightgbm_dump(text: &[u8]) -> bool {
    let start = &text[..text.len().min(4096)];
    let has = |key: &[u8]| start.windows(key.len()).any(|window| window == key);
    text.starts_with(b"{") && has(b"\"num_tree_per_iteration\"") && has(b"\"feature_names\"")
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
        _ if is_lightgbm_dump(text) => {
            return Err(
                "the file is the JSON of LightGBM's dump_model(), which is for reading; save the model with \
                 booster.save_model(\"model.txt\")"
                    .to_owned(),
            );
        }
        // XGBoost's dump_model() is a list of trees.
        [b'[', ..] if text.windows(8).take(4096).any(|window| window == b"\"nodeid\"") => {
            return Err(
                "the file is the JSON of XGBoost's dump_model(), which is for reading; save the model with \
                 booster.save_model(\"model.json\")"
                    .to_owned(),
            );
        }
        // UBJSON begins like JSON.
        _ if text.starts_with(b"{") => return Ok(FileKind::Model(Format::Xgboost)),
        _ if is_lightgbm => return Ok(FileKind::Model(Format::Lightgbm)),
        [0x80, 2..=5, ..] => PICKLE,
        // What joblib writes with `compress`. An archive of another origin is no model either.
        [b'x', 0x01 | 0x5e | 0x9c | 0xda, ..]
        | [0x1f, 0x8b, ..]
        | [0xfd, b'7', b'z', b'X', b'Z', 0, ..]
        | [0x5d, 0, 0, ..]
        | [b'B', b'Z', b'h', ..]
        | [0x04, 0x22, 0x4d, 0x18, ..]
        | [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            "is compressed, as joblib writes a Python pickle, which is a program and is never run here"
        }
        [b'P', b'K', 3, 4, ..] => "is a zip archive",
        [b'C', b'B', b'M', b'1', ..] => "is CatBoost's own format",
        [b'b', b'i', b'n', b'f', ..] => "is XGBoost's old binary format",
        // The first field of an ONNX file is a small number: the version, or a message.
        [first, ..] if (*first >> 3) > 0 && matches!(*first & 7, 0 | 2) && !is_text(file) => {
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
        for magic in
            [&b"x\x9c\xed"[..], b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"\x5d\0\0\x80", b"BZh9", b"\x04\x22\x4d\x18"]
        {
            let fault = fault(magic);
            assert!(fault.contains("is compressed, as joblib writes a Python pickle"), "{fault}");
        }
        insta::assert_snapshot!(fault(b"{\"name\": \"tree\", \"num_tree_per_iteration\": 1, \"feature_names\": []}"), @r#"the file is the JSON of LightGBM's dump_model(), which is for reading; save the model with booster.save_model("model.txt")"#);
        insta::assert_snapshot!(fault(b"[\n {\"nodeid\": 0}]"), @r#"the file is the JSON of XGBoost's dump_model(), which is for reading; save the model with booster.save_model("model.json")"#);
        for text in
            ["purpose,region\nhouse,north\n", "0.5,1\n", "\"a\",\"b\"\n", "id;x\n1;2\n", "Just some text."]
        {
            let fault = fault(text.as_bytes());
            assert!(fault.starts_with("the file has no known format"), "{text}: {fault}");
        }
        insta::assert_snapshot!(fault(b"\0asm"), @"the file has no known format; export the model as .onnx, as XGBoost's .json or .ubj, as LightGBM's .txt, or as CatBoost's .json");
    }
}
