use super::*;

fn fault(pattern: &str) -> String {
    Pattern::new(pattern).unwrap_err()
}

#[test]
fn what_is_not_supported_is_named() {
    assert_eq!(
        fault("(?i)a"),
        "the pattern \"(?i)a\" is not supported: groups that begin with `(?i` are not supported"
    );
    assert!(fault(r"\p{L}+").ends_with(r"the escape `\p` is not supported"));
    assert!(fault("a(b").ends_with("a `(` has no `)`"));
    assert!(fault("a)b").ends_with("a `)` has no `(`"));
    assert!(fault("[a").ends_with("a `[` has no `]`"));
    assert!(fault("[z-a]").ends_with("a range in brackets has no valid ends"));
    assert!(fault("a**").ends_with("`*` follows a repetition"));
    assert!(fault("+a").ends_with("`+` repeats nothing"));
    assert!(fault("a{3,2}").ends_with("the repetition {3,2} is invalid"));
    assert!(fault("[[:letter:]]").ends_with("there is no class \"letter\""));
    assert!(fault("a\\").ends_with("it ends with a backslash"));
}

#[test]
fn patterns_have_bounded_size_and_depth() {
    assert!(fault(&"(".repeat(1000)).ends_with("groups are nested deeper than 100"));
    assert!(fault("((a{100}){100}){100}").ends_with("it needs more than 10000 instructions"));
    assert!(fault("a{1001}").ends_with("the repetition {1001} is invalid"));
}

#[test]
fn sets_are_complete() {
    let set = CharacterSet::new(vec![(0x61, 0x63), (0x64, 0x66), (0x30, 0x39), (0x62, 0x62)]);
    assert_eq!(set.ranges(), [(0x30, 0x39), (0x61, 0x66)]);
    assert!(set.contains('5') && set.contains('f') && !set.contains('g') && !set.contains('/'));
    let others = set.complement();
    assert!(
        !others.contains('5') && others.contains('g') && others.contains(char::MAX) && others.contains('\0')
    );
    assert_eq!(others.complement(), set);
}
