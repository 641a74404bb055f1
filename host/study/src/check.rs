//! What makes a study sound beyond the types of its values: the rules, each one a pure function of what was read.
//!
//! A rule says yes, or in one sentence what is wrong and what to write instead. Nothing here knows of TOML or of lines
//! other than as a number to be told.

use jiff::SignedDuration;
use jiff::civil::Weekday;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::section::Entry;
use super::{Every, Kind, Split};

/// What to write for a name.
pub(super) const NAME: &str = "a name of letters, digits, - and _, such as \"rooms-2\"";

/// What the fields of a decision begin with wherever a study names them.
pub(super) const DECISION: &str = "decision.";

/// The name under which a report speaks of all snapshots.
pub const WHOLE: &str = "all";

/// A limit: the least and the most that may be written, and what holds where nothing is.
pub(super) struct Bound {
    pub(super) least: i64,
    pub(super) most: i64,
    pub(super) default: i64,
}

pub(super) const BATCH_ROWS: Bound = Bound { least: 1, most: 65_536, default: 1024 };
pub(super) const WORKERS: Bound = Bound { least: 1, most: 64, default: 1 };
/// The most is such that the fuel of a whole batch fits 64 bits.
pub(super) const FUEL_PER_ROW: Bound = Bound { least: 1000, most: 100_000_000_000_000, default: 10_000_000 };
pub(super) const MEMORY_MIB: Bound = Bound { least: 1, most: 4096, default: 64 };
pub(super) const RECORD_BYTES: Bound = Bound { least: 64, most: 64 << 20, default: 1 << 20 };
pub(super) const WAITING_MIB: Bound = Bound { least: 1, most: 1 << 20, default: 1024 };
pub(super) const COMMIT_ROWS: Bound = Bound { least: 1, most: 1 << 20, default: 4096 };
pub(super) const SEGMENT_ROWS: Bound = Bound { least: 1, most: 1 << 24, default: 256 << 10 };
/// Compared pairs that a window, or a value of a condition, has to have.
pub(super) const LEAST_COMPARISONS: Bound = Bound { least: 1, most: 1 << 40, default: 100 };
/// The least share of accepted snapshots that are compared, where nothing is declared.
pub(super) const LEAST_COVERAGE: f64 = 0.95;
/// The greatest share of records that cannot be read, where nothing is declared.
pub(super) const MOST_REJECTED: f64 = 0.01;
/// The greatest share of pairs without an answer or a score, where nothing is declared.
pub(super) const MOST_UNANSWERED: f64 = 0.05;
/// The share of the ids that are blinded where a threshold is declared and nothing else is said.
pub(super) const BLINDED: f64 = 0.1;
/// How many values of conditions are combined to a class.
pub(super) const DEPTH: Bound = Bound { least: 1, most: 3, default: 3 };
/// The least share of the pairs that a class has where nothing is declared.
pub(super) const SUPPORT: f64 = 0.01;
/// The false discovery rate of classes where nothing is declared.
pub(super) const DISCOVERIES: f64 = 0.05;
/// The profiles that conditions combine to at most where it is not declared which are combined: sums are kept of each.
pub(super) const PROFILES: u64 = 10_000;
/// The same where it is declared.
pub(super) const MOST_PROFILES: u64 = 1_000_000;
/// How long a segment stays open where nothing is declared.
pub(super) const SEAL_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// The share of the snapshots that models are asked about again where nothing is declared.
pub(super) const REPLAY_SHARE: f64 = 0.01;
/// How long a call may take where nothing is declared.
pub(super) const CALL_TIMEOUT: SignedDuration = SignedDuration::from_secs(1);

pub(super) const EVERY: [(&str, Every); 4] =
    [("hour", Every::Hour), ("day", Every::Day), ("week", Every::Week), ("month", Every::Month)];

pub(super) const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// The calendar splits.
pub(super) const CALENDAR: [(&str, Split); 4] = [
    ("weekend", Split::Weekend),
    ("day-of-week", Split::DayOfWeek),
    ("hour", Split::Hour),
    ("month", Split::Month),
];

/// The candidate that `word` is most likely meant to be, if one is near enough: about one slip in three letters. The
/// part after the last `/` or `.` may stand for the whole: `paris`, `Europe/Paris`.
pub(super) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word = word.to_lowercase().replace(' ', "_");
    let slips = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        let last = candidate.rsplit(['/', '.']).next().unwrap_or_default();
        strsim::damerau_levenshtein(&word, &candidate).min(strsim::damerau_levenshtein(&word, last))
    };
    let near =
        candidates.into_iter().map(|candidate| (slips(candidate), candidate)).min_by_key(|(slips, _)| *slips);
    near.filter(|(slips, _)| *slips <= word.chars().count().max(3) / 3).map(|(_, candidate)| candidate)
}

