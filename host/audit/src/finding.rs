//! What is found when a run is looked at.

use std::fmt::{self, Display};

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where, from the run directory: a file, perhaps with a line, or a part of the log.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

impl Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// What was looked at, and what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// What was looked at and found sound, each with what it is: "ledger", "18 entries, each chained to the one before".
    pub sound: Vec<(&'static str, String)>,
    /// What was not looked at, and why.
    pub left: Vec<(&'static str, String)>,
    /// What is wrong.
    pub broken: Vec<Finding>,
}

impl Findings {
    /// Notes something that is wrong.
    pub fn fault(&mut self, place: impl Display, what: impl Display) {
        self.broken.push(Finding { place: place.to_string(), what: what.to_string() });
    }

    /// Says what `look` was for, if it finds nothing wrong; it gives what it looked at.
    pub fn look(&mut self, what: &'static str, look: impl FnOnce(&mut Findings) -> String) {
        let before = self.broken.len();
        let looked = look(self);
        if self.broken.len() == before {
            self.sound.push((what, looked));
        }
    }
}
