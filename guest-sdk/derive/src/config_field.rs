//! Attributes of one field or variant of a configuration.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, Result};

use super::serde_names::NameCase;

/// What to do about a type whose JSON a derive cannot know.
const BY_HAND: &str = "a derived schema does not cover this; write `impl ConfigSchema` by hand, or `#[config(any)]` at the field";

/// The bounds that `#[config(...)]` can set, which are methods of `Schema`.
const BOUNDS: [&str; 6] =
    ["minimum", "maximum", "exclusive_minimum", "exclusive_maximum", "min_length", "max_length"];

/// The attributes of a container, as far as they change its JSON.
#[derive(Default)]
pub struct ContainerAttributes {
    pub field_case: Option<NameCase>,
    pub denies_unknown: bool,
    pub has_default: bool,
}

impl ContainerAttributes {
    pub fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut parsed = Self::default();
        for_each(attributes, "serde", |meta| {
            match name(&meta).as_str() {
                "deny_unknown_fields" => parsed.denies_unknown = true,
                "default" => {
                    parsed.has_default = true;
                    skip_value(&meta)?;
                }
                "rename_all" => {
                    if let Some(text) = deserialized_name(&meta)? {
                        let case = NameCase::named(&text.value());
                        parsed.field_case =
                            Some(case.ok_or_else(|| syn::Error::new(text.span(), "unknown case of names"))?);
                    }
                }
                "rename" | "bound" | "crate" | "expecting" | "transparent" => skip_value(&meta)?,
                _ => return Err(meta.error(BY_HAND)),
            }
            Ok(())
        })?;
        Ok(parsed)
    }
}

/// The attributes of a field or variant.
#[derive(Default)]
pub struct FieldAttributes {
    pub name: Option<String>,
    pub has_default: bool,
    pub is_skipped: bool,
    pub is_any: bool,
    /// Calls of methods of `Schema`.
    pub bounds: Vec<TokenStream>,
}

impl FieldAttributes {
    pub fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut parsed = Self::default();
        for_each(attributes, "config", |meta| {
            let name = name(&meta);
            if name == "any" {
                parsed.is_any = true;
                return Ok(());
            }
            if !BOUNDS.contains(&name.as_str()) {
                return Err(meta.error(format!("unknown key; expected `any`, {}", BOUNDS.join(", "))));
            }
            let bound = bound(&meta.value()?.parse()?);
            let method = &meta.path;
            parsed.bounds.push(quote!(.#method(#bound)));
            Ok(())
        })?;
        let is_any = parsed.is_any;
        for_each(attributes, "serde", |meta| {
            match name(&meta).as_str() {
                "rename" => {
                    parsed.name = deserialized_name(&meta)?.map(|text| text.value()).or(parsed.name.take())
                }
                "default" => {
                    parsed.has_default = true;
                    skip_value(&meta)?;
                }
                "skip" | "skip_deserializing" => parsed.is_skipped = true,
                "skip_serializing" | "skip_serializing_if" | "serialize_with" | "bound" | "borrow" => {
                    skip_value(&meta)?
                }
                "with" | "deserialize_with" if is_any => skip_value(&meta)?,
                _ => return Err(meta.error(BY_HAND)),
            }
            Ok(())
        })?;
        Ok(parsed)
    }
}

/// The doc comment of an item on one line.
pub fn description(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    };
    let lines: Vec<String> = attributes.iter().filter_map(line).filter(|line| !line.is_empty()).collect();
    lines.join(" ")
}

/// Calls `read` for each key of the attributes with this name.
fn for_each(
    attributes: &[Attribute],
    attribute_name: &str,
    mut read: impl FnMut(ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    let mut named = attributes.iter().filter(|attribute| attribute.path().is_ident(attribute_name));
    named.try_for_each(|attribute| attribute.parse_nested_meta(&mut read))
}

fn name(meta: &ParseNestedMeta<'_>) -> String {
    meta.path.get_ident().map(|name| name.unraw().to_string()).unwrap_or_default()
}

/// Skips `= value` or `(...)`, if there is one.
fn skip_value(meta: &ParseNestedMeta<'_>) -> Result<()> {
    if meta.input.peek(syn::Token![=]) {
        meta.value()?.parse::<Expr>()?;
    } else if meta.input.peek(syn::token::Paren) {
        let inner;
        syn::parenthesized!(inner in meta.input);
        inner.parse::<TokenStream>()?;
    }
    Ok(())
}

/// The name in `= "name"` or `(deserialize = "name")`.
fn deserialized_name(meta: &ParseNestedMeta<'_>) -> Result<Option<LitStr>> {
    if meta.input.peek(syn::Token![=]) {
        return Ok(Some(meta.value()?.parse()?));
    }
    let mut found = None;
    meta.parse_nested_meta(|inner| {
        let text: LitStr = inner.value()?.parse()?;
        if name(&inner) == "deserialize" {
            found = Some(text);
        }
        Ok(())
    })?;
    Ok(found)
}

/// A bound: the text of a literal with a fraction, or a whole number that the compiler computes.
fn bound(value: &Expr) -> TokenStream {
    let (negative, inner) = match value {
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Neg(_)) => (true, &*unary.expr),
        other => (false, other),
    };
    match inner {
        Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => {
            let digits = number.base10_digits();
            let digits = digits.strip_suffix('.').unwrap_or(digits);
            let text = format!("{}{digits}", if negative { "-" } else { "" });
            quote!(::understudy_sdk::config::Bound::Literal(#text))
        }
        _ => quote!(::understudy_sdk::config::Bound::Integer((#value) as i64)),
    }
}
