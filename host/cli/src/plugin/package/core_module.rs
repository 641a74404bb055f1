//! The sections of a core module that a linker made.
//!
//! A section is a byte for its kind, its length as LEB128, and its bytes. Bytes that do not follow this layout are left to `pack`, which
//! reports them.

use std::ops::Range;

/// Bytes before the first section.
const HEADER: usize = 8;
/// Kinds of sections: a custom one, and the imports.
const CUSTOM: u8 = 0;
const IMPORTS: u8 = 2;
/// The kind of an imported function.
const FUNCTION: u8 = 0;
/// The custom sections with these names are for debuggers.
const DEBUG_PREFIX: &[u8] = b".debug_";

/// The names of the functions that a module imports, in order.
pub fn imported_functions(module: &[u8]) -> Vec<String> {
    let Some(imports) = sections(module).find(|section| section.kind == IMPORTS) else { return Vec::new() };
    let mut at = imports.content.start;
    let mut names = Vec::new();
    let Some(count) = number(module, &mut at) else { return names };
    for _ in 0..count {
        let Some(name) = sized(module, &mut at).and_then(|_| sized(module, &mut at)) else { break };
        names.push(String::from_utf8_lossy(&module[name]).into_owned());
        let kind = module.get(at).copied();
        at += 1;
        // Linkers for C import functions only, unless they are asked for more.
        if kind != Some(FUNCTION) || number(module, &mut at).is_none() {
            break;
        }
    }
    names
}

/// The module without the sections for debuggers. The names of functions stay, so that a trap tells its function.
pub fn without_debug_sections(module: &[u8]) -> Vec<u8> {
    let is_debug = |section: &Section| {
        let mut at = section.content.start;
        section.kind == CUSTOM
            && sized(module, &mut at).is_some_and(|name| module[name].starts_with(DEBUG_PREFIX))
    };
    let mut kept = module[..HEADER.min(module.len())].to_vec();
    let mut end = kept.len();
    for section in sections(module) {
        end = section.content.end;
        if !is_debug(&section) {
            kept.extend(&module[section.start..end]);
        }
    }
    kept.extend(&module[end..]);
    kept
}

struct Section {
    kind: u8,
    /// Where its kind is.
    start: usize,
    content: Range<usize>,
}

fn sections(module: &[u8]) -> impl Iterator<Item = Section> {
    let mut start = HEADER;
    std::iter::from_fn(move || {
        let kind = *module.get(start)?;
        let mut at = start + 1;
        let content = sized(module, &mut at)?;
        let section = Section { kind, start, content };
        start = at;
        Some(section)
    })
}

/// The range of the bytes whose length is at `at`, which is set to its end.
fn sized(module: &[u8], at: &mut usize) -> Option<Range<usize>> {
    let length = number(module, at)?;
    let range = *at..at.checked_add(length)?;
    module.get(range.clone())?;
    *at = range.end;
    Some(range)
}

/// The number in LEB128 at `at`, which is set to the byte after it.
fn number(module: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = 0;
    for shift in [0, 7, 14, 21, 28] {
        let byte = *module.get(*at)?;
        *at += 1;
        value |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module: one type, imports, and custom sections.
    fn module() -> Vec<u8> {
        let mut module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0".to_vec();
        module.extend(b"\x02\x16\x02\x04wasi\x03foo\0\0\x04wasi\x02io\0\0");
        module.extend(b"\0\x0d\x0b.debug_infox\0\x06\x04names");
        module
    }

    #[test]
    fn imported_functions_are_named() {
        assert_eq!(imported_functions(&module()), ["foo", "io"]);
        assert_eq!(imported_functions(b"\0asm\x01\0\0\0"), [""; 0]);
        for length in 0..module().len() {
            imported_functions(&module()[..length]);
        }
    }

    #[test]
    fn debug_sections_are_left_out() {
        let stripped = without_debug_sections(&module());
        assert_eq!(stripped.len(), module().len() - 15);
        assert!(stripped.ends_with(b"\0\x06\x04names"));
        for length in 0..module().len() {
            without_debug_sections(&module()[..length]);
        }
        assert_eq!(without_debug_sections(b"no module"), b"no module");
    }
}
