//! Which value of each declared condition a snapshot has.
//!
//! Pure: the columns of a batch in, an index for every row out. Always so: a row has exactly one value of each
//! condition, the values and their order come from the declaration alone, and a row's value does not depend on
//! the batch that it came in.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::record_batch::RecordBatch;
use jiff::tz::TimeZone;
use jiff::{ToSpan as _, civil};
use rustc_hash::FxHashMap;

use super::local::LocalClock;
use understudy_study::{Condition, Split};

const HOUR: i64 = 3_600_000_000;
/// 1970-01-01 was a Thursday; Monday is 0.
const EPOCH_DAY: i64 = 3;

/// Why the conditions of a study, or of a batch, cannot be told.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// More values than an index has numbers for.
    #[error("condition `{condition}` splits into {count} values, more than {}; declare fewer", u16::MAX)]
    TooManyValues {
        /// The condition's name.
        condition: String,
        /// How many values it would have.
        count: usize,
    },
    /// The batch has no such column.
    #[error("condition `{condition}`: the batch has no column `{field}`")]
    NoColumn {
        /// The condition's name.
        condition: String,
        /// The field that it splits by.
        field: String,
    },
    /// The column's type is none that the condition can split by.
    #[error("condition `{condition}`: column `{field}` is of type {found}, and this split needs {needed}")]
    ColumnType {
        /// The condition's name.
        condition: String,
        /// The field that it splits by.
        field: String,
        /// The column's type.
        found: DataType,
        /// The types that would do.
        needed: &'static str,
    },
    /// Not one observed time for each row.
    #[error("{observed} observed times were given for a batch of {rows} rows")]
    ObservedTimes {
        /// The rows of the batch.
        rows: usize,
        /// The times given.
        observed: usize,
    },
}

/// The conditions of a study, made ready for batches.
#[derive(Clone, Debug)]
pub struct Conditions {
    conditions: Vec<Compiled>,
    clock: LocalClock,
}

#[derive(Clone, Debug)]
struct Compiled {
    name: String,
    values: Vec<String>,
    rule: Rule,
}

#[derive(Clone, Debug)]
enum Rule {
    Values { field: String, codes: Codes },
    Bins { field: String, edges: Edges },
    Weekend,
    DayOfWeek,
    Hour,
    Month,
}

impl Conditions {
    /// Makes declared conditions ready, with calendars in the study's zone.
    ///
    /// # Errors
    /// If a condition has more values than a `u16` can tell apart.
    pub fn new(declared: &[Condition], zone: TimeZone) -> Result<Self, ConditionError> {
        let conditions = declared.iter().map(Compiled::new).collect::<Result<_, _>>()?;
        Ok(Self { conditions, clock: LocalClock::new(zone) })
    }

    /// The names of a condition's values. The index of a value is its place here.
    ///
    /// # Panics
    /// As indexing does, if there are no more than `condition` conditions.
    pub fn values(&self, condition: usize) -> &[String] {
        &self.conditions[condition].values
    }

    /// How many values each condition has, in the order declared: the `conditions` of a [`Shape`](super::Shape).
    pub fn sizes(&self) -> Vec<usize> {
        self.conditions.iter().map(|condition| condition.values.len()).collect()
    }

    /// The index of each row's value, for each condition in the order declared. `snapshots` has the declared fields as
    /// columns, found by name; `observed` the rows' observed times, in microseconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// If a column is not there or of the wrong type, or there is not one observed time a row: the batch is not of
    /// the study that the conditions are of.
    pub fn classify(
        &mut self,
        snapshots: &RecordBatch,
        observed: &[i64],
    ) -> Result<Vec<Vec<u16>>, ConditionError> {
        if observed.len() != snapshots.num_rows() {
            return Err(ConditionError::ObservedTimes {
                rows: snapshots.num_rows(),
                observed: observed.len(),
            });
        }
        let Self { conditions, clock } = self;
        conditions.iter().map(|condition| condition.classify(snapshots, observed, clock)).collect()
    }

    /// For a condition of the calendar, which occurrence of its value each observed time lies in: the day, the hour or the
    /// month on the zone's clock, counted without gaps. `None` for any other condition.
    ///
    /// # Panics
    /// As indexing does, if there are no more than `condition` conditions.
    pub fn occurrences(&mut self, condition: usize, observed: &[i64]) -> Option<Vec<i64>> {
        let count: fn(i64) -> i64 = match self.conditions[condition].rule {
            Rule::Values { .. } | Rule::Bins { .. } => return None,
            Rule::Weekend | Rule::DayOfWeek => |hours| hours.div_euclid(24),
            Rule::Hour => |hours| hours,
            Rule::Month => month,
        };
        let hours = |micros: &i64| count(self.clock.shows(*micros).div_euclid(HOUR));
        Some(observed.iter().map(hours).collect())
    }
}

impl Compiled {
    fn new(declared: &Condition) -> Result<Self, ConditionError> {
        let name = declared.name.clone();
        let values = declared.split.values();
        if values.len() > usize::from(u16::MAX) {
            return Err(ConditionError::TooManyValues { condition: name, count: values.len() });
        }
        let rule = match &declared.split {
            Split::Values { field, values } => {
                Rule::Values { field: field.clone(), codes: Codes::new(values) }
            }
            Split::Bins { field, edges } => Rule::Bins { field: field.clone(), edges: Edges::new(edges) },
            Split::Weekend => Rule::Weekend,
            Split::DayOfWeek => Rule::DayOfWeek,
            Split::Hour => Rule::Hour,
            Split::Month => Rule::Month,
        };
        Ok(Self { name, values, rule })
    }

