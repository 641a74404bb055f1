//! What the ledger says of a run that goes on.
//!
//! Always holds: it is what the entries say, the later ones over the earlier.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use crate::inference::determinism_check::Again;
use understudy_run_log::ledger::{Entry, Event};

/// What the ledger says of a run.
pub struct Past {
    /// SHA-256 of `seal.json`, in hexadecimal.
    pub seal: Option<String>,
    /// SHA-256 of its `study.toml`, in hexadecimal.
    pub study_toml: Option<String>,
    /// When it was opened.
    pub began: Option<Timestamp>,
    /// How many groups are sealed.
    pub groups: u32,
    /// How many records of each stream they hold.
    pub covers: [u64; 2],
    /// How many records of each stream were refused by then, by class.
    pub refused: [[u64; 4]; 2],
    /// For each model, by name, what came of asking it again.
    pub again: HashMap<String, Again>,
    /// Whether fields were dropped.
    pub reduced: bool,
    /// The last window of each report before the end.
    pub looks: BTreeSet<String>,
    /// Whether it has been closed.
    pub closed: bool,
    /// How it ended, in words.
    pub ended: String,
}

impl Past {
    /// What these entries say.
    pub fn of(entries: &[Entry]) -> Past {
        let mut past = Past {
            seal: None,
            study_toml: None,
            began: None,
            groups: 0,
            covers: [0; 2],
            refused: [[0; 4]; 2],
            again: HashMap::new(),
            reduced: false,
            looks: BTreeSet::new(),
            closed: false,
            ended: "was cut off".to_owned(),
        };
        for entry in entries {
            match &entry.event {
                Event::Opened { seal, study_toml, .. } => {
                    past.seal = Some(seal.clone());
                    past.study_toml = Some(study_toml.clone());
                    past.began = Some(entry.at);
                }
                Event::Sealed { group, covers, .. } => {
                    past.groups = group + 1;
                    past.covers = *covers;
                }
                Event::Refused { snapshots, decisions } => {
                    past.refused = [snapshots, decisions].map(|counts| counts.by_class());
                }
                Event::Replayed { model, asked, otherwise, first_id, .. } => {
                    let again = Again {
                        asked: *asked,
                        otherwise: *otherwise,
                        first_id: first_id.clone(),
                        sequences: Vec::new(),
                    };
                    past.again.entry(model.clone()).or_default().add(again);
                }
                Event::Reduced { .. } => past.reduced = true,
                Event::Interim { window, .. } => drop(past.looks.insert(window.clone())),
                Event::Resumed { .. } => past.ended = "was cut off".to_owned(),
                Event::Stopped { .. } => past.ended = "was stopped".to_owned(),
                Event::Closed { .. } => past.closed = true,
                _ => {}
            }
        }
        past
    }
}
