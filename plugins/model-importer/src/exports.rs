//! The export of the component.
//!
//! It exists only on Wasm, so that native tests can link the crate.

#[cfg(target_arch = "wasm32")]
mod component {
    #![expect(missing_docs, reason = "generated; wit/shadow.wit has the documentation")]

    use tabular_form::{AnswerRule, FieldKind};

    use exports::understudy::shadow::answers::Form;
    use exports::understudy::shadow::columns::{Field, Kind};
    use exports::understudy::shadow::lowering::{Guest, LoweredModel, Operator, Summary};

    wit_bindgen::generate!({ path: "../../wit", world: "importer" });

    struct Component;

    impl Guest for Component {
        fn lower(file: Vec<u8>, options: String) -> Result<LoweredModel, String> {
            understudy_sdk::panic::install();
            let options = serde_json::from_str(&options)
                .map_err(|error| format!("the options are invalid: {error}"))?;
            let lowered = crate::lower(&file, &options)?;
            // The file is not needed any more, and the bytes of a large model take much memory.
            drop(file);
            let summary = summary(&lowered);
            Ok(LoweredModel { bytes: lowered.model.to_bytes(), summary })
        }
    }

    fn summary(lowered: &crate::LoweredModel) -> Summary {
        let model = &lowered.model;
        let field = |field: &tabular_form::Field| Field {
            name: field.name.clone(),
            kind: match field.kind {
                FieldKind::Boolean => Kind::Boolean,
                FieldKind::Integer => Kind::Integer,
                FieldKind::Number => Kind::Number,
                FieldKind::Text => Kind::Text,
            },
            required: field.required,
        };
        let operator =
            |(name, count): (&String, &usize)| Operator { name: name.clone(), count: *count as u32 };
        Summary {
            format: lowered.format.name().to_owned(),
            producer: lowered.producer.clone(),
            reads: model.fields.iter().map(field).collect(),
            answers: match model.answer {
                AnswerRule::Number { .. } => Form::Number,
                _ => Form::Label,
            },
            labels: lowered.labels().to_vec(),
            confidence: model.answer.has_confidence(),
            operators: lowered.operators.iter().map(operator).collect(),
            trees: model.form.ensembles.iter().map(|ensemble| ensemble.trees.len() as u32).sum(),
            notes: lowered.notes.clone(),
        }
    }

    export!(Component);
}
