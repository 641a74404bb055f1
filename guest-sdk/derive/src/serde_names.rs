//! The cases of `#[serde(rename_all = "...")]`.

/// A case of names.
#[derive(Clone, Copy)]
pub enum NameCase {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl NameCase {
    /// The case that serde calls by this name.
    pub fn named(name: &str) -> Option<NameCase> {
        Some(match name {
            "lowercase" => NameCase::Lower,
            "UPPERCASE" => NameCase::Upper,
            "PascalCase" => NameCase::Pascal,
            "camelCase" => NameCase::Camel,
            "snake_case" => NameCase::Snake,
            "SCREAMING_SNAKE_CASE" => NameCase::ScreamingSnake,
            "kebab-case" => NameCase::Kebab,
            "SCREAMING-KEBAB-CASE" => NameCase::ScreamingKebab,
            _ => return None,
        })
    }

    /// The name of a field, which is in snake case.
    pub fn field(self, name: &str) -> String {
        match self {
            NameCase::Lower | NameCase::Snake => name.to_owned(),
            NameCase::Upper | NameCase::ScreamingSnake => name.to_uppercase(),
            NameCase::Pascal => name.split('_').map(capitalized).collect(),
            NameCase::Camel => uncapitalized(&NameCase::Pascal.field(name)),
            NameCase::Kebab => name.replace('_', "-"),
            NameCase::ScreamingKebab => name.to_uppercase().replace('_', "-"),
        }
    }

    /// The name of a variant, which is in Pascal case.
    pub fn variant(self, name: &str) -> String {
        match self {
            NameCase::Lower => name.to_lowercase(),
            NameCase::Upper => name.to_uppercase(),
            NameCase::Pascal => name.to_owned(),
            NameCase::Camel => uncapitalized(name),
            NameCase::Snake | NameCase::ScreamingSnake | NameCase::Kebab | NameCase::ScreamingKebab => {
                self.field(&snake(name))
            }
        }
    }
}

/// A name in Pascal case as one in snake case, by the rule of serde: each capital letter begins a word.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (at, letter) in name.char_indices() {
        if at > 0 && letter.is_uppercase() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn uncapitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::NameCase;

    #[test]
    fn names_have_the_case_that_serde_gives_them() {
        // The tables of serde_derive 1.0.228, `internals/case.rs`.
        let cases = [
            ("lowercase", "very_tasty", "verytasty"),
            ("UPPERCASE", "VERY_TASTY", "VERYTASTY"),
            ("PascalCase", "VeryTasty", "VeryTasty"),
            ("camelCase", "veryTasty", "veryTasty"),
            ("snake_case", "very_tasty", "very_tasty"),
            ("SCREAMING_SNAKE_CASE", "VERY_TASTY", "VERY_TASTY"),
            ("kebab-case", "very-tasty", "very-tasty"),
            ("SCREAMING-KEBAB-CASE", "VERY-TASTY", "VERY-TASTY"),
        ];
        for (name, field, variant) in cases {
            let case = NameCase::named(name).unwrap();
            assert_eq!((case.field("very_tasty"), case.variant("VeryTasty")), (field.into(), variant.into()));
        }
        assert!(NameCase::named("Kebab").is_none());
    }
}
