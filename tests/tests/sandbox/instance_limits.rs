//! Limits on the memory, tables and parts of a plugin.

use understudy_sandbox::{Budget, Sandbox};

use super::fixture::{BUDGET, sandbox};
use super::handmade_component::{Handmade, load, model, with_instances};

/// The error of loading the plugin.
fn refused(component: Vec<u8>) -> String {
    load(&sandbox(BUDGET), component).err().expect("it is too much").to_string()
}

/// A model that calls `grow` when it is configured.
fn growing(declared: &str, grow: &str) -> Handmade {
    model().and(declared).with("configure", &format!("{grow} drop i32.const 0"))
}

#[test]
fn the_parts_of_a_component_are_limited() {
    let empty = "(module)";
    assert!(load(&sandbox(BUDGET), with_instances(model().component(), empty, 63)).is_ok());
    insta::assert_snapshot!(refused(with_instances(model().component(), empty, 64)), @"handmade.wasm is not a valid component: The component transitively contains 65 core module instances, which exceeds the configured maximum of 64 in the pooling allocator; rebuild it");
    let memory = "(module (memory 1))";
    assert!(load(&sandbox(BUDGET), with_instances(model().component(), memory, 7)).is_ok());
    insta::assert_snapshot!(refused(with_instances(model().component(), memory, 8)), @"handmade.wasm is not a valid component: The component transitively contains 9 Wasm linear memories, which exceeds the configured maximum of 8 in the pooling allocator; rebuild it");
    let table = "(module (table 1 funcref))";
    assert!(load(&sandbox(BUDGET), with_instances(model().component(), table, 8)).is_ok());
    insta::assert_snapshot!(refused(with_instances(model().component(), table, 9)), @"handmade.wasm is not a valid component: The component transitively contains 9 tables, which exceeds the configured maximum of 8 in the pooling allocator; rebuild it");
}

#[test]
fn a_memory_above_the_budget_is_rejected() {
    insta::assert_snapshot!(refused(model().with_memory("(memory (export \"memory\") 1025)").component()), @"`instantiate` exceeded its memory limit of 64 MiB");
}

#[test]
fn all_memories_of_an_instance_share_its_budget() {
    // The model has 4 pages, so 1020 of 64 MiB remain.
    let half = "(module (memory 510))";
    assert!(load(&sandbox(BUDGET), with_instances(model().component(), half, 2)).is_ok());
    insta::assert_snapshot!(refused(with_instances(model().component(), half, 3)), @"`instantiate` exceeded its memory limit of 64 MiB");
    assert!(growing("", "(memory.grow (i32.const 1020))").load(&sandbox(BUDGET)).is_ok());
    insta::assert_snapshot!(refused(growing("", "(memory.grow (i32.const 1021))").component()), @"`configure` exceeded its memory limit of 64 MiB");
    insta::assert_snapshot!(refused(growing("", "(memory.grow (i32.const -1))").component()), @"`configure` exceeded its memory limit of 64 MiB");
}

#[test]
fn all_tables_of_an_instance_share_their_limit() {
    let table = "(table 0 funcref)";
    assert!(
        growing(table, "(table.grow 0 (ref.null func) (i32.const 100000))").load(&sandbox(BUDGET)).is_ok()
    );
    insta::assert_snapshot!(refused(growing(table, "(table.grow 0 (ref.null func) (i32.const 100001))").component()), @"`configure` exceeded its limit of 100000 table elements");
    let half = "(module (table 50000 funcref))";
    assert!(load(&sandbox(BUDGET), with_instances(model().component(), half, 2)).is_ok());
    insta::assert_snapshot!(refused(with_instances(model().component(), half, 3)), @"`instantiate` exceeded its limit of 100000 table elements");
    insta::assert_snapshot!(refused(with_instances(model().component(), "(module (table 100001 funcref))", 1)), @"handmade.wasm is not a valid component: module table does not fit in pooling allocator requirements: table index 0 has a minimum element size of 100001 which exceeds the limit of 100000; rebuild it");
}

#[test]
fn memory_is_released_with_the_instance() {
    let sandbox = Sandbox::new(Budget { ..BUDGET }, 1).expect("the machine has address space");
    // Each instance uses all memory. The pool has one slot, so the next instance needs the previous one to be
    // dropped.
    let all = growing("", "(memory.grow (i32.const 1020))");
    for _ in 0..3 {
        assert!(all.load(&sandbox).is_ok());
    }
}
