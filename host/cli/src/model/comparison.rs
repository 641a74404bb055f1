//! Compares the answers of a model with predictions, and writes the result as text.

use understudy_report::counted;

/// Rows that are printed if they differ, and rows that are printed if they have no answer.
const SHOWN: usize = 5;
/// Names that are printed.
const NAMES: usize = 10;
/// Differences that the arithmetic of 32 bits explains, relative to the prediction if its absolute value is above 1.
const NEAR: f64 = 1e-2;

/// The result of a comparison.
#[derive(Default)]
pub(super) struct Comparison {
    rows: usize,
    equal: usize,
    /// Numbers that are equal to the bit.
    pub(super) equal_bits: usize,
    pub(super) has_numbers: bool,
    /// The greatest difference of a number, over the rows with an answer.
    greatest: f64,
    unanswered: usize,
    /// The first rows that differ, then the first without an answer: a line each.
    differing: Vec<String>,
    missing: Vec<String>,
}

impl Comparison {
    /// Adds an answer to a row, which is counted from 0.
    pub(super) fn add(
        &mut self,
        row: usize,
        is_equal: bool,
        difference: f64,
        texts: impl FnOnce() -> (String, String),
    ) {
        self.rows += 1;
        self.equal += usize::from(is_equal);
        self.greatest = self.greatest.max(difference);
        if !is_equal && self.differing.len() < SHOWN {
            let (found, expected) = texts();
            self.differing.push(format!("  row {}: {found}, expected {expected}", row + 1));
        }
    }

    /// Adds a row without an answer.
    pub(super) fn add_unanswered(&mut self, row: usize, why: &str) {
        self.rows += 1;
        self.unanswered += 1;
        if self.missing.len() < SHOWN {
            self.missing.push(format!("  row {}: no answer: {why}", row + 1));
        }
    }

    pub(super) fn passed(&self) -> bool {
        self.equal == self.rows
    }

    /// Whether rows differ in a way that 32-bit arithmetic explains: numbers by little, or few labels.
    pub(super) fn is_near(&self) -> bool {
        let differing = self.rows - self.unanswered - self.equal;
        let few = self.equal > 0 && differing * 20 <= self.rows;
        differing > 0 && if self.has_numbers { self.greatest <= NEAR } else { few }
    }

    pub(super) fn summary(&self) -> String {
        let rows = counted(self.rows as u64, "row", "rows");
        if self.has_numbers {
            format!(
                "{} of {rows} within the tolerance, {} bit-identical, greatest difference {:e}",
                self.equal, self.equal_bits, self.greatest
            )
        } else {
            format!("{} of {rows} equal", self.equal)
        }
    }

    /// The lines that follow the summary.
    pub(super) fn details(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.unanswered > 0 {
            let (have, rows) = (self.unanswered, counted(self.rows as u64, "row", "rows"));
            lines.push(format!("{have} of {rows} have no answer"));
        }
        lines.extend(self.differing.iter().chain(&self.missing).cloned());
        if lines.len() > usize::from(self.unanswered > 0) {
            lines.push("  (rows are counted from 1, without the header)".to_owned());
        }
        lines
    }
}

/// What to do if the model answers class numbers and the predictions are names. `None` if some are equal.
pub(super) fn missing_labels_advice(answered: &[String], predicted: &[String]) -> Option<String> {
    let is_number = |text: &String| text.parse::<i64>().is_ok();
    let are_names = predicted.iter().any(|text| text.parse::<f64>().is_err());
    (!answered.is_empty() && answered.iter().all(is_number) && are_names).then(|| {
        format!(
            "the model answers {} and the predictions are {}; name them with --labels",
            name_list(answered),
            name_list(predicted)
        )
    })
}

fn name_list(names: &[String]) -> String {
    let more = if names.len() > NAMES { ", ..." } else { "" };
    format!("{}{more}", names[..names.len().min(NAMES)].join(", "))
}

/// The column of predictions that is compared if none is named: the first that is no index of pandas.
pub(super) fn default_column(names: &[String]) -> Option<&String> {
    let is_index = |name: &&String| name.is_empty() || *name == "Unnamed: 0" || *name == "__index_level_0__";
    names.iter().find(|name| !is_index(name)).or(names.first())
}

/// The first whole number of a column that a 32-bit float does not have.
pub(super) fn rounded_integer(cells: &[Option<String>]) -> Option<(usize, f64)> {
    let number = |(row, cell): (usize, &Option<String>)| Some((row, cell.as_deref()?.parse::<f64>().ok()?));
    cells.iter().enumerate().filter_map(number).find(|(_, number)| {
        number.is_finite() && number.fract() == 0.0 && f64::from(*number as f32) != *number
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn rows_without_an_answer_are_counted_apart() {
        let mut comparison = Comparison { has_numbers: true, ..Comparison::default() };
        comparison.add(0, true, 0.0, || unreachable!("the row is equal"));
        comparison.add(1, false, 0.003, || ("2.003".to_owned(), "2".to_owned()));
        comparison.add_unanswered(2, "the field `employment` is missing");
        assert!(comparison.is_near() && !comparison.passed());
        insta::assert_snapshot!(comparison.summary(), @"1 of 3 rows within the tolerance, 0 bit-identical, greatest difference 3e-3");
        insta::assert_snapshot!(comparison.details().join("\n"), @"
        1 of 3 rows have no answer
          row 2: 2.003, expected 2
          row 3: no answer: the field `employment` is missing
          (rows are counted from 1, without the header)
        ");
    }

    #[test]
    fn few_labels_that_differ_are_near() {
        let comparison = |equal: usize, differing: usize| {
            let mut comparison = Comparison::default();
            (0..equal).for_each(|row| comparison.add(row, true, 0.0, Default::default));
            (0..differing).for_each(|row| comparison.add(row, false, 0.0, Default::default));
            comparison
        };
        assert!(comparison(99, 1).is_near());
        assert!(
            !comparison(50, 50).is_near() && !comparison(100, 0).is_near() && !comparison(0, 1).is_near()
        );
        assert!(comparison(3, 0).details().is_empty());
    }

    #[test]
    fn numbers_for_names_are_forgotten_labels() {
        let found = missing_labels_advice(&texts(&["0", "1", "2"]), &texts(&["approve", "manual", "reject"]));
        insta::assert_snapshot!(found.unwrap(), @"the model answers 0, 1, 2 and the predictions are approve, manual, reject; name them with --labels");
        assert_eq!(missing_labels_advice(&texts(&["0", "1"]), &texts(&["1", "2"])), None);
        assert_eq!(missing_labels_advice(&texts(&["a", "b"]), &texts(&["c"])), None);
    }

    #[test]
    fn an_index_is_no_prediction() {
        assert_eq!(default_column(&texts(&["", "label"])).unwrap(), "label");
        assert_eq!(default_column(&texts(&["Unnamed: 0", "label", "confidence"])).unwrap(), "label");
        assert_eq!(default_column(&texts(&[""])).unwrap(), "");
        assert_eq!(default_column(&[]), None);
    }

    #[test]
    fn whole_numbers_beyond_32_bit_floats_are_found() {
        let cells =
            |numbers: &[&str]| numbers.iter().map(|text| Some((*text).to_owned())).collect::<Vec<_>>();
        assert_eq!(rounded_integer(&cells(&["16777216", "70000000", "70000003"])), Some((2, 70000003.0)));
        assert_eq!(rounded_integer(&cells(&["0.1", "x", "nan"])), None);
    }
}
