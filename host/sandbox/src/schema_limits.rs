//! Limits of the JSON Schema that a plugin declares.
//!
//! A schema comes from an untrusted plugin and is evaluated by the host, outside of the sandbox. References can make a
//! short schema cost exponential time, or recurse without end. So the schemas are counted as if each reference were
//! replaced by what it refers to.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// The most schemas, with each reference replaced by what it refers to.
const MAX_NODES: u64 = 10_000;
/// The deepest nesting, with each reference replaced by what it refers to.
const MAX_DEPTH: usize = 64;
/// The most regular expressions.
const MAX_PATTERNS: usize = 64;

/// Keywords that change what a reference means, or whose evaluation is not bounded by the number of schemas.
const REFUSED: [&str; 9] = [
    "$anchor",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$recursiveAnchor",
    "$recursiveRef",
    "$vocabulary",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords whose values are no schemas.
const DATA: [&str; 4] = ["const", "default", "enum", "examples"];
/// Keywords whose values have schemas under names of the author's choice.
const NAMED: [&str; 5] = ["$defs", "definitions", "dependentSchemas", "patternProperties", "properties"];

/// Checks a schema.
///
/// # Errors
/// Which limit it exceeds.
pub(super) fn check(schema: &Value) -> Result<(), String> {
    let mut counter = SchemaCounter { root: schema, patterns: 0, known: HashMap::new() };
    counter.schema(schema, 0)?;
    match counter.patterns {
        patterns if patterns > MAX_PATTERNS => {
            Err(format!("it has {patterns} patterns; at most {MAX_PATTERNS} are allowed"))
        }
        _ => Ok(()),
    }
}

/// Schemas and nesting below a schema, itself included.
#[derive(Clone, Copy)]
struct Extent {
    nodes: u64,
    height: usize,
}

struct SchemaCounter<'s> {
    root: &'s Value,
    patterns: usize,
    /// The extent of each schema that is referred to; `None` while it is being counted.
    known: HashMap<&'s str, Option<Extent>>,
}

impl<'s> SchemaCounter<'s> {
    /// Counts a schema. Anything that is no schema counts as one, too.
    fn schema(&mut self, schema: &'s Value, depth: usize) -> Result<Extent, String> {
        let mut extent = Extent { nodes: 1, height: 1 };
        match schema {
            Value::Object(keywords) => {
                for (keyword, value) in keywords {
                    self.keyword(keyword, value, depth, &mut extent)?;
                }
            }
            Value::Array(elements) => {
                for element in elements {
                    add(&mut extent, self.schema(element, deeper(depth)?)?)?;
                }
            }
            _ => {}
        }
        deeper(depth + extent.height - 1)?;
        Ok(extent)
    }

    fn keyword(
        &mut self,
        keyword: &'s str,
        value: &'s Value,
        depth: usize,
        extent: &mut Extent,
    ) -> Result<(), String> {
        if REFUSED.contains(&keyword) {
            return Err(format!("it uses the keyword `{keyword}`, which is not supported; remove it"));
        }
        match (keyword, value) {
            _ if DATA.contains(&keyword) => Ok(()),
            ("$ref", Value::String(reference)) => add(extent, self.reference(reference, depth)?),
            ("pattern", _) => {
                self.patterns += 1;
                Ok(())
            }
            (_, Value::Object(schemas)) if NAMED.contains(&keyword) => {
                if keyword == "patternProperties" {
                    self.patterns += schemas.len();
                }
                self.named(schemas, depth, extent)
            }
            (_, Value::Object(_) | Value::Array(_)) => {
                let inner = self.schema(value, deeper(depth)?)?;
                add(extent, inner)
            }
            _ => Ok(()),
        }
    }

    fn named(
        &mut self,
        schemas: &'s Map<String, Value>,
        depth: usize,
        extent: &mut Extent,
    ) -> Result<(), String> {
        schemas.values().try_for_each(|schema| add(extent, self.schema(schema, deeper(depth)?)?))
    }

    fn reference(&mut self, reference: &'s str, depth: usize) -> Result<Extent, String> {
        let shown: String = reference.chars().take(80).collect();
        let pointer = reference.strip_prefix('#').filter(|pointer| !pointer.contains('%'));
        let target = pointer.and_then(|pointer| self.root.pointer(pointer));
        let Some(target) = target else {
            return Err(format!(
                "it refers to \"{shown}\"; only a place in the schema itself can be referred to, such as \"#/$defs/room\""
            ));
        };
        match self.known.get(reference) {
            Some(Some(extent)) => return Ok(*extent),
            Some(None) => {
                return Err(format!("it refers to itself at \"{shown}\"; write it without recursion"));
            }
            None => {}
        }
        self.known.insert(reference, None);
        let extent = self.schema(target, deeper(depth)?)?;
        self.known.insert(reference, Some(extent));
        Ok(extent)
    }
}

fn add(extent: &mut Extent, inner: Extent) -> Result<(), String> {
    extent.nodes = extent.nodes.saturating_add(inner.nodes);
    extent.height = extent.height.max(inner.height + 1);
    if extent.nodes > MAX_NODES {
        return Err(format!(
            "it has more than {MAX_NODES} schemas, with its references replaced by what they refer to; write a smaller one"
        ));
    }
    Ok(())
}

fn deeper(depth: usize) -> Result<usize, String> {
    match depth + 1 {
        depth if depth > MAX_DEPTH => {
            Err(format!("it is nested more than {MAX_DEPTH} deep, with its references; write a flatter one"))
        }
        depth => Ok(depth),
    }
}
