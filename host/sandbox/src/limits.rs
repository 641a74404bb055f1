//! Enforces the memory and table limits of an instance.
//!
//! Invariants:
//! - All memories of an instance together stay within the budget, and so do all its tables.
//! - Exceeding the budget traps, so that the host can report it. A failed `memory.grow` (-1) would reach the
//!   plugin only.

use wasmtime::ResourceLimiter;

use super::engine::TABLE_ELEMENTS;

/// The remaining memory and table elements of an instance.
pub(super) struct InstanceLimits {
    budget: usize,
    memory: usize,
    table_elements: usize,
}

/// The limit that an instance exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LimitExceeded {
    #[error("memory limit of the instance exceeded")]
    Memory,
    #[error("table limit of the instance exceeded")]
    Table,
}

impl InstanceLimits {
    /// Limits for an instance with at most `memory` bytes.
    pub fn new(memory: usize) -> InstanceLimits {
        InstanceLimits { budget: memory, memory, table_elements: TABLE_ELEMENTS }
    }

    /// Bytes of memory that the instance has.
    pub fn memory(&self) -> usize {
        self.budget - self.memory
    }
}

impl ResourceLimiter for InstanceLimits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        most: Option<usize>,
    ) -> wasmtime::Result<bool> {
        grow(&mut self.memory, current, desired, most).map_err(|()| LimitExceeded::Memory.into())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        most: Option<usize>,
    ) -> wasmtime::Result<bool> {
        grow(&mut self.table_elements, current, desired, most).map_err(|()| LimitExceeded::Table.into())
    }
}

/// Deducts the growth from `left`. Returns `false` and deducts nothing if the growth exceeds the maximum that
/// this memory or table declares itself; then the instruction returns -1 to the plugin.
fn grow(left: &mut usize, current: usize, desired: usize, most: Option<usize>) -> Result<bool, ()> {
    let rest = left.checked_sub(desired.saturating_sub(current)).ok_or(())?;
    let allowed = most.is_none_or(|most| desired <= most);
    if allowed {
        *left = rest;
    }
    Ok(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_memories_share_one_budget() {
        let mut host = InstanceLimits::new(100);
        assert!(host.memory_growing(0, 60, None).expect("it fits"));
        assert!(host.memory_growing(0, 30, Some(30)).expect("it fits"));
        assert!(!host.memory_growing(30, 35, Some(30)).expect("the memory's own limit is no fault"));
        assert!(host.memory_growing(60, 70, None).expect("10 were left"));
        let error = host.memory_growing(0, 1, None).expect_err("nothing is left");
        assert_eq!(error.to_string(), "memory limit of the instance exceeded");
        assert!(host.table_growing(0, TABLE_ELEMENTS, None).expect("tables have a budget of their own"));
        assert!(host.table_growing(0, 1, None).is_err());
    }
}
