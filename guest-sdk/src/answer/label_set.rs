//! Sets of labels.

use std::collections::{BTreeSet, HashSet};

use crate::answer::{Answer, AnswerBuilder, CollectedAnswers};
use crate::dictionary::Dictionary;
use crate::{AnswerValues, Form, LabelSets, Reason};

/// Collects sets of labels.
pub struct LabelSetBuilder {
    names: Dictionary,
    offsets: Vec<u32>,
    codes: Vec<u32>,
}

impl AnswerBuilder for LabelSetBuilder {
    const FORM: Form = Form::LabelSet;

    fn with_rows(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self { names: Dictionary::new(), offsets, codes: Vec::new() }
    }

    fn add_unanswered(&mut self) {
        self.offsets.push(self.codes.len() as u32);
    }

    fn finish(self) -> CollectedAnswers {
        let Self { names, offsets, codes } = self;
        AnswerValues::LabelSets(LabelSets { names: names.into_names(), offsets, codes }).into()
    }
}

impl LabelSetBuilder {
    /// Adds a set. The labels must be distinct.
    fn push(&mut self, labels: impl Iterator<Item = impl AsRef<str>>) {
        let Self { names, codes, .. } = self;
        codes.extend(labels.map(|label| names.code(label.as_ref())));
        self.offsets.push(self.codes.len() as u32);
    }
}

impl<S: AsRef<str> + Ord> Answer for BTreeSet<S> {
    type Builder = LabelSetBuilder;

    fn add_to(self, batch: &mut LabelSetBuilder) -> Result<(), Reason> {
        batch.push(self.iter());
        Ok(())
    }
}

impl<S: AsRef<str>, H> Answer for HashSet<S, H> {
    type Builder = LabelSetBuilder;

    fn add_to(self, batch: &mut LabelSetBuilder) -> Result<(), Reason> {
        // The order of a hash set may differ from call to call.
        let mut labels: Vec<&str> = self.iter().map(AsRef::as_ref).collect();
        labels.sort_unstable();
        batch.push(labels.into_iter());
        Ok(())
    }
}
