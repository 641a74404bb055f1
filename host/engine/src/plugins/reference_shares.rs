//! Reads the reference distributions of the threshold from the files that the study names.
//!
//! Invariants: shares belong to the condition's own values and sum to 1.

use serde_json::{Map, Value as Json};

use crate::plugins::load::{Files, Loader};
use crate::plugins::stored_files::asset_file_name;
use understudy_run_log::read_file;
use understudy_study::{Reference, Shares, Study};

impl Loader<'_> {
    /// For each reference of the threshold, its shares by value index; and the files read, by the name that
    /// the declaration uses.
    pub(crate) fn references(&mut self, study: &Study) -> (Vec<Vec<f64>>, Files) {
        let (mut all, mut files) = (Vec::new(), Vec::new());
        let declared = study.threshold.iter().flat_map(|threshold| &threshold.references);
        for Reference { condition, shares, line, .. } in declared {
            match shares {
                Shares::Listed(shares) => all.push(shares.clone()),
                Shares::File(path) => {
                    let name = path.to_string_lossy().into_owned();
                    let place = match self.stored_digest(&name) {
                        Some(sha256) => self.folder.join(asset_file_name(&sha256)),
                        None => self.folder.join(path),
                    };
                    let read = read_file(&place).map_err(|error| format!("cannot read it: {error}"));
                    let values = study.conditions[*condition].split.values();
                    match read.and_then(|bytes| Ok((self::shares(&bytes, &values)?, bytes))) {
                        Ok((shares, bytes)) => {
                            all.push(shares);
                            files.push((name, bytes));
                        }
                        Err(what) => {
                            self.fault(*line, format!("the reference `{name}`, {}: {what}", place.display()))
                        }
                    }
                }
            }
        }
        (all, files)
    }
}

/// Shares by value index, from a JSON object of shares or counts by value name.
fn shares(bytes: &[u8], values: &[String]) -> Result<Vec<f64>, String> {
    let object: Map<String, Json> = serde_json::from_slice(bytes).map_err(|error| {
        format!("it is not a JSON object: {error}; write one of shares or counts by value")
    })?;
    let mut found = vec![0.0; values.len()];
    for (name, number) in &object {
        let index = values
            .iter()
            .position(|value| value == name)
            .ok_or_else(|| format!("the condition has no value \"{name}\"; it has {}", values.join(", ")))?;
        let number = number.as_f64().filter(|number| *number >= 0.0 && number.is_finite());
        found[index] = number
            .ok_or_else(|| format!("\"{name}\" is not a share or count; write a number of at least 0"))?;
    }
    let sum: f64 = found.iter().sum();
    match sum > 0.0 {
        true => Ok(found.iter().map(|number| number / sum).collect()),
        false => Err("its numbers sum to 0; write shares or counts by value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_become_shares_and_invalid_input_is_rejected() {
        let values = ["direct", "groups", "other", "missing"].map(str::to_owned);
        let read = |text: &str| shares(text.as_bytes(), &values);
        assert_eq!(read(r#"{"groups": 30, "direct": 10}"#), Ok(vec![0.25, 0.75, 0.0, 0.0]));
        assert_eq!(read(r#"{"groups": 0.75, "other": 0.25}"#), Ok(vec![0.0, 0.75, 0.25, 0.0]));
        let told = ["[1]", r#"{"corporate": 1}"#, r#"{"direct": -1}"#, r#"{"direct": "1"}"#, "{}"]
            .map(|text| read(text).unwrap_err());
        insta::assert_snapshot!(told.join("\n"));
    }
}
