//! Names and descriptions of the ways out of a study, for its figure and the table below it.

use understudy_records::join::AccountTerm;
use understudy_study::StreamKind;

/// Why a model gave no answer at first.
#[derive(Clone, Copy)]
pub(super) enum NoAnswer {
    Abstained,
    Failed,
    Blinded,
}

impl NoAnswer {
    pub(super) fn name(self) -> &'static str {
        match self {
            NoAnswer::Abstained => "abstained",
            NoAnswer::Failed => "failed",
            NoAnswer::Blinded => "blinded",
        }
    }

    /// What it means, as a row of the table says it.
    pub(super) fn description(self) -> String {
        match self {
            NoAnswer::Abstained | NoAnswer::Failed => format!("no answer: {}", self.name()),
            NoAnswer::Blinded => "blinded: asked only once the decision is known".to_owned(),
        }
    }
}

/// Why a pair is not compared.
#[derive(Clone, Copy)]
pub(super) enum NotCompared {
    Incomparable,
    OpenWindow,
    Unaccounted,
}

impl NotCompared {
    pub(super) fn name(self) -> &'static str {
        match self {
            NotCompared::Incomparable => "incomparable",
            NotCompared::OpenWindow => "in open windows",
            NotCompared::Unaccounted => "unaccounted for",
        }
    }

    /// What it means, as a row of the table says it.
    pub(super) fn description(self) -> String {
        match self {
            NotCompared::Incomparable => "left: incomparable, no answer of the comparator".to_owned(),
            NotCompared::OpenWindow | NotCompared::Unaccounted => format!("left: {}", self.name()),
        }
    }
}

/// The name of a way out. An expired decision is an orphan.
pub(super) fn way_out(kind: StreamKind, term: AccountTerm) -> &'static str {
    match (kind, term) {
        (StreamKind::Decisions, AccountTerm::Expired) => "orphaned",
        _ => term.name(),
    }
}
