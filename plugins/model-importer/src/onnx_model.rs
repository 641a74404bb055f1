//! Lowers ONNX files.

use tabular_form::{Form, Kind, TrainedModel};
use tabular_onnx::Import;

use crate::answer_rule::{Outputs, answer_rule};
use crate::options::{Format, Options};
use crate::{LoweredModel, field_names, missing_values};

/// The key of the file's metadata that names the columns, as a JSON list of text.
const FIELDS: &str = "understudy.fields";

/// Lowers a file.
///
/// # Errors
/// See [`lower`](crate::lower).
pub(crate) fn lower(file: &[u8], options: &Options) -> Result<LoweredModel, String> {
    let import = tabular_onnx::import(file).map_err(|error| error.to_string())?;
    let named = match import.metadata.get(FIELDS) {
        None => Vec::new(),
        Some(text) => serde_json::from_str::<Vec<String>>(text).map_err(|_| {
            format!(
                "the metadata `{FIELDS}` of the file is no JSON list of names; write it as [\"a\", \"b\"]"
            )
        })?,
    };
    let mut fields = field_names::fields(&import.form, &options.fields, &named)?;
    for (field, handled) in fields.iter_mut().zip(missing_values::handled(&import.form)) {
        field.required = !handled;
    }
    let outputs = outputs(&import)?;
    let answer = answer_rule(&import.form, &outputs, options)?;
    let notes = precision_note(&import.form).into_iter().collect();
    let Import { form, operators, producer, .. } = import;
    Ok(LoweredModel {
        model: TrainedModel { fields, answer, form },
        format: Format::Onnx,
        producer,
        operators,
        notes,
    })
}

/// The outputs of labels and scores.
fn outputs(import: &Import) -> Result<Outputs, String> {
    let is_number = |kind| matches!(kind, Kind::Float | Kind::Double);
    let find = |wanted: &dyn Fn(Kind) -> bool| -> Vec<usize> {
        (0..import.outputs.len()).filter(|output| wanted(import.outputs[*output].kind())).collect()
    };
    let (labels, numbers) = (find(&|kind| !is_number(kind)), find(&is_number));
    for several in [&labels, &numbers] {
        if several.len() > 1 {
            let names: Vec<String> =
                several.iter().map(|output| format!("{:?}", import.outputs[*output].name)).collect();
            return Err(format!(
                "the model has several outputs of one kind: {}; export it with the one that is the answer",
                names.join(", ")
            ));
        }
    }
    if let Some(label) = labels.first()
        && import.outputs[*label].columns.width != 1
    {
        let port = &import.outputs[*label];
        return Err(format!(
            "output {:?} has {} labels in one row; export the model with one",
            port.name, port.columns.width
        ));
    }
    let score_labels =
        numbers.first().map(|output| import.outputs[*output].labels.clone()).unwrap_or_default();
    Ok(Outputs { label: labels.first().copied(), numbers: numbers.first().copied(), score_labels })
}

/// A note on inputs whose numbers are rounded to 32 bits.
fn precision_note(form: &Form) -> Option<String> {
    form.inputs.iter().any(|input| input.columns.kind == Kind::Float).then(|| {
        "numbers are read as 32-bit floats: whole numbers beyond 16,777,216, such as timestamps, are rounded".to_owned()
    })
}
