//! Assigns each snapshot its value of each declared condition.
//!
//! Invariants:
//! - A row has exactly one value of each condition.
//! - The values and their order depend on the declaration alone, and a row's value does not depend on its
//!   batch.
//! - The code is pure: the columns of a batch in, one index per row out.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::record_batch::RecordBatch;
use jiff::tz::TimeZone;
use jiff::{ToSpan as _, civil};
use rustc_hash::FxHashMap;

use super::local_time::LocalClock;
use understudy_study::{Condition, Split};

const HOUR: i64 = 3_600_000_000;
/// The weekday of 1970-01-01, a Thursday, counted from Monday as 0.
const EPOCH_DAY: i64 = 3;

/// Why conditions cannot be compiled, or a batch cannot be classified.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// The condition has more values than a 16-bit index can number.
    #[error(
        "cannot compile condition `{condition}`: it has {count} values, more than {}; declare fewer",
        u16::MAX
    )]
    TooManyValues {
        /// The name of the condition.
        condition: String,
        /// The number of values.
        count: usize,
    },
    /// The batch lacks the column of the condition's field.
    #[error("cannot classify by condition `{condition}`: the batch has no column `{field}`")]
    NoColumn {
        /// The name of the condition.
        condition: String,
        /// The name of the field.
        field: String,
    },
    /// The column has a type by which the condition cannot split.
    #[error(
        "cannot classify by condition `{condition}`: column `{field}` has type {found}, expected {needed}"
    )]
    ColumnType {
        /// The name of the condition.
        condition: String,
        /// The name of the field.
        field: String,
        /// The type of the column.
        found: DataType,
        /// The supported types, as text.
        needed: &'static str,
    },
    /// The number of observed times differs from the number of rows.
    #[error("cannot classify the batch: it has {rows} rows, but {observed} observed times")]
    ObservedTimes {
        /// The number of rows of the batch.
        rows: usize,
        /// The number of observed times.
        observed: usize,
    },
}

/// The conditions of a study, compiled for the classification of batches.
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
    /// Compiles declared conditions. Calendar conditions use the time zone of the study.
    ///
    /// # Errors
    /// If a condition has more values than a `u16` can number.
    pub fn new(declared: &[Condition], zone: TimeZone) -> Result<Self, ConditionError> {
        let conditions = declared.iter().map(Compiled::new).collect::<Result<_, _>>()?;
        Ok(Self { conditions, clock: LocalClock::new(zone) })
    }

    /// The names of a condition's values, in the order of their indices.
    ///
    /// # Panics
    /// If there is no condition with this index.
    pub fn values(&self, condition: usize) -> &[String] {
        &self.conditions[condition].values
    }

    /// The number of values of each condition, in the order of declaration: the `conditions` of a
    /// [`CellsShape`](super::CellsShape).
    pub fn sizes(&self) -> Vec<usize> {
        self.conditions.iter().map(|condition| condition.values.len()).collect()
    }

    /// For each condition, in the order of declaration, the index of each row's value. `snapshots` has the
    /// declared fields as columns, found by name. `observed` has the observed time of each row, in
    /// microseconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// If a column is missing or has the wrong type, or if the number of observed times is not the number of
    /// rows. The batch belongs to another study then.
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

    /// For a calendar condition: the number of the day, hour or month on the zone's clock in which each
    /// observed time lies, counted without gaps. `None` for other conditions.
    ///
    /// # Panics
    /// If there is no condition with this index.
    pub fn occurrences(&mut self, condition: usize, observed: &[i64]) -> Option<Vec<i64>> {
        let count: fn(i64) -> i64 = match self.conditions[condition].rule {
            Rule::Values { .. } | Rule::Bins { .. } => return None,
            Rule::Weekend | Rule::DayOfWeek => |hours| hours.div_euclid(24),
            Rule::Hour => |hours| hours,
            Rule::Month => month,
        };
        let hours = |micros: &i64| count(self.clock.local_micros(*micros).div_euclid(HOUR));
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
            observed.iter().map(|&micros| value(clock.local_micros(micros).div_euclid(HOUR)) as u16).collect()
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

/// The day of the week, from Monday as 0, of a number of hours since 1970-01-01T00:00 on the local clock.
fn day_of_week(hours: i64) -> i64 {
    (hours.div_euclid(24) + EPOCH_DAY).rem_euclid(7)
}

/// The number of months since January of the year 0, from hours since 1970-01-01T00:00 on the local clock.
fn month(hours: i64) -> i64 {
    let date = civil::date(1970, 1, 1).saturating_add(hours.div_euclid(24).days());
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}

/// The indices of declared values of a field, for each type that the field may have.
#[derive(Clone, Debug)]
struct Codes {
    texts: FxHashMap<String, u16>,
    /// The declared values that are the canonical text of an integer: `7`, but not `07`.
    integers: FxHashMap<i64, u16>,
    other: u16,
}

impl Codes {
    /// The caller ensures that the indices of `values` and of two more values fit a `u16`.
    fn new(values: &[String]) -> Self {
        let texts = || values.iter().zip(0..);
        let integer = |text: &String| text.parse::<i64>().ok().filter(|integer| integer.to_string() == *text);
        Self {
            integers: texts().filter_map(|(text, code)| Some((integer(text)?, code))).collect(),
            texts: texts().map(|(text, code)| (text.clone(), code)).collect(),
            other: values.len() as u16,
        }
    }

    /// The index of each row's value; `None` if the column has none of the three types.
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

/// The edges of bins, ascending. A value belongs to the bin whose index is the number of edges at or below
/// the value.
#[derive(Clone, Debug)]
struct Edges {
    numbers: Vec<f64>,
    /// The least integer that is not below each edge. Integers are compared as integers, since floats cannot
    /// distinguish them beyond 2^53.
    integers: Vec<i128>,
}

impl Edges {
    /// The caller ensures that the indices of the bins and of one more value fit a `u16`.
    fn new(edges: &[f64]) -> Self {
        Self { numbers: edges.to_vec(), integers: edges.iter().map(|edge| edge.ceil() as i128).collect() }
    }

    /// The index of each row's bin; `None` if the column is not numeric.
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
