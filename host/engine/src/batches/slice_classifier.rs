//! Assigns each snapshot to its window and its condition values.

use crate::plugins::study_fields;
use understudy_records::batch::Records;
use understudy_statistics::scoring::{Conditions, Window, WindowClock};
use understudy_study::Study;

/// Computes windows and condition values.
pub struct SliceClassifier {
    clock: WindowClock,
    conditions: Conditions,
}

impl SliceClassifier {
    /// Uses the windows and conditions of a study.
    pub fn new(study: &Study) -> SliceClassifier {
        SliceClassifier {
            clock: WindowClock::new(study.windows, study.time_zone.clone()),
            conditions: study_fields::conditions(study),
        }
    }

    /// Returns the window of each record, and per condition the value index of each record.
    pub fn classify(&mut self, records: &Records) -> (Vec<Window>, Vec<Vec<u16>>) {
        let windows = records.times.iter().map(|&time| self.clock.window(time)).collect();
        let conditions = self.conditions.classify(&records.fields, &records.times);
        (windows, conditions.expect("the declaration's fields are the batch's columns"))
    }
}
