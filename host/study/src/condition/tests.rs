//! Faults in conditions.

use insta::assert_snapshot;

use super::*;
use crate::test_support::{faults, read};

#[test]
fn condition_names_are_required_and_unique() {
    assert_snapshot!(faults(&[("\"lead-time\"", "\"segment\""), ("\"segment\"\nf", "\"all\"\nf")]), @"study.toml:32: the name `all` is reserved for all snapshots; choose another name for the condition");
    assert_snapshot!(faults(&[("\"lead-time\"", "\"segment\"")]), @"study.toml:36: two conditions are named `segment`, on lines 31 and 35; give each condition a different name");
    // A plugin and a condition may have the same name.
    read(&[("\"lead-time\"", "\"rules\"")]);
}

#[test]
fn a_condition_has_exactly_one_kind_of_partition() {
    let by_values = "field = \"segment\"\nvalues = [\"direct\", \"groups\"]";
    let report = |split: &str| faults(&[(by_values, split)]).to_string();
    let wrong = [
        "",
        "field = \"segment\"",
        "values = [\"direct\"]",
        "field = \"segment\"\ncalendar = \"hour\"",
        "field = \"lead_time\"\nvalues = [1]\nbins = [1]",
        "calendar = \"weekends\"",
    ];
    assert_snapshot!(wrong.map(report).join("\n"), @r#"
    study.toml:31: a condition needs either `field` and `values`, or `field` and `bins`, or `calendar`; this one has none of these
    study.toml:31: a condition needs either `field` and `values`, or `field` and `bins`, or `calendar`; this one has `field`
    study.toml:31: a condition needs either `field` and `values`, or `field` and `bins`, or `calendar`; this one has `values`
    study.toml:31: a condition needs either `field` and `values`, or `field` and `bins`, or `calendar`; this one has `field` and `calendar`
    study.toml:31: a condition needs either `field` and `values`, or `field` and `bins`, or `calendar`; this one has `field` and `values` and `bins`
    study.toml:33: `conditions.calendar` is "weekends"; write one of "weekend", "day-of-week", "hour", "month"
    "#);
    let split = |split: &str| read(&[(by_values, split)]).conditions[0].split.clone();
    let calendar = ["weekend", "day-of-week", "hour"].map(|word| split(&format!("calendar = \"{word}\"")));
    assert_eq!(calendar, [Split::Weekend, Split::DayOfWeek, Split::Hour]);
    let booleans = Split::Values { field: "repeated".into(), values: vec!["true".into(), "false".into()] };
    assert_eq!(split("field = \"repeated\"\nvalues = [true, false]"), booleans);
    let integers = Split::Values { field: "lead_time".into(), values: vec!["7".into(), "-1".into()] };
    assert_eq!(split("field = \"lead_time\"\nvalues = [7, -1]"), integers);
}

#[test]
fn the_field_of_a_condition_has_an_allowed_kind() {
    let report = |field: &str| faults(&[("field = \"segment\"", field)]).to_string();
    let wrong = [
        "field = \"segmnt\"",
        "field = \"decision.room\"",
        "field = \"price\"",
        "field = \"lead_time\"",
        "field = 7",
    ];
    assert_snapshot!(wrong.map(report).join("\n"), @r#"
    study.toml:33: `conditions.field` is `segmnt`, but [inputs.fields] does not declare this field; did you mean `segment`? declared: `lead_time`, `segment`, `price`, `repeated`
    study.toml:33: `conditions.field` is `decision.room`, but a condition divides snapshots; use a field of [inputs.fields]
    study.toml:33: `conditions.field` is `price` of kind number, but `values` needs a field of kind text, integer, boolean
    study.toml:34: `conditions.values` contains `direct` of kind text, but the field `lead_time` is of kind integer; write values of kind integer
    study.toml:34: `conditions.values` contains `groups` of kind text, but the field `lead_time` is of kind integer; write values of kind integer
    study.toml:33: `conditions.field` is 7; write the name of a snapshot's field, such as "lead_time"
    "#);
    assert_snapshot!(faults(&[("field = \"lead_time\"", "field = \"repeated\"")]), @"study.toml:37: `conditions.field` is `repeated` of kind boolean, but `bins` needs a field of kind integer, number");
}

#[test]
fn the_values_and_bins_of_a_condition() {
    let report = |values: &str| faults(&[("[\"direct\", \"groups\"]", values)]).to_string();
    let wrong =
        ["[\"direct\",\n\"groups\",\n\"direct\"]", "[\"other\", \"missing\"]", "[]", "[2.5]", "\"direct\""];
    assert_snapshot!(wrong.map(report).join("\n"), @r#"
    study.toml:36: `conditions.values` contains `direct` twice; remove one
    study.toml:34: `conditions.values` contains `other`, which exists implicitly: `other` is any value that is not listed, `missing` is no value; remove it
    study.toml:34: `conditions.values` contains `missing`, which exists implicitly: `other` is any value that is not listed, `missing` is no value; remove it
    study.toml:34: `conditions.values` is an empty list; write a list of texts, integers or booleans, at least one, such as ["direct", "groups"]
    study.toml:34: `conditions.values` contains 2.5; write a list of texts, integers or booleans, at least one, such as ["direct", "groups"]
    study.toml:34: `conditions.values` is "direct"; write a list of texts, integers or booleans, at least one, such as ["direct", "groups"]
    "#);
    let report = |bins: &str| faults(&[("[7, 30]", bins)]).to_string();
    assert_snapshot!(["[7, 30, 30]", "[7, 30,\n 2.5]", "[]", "[7, inf]", "[\"7\"]", "7"].map(report).join("\n"), @r#"
    study.toml:38: `conditions.bins` has 30 after 30; write a list of finite numbers in ascending order, at least one, such as [7, 30, 90]
    study.toml:39: `conditions.bins` has 2.5 after 30; write a list of finite numbers in ascending order, at least one, such as [7, 30, 90]
    study.toml:38: `conditions.bins` is an empty list; write a list of finite numbers in ascending order, at least one, such as [7, 30, 90]
    study.toml:38: `conditions.bins` contains inf; write a list of finite numbers in ascending order, at least one, such as [7, 30, 90]
    study.toml:38: `conditions.bins` contains "7"; write a list of finite numbers in ascending order, at least one, such as [7, 30, 90]
    study.toml:38: `conditions.bins` is 7; write a list of finite numbers in ascending order, at least one, such as [7, 30, 90]
    "#);
}
