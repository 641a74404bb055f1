//! Generates rows of the fields that a plugin reads: extremes of each kind, missing values, and random cells.

use fastrand::Rng;
use serde_json::Value as Json;

use understudy_sandbox::InputField;
use understudy_study::FieldKind;

use crate::cell::{CellValue, Row};

/// Most rows in which one field has an extreme value. A plugin with more fields has a random selection of them.
const EXTREME_ROWS: usize = 2000;
/// Rows of random cells.
const RANDOM_ROWS: usize = 300;
/// Length of the longest text in bytes. A label of this length is within the default limit of answers.
const LONG_TEXT: usize = 64 << 10;
/// Depth of the deepest JSON value; serde_json reads 127 levels.
const DEPTH: usize = 100;

/// Rows for the check of a plugin: an ordinary row, each field with each extreme value of its kind and without a value,
/// all fields with extreme values at once, and random rows. `words` are texts that may mean something to the plugin.
pub fn generate_rows(fields: &[InputField], words: &[String], seed: u64) -> Vec<Row> {
    let mut rng = Rng::with_seed(seed);
    let ordinary: Row = fields.iter().map(|field| Some(ordinary_cell(field.kind))).collect();
    let pools: Vec<Vec<Option<CellValue>>> = fields.iter().map(|field| pool(field.kind, words)).collect();
    let mut rows = vec![ordinary.clone()];

    let mut places: Vec<(usize, usize)> = pools
        .iter()
        .enumerate()
        .flat_map(|(field, pool)| (0..pool.len()).map(move |value| (field, value)))
        .collect();
    if places.len() > EXTREME_ROWS {
        rng.shuffle(&mut places);
        places.truncate(EXTREME_ROWS);
        places.sort_unstable();
    }
    for (field, value) in places {
        let mut row = ordinary.clone();
        row[field] = pools[field][value].clone();
        rows.push(row);
    }
    for value in 0..pools.iter().map(Vec::len).max().unwrap_or_default() {
        rows.push(pools.iter().map(|pool| pool[value % pool.len()].clone()).collect());
    }
    for _ in 0..RANDOM_ROWS {
        let cell = |(field, pool): (&InputField, &Vec<Option<CellValue>>)| match rng.u8(..100) {
            0..10 if !field.required => None,
            0..30 => rng.choice(pool).cloned().flatten().or_else(|| Some(ordinary_cell(field.kind))),
            _ => Some(random_cell(field.kind, words, &mut rng)),
        };
        rows.push(fields.iter().zip(&pools).map(cell).collect());
    }
    rows
}

/// All texts in a configuration: values that the plugin may compare with.
pub fn words_of(config: &Json) -> Vec<String> {
    match config {
        Json::String(text) => vec![text.clone()],
        Json::Array(items) => items.iter().flat_map(words_of).collect(),
        Json::Object(members) => {
            members.iter().flat_map(|(key, value)| [vec![key.clone()], words_of(value)].concat()).collect()
        }
        _ => Vec::new(),
    }
}

