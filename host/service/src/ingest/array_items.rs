//! Splits the text of a JSON array into its items without parsing them.
//!
//! Invariants:
//! - Every byte between the brackets belongs to one item, or is a comma between two.
//! - An item that is not JSON does not affect the others, as long as it closes its quotes and brackets.

/// The unparsed bytes of one array item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrayItem<'t> {
    /// The text of the item, without white space around it.
    pub text: &'t [u8],
    /// Why it cannot be an item, if that is known without parsing it.
    pub fault: Option<&'static str>,
}

/// The items of an array, in order.
pub struct ArrayItems<'t>(Unread<'t>);

/// What is not read yet.
#[derive(Clone, Copy)]
enum Unread<'t> {
    /// The text behind the opening bracket.
    First(&'t [u8]),
    /// The text behind a comma.
    Next(&'t [u8]),
    /// The text behind the closing bracket.
    AfterEnd(&'t [u8]),
    /// Nothing.
    Nothing,
}

impl<'t> ArrayItems<'t> {
    /// The items of a text that begins with `[`; `None` if it does not.
    pub fn new(text: &'t [u8]) -> Option<ArrayItems<'t>> {
        text.trim_ascii_start().strip_prefix(b"[").map(|rest| ArrayItems(Unread::First(rest)))
    }
}

impl<'t> Iterator for ArrayItems<'t> {
    type Item = ArrayItem<'t>;

    fn next(&mut self) -> Option<ArrayItem<'t>> {
        let (rest, is_first) = match std::mem::replace(&mut self.0, Unread::Nothing) {
            Unread::First(rest) => (rest, true),
            Unread::Next(rest) => (rest, false),
            Unread::AfterEnd(rest) if rest.trim_ascii().is_empty() => return None,
            Unread::AfterEnd(rest) => {
                let fault = Some("the body continues after the end of the array");
                return Some(ArrayItem { text: rest.trim_ascii(), fault });
            }
            Unread::Nothing => return None,
        };
        let Some(end) = end_of_item(rest) else {
            let fault = Some("the array is cut off: it has no closing bracket");
            return Some(ArrayItem { text: rest.trim_ascii(), fault });
        };
        let (text, behind) = (rest[..end].trim_ascii(), &rest[end + 1..]);
        let is_last = rest[end] == b']';
        self.0 = if is_last { Unread::AfterEnd(behind) } else { Unread::Next(behind) };
        if text.is_empty() && is_last && is_first {
            return self.next();
        }
        let fault = text.is_empty().then_some("the item is empty: the array has a comma too many");
        Some(ArrayItem { text, fault })
    }
}

/// The index of the comma or bracket that ends the first item of a text; `None` if the item has no end.
fn end_of_item(text: &[u8]) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0u32, false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b',' | b']' if depth == 0 => return Some(at),
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn items(text: &str) -> Vec<(&str, Option<&'static str>)> {
        let items = ArrayItems::new(text.as_bytes()).unwrap();
        items.map(|item| (std::str::from_utf8(item.text).unwrap(), item.fault)).collect()
    }

    #[test]
    fn items_are_separated_at_the_outer_commas() {
        assert_eq!(items("[]"), []);
        assert_eq!(items(" [ \n] "), []);
        assert_eq!(items("[1]"), [("1", None)]);
        let text = r#"[{"a":[1,2],"b":"],\"}"}, "x,y" ,[3,[4]] ,null]"#;
        let wanted = [r#"{"a":[1,2],"b":"],\"}"}"#, "\"x,y\"", "[3,[4]]", "null"];
        assert_eq!(items(text), wanted.map(|text| (text, None)));
        assert!(ArrayItems::new(b"{}").is_none());
    }

    #[test]
    fn an_item_that_is_not_json_does_not_affect_the_others() {
        let text = r#"[{"a":1}, {"a":NaN}, {'a':1}, {"a" 1}, x y, {"a":2}]"#;
        let wanted = [r#"{"a":1}"#, r#"{"a":NaN}"#, "{'a':1}", r#"{"a" 1}"#, "x y", r#"{"a":2}"#];
        assert_eq!(items(text), wanted.map(|text| (text, None)));
    }

    #[test]
    fn faults_of_the_array_are_items() {
        let empty = Some("the item is empty: the array has a comma too many");
        let cut_off = Some("the array is cut off: it has no closing bracket");
        let behind = Some("the body continues after the end of the array");
        assert_eq!(items("[1,]"), [("1", None), ("", empty)]);
        assert_eq!(items("[,1]"), [("", empty), ("1", None)]);
        assert_eq!(items("[1, {\"a\":"), [("1", None), ("{\"a\":", cut_off)]);
        assert_eq!(items("[1,"), [("1", None), ("", cut_off)]);
        assert_eq!(items("["), [("", cut_off)]);
        assert_eq!(items("[1] 2"), [("1", None), ("2", behind)]);
        assert_eq!(items("[]]"), [("]", behind)]);
        assert_eq!(items("[\"a, 1]"), [("\"a, 1]", cut_off)]);
    }

    proptest! {
        #[test]
        fn the_items_of_any_array_are_those_of_a_parser(
            values in prop::collection::vec(prop::sample::select(vec![
                "1", "\"\"", "\"a,]\"", "\"\\\"\"", "\"\\\\\"", "[]", "[[1,2],{}]", "{\"a,\":[\"}\"]}", "true",
            ]), 0..12),
            space in prop::sample::select(vec!["", " ", "\n\t"]),
        ) {
            let text = format!("[{}]", values.iter().map(|value| format!("{space}{value}{space}"))
                .collect::<Vec<_>>().join(","));
            let parsed: Vec<&serde_json::value::RawValue> = serde_json::from_str(&text).unwrap();
            let wanted: Vec<_> = parsed.iter().map(|value| (value.get(), None)).collect();
            prop_assert_eq!(items(&text), wanted);
        }

        #[test]
        fn no_byte_of_a_broken_array_is_lost(text in "\\[[\\[\\]{},\"\\\\a1 ]{0,30}") {
            let kept = |text: &str| text.bytes().filter(|byte| !b", ]".contains(byte)).count();
            let sum: usize = items(&text).iter().map(|(item, _)| kept(item)).sum();
            prop_assert_eq!(sum, kept(&text[1..]));
        }
    }
}
