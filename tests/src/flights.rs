//! Reads the New York flights that test the subgroup search, as `tests/oracles/divexplorer.py` writes them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// The flights, by attribute.
#[derive(Default)]
pub struct Flights {
    /// Names of the attributes, such as carrier and origin.
    pub attributes: Vec<String>,
    /// The values of each attribute, by first occurrence.
    pub values: Vec<Vec<String>>,
    /// By attribute and flight: index of the value.
    pub codes: Vec<Vec<u16>>,
    /// Two numbers per flight: 1 if it arrived, and 1 if it arrived late.
    pub arrivals: Vec<f64>,
}

/// By subgroup, written as `attribute=value` terms with semicolons between them: its number of flights, and
/// the share of late flights among those that arrived.
pub type Classes = BTreeMap<String, (u64, Option<f64>)>;

impl Flights {
    /// Reads a table with one column per attribute and a last column `late`, which is 1, 0 or empty.
    pub fn read(path: &Path) -> Flights {
        let mut lines = lines(path);
        let header = lines.next().expect("a header");
        let attributes: Vec<String> = header.split(',').map(str::to_owned).collect();
        let attributes = attributes[..attributes.len() - 1].to_vec();
        let mut codes = vec![Vec::new(); attributes.len()];
        let mut places = vec![BTreeMap::<String, u16>::new(); attributes.len()];
        let mut arrivals = Vec::new();
        for line in lines {
            let mut cells = line.split(',');
            for (codes, places) in codes.iter_mut().zip(&mut places) {
                let value = cells.next().expect("a value for each attribute");
                let next = places.len() as u16;
                codes.push(places.get(value).copied().unwrap_or_else(|| {
                    places.insert(value.to_owned(), next);
                    next
                }));
            }
            arrivals.extend(match cells.next() {
                Some("1") => [1.0, 1.0],
                Some("0") => [1.0, 0.0],
                _ => [0.0, 0.0],
            });
        }
        let in_order = |places: BTreeMap<String, u16>| {
            let mut values: Vec<(u16, String)> = places.into_iter().map(|(value, at)| (at, value)).collect();
            values.sort();
            values.into_iter().map(|(_, value)| value).collect()
        };
        Flights { attributes, values: places.into_iter().map(in_order).collect(), codes, arrivals }
    }

    /// The name of a subgroup. Each term is an attribute and a value by their indices.
    pub fn class(&self, terms: impl Iterator<Item = (u16, u16)>) -> String {
        let term = |(attribute, value): (u16, u16)| {
            let attribute = usize::from(attribute);
            format!("{}={}", self.attributes[attribute], self.values[attribute][usize::from(value)])
        };
        terms.map(term).collect::<Vec<_>>().join(";")
    }
}

/// Reads a table of subgroups: terms, flights, rate.
pub fn classes(path: &Path) -> Classes {
    let read = |line: String| {
        let mut cells = line.rsplitn(3, ',');
        let rate = cells.next().expect("a rate").parse().ok();
        let flights = cells.next().expect("a count").parse().expect("a whole number");
        (cells.next().expect("terms").to_owned(), (flights, rate))
    };
    lines(path).skip(1).map(read).collect()
}

fn lines(path: &Path) -> impl Iterator<Item = String> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    BufReader::new(file).lines().map(|line| line.expect("lines of text"))
}
