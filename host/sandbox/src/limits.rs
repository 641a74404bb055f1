//! What an instance has left of memory and table elements.
//!
//! Always holds: all the memories of an instance together stay within the budget, and so do all its tables; asking for
//! more is a trap, so that it can be told, and not a -1 that the plugin makes something else of.

use wasmtime::ResourceLimiter;

use super::engine::TABLE_ELEMENTS;

/// What the host keeps for an instance: what it may still take.
pub(super) struct InstanceLimits {
    budget: usize,
    memory: usize,
    table_elements: usize,
}

/// An instance asked for more than it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LimitExceeded {
    #[error("memory limit of the instance exceeded")]
    Memory,
    #[error("table limit of the instance exceeded")]
    Table,
}

impl InstanceLimits {
    /// For an instance of `memory` bytes.
    pub fn new(memory: usize) -> InstanceLimits {
        InstanceLimits { budget: memory, memory, table_elements: TABLE_ELEMENTS }
    }

    /// Bytes of memory that it has.
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

/// Takes the growth from what is `left`. False, with nothing taken, if it is beyond the most that this one memory or table
/// declares for itself: that is the plugin's own wish, and it is told -1.
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
    fn memories_share_one_budget() {
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