/// The zone of an IANA name, in the rules that are built into this program, or of an offset.
pub(super) fn time_zone(name: &str) -> Result<TimeZone, String> {
    let known = TimeZoneDatabase::bundled();
    let found = if name.starts_with(['+', '-']) {
        DateTimeParser::new().parse_time_zone_with(&known, name)
    } else {
        known.get(name)
    };
    found.ok().filter(|zone| !zone.is_unknown()).ok_or_else(|| {
        let names: Vec<_> = known.available().collect();
        let hint = match nearest(name, names.iter().map(|name| name.as_str())) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => {
                "write an IANA name such as \"Europe/Amsterdam\" or \"UTC\", or an offset such as \"+01:00\""
                    .into()
            }
        };
        format!("`time-zone` is \"{name}\", which is no time zone; {hint}")
    })
}

/// The names given so far to one sort of thing, each with its line.
pub(super) struct Names {
    sort: &'static str,
    taken: Vec<(String, usize)>,
}

impl Names {
    /// `sort` in the singular: "plugin".
    pub(super) fn new(sort: &'static str) -> Self {
        Self { sort, taken: Vec::new() }
    }

    /// Gives a name to a part of the snapshots, which is not all of them.
    pub(super) fn claim_part(&mut self, name: &str, line: usize) -> Result<(), String> {
        if name == WHOLE {
            let sort = self.sort;
            return Err(format!(
                "no {sort} may be named `{WHOLE}`, which stands for all snapshots; choose another name"
            ));
        }
        self.claim(name, line)
    }

    /// Gives a name to what is declared on `line`, unless something else has it.
    pub(super) fn claim(&mut self, name: &str, line: usize) -> Result<(), String> {
        let sort = self.sort;
        match self.taken.iter().find(|(taken, _)| taken == name) {
            Some((_, first)) => Err(format!(
                "two {sort}s are named `{name}`, on lines {first} and {line}; give each {sort} a name of its own"
            )),
            None => {
                self.taken.push((name.to_owned(), line));
                Ok(())
            }
        }
    }
}

/// The declared fields of one stream, those too whose kind could not be read.
pub(super) type Fields = Vec<Entry<Kind>>;

/// The fields that grants and conditions may name; a stream is `None` where it could not be read.
pub(super) struct Declared {
    pub(super) inputs: Option<Fields>,
    pub(super) decisions: Option<Fields>,
}

impl Declared {
    /// Whether a field that is granted exists. Only a comparator is told of the decision's.
    pub(super) fn granted(&self, path: &str, name: &str, to_comparator: bool) -> Result<(), String> {
        let (stream, table, key) = match name.strip_prefix(DECISION) {
            Some(key) => (&self.decisions, "[decisions.fields]", key),
            None => (&self.inputs, "[inputs.fields]", name),
        };
        if stream.as_ref().is_none_or(|fields| fields.iter().any(|field| field.name == key)) {
            return Ok(());
        }
        let mut names: Vec<_> = self.inputs.iter().flatten().map(|field| field.name.clone()).collect();
        if to_comparator {
            names.extend(self.decisions.iter().flatten().map(|field| format!("{DECISION}{}", field.name)));
        }
        let instead = instead(name, &names);
        Err(format!("`{path}` holds `{name}`, but {table} declares no such field; {instead}"))
    }

    /// The kind of a snapshot's field, as far as it is known. `said` is what a message begins with, such as "`field` is".
    pub(super) fn input(&self, said: &str, name: &str) -> Result<Option<Kind>, String> {
        let Some(fields) = &self.inputs else { return Ok(None) };
        match fields.iter().find(|field| field.name == name) {
            Some(field) => Ok(field.value),
            None => {
                let names: Vec<_> = fields.iter().map(|field| field.name.clone()).collect();
                let instead = instead(name, &names);
                Err(format!("{said} `{name}`, but [inputs.fields] declares no such field; {instead}"))
            }
        }
    }
}

/// What to write instead of a field that is not declared.
fn instead(name: &str, names: &[String]) -> String {
    const DECLARE: &str = "declare it there, as in lead_time = \"integer\"";
    let declared = listed(names, ", ");
    match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`? declared are {declared}"),
        None if names.is_empty() => DECLARE.to_owned(),
        None => format!("{DECLARE}, or take one of {declared}"),
    }
}

/// Names in backquotes.
pub(super) fn listed<T: AsRef<str>>(names: &[T], separator: &str) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(separator)
}

/// "one of "hour", "day"".
pub(super) fn one_of<T>(choices: &[(&str, T)]) -> String {
    let words: Vec<_> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
    format!("one of {}", words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        let near = |word| nearest(word, ["horizon", "id", "week-ends", "Europe/Paris", "decision.room"]);
        assert_eq!(near("horizn"), Some("horizon"));
        assert_eq!(near("hroizon"), Some("horizon"));
        assert_eq!(near("week_ends"), Some("week-ends"));
        assert_eq!(near("Week-Ends"), Some("week-ends"));
        assert_eq!(near("di"), Some("id"));
        assert_eq!(near("paris"), Some("Europe/Paris"));
        assert_eq!(near("room"), Some("decision.room"));
        for far in ["", "at", "hour", "windows", "lateness"] {
            assert_eq!(near(far), None, "{far}");
        }
    }

    #[test]
    fn the_fuel_of_the_largest_batch_fits_64_bits() {
        let batch = i128::from(FUEL_PER_ROW.most) * i128::from(BATCH_ROWS.most);
        assert!(batch <= i128::from(u64::MAX), "{batch}");
    }
}