    fn classify(
        &self,
        snapshots: &RecordBatch,
        observed: &[i64],
        clock: &mut LocalClock,
    ) -> Result<Vec<u16>, ConditionError> {
        let mut hours = |value: fn(i64) -> i64| {
            observed.iter().map(|&micros| value(clock.shows(micros).div_euclid(HOUR)) as u16).collect()
        };
        match &self.rule {
            Rule::Values { field, codes } => {
                let column = self.column(snapshots, field)?;
                codes
                    .classify(column)
                    .ok_or_else(|| self.column_type(column, field, "Utf8, Int64 or Boolean"))
            }
            Rule::Bins { field, edges } => {
                let column = self.column(snapshots, field)?;
                edges.classify(column).ok_or_else(|| self.column_type(column, field, "Int64 or Float64"))
            }
            Rule::Weekend => Ok(hours(|hours| i64::from(day_of_week(hours) >= 5))),
            Rule::DayOfWeek => Ok(hours(day_of_week)),
            Rule::Hour => Ok(hours(|hours| hours.rem_euclid(24))),
            Rule::Month => Ok(hours(|hours| month(hours).rem_euclid(12))),
        }
    }

    fn column<'a>(&self, snapshots: &'a RecordBatch, field: &str) -> Result<&'a dyn Array, ConditionError> {
        let column = snapshots.column_by_name(field).ok_or_else(|| ConditionError::NoColumn {
            condition: self.name.clone(),
            field: field.to_owned(),
        })?;
        Ok(column.as_ref())
    }

    fn column_type(&self, column: &dyn Array, field: &str, needed: &'static str) -> ConditionError {
        ConditionError::ColumnType {
            condition: self.name.clone(),
            field: field.to_owned(),
            found: column.data_type().clone(),
            needed,
        }
    }
}

/// From hours since 1970-01-01T00:00 on the clock; Monday is 0.
fn day_of_week(hours: i64) -> i64 {
    (hours.div_euclid(24) + EPOCH_DAY).rem_euclid(7)
}

/// Months since January of the year 0, from hours since 1970-01-01T00:00 on the clock.
fn month(hours: i64) -> i64 {
    let date = civil::date(1970, 1, 1).saturating_add(hours.div_euclid(24).days());
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}

/// Declared values of a field, by the kinds that a field may have.
#[derive(Clone, Debug)]
struct Codes {
    texts: FxHashMap<String, u16>,
    /// The values that some integer has as its text: `7`, and not `07`.
    integers: FxHashMap<i64, u16>,
    other: u16,
}

impl Codes {
    /// The caller sees to it that `values` and two more can be counted in a `u16`.
    fn new(values: &[String]) -> Self {
        let texts = || values.iter().zip(0..);
        let integer = |text: &String| text.parse::<i64>().ok().filter(|integer| integer.to_string() == *text);
        Self {
            integers: texts().filter_map(|(text, code)| Some((integer(text)?, code))).collect(),
            texts: texts().map(|(text, code)| (text.clone(), code)).collect(),
            other: values.len() as u16,
        }
    }

    /// Nothing if the column is of none of the three kinds.
    fn classify(&self, column: &dyn Array) -> Option<Vec<u16>> {
        let missing = self.other + 1;
        let code = |found: Option<&u16>| found.copied().unwrap_or(self.other);
        if let Some(texts) = column.as_string_opt::<i32>() {
            Some(texts.iter().map(|text| text.map_or(missing, |text| code(self.texts.get(text)))).collect())
        } else if let Some(integers) = column.as_primitive_opt::<Int64Type>() {
            Some(integers.iter().map(|i| i.map_or(missing, |i| code(self.integers.get(&i)))).collect())
        } else {
            let booleans = column.as_boolean_opt()?;
            let codes = [code(self.texts.get("false")), code(self.texts.get("true"))];
            Some(booleans.iter().map(|b| b.map_or(missing, |b| codes[usize::from(b)])).collect())
        }
    }
}

/// The edges of bins, ascending. A value lies in the bin of as many edges as are not above it.
#[derive(Clone, Debug)]
struct Edges {
    numbers: Vec<f64>,
    /// The least integer not below each edge, so that integers are compared as integers: beyond 2^53 a float cannot
    /// tell them apart.
    integers: Vec<i128>,
}

impl Edges {
    /// The caller sees to it that the bins and one more can be counted in a `u16`.
    fn new(edges: &[f64]) -> Self {
        Self { numbers: edges.to_vec(), integers: edges.iter().map(|edge| edge.ceil() as i128).collect() }
    }

    /// Nothing if the column is of neither kind.
    fn classify(&self, column: &dyn Array) -> Option<Vec<u16>> {
        let missing = self.numbers.len() as u16 + 1;
        if let Some(numbers) = column.as_primitive_opt::<Float64Type>() {
            let bin = |x: f64| self.numbers.partition_point(|&edge| edge <= x) as u16;
            Some(numbers.iter().map(|x| x.map_or(missing, bin)).collect())
        } else {
            let integers = column.as_primitive_opt::<Int64Type>()?;
            let bin = |x: i64| self.integers.partition_point(|&edge| edge <= i128::from(x)) as u16;
            Some(integers.iter().map(|x| x.map_or(missing, bin)).collect())
        }
    }
}

#[cfg(test)]
mod tests;
