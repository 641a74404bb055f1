//! Hostile plugins: each attack ends in an unanswered row with a reason, and the host continues.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Float64Array, RecordBatch};
use proptest::prelude::*;
use understudy_sandbox::{Budget, Sandbox};

use super::fixture::{BUDGET, recorded, sandbox};
use super::handmade_component::{Handmade, load, model};

/// A batch of rows with the field `n`.
fn numbers(rows: usize) -> RecordBatch {
    let column: ArrayRef = Arc::new(Float64Array::from_iter_values((0..rows).map(|row| row as f64)));
    RecordBatch::try_from_iter([("n", column)]).expect("one column")
}

/// The error of loading the plugin.
fn refused(model: &Handmade) -> String {
    model.load(&sandbox(BUDGET)).err().expect("it cannot be loaded").to_string()
}

/// The recorded answer to a row.
fn answered(model: &Handmade) -> String {
    let loaded = model.load(&sandbox(BUDGET)).expect("it can be loaded");
    recorded(&loaded.instance().decide(&numbers(1))).remove(0)
}

#[test]
fn a_handmade_model_answers() {
    let loaded = model().load(&sandbox(BUDGET)).expect("it can be loaded");
    assert_eq!(loaded.title, "handmade handmade");
    assert_eq!(
        (loaded.reads.len(), loaded.reads[0].name.as_str(), loaded.reads[0].required),
        (1, "n", false)
    );
    assert_eq!(recorded(&loaded.instance().decide(&numbers(3))), ["0", "0", "0"]);
}

#[test]
fn traps_during_instantiation_are_reported() {
    insta::assert_snapshot!(refused(&model().and("(func $start (loop br 0)) (start $start)")), @"`instantiate` used up its fuel of 1000000");
    insta::assert_snapshot!(refused(&model().and("(func $start unreachable) (start $start)")), @"`instantiate` trapped: wasm `unreachable` instruction executed in start");
    insta::assert_snapshot!(refused(&model().and("(func $start call $start) (start $start)")), @"`instantiate` overflowed its stack");
    insta::assert_snapshot!(refused(&model().and("(data (i32.const -8) \"beyond the end\")")), @"`instantiate` trapped: out of bounds memory access");
}

#[test]
fn endless_set_up_times_out() {
    let sandbox = sandbox(Budget { timeout: Duration::from_millis(300), ..BUDGET });
    let error =
        model().with("configure", "(loop br 0) unreachable").load(&sandbox).err().expect("it does not end");
    insta::assert_snapshot!(error, @"`configure` took longer than 300ms");
}

