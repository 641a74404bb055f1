//! The export of the component.
//!
//! It exists only on Wasm, so that native tests can link the crate.

#[cfg(target_arch = "wasm32")]
mod component {
    use tabular_program::{AnswerForm, FieldKind};

    use exports::understudy::shadow::answers::Form;
    use exports::understudy::shadow::columns::{Field, Kind};
    use exports::understudy::shadow::model_import::{
        ExternalFile, Guest, ImportedModel, Operator, Outcome, Summary,
    };

    wit_bindgen::generate!({ path: "../../wit", world: "importer" });

    struct Component;

    impl Guest for Component {
        fn import_model(
            file: Vec<u8>,
            others: Vec<ExternalFile>,
            options: String,
        ) -> Result<Outcome, String> {
            understudy_sdk::panic::install();
            let options = serde_json::from_str(&options)
                .map_err(|error| format!("the options are invalid: {error}"))?;
            let others: Vec<crate::ExternalFile> = others
                .into_iter()
                .map(|other| crate::ExternalFile { name: other.name, bytes: other.bytes })
                .collect();
            let imported = match crate::import(&file, &others, &options)? {
                crate::Outcome::Model(imported) => imported,
                crate::Outcome::Missing(names) => return Ok(Outcome::Missing(names)),
            };
            // The files are not needed any more, and the bytes of a large model take much memory.
            drop((file, others));
            let summary = summary(&imported);
            Ok(Outcome::Model(ImportedModel { bytes: imported.model.to_bytes(), summary }))
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
            answers: match model.answer.form() {
                AnswerForm::Label => Form::Label,
                AnswerForm::Number => Form::Number,
                AnswerForm::Ranking => Form::Ranking,
            },
            labels: imported.labels(),
            renamed: imported.renamed.clone(),
            rounded: imported.rounded.clone(),
            confidence: model.answer.has_confidence(),
            has_probabilities: model.answer.classes().is_some(),
            operators: imported.operators.iter().map(operator).collect(),
            trees: model.program.ensembles.iter().map(|ensemble| ensemble.trees.len() as u32).sum(),
            notes: imported.notes.clone(),
        }
    }

    export!(Component);
}
