//! The schemas of the types that configurations are made of.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::num::{NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64, NonZeroUsize};

use super::{Bound, ConfigSchema, Schema};

macro_rules! schema {
    ($($schema:expr => $($kind:ty),+;)+) => {
        $($(impl ConfigSchema for $kind {
            const SCHEMA: Schema = $schema;
        })+)+
    };
}

const fn from(least: i64) -> Schema {
    Schema::INTEGER.minimum(Bound::Integer(least))
}

const fn between(least: i64, greatest: i64) -> Schema {
    from(least).maximum(Bound::Integer(greatest))
}

// `usize` and `isize` have the bounds of Wasm. TOML has no whole number beyond the bounds of `i64`.
schema! {
    Schema::BOOLEAN => bool;
    Schema::NUMBER => f32, f64;
    Schema::TEXT => String;
    Schema::TEXT.min_length(Bound::Integer(1)).max_length(Bound::Integer(1)) => char;
    Schema::ANY => serde_json::Value;
    Schema::INTEGER => i64, i128;
    between(i32::MIN as i64, i32::MAX as i64) => i32, isize;
    between(i16::MIN as i64, i16::MAX as i64) => i16;
    between(i8::MIN as i64, i8::MAX as i64) => i8;
    from(0) => u64, u128;
    between(0, u32::MAX as i64) => u32, usize;
    between(0, u16::MAX as i64) => u16;
    between(0, u8::MAX as i64) => u8;
    from(1) => NonZeroU64;
    between(1, u32::MAX as i64) => NonZeroU32, NonZeroUsize;
    between(1, u16::MAX as i64) => NonZeroU16;
    between(1, u8::MAX as i64) => NonZeroU8;
}

impl<T: ConfigSchema> ConfigSchema for Option<T> {
    const SCHEMA: Schema = T::SCHEMA;
    const IS_REQUIRED: bool = false;
}

impl<T: ConfigSchema> ConfigSchema for Box<T> {
    const SCHEMA: Schema = T::SCHEMA;
}

impl<T: ConfigSchema> ConfigSchema for Vec<T> {
    const SCHEMA: Schema = Schema::list(&T::SCHEMA);
}

impl<T: ConfigSchema, const LENGTH: usize> ConfigSchema for [T; LENGTH] {
    const SCHEMA: Schema = {
        let length = Bound::Integer(LENGTH as i64);
        Schema::list(&T::SCHEMA).min_length(length).max_length(length)
    };
}

impl<T: ConfigSchema> ConfigSchema for BTreeSet<T> {
    const SCHEMA: Schema = Schema::list(&T::SCHEMA);
}

impl<T: ConfigSchema, S> ConfigSchema for HashSet<T, S> {
    const SCHEMA: Schema = Schema::list(&T::SCHEMA);
}

impl<T: ConfigSchema> ConfigSchema for BTreeMap<String, T> {
    const SCHEMA: Schema = Schema::map(&T::SCHEMA);
}

impl<T: ConfigSchema, S> ConfigSchema for HashMap<String, T, S> {
    const SCHEMA: Schema = Schema::map(&T::SCHEMA);
}

impl ConfigSchema for crate::NoConfig {
    const SCHEMA: Schema = Schema::table(&[], true);
}
