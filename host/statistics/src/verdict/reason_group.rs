//! Groups similar reasons of a verdict, so that a verdict with many of them can be read.
//!
//! Invariants: no reason is lost. A group gives the number of its reasons, the worst of them, and where all are listed, in one line.

use std::collections::BTreeMap;

use super::{VerdictKind, VerdictReason};

/// The maximum number of similar reasons that are listed one by one.
const MAX_LISTED: usize = 3;

/// A reason that is about one of several subjects, such as a window.
pub struct SubjectReason {
    /// The subject, such as the label of a window.
    pub subject: String,
    /// The verdict to which the reason alone would lead.
    pub verdict: VerdictKind,
    /// The reason without its subject.
    pub text: String,
    /// The rank among similar reasons; the least is the worst.
    pub rank: f64,
}

/// How a group of reasons names its subjects.
pub struct SubjectNoun {
    /// The noun in the plural, such as `windows`.
    pub plural: &'static str,
    /// Where all of them are listed.
    pub listed_in: &'static str,
}

/// The reasons of a verdict. If more than [`MAX_LISTED`] reasons differ only in their subject and their numbers, they
/// become one reason. The order is that of the first reason of each group.
pub fn group_reasons(reasons: Vec<SubjectReason>, noun: &SubjectNoun) -> Vec<VerdictReason> {
    let mut places: BTreeMap<(VerdictKind, String), usize> = BTreeMap::new();
    let mut groups: Vec<Vec<SubjectReason>> = Vec::new();
    for reason in reasons {
        let at = *places.entry((reason.verdict, without_numbers(&reason.text))).or_insert(groups.len());
        if at == groups.len() {
            groups.push(Vec::new());
        }
        groups[at].push(reason);
    }
    let one_by_one = |reason: &SubjectReason| format!("{}: {}", reason.subject, reason.text);
    let mut grouped = Vec::new();
    for group in groups {
        let verdict = group[0].verdict;
        if group.len() <= MAX_LISTED {
            grouped.extend(group.iter().map(|reason| VerdictReason { verdict, text: one_by_one(reason) }));
            continue;
        }
        let number = group.len();
        let worst = group.iter().min_by(|one, other| one.rank.total_cmp(&other.rank)).map(one_by_one);
        let text = format!(
            "{number} {}, the worst of them {}; all are in {}",
            noun.plural,
            worst.unwrap_or_default(),
            noun.listed_in
        );
        grouped.push(VerdictReason { verdict, text });
    }
    grouped
}

/// A text with each run of digits, points and exponents replaced by `#`.
fn without_numbers(text: &str) -> String {
    let mut result = String::new();
    let mut is_number = false;
    for character in text.chars() {
        let continues = is_number && matches!(character, '.' | ',' | 'e' | '-');
        is_number = character.is_ascii_digit() || continues;
        if !is_number {
            result.push(character);
        } else if !result.ends_with('#') {
            result.push('#');
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOWS: SubjectNoun = SubjectNoun { plural: "windows", listed_in: "the table of windows" };

    fn few(day: u64, pairs: u64) -> SubjectReason {
        SubjectReason {
            subject: format!("day {day}"),
            verdict: VerdictKind::Inconclusive,
            text: format!("{pairs} comparisons; at least 30 are required"),
            rank: pairs as f64,
        }
    }

    fn texts(reasons: Vec<SubjectReason>) -> Vec<String> {
        group_reasons(reasons, &WINDOWS).into_iter().map(|reason| reason.text).collect()
    }

    #[test]
    fn sixty_similar_reasons_are_one_with_the_worst() {
        let mut reasons: Vec<SubjectReason> = (1..=60).map(|day| few(day, 100 - day)).collect();
        let other = SubjectReason { text: "the metric is not defined".to_owned(), ..few(61, 0) };
        reasons.insert(7, other);
        assert_eq!(
            texts(reasons),
            [
                "60 windows, the worst of them day 60: 40 comparisons; at least 30 are required; all are in the table of \
                 windows",
                "day 61: the metric is not defined",
            ]
        );
    }

    #[test]
    fn a_few_reasons_and_those_of_different_verdicts_are_listed_one_by_one() {
        let reasons = (1..=6).map(|day| SubjectReason {
            verdict: if day % 2 == 0 { VerdictKind::NoGo } else { VerdictKind::Inconclusive },
            ..few(day, day)
        });
        assert_eq!(texts(reasons.collect()).len(), 6);
    }

    #[test]
    fn texts_are_similar_if_they_differ_in_numbers() {
        let similar = |one, other| without_numbers(one) == without_numbers(other);
        assert!(similar("1 of 2 (0.500000); 1e-9", "977 of 1,024 (0.954102); 3.25"));
        assert!(!similar("1 comparison", "1 snapshot"));
        assert_eq!(without_numbers("977 of 1,024 (0.954102)"), "# of # (#)");
        assert!(!similar("in 2 windows", "in  windows"));
    }
}
