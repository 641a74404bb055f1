//! Validation rules beyond the types of values, with the bounds and defaults of the keys.
//!
//! Invariants: a rule is a pure function that accepts or returns one sentence: what is wrong and what to write instead.

use jiff::SignedDuration;
use jiff::civil::Weekday;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::named_entry::NamedEntry;
use super::{Every, FieldKind, Split};

/// What to write for a name, in messages.
pub(super) const NAME: &str = "a name of letters, digits, - and _, such as \"rooms-2\"";

/// The prefix of decision fields wherever a study or a plugin names them.
pub const DECISION_PREFIX: &str = "decision.";

/// The name of the scope of all snapshots in reports.
pub const ALL_SNAPSHOTS: &str = "all";

/// The bounds and the default of a whole number.
pub(super) struct Bound {
    pub(super) least: i64,
    pub(super) most: i64,
    pub(super) default: i64,
}

pub(super) const BATCH_ROWS: Bound = Bound { least: 1, most: 65_536, default: 1024 };
pub(super) const WORKERS: Bound = Bound { least: 1, most: 64, default: 1 };
/// The maximum keeps the fuel of a whole batch within 64 bits.
pub(super) const FUEL_PER_ROW: Bound = Bound { least: 1000, most: 100_000_000_000_000, default: 10_000_000 };
pub(super) const MEMORY_MIB: Bound = Bound { least: 1, most: 4096, default: 64 };
pub(super) const RECORD_BYTES: Bound = Bound { least: 64, most: 64 << 20, default: 1 << 20 };
pub(super) const JOIN_BUFFER_MIB: Bound = Bound { least: 1, most: 1 << 20, default: 1024 };
/// The default holds a ranking of 1,000 names of 128 bytes; the most, two batches of answers in a column of 2 GiB.
pub(super) const ANSWER_KIB: Bound = Bound { least: 1, most: 256, default: 128 };
pub(super) const COMMIT_ROWS: Bound = Bound { least: 1, most: 1 << 20, default: 4096 };
pub(super) const SEGMENT_ROWS: Bound = Bound { least: 1, most: 1 << 24, default: 256 << 10 };
/// The minimum of compared pairs per window or per value of a condition.
pub(super) const LEAST_COMPARISONS: Bound = Bound { least: 1, most: 1 << 40, default: 100 };
/// The default minimum share of accepted snapshots that are compared.
pub(super) const LEAST_COVERAGE: f64 = 0.95;
/// The default maximum share of rejected records.
pub(super) const MOST_REJECTED: f64 = 0.01;
/// Default of `threshold.most-late`.
pub(super) const MOST_LATE: f64 = 0.01;
/// Default of `threshold.most-conflict`.
pub(super) const MOST_CONFLICT: f64 = 0.01;
/// Default of `threshold.most-orphaned`.
pub(super) const MOST_ORPHANED: f64 = 0.05;
/// Default of `threshold.most-shed`.
pub(super) const MOST_SHED: f64 = 0.01;
/// The default maximum share of pairs without an answer or without a score.
pub(super) const MOST_UNANSWERED: f64 = 0.05;
/// The default share of blinded ids in a study with a threshold.
pub(super) const BLINDED: f64 = 0.1;
/// The largest number of condition values in a subgroup.
pub(super) const DEPTH: Bound = Bound { least: 1, most: 3, default: 3 };
/// The default minimum share of pairs in a subgroup.
pub(super) const SUPPORT: f64 = 0.01;
/// The default false discovery rate of subgroups.
pub(super) const DISCOVERIES: f64 = 0.05;
/// The limit on profiles where the study names no conditions to combine. Sums are kept for each profile.
pub(super) const PROFILES: u64 = 10_000;
/// The limit on profiles where the study names the conditions to combine.
pub(super) const MOST_PROFILES: u64 = 1_000_000;
/// The default time that a segment stays open.
pub(super) const SEAL_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// The default share of snapshots in the determinism check.
pub(super) const REPLAY_SHARE: f64 = 0.01;
/// The default distance by which an event time may lie ahead of this machine's clock.
pub(super) const MOST_AHEAD: SignedDuration = SignedDuration::from_hours(1);
/// The default time limit of a call.
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

/// The calendar conditions by name.
pub(super) const CALENDAR: [(&str, Split); 4] = [
    ("weekend", Split::Weekend),
    ("day-of-week", Split::DayOfWeek),
    ("hour", Split::Hour),
    ("month", Split::Month),
];

/// The candidate closest to `word`, if it is close enough: about one edit in three letters, and not as many as letters. The part after the last `/`
/// or `.` may replace the whole, as in `paris` for `Europe/Paris`.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word = word.to_lowercase().replace(' ', "_");
    let edits = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        let last = candidate.rsplit(['/', '.']).next().unwrap_or_default();
        strsim::damerau_levenshtein(&word, &candidate).min(strsim::damerau_levenshtein(&word, last))
    };
    let near =
        candidates.into_iter().map(|candidate| (edits(candidate), candidate)).min_by_key(|(edits, _)| *edits);
    let letters = word.chars().count();
    near.filter(|(edits, _)| *edits <= letters.max(3) / 3 && *edits < letters).map(|(_, candidate)| candidate)
}

/// The time zone of an offset or of an IANA name, by the database that is built into this program.
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
        format!("`time-zone` is \"{name}\", which is not a time zone; {hint}")
    })
}

/// The names declared so far of one kind of item, each with its line.
pub(super) struct NameRegistry {
    sort: &'static str,
    taken: Vec<(String, usize)>,
}

