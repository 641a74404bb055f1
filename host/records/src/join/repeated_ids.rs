//! Excludes records that repeat an id of their own stream.
//!
//! Invariants: whether a record repeats an id depends on the earlier records of its own stream only.

use understudy_study::{Micros, StreamKind};

use super::{IntervalJoin, MAX_REVISIONS};
use crate::batch::ExclusionReason;

impl IntervalJoin {
    pub(super) fn accepts_revisions(&self, kind: StreamKind) -> bool {
        kind == StreamKind::Decisions && self.revisions.are_accepted()
    }

    /// Whether an id that was accepted at `earlier` excludes a record of the same stream at `time`. In the whole stream
    /// the watermark decides. A record is not behind the watermark, so two accepted records with one id lie further
    /// apart than twice the horizon, and in a selection their distance decides.
    pub(super) fn is_reserved(&self, kind: StreamKind, earlier: Micros, time: Micros) -> bool {
        match self.selection {
            true => time <= self.reusable_from(earlier) && earlier <= self.reusable_from(time),
            false => self.watermark(kind) <= self.reusable_from(earlier),
        }
    }

    /// The watermark that has to be passed before an id can be reused that was accepted at `time`.
    pub(super) fn reusable_from(&self, time: Micros) -> Micros {
        time + self.bounds.horizon + self.bounds.horizon
    }

    pub(super) fn exclude_repeated(
        &mut self,
        kind: StreamKind,
        same: bool,
        id: &str,
    ) -> (ExclusionReason, String) {
        let (reason, how) = match same {
            true => (ExclusionReason::Duplicate, "the two are identical"),
            false if self.accepts_revisions(kind) => {
                let detail =
                    format!("{MAX_REVISIONS} earlier records have the id \"{id}\", the most that are kept");
                self.accounts[kind].conflict += 1;
                return (ExclusionReason::Conflict, detail);
            }
            false => (ExclusionReason::Conflict, "the two differ; the first one counts"),
        };
        *self.accounts[kind].excluded_mut(reason) += 1;
        (reason, format!("an earlier record has the id \"{id}\": {how}"))
    }
}
