use proptest::prelude::*;
use serde_json::json;
use understudy_sdk::native;

use super::*;

fn metric(config: Value) -> JsonEquality {
    native::metric(&config.to_string(), vec![]).unwrap()
}

fn equal(config: Value, model: Value, decision: Value) -> bool {
    let value = native::value_of_rows(&metric(config), &[Some(Json(model))], &[Json(decision)]).unwrap();
    value == Some(1.0)
}

#[test]
fn values_are_compared_by_structure() {
    let none = || json!({});
    assert!(equal(none(), json!({ "a": 1, "b": [true, null] }), json!({ "b": [true, null], "a": 1 })));
    assert!(equal(none(), json!(1), json!(1.0)));
    assert!(equal(none(), json!(-0.0), json!(0)));
    assert!(!equal(none(), json!([1, 2]), json!([2, 1])));
    assert!(!equal(none(), json!({ "a": null }), json!({})));
    assert!(!equal(none(), json!("1"), json!(1)));
    assert!(!equal(none(), json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992_u64)));
    assert!(!equal(none(), json!([]), json!({})));
}

#[test]
fn ignored_paths_are_not_compared() {
    let ignore = |path: &str| json!({ "ignore": [path] });
    let (one, other) = (
        json!({ "id": 1, "items": [{ "id": 1, "n": 2 }] }),
        json!({ "id": 1, "items": [{ "id": 7, "n": 2 }] }),
    );
    assert!(equal(ignore("/items/*/id"), one.clone(), other.clone()));
    assert!(equal(ignore("/items/0/id"), one.clone(), other.clone()));
    assert!(equal(ignore("/items"), one.clone(), json!({ "id": 1 })), "an ignored key may be absent");
    assert!(!equal(ignore("/items/1/id"), one.clone(), other.clone()));
    assert!(!equal(ignore("/id"), one.clone(), other));
    assert!(!equal(ignore("/items/*"), one, json!({ "id": 1, "items": [] })), "the length counts");
    assert!(equal(ignore("/a~1b~0c"), json!({ "a/b~c": 1 }), json!({})));
    assert!(equal(ignore("/*"), json!({ "a": 1 }), json!({ "b": 2 })));
    assert!(equal(ignore("/"), json!({ "": 1 }), json!({ "": 2 })), "the key without a name");
}

#[test]
fn rounded_paths_are_compared_to_their_decimals() {
    let round = |decimals: u32| json!({ "round": { "/*/price": decimals } });
    let price = |number: f64| json!([{ "price": number, "exact": number }]);
    let only = |number: f64| json!([{ "price": number }]);
    assert!(equal(round(2), only(1.234), only(1.2301)));
    assert!(!equal(round(3), only(1.234), only(1.2301)));
    assert!(equal(round(0), only(1.5), json!([{ "price": 2 }])), "half away from zero");
    assert!(equal(round(0), only(-1.5), json!([{ "price": -2 }])));
    assert!(!equal(round(2), price(1.234), price(1.2301)), "another path is exact");
    assert!(!equal(round(15), only(1e300), only(2e300)), "scaled numbers are infinite");
    assert!(!equal(round(2), json!([{ "price": 1 }]), json!([{ "price": 2 }])));
    assert!(!equal(round(2), json!([{ "price": "1" }]), only(1.0)));
    let both = json!({ "round": { "/*": 0, "/price": 2 } });
    assert!(equal(both, json!({ "price": 1.4 }), json!({ "price": 1.1 })), "the fewest decimals apply");
}

#[test]
fn unanswered_pairs_are_not_equal() {
    let model = [Some(Json(json!(1))), None];
    let decisions = [Json(json!(1)), Json(Value::Null)];
    assert_eq!(native::value_of_rows(&metric(json!({})), &model, &decisions), Ok(Some(0.5)));
    assert_eq!(native::value_of_rows(&metric(json!({})), &[] as &[Option<Json<Value>>], &[]), Ok(None));
}

#[test]
fn invalid_configurations_are_rejected() {
    let refused = |config: Value| native::metric::<JsonEquality>(&config.to_string(), vec![]).err().unwrap();
    assert_eq!(
        refused(json!({ "ignore": ["items"] })),
        "config: `ignore` has the path \"items\"; write a JSON pointer such as \"/items/*/id\""
    );
    assert_eq!(
        refused(json!({ "round": { "": 2 } })),
        "config: `round` has the path \"\"; write a JSON pointer such as \"/items/*/id\""
    );
    assert_eq!(
        refused(json!({ "round": { "/a": 16 } })),
        "config: `round` has 16 decimals for \"/a\"; it must be from 0 to 15"
    );
    assert_eq!(
        refused(json!({ "paths": [] })),
        "config: unknown field `paths`, expected `ignore` or `round`"
    );
}

/// Any JSON value of a few levels.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(Value::Null), (0..3).prop_map(Value::from), "[ab]".prop_map(Value::from)];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[ab]", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Without rules, equality is that of the values.
    #[test]
    fn equality_is_that_of_json(one in any_json(), other in any_json()) {
        let (none, ignored) = (json!({}), json!({ "ignore": ["/a"] }));
        let [with_one, with_other] = [&one, &other].map(|value| json!({ "a": value }));
        prop_assert!(equal(none.clone(), one.clone(), one.clone()));
        prop_assert_eq!(equal(none.clone(), one.clone(), other.clone()), one == other);
        prop_assert!(equal(ignored.clone(), with_one.clone(), with_other));
        prop_assert!(equal(ignored, with_one, none));
    }
}
