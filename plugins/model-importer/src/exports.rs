//! The export of the component.
//!
//! It exists only on Wasm, so that native tests can link the crate.

#[cfg(target_arch = "wasm32")]
mod component {
    #![expect(missing_docs, reason = "generated; wit/shadow.wit has the documentation")]

    use tabular_program::{AnswerRule, FieldKind};

    use exports::understudy::shadow::answers::Form;
    use exports::understudy::shadow::columns::{Field, Kind};
    use exports::understudy::shadow::model_import::{Guest, ImportedModel, Operator, Summary};

    wit_bindgen::generate!({ path: "../../wit", world: "importer" });

    struct Component;

    impl Guest for Component {
        fn import_model(file: Vec<u8>, options: String) -> Result<ImportedModel, String> {
            understudy_sdk::panic::install();
            let options = serde_json::from_str(&options)
                .map_err(|error| format!("the options are invalid: {error}"))?;
            let imported = crate::import(&file, &options)?;
            // The file is not needed any more, and the bytes of a large model take much memory.
            drop(file);
            let summary = summary(&imported);
            Ok(ImportedModel { bytes: imported.model.to_bytes(), summary })
        }
    }

    fn summary(imported: &crate::ImportedModel) -> Summary {
        let model = &imported.model;
        let field = |field: &tabular_program::Field| Field {
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
            format: imported.format.name().to_owned(),
            producer: imported.producer.clone(),
            reads: model.fields.iter().map(field).collect(),
            answers: match model.answer {
                AnswerRule::Number { .. } => Form::Number,
                _ => Form::Label,
            },
            labels: imported.labels().to_vec(),
            confidence: model.answer.has_confidence(),
            operators: imported.operators.iter().map(operator).collect(),
            trees: model.program.ensembles.iter().map(|ensemble| ensemble.trees.len() as u32).sum(),
            notes: imported.notes.clone(),
        }
    }

    export!(Component);
}
