//! Sentences about other tries of a study.
//!
//! Invariant: every rendering has the same sentences.

use jiff::Timestamp;

use crate::format::{count, counted};
use understudy_statistics::verdict::{KnownTries, OtherTry, TryHistory};
use understudy_study::short_digest;

/// The sentences of a verdict about other tries of the study, each with the list below it, which may be empty.
pub fn tries_text(tries: &KnownTries) -> Vec<(String, Vec<String>)> {
    let plain = |text: &str| vec![(text.to_owned(), Vec::new())];
    match tries {
        KnownTries::NoRegister => {
            plain("The study names no register of seals: earlier tries, if any, are not known.")
        }
        KnownTries::NotRead => plain(
            "Earlier tries of this study, if any, are in its register of seals, which `understudy decide` reads.",
        ),
        KnownTries::Read(history) => history_text(history),
    }
}

fn history_text(history: &TryHistory) -> Vec<(String, Vec<String>)> {
    let TryHistory { register, opened_at, entry, entries, earlier, later, .. } = history;
    let related = |seals: &[OtherTry]| seals.iter().map(seal_text).collect::<Vec<_>>();
    let number = history.try_number();
    let others = earlier.len() + 1 - number;
    let mut first = format!("This is the {} seal of this study in its register.", ordinal(number as u64));
    first.push_str(&match others {
        0 => {
            " No seal of another study over the same feed, or of the same fields, came before it.".to_owned()
        }
        _ => format!(
            " {} over the same feed, or of the same fields, came before it.",
            counted(others as u64, "seal of another study", "seals of other studies")
        ),
    });
    if !earlier.is_empty() {
        first.push_str(" The seals before it:");
    }
    let mut texts = vec![(first, related(earlier))];
    if !later.is_empty() {
        let came = counted(later.len() as u64, "such seal", "such seals");
        texts.push((format!("{came} came after it and before the verdict:"), related(later)));
    }
    if history.earlier_runs > 0 || history.later_runs > 0 {
        let mut text = format!("This is the {} run under this seal.", ordinal(history.earlier_runs + 1));
        if history.later_runs > 0 {
            let later = counted(history.later_runs, "other run", "other runs");
            text.push_str(&format!(" {later} began after it and before the verdict."));
        }
        texts.push((text, Vec::new()));
    }
    texts.push((
        format!(
            "The seal is entry {entry}, counted from 0, of the {} that the register {} had when the verdict was given; it was \
             opened on {}.",
            counted(*entries, "entry", "entries"),
            short_digest(register),
            time(*opened_at),
        ),
        Vec::new(),
    ));
    texts
}

/// One other seal: when it was made, its threshold, its runs, and what is the same.
fn seal_text(other: &OtherTry) -> String {
    let OtherTry { at, study, seal, threshold, same_study, same_feed, same_fields, runs, .. } = other;
    let same: Vec<&str> = [(*same_feed, "feed"), (*same_fields, "fields")]
        .into_iter()
        .filter_map(|(same, what)| same.then_some(what))
        .collect();
    let study = if *same_study { String::new() } else { format!("study \"{study}\", ") };
    let same = match same[..] {
        [] => "another feed and other fields".to_owned(),
        _ => format!("the same {}", same.join(" and ")),
    };
    let runs = match runs {
        0 => "no run".to_owned(),
        runs => counted(*runs, "run", "runs"),
    };
    let threshold = threshold.as_deref().unwrap_or("no threshold");
    format!("{}: {study}{threshold}; {same}; {runs}; seal {}", time(*at), short_digest(seal))
}

/// A time to the second.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// An ordinal number: in words up to ten, then in digits.
fn ordinal(number: u64) -> String {
    const WORDS: [&str; 10] =
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];
    let word = number.checked_sub(1).and_then(|at| WORDS.get(at as usize));
    let ending = match (number % 10, number % 100) {
        (1, rest) if rest != 11 => "st",
        (2, rest) if rest != 12 => "nd",
        (3, rest) if rest != 13 => "rd",
        _ => "th",
    };
    word.map_or_else(|| format!("{}{ending}", count(number)), |word| (*word).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(entry: u64, study: &str, (same_feed, same_fields): (bool, bool), runs: u64) -> OtherTry {
        OtherTry {
            entry,
            at: format!("2026-03-0{entry}T10:00:00.5Z").parse().unwrap(),
            study: study.to_owned(),
            seal: format!("{entry}").repeat(64),
            threshold: (entry != 3).then(|| format!("agreement at least 0.{entry}, by the point estimate")),
            same_study: study == "rooms",
            same_feed,
            same_fields,
            runs,
        }
    }

    fn text(tries: &KnownTries) -> String {
        let lines = tries_text(tries).into_iter().flat_map(|(sentence, list)| {
            std::iter::once(sentence).chain(list.into_iter().map(|line| format!("- {line}")))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn history(earlier: Vec<OtherTry>, later: Vec<OtherTry>, runs: (u64, u64)) -> KnownTries {
        KnownTries::Read(TryHistory {
            register: "a".repeat(64),
            opened_at: "2026-03-01T09:00:00Z".parse().unwrap(),
            entry: 5,
            entries: 9,
            head: "b".repeat(64),
            earlier,
            later,
            earlier_runs: runs.0,
            later_runs: runs.1,
        })
    }

    #[test]
    fn tries_are_described() {
        let earlier = vec![
            seal(1, "rooms", (true, true), 2),
            seal(2, "rooms", (false, false), 0),
            seal(3, "yard", (true, false), 1),
        ];
        let texts = [
            KnownTries::NoRegister,
            KnownTries::NotRead,
            history(Vec::new(), Vec::new(), (0, 0)),
            history(earlier, vec![seal(7, "rooms", (false, true), 1)], (1, 2)),
        ];
        insta::assert_snapshot!(texts.map(|tries| text(&tries)).join("\n\n"));
    }

    #[test]
    fn ordinal_numbers_have_their_endings() {
        let numbers = [1, 3, 10, 11, 12, 13, 21, 22, 23, 111, 1_002].map(ordinal);
        assert_eq!(
            numbers,
            ["first", "third", "tenth", "11th", "12th", "13th", "21st", "22nd", "23rd", "111th", "1,002nd"]
        );
    }
}