#[test]
fn descriptions_are_limited() {
    insta::assert_snapshot!(refused(&model().with("describe", "(loop br 0) unreachable")), @"`describe` used up its fuel of 1000000");
    insta::assert_snapshot!(refused(&model().with("describe", "i32.const -4")), @"`describe` failed: pointer out of bounds of memory");
    insta::assert_snapshot!(refused(&model().with("describe", "i32.const 1025")), @"`describe` failed: return pointer not aligned");
    // A million fields without names.
    let mut many = model().with_memory("(memory (export \"memory\") 256)");
    many.words(1024 + 16, &[65536, 1_000_000]);
    let sandbox = sandbox(Budget { returned: 64 << 20, ..BUDGET });
    insta::assert_snapshot!(many.load(&sandbox).err().expect("too many"), @"invalid description: it has 1000000 fields; at most 4096 are allowed");
    insta::assert_snapshot!(refused(&many), @"`describe` returned more than the limit of 1 MiB");
    let mut escape = model();
    escape.bytes(4104, b"\x1b[2J").words(3072, &[4104, 4]);
    insta::assert_snapshot!(refused(&escape), @r#"invalid description: the name " [2J" among its fields has control characters"#);
    let mut bytes = model();
    bytes.bytes(4104, b"\xff");
    insta::assert_snapshot!(refused(&bytes), @"`describe` failed: invalid utf-8 sequence of 1 bytes from index 0");
    // The form `number`, with class probabilities.
    let mut classes = model();
    classes.words(1024 + 24, &[0x101]);
    insta::assert_snapshot!(refused(&classes), @"invalid description: it declares class probabilities of answers with the form number; only labels have them");
}

#[test]
fn titles_are_sanitised() {
    let mut escape = model();
    escape.bytes(4096, b"\x1b[31m\nred");
    let loaded = escape.load(&sandbox(BUDGET)).expect("a title is only for people");
    assert_eq!(loaded.title, " [31m re  [31m re");
}

#[test]
fn returned_pointers_are_validated() {
    // Out of bounds, unaligned, longer than the memory, longer than the return limit, invalid variant case.
    insta::assert_snapshot!(answered(&model().with("decide", "i32.const -64")), @"broke: `decide` failed: pointer out of bounds of memory");
    insta::assert_snapshot!(answered(&model().with("decide", "i32.const 2049")), @"broke: `decide` failed: return pointer not aligned");
    let numbers = |length: &str| {
        format!(
            "(i32.store8 (i32.const 2052) (i32.const 1)) (i32.store (i32.const 2060) (i32.const {length})) i32.const 2048"
        )
    };
    insta::assert_snapshot!(answered(&model().with("decide", &numbers("-1"))), @"broke: `decide` failed: list pointer/length out of bounds of memory");
    let large = model().with_memory("(memory (export \"memory\") 64)");
    insta::assert_snapshot!(answered(&large.with("decide", &numbers("200000"))), @"broke: `decide` returned more than the limit of 1 MiB");
    insta::assert_snapshot!(answered(&model().with("decide", "(i32.store8 (i32.const 2052) (i32.const 9)) i32.const 2048")), @"broke: `decide` failed: unexpected discriminant: 9");
}

#[test]
fn allocations_for_arguments_are_validated() {
    let realloc = |body: &str| {
        model().and(&format!("(func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) {body})"))
    };
    insta::assert_snapshot!(refused(&realloc("i32.const -8")), @"`configure` failed: realloc return: beyond end of memory");
    insta::assert_snapshot!(refused(&realloc("i32.const 65537")), @"`configure` failed: realloc return: result not aligned");
    insta::assert_snapshot!(refused(&realloc("unreachable")), @"`configure` trapped: wasm `unreachable` instruction executed");
    let sandbox = sandbox(Budget { timeout: Duration::from_millis(300), ..BUDGET });
    let error = realloc("(loop br 0) unreachable").load(&sandbox).err().expect("it does not end");
    insta::assert_snapshot!(error, @"`configure` took longer than 300ms");
}

#[test]
fn post_return_is_limited() {
    let after = |body: &str| {
        answered(&model().and(&format!(
            "(func (export \"cabi_post_understudy:shadow/decider@0.1.0#decide\") (param i32) {body})"
        )))
    };
    assert_eq!(after(""), "0");
    insta::assert_snapshot!(after("unreachable"), @"broke: `decide` trapped: wasm `unreachable` instruction executed");
    insta::assert_snapshot!(after("(loop br 0)"), @"broke: `decide` used up its fuel of 1000000");
}

#[test]
fn a_forged_panic_report_is_only_sanitised_text() {
    let mut forged = model().with("decide", "unreachable");
    let output = b"src/lib.rs:1:1: \x1b]0;owned\x07 \xe2\x80\xae";
    forged
        .bytes(12_288, b"\0understudy panic report v1\0\0\0\0\0")
        .words(12_320, &[output.len() as u32])
        .bytes(12_324, output);
    insta::assert_snapshot!(answered(&forged), @"broke: `decide` panicked at src/lib.rs:1:1:  ]0;owned");
}

#[test]
fn a_trapped_instance_is_not_reused() {
    let counting = "
        (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (if (i32.eq (global.get $calls) (i32.const 3)) (then unreachable))
        (f64.store (i32.const 8192) (f64.convert_i32_u (global.get $calls)))
        (i32.store8 (i32.const 2052) (i32.const 1)) (i32.store (i32.const 2056) (i32.const 8192))
        (i32.store (i32.const 2060) (local.get $rows)) i32.const 2048";
    let counting = model().with("decide", counting).and("(global $calls (mut i32) (i32.const 0))");
    let mut counting = counting.load(&sandbox(BUDGET)).expect("it can be loaded").instance();
    let messages: Vec<String> = (0..5).flat_map(|_| recorded(&counting.decide(&numbers(1)))).collect();
    // The row of the third call is repeated in a new instance, whose first call it is.
    assert_eq!(messages, ["1", "2", "1", "2", "1"]);
}

#[test]
fn exceeding_the_instance_limit_is_reported() {
    let sandbox = Sandbox::new(BUDGET, 1).expect("the machine has address space");
    let loaded = model().load(&sandbox).expect("it can be loaded");
    let (mut one, mut other) = (loaded.instance(), loaded.instance());
    assert_eq!(recorded(&one.decide(&numbers(1))), ["0"]);
    insta::assert_snapshot!(recorded(&other.decide(&numbers(2))).join("\n"), @"
    broke: `instantiate` failed: maximum concurrent limit of 1 for component instances reached
    broke: `instantiate` failed: maximum concurrent limit of 1 for component instances reached
    ");
    drop(one);
    assert_eq!(recorded(&other.decide(&numbers(2))), ["0", "0"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// For any bytes, the host gets an error or an answer per row.
    #[test]
    fn a_component_with_changed_bytes_is_harmless(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut component = model().component();
        for (at, byte) in changes {
            let at = at.index(component.len());
            component[at] = byte;
        }
        let sandbox = sandbox(Budget { timeout: Duration::from_secs(5), ..BUDGET });
        if let Ok(loaded) = load(&sandbox, component) {
            prop_assert!(loaded.reads.len() <= 4096);
            // It may read other fields than before; then only a batch without columns fits.
            if loaded.reads.len() == 1 && loaded.reads[0].kind == understudy_study::FieldKind::Number {
                prop_assert_eq!(loaded.instance().decide(&numbers(2)).answers.rows(), 2);
            }
        }
    }
}
