use super::*;

#[test]
fn a_file_of_another_format_is_named() {
    let options = Options { format: Some(Format::Onnx), ..Options::default() };
    insta::assert_snapshot!(lower(b"tree\nversion=v4\n", &options).unwrap_err(), @r#"the file is a model of lightgbm, and the study says "onnx"; write plugin = "lightgbm""#);
}
