use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;

use super::{Bound, ConfigSchema, Member, Schema};
use crate::NoConfig;

/// The schema of a type, without the line that names the dialect, over several lines.
fn schema<C: ConfigSchema>() -> String {
    let text = C::SCHEMA.to_json();
    let mut value: serde_json::Value = serde_json::from_str(&text).expect("the schema is JSON");
    let dialect = value.as_object_mut().unwrap().remove("$schema");
    assert_eq!(dialect.unwrap(), "https://json-schema.org/draft/2020-12/schema");
    value.to_string()
}

/// How rooms are chosen, "quoted" and \escaped.
///
/// A second paragraph.
#[derive(Deserialize, ConfigSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[expect(dead_code, reason = "only its schema is read")]
struct Rooms {
    /// Rooms that are compared.
    #[config(minimum = 1, maximum = MOST)]
    most_rooms: usize,
    #[config(exclusive_minimum = 0, exclusive_maximum = 0.5)]
    #[serde(rename = "share")]
    part: f64,
    #[serde(default)]
    names: Vec<String>,
    #[config(min_length = 2)]
    order: Vec<Order>,
    nights: Option<u8>,
    r#type: Option<BTreeMap<String, Box<i32>>>,
    #[serde(skip)]
    seen: HashSet<u64>,
    #[config(any)]
    weights: (f64, f64),
    inner: Inner,
}

const MOST: usize = 40;

#[derive(Deserialize, ConfigSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Order {
    ByPrice,
    #[serde(rename = "any")]
    AnyOther,
}

#[derive(Default, Deserialize, ConfigSchema)]
#[serde(default)]
struct Inner {
    price: Price,
}

#[derive(Default, Deserialize, ConfigSchema)]
#[expect(dead_code, reason = "only its schema is read")]
struct Price(f32);

#[test]
fn a_schema_follows_the_type_and_the_attributes_of_serde() {
    insta::assert_snapshot!(schema::<Rooms>(), @r#"{"additionalProperties":false,"description":"How rooms are chosen, \"quoted\" and \\escaped. A second paragraph.","properties":{"inner":{"properties":{"price":{"type":"number"}},"type":"object"},"most-rooms":{"description":"Rooms that are compared.","maximum":40,"minimum":1,"type":"integer"},"names":{"items":{"type":"string"},"type":"array"},"nights":{"maximum":255,"minimum":0,"type":"integer"},"order":{"items":{"enum":["BY_PRICE","any"],"type":"string"},"minItems":2,"type":"array"},"share":{"exclusiveMaximum":0.5,"exclusiveMinimum":0,"type":"number"},"type":{"additionalProperties":{"maximum":2147483647,"minimum":-2147483648,"type":"integer"},"type":"object"},"weights":{}},"required":["most-rooms","share","order","weights","inner"],"type":"object"}"#);
    insta::assert_snapshot!(schema::<NoConfig>(), @r#"{"additionalProperties":false,"properties":{},"type":"object"}"#);
}

#[test]
fn a_schema_of_ones_own_is_built_by_functions() {
    struct Tolerance;

    impl ConfigSchema for Tolerance {
        const SCHEMA: Schema = {
            const SHARE: Schema = Schema::NUMBER.minimum(Bound::Literal("0.5")).maximum(Bound::Integer(-7));
            const MEMBERS: &[Member] = &[Member { name: "sh\"are", schema: SHARE, is_required: true }];
            Schema::table(MEMBERS, false).described("tab\there, é")
        };
    }
    insta::assert_snapshot!(schema::<Tolerance>(), @r#"{"description":"tab\there, é","properties":{"sh\"are":{"maximum":-7,"minimum":0.5,"type":"number"}},"required":["sh\"are"],"type":"object"}"#);
}

#[test]
fn the_bytes_of_a_section_are_the_text() {
    const BYTES: [u8; <Rooms as ConfigSchema>::SCHEMA.json_length()] =
        <Rooms as ConfigSchema>::SCHEMA.json_bytes();
    assert_eq!(String::from_utf8_lossy(&BYTES), Rooms::SCHEMA.to_json());
}

#[test]
fn a_deserialised_configuration_has_the_names_of_its_schema() {
    let rooms =
        r#"{"most-rooms": 3, "share": 0.25, "order": ["BY_PRICE", "any"], "weights": [1, 2], "inner": {}}"#;
    let rooms: Rooms = serde_json::from_str(rooms).unwrap();
    assert_eq!((rooms.most_rooms, rooms.part, rooms.order.len()), (3, 0.25, 2));
}
