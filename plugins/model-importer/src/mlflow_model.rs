//! The file `MLmodel`, which describes a model that MLflow has saved.

use crate::options::Format;
use crate::signature::Signature;
use crate::yaml::Yaml;

/// What an `MLmodel` says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MlflowModel {
    /// The file of the model, relative to the folder.
    pub(crate) data: String,
    pub(crate) signature: Signature,
}

const FORMATS: [Format; 4] = [Format::Onnx, Format::Xgboost, Format::Lightgbm, Format::Catboost];

impl MlflowModel {
    /// Whether a file is an `MLmodel`.
    pub(crate) fn is_one(file: &[u8]) -> bool {
        let is_key = |line: &[u8]| line.trim_ascii_end() == b"flavors:";
        file.split(|byte| *byte == b'\n').take(MAX_LINES).any(is_key)
    }

    /// Parses an `MLmodel`. The flavour is that of `declared`, or the first one that is supported.
    ///
    /// # Errors
    /// If the file cannot be read, or has no such flavour.
    pub(crate) fn parse(file: &[u8], declared: Option<Format>) -> Result<Self, String> {
        let error = |fault: &str| format!("the MLmodel cannot be read: {fault}; log the model again");
        let text = std::str::from_utf8(file).map_err(|_| error("it is not UTF-8"))?;
        let yaml = Yaml::parse(text).map_err(|fault| error(&fault))?;
        let Some(Yaml::Mapping(flavours)) = yaml.get("flavors") else {
            return Err(error("it has no flavors"));
        };
        let wanted = FORMATS.into_iter().filter(|format| declared.is_none_or(|declared| declared == *format));
        let found =
            wanted.filter_map(|format| flavours.iter().find(|(name, _)| name == format.name())).next();
        let Some((name, flavour)) = found else {
            let names: Vec<&str> = flavours.iter().map(|(name, _)| &name[..]).collect();
            let wanted = declared.map_or("onnx, xgboost, lightgbm or catboost", Format::name);
            return Err(format!(
                "the MLmodel has the flavors {}, and none of {wanted}; log the model with mlflow.onnx, mlflow.xgboost, \
                 mlflow.lightgbm or mlflow.catboost",
                names.join(", ")
            ));
        };
        let data = flavour.text("data").ok_or_else(|| error(&format!("the flavor {name} has no data")))?;
        let is_inside =
            !data.contains(['\\', ':', '\0']) && data.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !is_inside {
            return Err(format!(
                "the MLmodel names {data:?}, outside of its folder; copy the model into the folder of its MLmodel"
            ));
        }
        let signature = match yaml.get("signature").and_then(|signature| signature.text("inputs")) {
            Some(inputs) => Signature::parse(inputs)?,
            None => Signature::default(),
        };
        Ok(Self { data: data.to_owned(), signature })
    }
}

/// Lines that are searched for the flavours.
const MAX_LINES: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    const XGBOOST: &str = "flavors:\n  python_function:\n    data: model.ubj\n  xgboost:\n    data: model.ubj\n    \
                           model_class: xgboost.sklearn.XGBClassifier\nsignature:\n  inputs: '[{\"type\": \"long\", \"name\": \
                           \"lead_time\",\n    \"required\": true}]'\n";

    #[test]
    fn the_flavour_names_the_file_and_the_signature_the_columns() {
        assert!(MlflowModel::is_one(XGBOOST.as_bytes()) && !MlflowModel::is_one(b"tree\nversion=v4\n"));
        let model = MlflowModel::parse(XGBOOST.as_bytes(), None).unwrap();
        assert_eq!((&model.data[..], model.signature.names()), ("model.ubj", vec!["lead_time".to_owned()]));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let fault = |text: &str, format| MlflowModel::parse(text.as_bytes(), format).unwrap_err();
        insta::assert_snapshot!(fault(XGBOOST, Some(Format::Onnx)), @"the MLmodel has the flavors python_function, xgboost, and none of onnx; log the model with mlflow.onnx, mlflow.xgboost, mlflow.lightgbm or mlflow.catboost");
        insta::assert_snapshot!(fault("flavors:\n  sklearn:\n    pickled_model: model.pkl\n", None), @"the MLmodel has the flavors sklearn, and none of onnx, xgboost, lightgbm or catboost; log the model with mlflow.onnx, mlflow.xgboost, mlflow.lightgbm or mlflow.catboost");
        insta::assert_snapshot!(fault(&XGBOOST.replace("model.ubj", "../model.ubj"), None), @r#"the MLmodel names "../model.ubj", outside of its folder; copy the model into the folder of its MLmodel"#);
        insta::assert_snapshot!(fault(&XGBOOST.replace("\"required\"", "required"), None), @"the inputs of the signature cannot be read: key must be a string at line 1 column 40; log the model again");
        insta::assert_snapshot!(fault("flavors:\n  xgboost: x\n", None), @"the MLmodel cannot be read: the flavor xgboost has no data; log the model again");
    }
}