impl NameRegistry {
    /// `sort` is the kind of item in the singular, such as "plugin".
    pub(super) fn new(sort: &'static str) -> Self {
        Self { sort, taken: Vec::new() }
    }

    /// The declared names, each with its line.
    pub(super) fn declared(&self) -> impl Iterator<Item = (&str, usize)> {
        self.taken.iter().map(|(name, line)| (name.as_str(), *line))
    }

    /// Declares the name of a part of the snapshots, which must not be [`ALL_SNAPSHOTS`].
    pub(super) fn claim_part(&mut self, name: &str, line: usize) -> Result<(), String> {
        if name == ALL_SNAPSHOTS {
            let sort = self.sort;
            return Err(format!(
                "the name `{ALL_SNAPSHOTS}` is reserved for all snapshots; choose another name for the {sort}"
            ));
        }
        self.claim(name, line)
    }

    /// Declares a name on `line`, unless it is already declared.
    pub(super) fn claim(&mut self, name: &str, line: usize) -> Result<(), String> {
        let sort = self.sort;
        match self.taken.iter().find(|(taken, _)| taken == name) {
            Some((_, first)) => Err(format!(
                "two {sort}s are named `{name}`, on lines {first} and {line}; give each {sort} a different name"
            )),
            None => {
                self.taken.push((name.to_owned(), line));
                Ok(())
            }
        }
    }
}

/// The declared fields of one stream, including those whose kind could not be read.
pub(super) type Fields = Vec<NamedEntry<FieldKind>>;

/// The fields that grants and conditions may name; `None` for a stream that could not be read.
pub(super) struct DeclaredFields {
    pub(super) inputs: Option<Fields>,
    pub(super) decisions: Option<Fields>,
}

impl DeclaredFields {
    /// Checks that a granted field exists. Suggests fields of the decision to a comparator only.
    pub(super) fn granted(&self, path: &str, name: &str, to_comparator: bool) -> Result<(), String> {
        let (stream, table, key) = match name.strip_prefix(DECISION_PREFIX) {
            Some(key) => (&self.decisions, "[decisions.fields]", key),
            None => (&self.inputs, "[inputs.fields]", name),
        };
        if stream.as_ref().is_none_or(|fields| fields.iter().any(|field| field.name == key)) {
            return Ok(());
        }
        let mut names: Vec<_> = self.inputs.iter().flatten().map(|field| field.name.clone()).collect();
        if to_comparator {
            names.extend(
                self.decisions.iter().flatten().map(|field| format!("{DECISION_PREFIX}{}", field.name)),
            );
        }
        let instead = instead(name, &names, "lead_time");
        Err(format!("`{path}` contains `{name}`, but {table} does not declare this field; {instead}"))
    }

    /// The kind of a snapshot's field, if known. `subject` begins the message, such as "`field` is".
    pub(super) fn input(&self, subject: &str, name: &str) -> Result<Option<FieldKind>, String> {
        let Some(fields) = &self.inputs else { return Ok(None) };
        match fields.iter().find(|field| field.name == name) {
            Some(field) => Ok(field.value),
            None => {
                let names: Vec<_> = fields.iter().map(|field| field.name.clone()).collect();
                let instead = instead(name, &names, "lead_time");
                Err(format!("{subject} `{name}`, but [inputs.fields] does not declare this field; {instead}"))
            }
        }
    }
}

/// The form of a list of bins, for error messages.
pub(super) const BINS: &str =
    "a list of finite numbers in ascending order, at least one, such as [7, 30, 90]";

/// The fault if `edge` does not ascend from `before` in the list of bins at `path`; `None` if it does.
pub(super) fn bin_fault(path: &str, before: f64, edge: f64) -> Option<String> {
    (edge <= before).then(|| format!("`{path}` has {edge} after {before}; write {BINS}"))
}

/// What to write instead of an undeclared field. `example` is the name of an integer field.
pub(super) fn instead(name: &str, names: &[String], example: &str) -> String {
    let declare = format!("declare it there, as in {example} = \"integer\"");
    let declared = listed(names, ", ");
    match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`? declared: {declared}"),
        None if names.is_empty() => declare,
        None => format!("{declare}, or use one of {declared}"),
    }
}

/// The names in backquotes, joined.
pub(super) fn listed<T: AsRef<str>>(names: &[T], separator: &str) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(separator)
}

/// A phrase such as `one of "hour", "day"`.
pub(super) fn one_of<T>(choices: &[(&str, T)]) -> String {
    let words: Vec<_> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
    format!("one of {}", words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_within_one_edit_in_three_letters() {
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
    fn an_undeclared_field_has_a_near_name_a_list_or_neither() {
        let names = ["lead_time", "segment"].map(str::to_owned);
        let said = |name, names: &[String]| instead(name, names, "example");
        assert_eq!(said("segmnt", &names), "did you mean `segment`? declared: `lead_time`, `segment`");
        assert_eq!(
            said("price", &names),
            "declare it there, as in example = \"integer\", or use one of `lead_time`, `segment`"
        );
        assert_eq!(said("price", &[]), "declare it there, as in example = \"integer\"");
    }

    #[test]
    fn the_fuel_of_the_largest_batch_fits_64_bits() {
        let batch = i128::from(FUEL_PER_ROW.most) * i128::from(BATCH_ROWS.most);
        assert!(batch <= i128::from(u64::MAX), "{batch}");
    }
}