fn ordinary_cell(kind: FieldKind) -> CellValue {
    match kind {
        FieldKind::Boolean => CellValue::Boolean(true),
        FieldKind::Integer => CellValue::Integer(3),
        FieldKind::Number => CellValue::Number(2.5),
        FieldKind::Text => CellValue::Text("a".to_owned()),
        FieldKind::Timestamp => CellValue::Timestamp(1_777_593_600_000_000),
        FieldKind::Json => CellValue::Json(r#"{"a":1,"b":"x"}"#.to_owned()),
    }
}

/// The extreme values of a kind, and a missing one.
fn pool(kind: FieldKind, words: &[String]) -> Vec<Option<CellValue>> {
    let cells: Vec<CellValue> = match kind {
        FieldKind::Boolean => [false, true].map(CellValue::Boolean).into(),
        FieldKind::Integer => {
            let edges = [
                0,
                1,
                -1,
                i64::from(u8::MAX),
                i64::from(u8::MAX) + 1,
                i64::from(i32::MIN),
                i64::from(i32::MAX) + 1,
                (1 << 53) + 1,
                i64::MIN,
                i64::MAX,
            ];
            edges.map(CellValue::Integer).into()
        }
        FieldKind::Number => {
            let edges =
                [0.0, -0.0, 1.0, -1.0, 0.1, 5e-324, f64::MIN_POSITIVE, 1e15, 1e300, f64::MAX, f64::MIN];
            edges.map(CellValue::Number).into()
        }
        FieldKind::Text => {
            let edges = [
                "",
                " ",
                "A",
                "0",
                "-1",
                "null",
                "e\u{301}",
                "\u{e9}",
                "\u{1f469}\u{200d}\u{1f680}",
                "\u{644}\u{63a}\u{629}",
                "\0",
                "a\n\t\"\\b",
            ];
            let long = ["x".repeat(LONG_TEXT), "\u{6f22}".repeat(LONG_TEXT / 3)];
            let texts = edges.into_iter().map(str::to_owned).chain(long).chain(words.iter().cloned());
            texts.map(CellValue::Text).collect()
        }
        FieldKind::Timestamp => {
            // The years 1, 1969, 2038 and 9999, and the turn of a leap second.
            let seconds = [0, -62_135_596_800, -1, 2_147_483_648, 253_402_207_200, 1_483_228_800];
            seconds.map(|second: i64| CellValue::Timestamp(second * 1_000_000)).into()
        }
        FieldKind::Json => {
            let edges = [
                "true",
                "0",
                "-0.0",
                "1e308",
                "18446744073709551615",
                "\"\"",
                "\"text\"",
                "[]",
                "{}",
                "[1,2,3]",
                "[\"a\",\"b\"]",
                r#"{"a":{"b":1,"c":[]},"d":null}"#,
                r#"{"":0}"#,
                "\"\u{1f680}\"",
            ];
            let deep = "[".repeat(DEPTH) + &"]".repeat(DEPTH);
            let long = format!("[{}0]", "0,".repeat(1000));
            let words = words.iter().map(|word| Json::from(word.as_str()).to_string());
            edges
                .into_iter()
                .map(str::to_owned)
                .chain([deep, long])
                .chain(words)
                .map(CellValue::Json)
                .collect()
        }
    };
    cells.into_iter().map(Some).chain([None]).collect()
}

fn random_cell(kind: FieldKind, words: &[String], rng: &mut Rng) -> CellValue {
    match kind {
        FieldKind::Boolean => CellValue::Boolean(rng.bool()),
        FieldKind::Integer => CellValue::Integer(match rng.u8(..3) {
            0 => rng.i64(0..10),
            1 => rng.i64(-1000..1000),
            _ => rng.i64(..),
        }),
        FieldKind::Number => CellValue::Number(match rng.u8(..3) {
            0 => rng.i64(-100..100) as f64 / 4.0,
            1 => (rng.f64() - 0.5) * 1e6,
            _ => Some(f64::from_bits(rng.u64(..))).filter(|number| number.is_finite()).unwrap_or(0.5),
        }),
        FieldKind::Text => CellValue::Text(random_text(words, rng)),
        FieldKind::Timestamp => CellValue::Timestamp(rng.i64(0..4_000_000_000_000_000)),
        FieldKind::Json => CellValue::Json(random_json(words, rng, 3).to_string()),
    }
}

fn random_text(words: &[String], rng: &mut Rng) -> String {
    match rng.choice(words) {
        Some(word) if rng.bool() => word.clone(),
        _ => {
            let length = rng.usize(..12);
            (0..length).map(|_| if rng.u8(..8) == 0 { rng.char(..) } else { rng.alphanumeric() }).collect()
        }
    }
}

fn random_json(words: &[String], rng: &mut Rng, depth: usize) -> Json {
    let kinds = if depth == 0 { 4 } else { 6 };
    match rng.u8(..kinds) {
        0 => Json::from(rng.i64(-100..100)),
        1 => Json::from(rng.f64()),
        2 => Json::from(random_text(words, rng)),
        3 => Json::from(rng.bool()),
        4 => (0..rng.usize(..4)).map(|_| random_json(words, rng, depth - 1)).collect(),
        _ => {
            let members =
                (0..rng.usize(..4)).map(|_| (random_text(words, rng), random_json(words, rng, depth - 1)));
            Json::Object(members.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Vec<InputField> {
        let field = |kind: FieldKind| InputField {
            name: kind.name().to_owned(),
            kind,
            required: kind == FieldKind::Text,
        };
        FieldKind::ALL.map(field).to_vec()
    }

    #[test]
    fn rows_follow_from_the_seed() {
        let rows = |seed| generate_rows(&fields(), &[], seed);
        assert_eq!(rows(1), rows(1));
        assert_ne!(rows(1), rows(2));
    }

    #[test]
    fn rows_have_extremes_missing_values_and_words() {
        let rows = generate_rows(&fields(), &["groups".to_owned()], 1);
        let has = |wanted: Option<CellValue>| rows.iter().any(|row| row.contains(&wanted));
        for cell in [
            CellValue::Integer(i64::MIN),
            CellValue::Integer(i64::MAX),
            CellValue::Number(f64::MAX),
            CellValue::Text(String::new()),
            CellValue::Text("x".repeat(LONG_TEXT)),
            CellValue::Text("groups".to_owned()),
            CellValue::Json("{}".to_owned()),
        ] {
            assert!(has(Some(cell.clone())), "{cell:?}");
        }
        for (index, field) in fields().iter().enumerate() {
            assert!(rows.iter().any(|row| row[index].is_none()), "{}", field.name);
        }
        let is_finite = |cell: &Option<CellValue>| !matches!(cell, Some(CellValue::Number(number)) if !number.is_finite());
        assert!(rows.iter().flatten().all(is_finite));
    }

    #[test]
    fn many_fields_have_a_limited_number_of_rows() {
        let field =
            |index: usize| InputField { name: index.to_string(), kind: FieldKind::Number, required: false };
        let fields: Vec<InputField> = (0..500).map(field).collect();
        let rows = generate_rows(&fields, &[], 1).len();
        assert!((EXTREME_ROWS..EXTREME_ROWS + 2 * RANDOM_ROWS).contains(&rows), "{rows}");
    }

    #[test]
    fn words_are_the_texts_of_a_configuration() {
        let config = serde_json::json!({"groups": ["A", {"b": 1}], "n": 2});
        assert_eq!(words_of(&config), ["groups", "A", "b", "n"]);
    }
}
