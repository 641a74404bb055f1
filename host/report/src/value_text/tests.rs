//! Texts of values that look alike.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// The value that is shown as a text.
fn value_of(text: &str) -> String {
    if text == EMPTY {
        return String::new();
    }
    let mut value = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("\\u{") {
        value.push_str(&rest[..at]);
        let (code, behind) = rest[at + 3..].split_once('}').unwrap();
        value.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
        rest = behind;
    }
    value + rest
}

#[test]
fn ordinary_values_are_shown_as_they_are() {
    let values = [
        "a",
        "deluxe room",
        "#4,5;6",
        "don't",
        "5\" pipe",
        "C:\\usr",
        "Zürich",
        "Đồng Hới",
        "日本",
        "한국",
        "हिन्दी",
        "العربية",
        "Да",
        "🚂",
        "(a)",
        "[1,2]",
        "…",
        "-",
        "{\"a\":1}",
    ];
    assert_eq!(values.map(value_text), values);
}

#[test]
fn what_cannot_be_seen_is_written_as_a_code_point() {
    let texts = [
        ("a ", "a\\u{20}"),
        (" a", "\\u{20}a"),
        ("a  b", "a\\u{20}\\u{20}b"),
        (" ", "\\u{20}"),
        ("a\tb\n", "a\\u{9}b\\u{a}"),
        ("a\u{a0}b", "a\\u{a0}b"),
        ("a\u{200b}", "a\\u{200b}"),
        ("\u{feff}a", "\\u{feff}a"),
        ("a\u{ad}b", "a\\u{ad}b"),
        ("\u{202e}ab", "\\u{202e}ab"),
        ("a\u{0}\u{1b}[2J", "a\\u{0}\\u{1b}[2J"),
        ("a\u{3000}b", "a\\u{3000}b"),
        ("a\u{3164}\u{2800}", "a\\u{3164}\\u{2800}"),
        ("a\u{fe0f}", "a\\u{fe0f}"),
        ("a\u{e000}\u{e0041}", "a\\u{e000}\\u{e0041}"),
        ("a\u{2028}b", "a\\u{2028}b"),
    ];
    for (value, text) in texts {
        assert_eq!(value_text(value), text);
    }
}

#[test]
fn composed_and_decomposed_characters_are_told_apart() {
    assert_eq!(value_text("caf\u{e9}"), "café");
    assert_eq!(value_text("cafe\u{301}"), "cafe\\u{301}");
    // Hangul, a compatible singleton, and marks in another order.
    assert_eq!(value_text("\u{1112}\u{1161}\u{11ab}"), "\u{1112}\\u{1161}\\u{11ab}");
    assert_eq!([value_text("\u{212b}"), value_text("\u{c5}")], ["\\u{212b}".to_owned(), "Å".to_owned()]);
    assert_eq!(value_text("q\u{323}\u{307}"), "q\u{323}\u{307}");
    assert_eq!(value_text("q\u{307}\u{323}"), "q\\u{307}\\u{323}");
    // A mark without a character to join.
    assert_eq!(value_text("\u{301}a"), "\\u{301}a");
    assert_eq!(value_text("a\u{200b}\u{301}"), "a\\u{200b}\\u{301}");
}

#[test]
fn letters_and_hyphens_that_look_like_ascii_are_written_as_code_points() {
    let texts = [
        ("\u{410}", "\\u{410}"),
        ("room \u{430}", "room \\u{430}"),
        ("caf\u{e9} \u{441}", "café \\u{441}"),
        ("\u{399}", "\\u{399}"),
        ("\u{2163}", "\\u{2163}"),
        ("A\u{2011}1", "A\\u{2011}1"),
        ("\u{2212}1", "\\u{2212}1"),
        // Words with a letter of their own script are not mistaken for Latin ones.
        ("\u{414}\u{430}", "Да"),
        ("\u{39b}\u{39f}\u{393}\u{39f}\u{3a3}", "ΛΟΓΟΣ"),
        ("18\u{2013}24", "18–24"),
    ];
    texts.iter().for_each(|(value, text)| assert_eq!(value_text(value), *text));
}

