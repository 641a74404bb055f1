//! The case of text.

/// Text in upper or lower case, character by character: Unicode's simple mappings, as in C's `towupper` and `towlower`. A
/// character without one, such as `ß`, keeps its case.
#[must_use]
pub fn change_case(text: &str, upper: bool) -> String {
    text.chars().map(if upper { upper_case } else { lower_case }).collect()
}

fn upper_case(character: char) -> char {
    // These have a title case of one character, which is their simple mapping, and an upper case of several.
    let title_case = match character {
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => 8,
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => 9,
        _ => return only(character.to_uppercase()).unwrap_or(character),
    };
    char::from_u32(u32::from(character) + title_case).unwrap_or(character)
}

fn lower_case(character: char) -> char {
    match character {
        // The full mapping keeps the dot as a second character.
        '\u{130}' => 'i',
        _ => only(character.to_lowercase()).unwrap_or(character),
    }
}

/// The only character.
fn only(mut characters: impl Iterator<Item = char>) -> Option<char> {
    let first = characters.next();
    if characters.next().is_none() { first } else { None }
}
