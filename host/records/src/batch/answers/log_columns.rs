//! The columns of answers in the run log.

use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, AsArray as _, Float64Array, Float64Builder, ListBuilder, StringBuilder,
};
use arrow::datatypes::{Field, Float64Type};

use super::name_dictionary::Dictionary;
use super::{AnswerColumn, AnswerSchema, Answers, Probabilities, Reason};
use understudy_study::AnswerForm;

impl Answers {
    /// The columns of answers in the run log: `NAME.answer` (text, number, list of text or JSON text; null without an answer),
    /// `NAME.unanswered` (the reason; null with an answer) and `NAME.confidence` (null without a confidence). Answers with
    /// class probabilities also have `NAME.probabilities` (a map from class to probability; null without an answer).
    pub fn columns(&self, name: &str) -> Vec<(Field, ArrayRef)> {
        let answers = self.answer_column();
        let mut reasons = StringBuilder::new();
        let mut next = self.unanswered.iter().peekable();
        for row in 0..self.rows() as u32 {
            match next.next_if(|(at, _)| *at == row) {
                Some((_, reason)) => reasons.append_value(reason.to_string()),
                None => reasons.append_null(),
            }
        }
        let reasons: ArrayRef = Arc::new(reasons.finish());
        let probabilities = self.probabilities.as_ref().map(Probabilities::column);
        let columns = [answers, reasons, self.confidence_column()].into_iter().chain(probabilities);
        let names = self.schema().column_names(name).into_iter();
        names
            .zip(columns)
            .map(|(name, column)| (Field::new(name, column.data_type().clone(), true), column))
            .collect()
    }

    /// The Arrow fields of [`Answers::columns`] for answers of one schema.
    pub fn column_fields(name: &str, schema: impl Into<AnswerSchema>) -> Vec<Field> {
        let none = Answers::unanswered(schema, 0, &Reason::Abstained(String::new()));
        none.columns(name).into_iter().map(|(field, _)| field).collect()
    }

    /// Reads the columns that [`Answers::columns`] wrote, in their order.
    ///
    /// `None` if a column is missing or has another type, or a row has neither an answer nor a valid reason, or not
    /// exactly the answered rows have probabilities.
    pub fn from_columns(schema: impl Into<AnswerSchema>, columns: &[&ArrayRef]) -> Option<Answers> {
        let AnswerSchema { form, probabilities } = schema.into();
        let (&[answers, reasons, confidences], more) = columns.split_first_chunk()?;
        let rows = answers.len();
        let mut unanswered = Vec::new();
        let reasons = reasons.as_string_opt::<i32>()?;
        for row in (0..rows).filter(|&row| reasons.is_valid(row)) {
            unanswered.push((row as u32, Reason::parse(reasons.value(row))?));
        }
        if answers.null_count() != unanswered.len()
            || unanswered.iter().any(|(row, _)| answers.is_valid(*row as usize))
        {
            return None;
        }
        let mut names = Dictionary::default();
        let decisions = match form {
            AnswerForm::Number => {
                let numbers = answers.as_primitive_opt::<Float64Type>()?;
                AnswerColumn::Numbers(numbers.iter().map(|number| number.unwrap_or(0.0)).collect())
            }
            AnswerForm::Label => {
                let labels = answers.as_string_opt::<i32>()?;
                let codes = labels.iter().map(|label| names.code(label.unwrap_or_default())).collect();
                AnswerColumn::Labels { names: names.finish(), codes }
            }
            AnswerForm::Json => {
                let texts = answers.as_string_opt::<i32>()?;
                let codes = texts.iter().map(|text| names.code(text.unwrap_or("null"))).collect();
                AnswerColumn::Json { texts: names.finish(), codes }
            }
            AnswerForm::Ranking | AnswerForm::LabelSet => {
                let lists = answers.as_list_opt::<i32>()?;
                let values = lists.values().as_string_opt::<i32>()?;
                let mut offsets = vec![0];
                let mut codes = Vec::with_capacity(values.len());
                for row in 0..rows {
                    let range = lists.value_offsets()[row] as usize..lists.value_offsets()[row + 1] as usize;
                    codes.extend(range.map(|at| names.code(values.value(at))));
                    offsets.push(codes.len() as u32);
                }
                match form {
                    AnswerForm::LabelSet => AnswerColumn::LabelSets { names: names.finish(), offsets, codes },
                    _ => AnswerColumn::Rankings { names: names.finish(), offsets, codes },
                }
            }
        };
        let confidences = confidences.as_primitive_opt::<Float64Type>()?;
        let confidence = (confidences.null_count() < rows)
            .then(|| confidences.iter().map(|value| value.unwrap_or(f64::NAN)).collect());
        let probabilities = match (probabilities, more) {
            (false, []) => None,
            (true, [column]) if column.null_count() == unanswered.len() => {
                let probabilities = Probabilities::from_column(column)?;
                let has_any = |(row, _): &(u32, Reason)| column.is_valid(*row as usize);
                if unanswered.iter().any(has_any) {
                    return None;
                }
                Some(probabilities)
            }
            _ => return None,
        };
        Some(Answers { decisions, confidence, probabilities, unanswered })
    }

    fn confidence_column(&self) -> ArrayRef {
        match &self.confidence {
            Some(values) => {
                Arc::new(Float64Array::from_iter(values.iter().map(|c| (!c.is_nan()).then_some(*c))))
            }
            None => Arc::new(Float64Array::new_null(self.rows())),
        }
    }

    pub(super) fn answer_column(&self) -> ArrayRef {
        let mut missing = self.unanswered.iter().map(|(row, _)| *row as usize).peekable();
        let mut answered = |row: usize| missing.next_if_eq(&row).is_none();
        match &self.decisions {
            AnswerColumn::Labels { names, codes } | AnswerColumn::Json { texts: names, codes } => {
                let mut out = StringBuilder::with_capacity(codes.len(), codes.len() * 8);
                for (row, &code) in codes.iter().enumerate() {
                    out.append_option(answered(row).then(|| names.value(code as usize)));
                }
                Arc::new(out.finish())
            }
            AnswerColumn::Numbers(numbers) if self.unanswered.is_empty() => {
                Arc::new(Float64Array::from(numbers.clone()))
            }
            AnswerColumn::Numbers(numbers) => {
                let mut out = Float64Builder::with_capacity(numbers.len());
                for (row, &number) in numbers.iter().enumerate() {
                    out.append_option(answered(row).then_some(number));
                }
                Arc::new(out.finish())
            }
            AnswerColumn::Rankings { names, offsets, codes }
            | AnswerColumn::LabelSets { names, offsets, codes } => {
                let mut out = ListBuilder::new(StringBuilder::new());
                for row in 0..offsets.len() - 1 {
                    for &code in &codes[offsets[row] as usize..offsets[row + 1] as usize] {
                        out.values().append_value(names.value(code as usize));
                    }
                    out.append(answered(row));
                }
                Arc::new(out.finish())
            }
        }
    }
}