#[test]
fn values_are_told_from_the_texts_that_stand_for_something_else() {
    assert_eq!(value_text(""), "\"\"");
    assert_eq!(value_text("\"\""), "\\u{22}\"");
    for text in [MISSING, NO_ANSWER, EMPTY_RANKING, OTHERS, "(abstained: no opinion)", "(failed)"] {
        assert_eq!(value_text(text), format!("\\u{{28}}{}", &text[1..]));
    }
    assert_eq!(value_text("\\u{a0}"), "\\u{5c}u{a0}");
    assert_eq!(value_text("\\\u{a0}"), "\\\\u{a0}");
}

#[test]
fn a_list_can_be_read_in_one_way_only() {
    assert_eq!(value_list(["a", "b c"]), "a, b c");
    assert_eq!(value_list(["a, b"]), "\"a, b\"");
    assert_eq!(value_list(["\"a", "b\""]), "\"\\u{22}a\", b\"");
    assert_eq!(value_list(["\"a, b\""]), "\"\\u{22}a, b\\u{22}\"");
    assert_eq!(value_list(["", "a"]), "\"\", a");
}

#[test]
fn the_mark_of_a_cut_depends_on_the_text() {
    assert_eq!(cut_mark("a").chars().count(), CUT_MARK);
    assert_ne!(cut_mark(&"a".repeat(200)), cut_mark(&"a".repeat(201)));
}

/// Values with many characters that look like others.
fn any_value() -> impl Strategy<Value = String> {
    let odd = "[a \\\\u{}()\"\t\u{a0}\u{200b}\u{202e}\u{301}\u{323}\u{307}e\u{e9}\u{212b}\u{1112}\u{1161}\u{11ab}\u{fe0f}]{0,8}";
    prop_oneof![odd, "\\PC{0,12}", any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn different_values_have_different_texts(one in any_value(), other in any_value()) {
        prop_assert_eq!(value_of(&value_text(&one)), &one[..]);
        prop_assert_eq!(value_text(&one) == value_text(&other), one == other);
    }

    #[test]
    fn a_text_shows_all_its_characters(value in any_value()) {
        let text = value_text(&value);
        prop_assert!(text.chars().all(is_visible), "{:?}", text);
        prop_assert!(text.trim() == text && !text.contains("  ") && !text.is_empty(), "{:?}", text);
        // Neither the page nor a terminal changes it again.
        prop_assert_eq!(crate::sanitizer::one_line(&text), &text[..]);
        prop_assert_eq!(crate::sanitizer::printable(&text), &text[..]);
        // No two texts differ in their normalization only.
        prop_assert!(unicode_normalization::is_nfc(&text), "{:?}", text);
    }

    #[test]
    fn different_lists_have_different_texts(
        one in prop::collection::vec("[a, \"]{0,3}", 1..4),
        other in prop::collection::vec("[a, \"]{0,3}", 1..4),
    ) {
        let [first, second] = [&one, &other].map(|values| value_list(values.iter().map(String::as_str)));
        prop_assert_eq!(first == second, one == other, "{} and {}", first, second);
    }
}

#[test]
fn short_values_have_texts_of_their_own() {
    let alphabet = ['a', ' ', '\\', 'u', '{', '}', '2', '0', '"', '(', '\u{a0}', '\u{301}', 'e', '\u{e9}'];
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let mut values = vec![String::new()];
    for _ in 0..3 {
        values = values
            .iter()
            .flat_map(|value| alphabet.iter().map(move |c| format!("{value}{c}")))
            .chain([String::new()])
            .collect();
        for value in &values {
            let known = texts.insert(value_text(value), value.clone());
            assert!(known.is_none_or(|known| known == *value), "{value:?}");
        }
    }
}
