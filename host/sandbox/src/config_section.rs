//! The custom section of a component with the JSON Schema of its configuration.
//!
//! Invariants:
//! - No code of the component runs to read it.
//! - A component has at most one such section, in itself or in one of its core modules.
//!
//! A section is a byte for its kind, its length as LEB128, and its bytes. Bytes that do not follow this layout are left to
//! the compiler, which reports them.

use std::ops::Range;

/// Name of the custom section.
pub(super) const SECTION: &str = "understudy:config-schema";
/// The largest schema in bytes.
pub(super) const MAX_SCHEMA: usize = 64 << 10;

/// Bytes before the first section of a component or module.
const HEADER: usize = 8;
/// Kinds of sections, in components: a custom section, and a core module.
const CUSTOM: u8 = 0;
const CORE_MODULE: u8 = 1;

/// The schema's bytes in a component; `None` if it has none.
///
/// # Errors
/// If it has several, or one that is too large.
pub(super) fn read_section(component: &[u8]) -> Result<Option<&[u8]>, String> {
    let mut found = Vec::new();
    for (kind, content) in sections(component) {
        match kind {
            CUSTOM => found.extend(schema(content)),
            CORE_MODULE => {
                let custom = sections(content).filter(|(kind, _)| *kind == CUSTOM);
                found.extend(custom.filter_map(|(_, content)| schema(content)));
            }
            _ => {}
        }
    }
    match found[..] {
        [] => Ok(None),
        [one] if one.len() > MAX_SCHEMA => {
            Err(format!("it has {} bytes; at most {MAX_SCHEMA} are allowed", one.len()))
        }
        [one] => Ok(Some(one)),
        _ => Err(format!("it has {} sections `{SECTION}`; one is allowed", found.len())),
    }
}

/// The component with a schema at its end.
pub(super) fn with_section(component: &[u8], schema: &str) -> Vec<u8> {
    let mut content = Vec::new();
    push_length(&mut content, SECTION.len());
    content.extend(SECTION.as_bytes());
    content.extend(schema.as_bytes());
    let mut bytes = component.to_vec();
    bytes.push(CUSTOM);
    push_length(&mut bytes, content.len());
    bytes.extend(content);
    bytes
}

/// The rest of a custom section if it has the name of the schema's.
fn schema(content: &[u8]) -> Option<&[u8]> {
    let name = sized(content, 0)?;
    (content.get(name.clone())? == SECTION.as_bytes()).then(|| &content[name.end..])
}

/// Kind and content of each section.
fn sections(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut at = HEADER;
    std::iter::from_fn(move || {
        let kind = *bytes.get(at)?;
        let content = sized(bytes, at + 1)?;
        at = content.end;
        Some((kind, bytes.get(content)?))
    })
}

/// The range of the bytes whose length is at `at`.
fn sized(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let (mut length, mut next) = (0_usize, at);
    for shift in [0, 7, 14, 21, 28] {
        let byte = *bytes.get(next)?;
        length |= usize::from(byte & 0x7f).checked_shl(shift)?;
        next += 1;
        if byte & 0x80 == 0 {
            return Some(next..next.checked_add(length)?);
        }
    }
    None
}

fn push_length(bytes: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
    const MODULE: &[u8] = b"\0asm\x01\0\0\0";

    /// A component that contains a core module.
    fn with_module(module: &[u8]) -> Vec<u8> {
        let mut component = COMPONENT.to_vec();
        component.push(CORE_MODULE);
        push_length(&mut component, module.len());
        component.extend(module);
        component
    }

    #[test]
    fn a_schema_is_found_in_a_component_and_in_its_module() {
        let long = " ".repeat(300);
        for schema in ["{}", "", &long] {
            let own = with_section(COMPONENT, schema);
            let nested = with_module(&with_section(MODULE, schema));
            assert_eq!(read_section(&own), Ok(Some(schema.as_bytes())));
            assert_eq!(read_section(&nested), Ok(Some(schema.as_bytes())));
        }
        assert_eq!(read_section(COMPONENT), Ok(None));
        assert_eq!(read_section(&with_module(MODULE)), Ok(None));
    }

    #[test]
    fn several_and_large_schemas_are_refused() {
        let two = with_section(&with_module(&with_section(MODULE, "{}")), "{}");
        assert_eq!(
            read_section(&two).unwrap_err(),
            "it has 2 sections `understudy:config-schema`; one is allowed"
        );
        let largest = " ".repeat(MAX_SCHEMA);
        assert!(read_section(&with_section(COMPONENT, &largest)).is_ok());
        let large = with_section(COMPONENT, &(largest + " "));
        assert_eq!(read_section(&large).unwrap_err(), "it has 65537 bytes; at most 65536 are allowed");
    }

    #[test]
    fn damaged_components_have_no_schema() {
        let whole = with_section(COMPONENT, "{\"type\": \"object\"}");
        for length in 0..whole.len() {
            assert_eq!(read_section(&whole[..length]), Ok(None), "{length} bytes");
        }
        let endless = [COMPONENT, &[CUSTOM, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]].concat();
        assert_eq!(read_section(&endless), Ok(None));
    }
}
