//! A value that its clones share until one of them is changed: copy-on-write behind a reference count.
//!
//! Invariants: cloning copies a pointer, whatever the size of the value. A change of one clone is never seen
//! by another. Serde writes and reads the value itself, as if it were not shared.

use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that is cloned by pointer and copied before it is changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CopyOnWrite<T>(Arc<T>);

impl<T> CopyOnWrite<T> {
    /// A value that nothing else shares yet.
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T: Clone> CopyOnWrite<T> {
    /// The value, to be changed. Copies it first if another clone shares it.
    pub fn to_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T> Clone for CopyOnWrite<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for CopyOnWrite<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Serialize> Serialize for CopyOnWrite<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        T::serialize(self, serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for CopyOnWrite<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_shares_the_value_until_either_is_changed() {
        let mut original = CopyOnWrite::new(vec![1, 2]);
        let snapshot = original.clone();
        assert!(std::ptr::eq(&*original, &*snapshot));
        original.to_mut().push(3);
        assert_eq!((&*original, &*snapshot), (&vec![1, 2, 3], &vec![1, 2]));
        let copied: *const Vec<i32> = &*original;
        original.to_mut().push(4);
        assert!(std::ptr::eq(copied, &*original), "a value that nothing shares is changed in place");
    }

    #[test]
    fn the_written_form_is_that_of_the_value() {
        let value = vec![("a".to_owned(), 1.5)];
        let shared = CopyOnWrite::new(value.clone());
        let written = bincode::serde::encode_to_vec(&shared, bincode::config::standard()).unwrap();
        assert_eq!(written, bincode::serde::encode_to_vec(&value, bincode::config::standard()).unwrap());
        let read = bincode::serde::decode_from_slice(&written, bincode::config::standard());
        let (read, _): (CopyOnWrite<Vec<(String, f64)>>, usize) = read.unwrap();
        assert_eq!(read, shared);
    }
}
