//! Where every record has got to.
//!
//! Always holds: received = rejected + duplicate + conflict + late + paired + waiting + expired, on either side.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::batch::Class;

/// The records of one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// All that came.
    pub received: u64,
    /// Could not be read as a record.
    pub rejected: u64,
    /// Came before, the same to the byte.
    pub duplicate: u64,
    /// Came before with other content.
    pub conflict: u64,
    /// Too far behind its own stream.
    pub late: u64,
    /// Met its partner.
    pub paired: u64,
    /// May still meet its partner.
    pub waiting: u64,
    /// Can no longer meet a partner. For a decision: an orphan.
    pub expired: u64,
}

impl Account {
    /// The count of the records that are refused for reasons of this class.
    pub fn refused(&mut self, class: Class) -> &mut u64 {
        match class {
            Class::Rejected => &mut self.rejected,
            Class::Duplicate => &mut self.duplicate,
            Class::Conflict => &mut self.conflict,
            Class::Late => &mut self.late,
        }
    }

    /// Whether every record that was received is accounted for.
    pub fn balances(&self) -> bool {
        let Account { received, rejected, duplicate, conflict, late, paired, waiting, expired } = *self;
        received == rejected + duplicate + conflict + late + paired + waiting + expired
    }
}

/// Both streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Accounting {
    /// What the models were shown.
    pub snapshots: Account,
    /// What the substrate did.
    pub decisions: Account,
}

impl Accounting {
    /// Whether both sides balance and have as many pairs as each other.
    pub fn balances(&self) -> bool {
        self.snapshots.balances()
            && self.decisions.balances()
            && self.snapshots.paired == self.decisions.paired
    }
}
