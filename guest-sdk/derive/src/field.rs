//! Parsing of one struct field, and the code generated for it.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{GenericArgument, Ident, Index, Lifetime, LitStr, PathArguments, Result, Type};

/// A field of the struct together with the field of the study that it reads.
pub struct Field {
    ident: Ident,
    kind: Type,
    json: bool,
    /// Name of the field in the study.
    pub name: String,
    /// Source span of the name, for errors.
    pub name_span: Span,
}

impl Field {
    /// Parses a named field and its attributes.
    pub fn parse(field: &syn::Field) -> Result<Self> {
        let ident =
            field.ident.clone().ok_or_else(|| syn::Error::new_spanned(field, "a field needs a name"))?;
        let mut parsed = Self {
            name: ident.unraw().to_string(),
            name_span: ident.span(),
            ident,
            kind: field.ty.clone(),
            json: false,
        };
        for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("input")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("json") {
                    parsed.json = true;
                } else if meta.path.is_ident("name") {
                    let name: LitStr = meta.value()?.parse()?;
                    (parsed.name, parsed.name_span) = (name.value(), name.span());
                } else {
                    return Err(meta.error("unknown key; expected `name = \"...\"` or `json`"));
                }
                Ok(())
            })?;
        }
        match unreadable(optional(&parsed.kind).unwrap_or(&parsed.kind)) {
            Some(reason) if !parsed.json => Err(syn::Error::new_spanned(&parsed.kind, reason)),
            _ => Ok(parsed),
        }
    }

    /// The `Reader` type for the column of this field.
    pub fn reader(&self, lifetime: &Lifetime) -> TokenStream {
        let kind = &self.kind;
        let value = match (self.json, optional(kind)) {
            (false, _) => quote!(#kind),
            (true, None) => quote!(::understudy_sdk::input::Json<#kind>),
            (true, Some(kind)) => quote!(::std::option::Option<::understudy_sdk::input::Json<#kind>>),
        };
        quote_spanned!(kind.span()=> ::understudy_sdk::Reader::<#lifetime, #value>)
    }

    /// An expression for the field's description.
    pub fn describe(&self, reader: &TokenStream) -> TokenStream {
        let name = &self.name;
        quote_spanned!(self.kind.span()=> #reader::field(#name))
    }

    /// An expression that binds the column of this field.
    pub fn bind(&self, reader: &TokenStream, column: &Ident) -> TokenStream {
        let name = &self.name;
        quote_spanned!(self.kind.span()=> #reader::bind(#name, rows, #column)?)
    }

    /// The field's initialiser in a row, if `index` is the position of its column.
    pub fn read(&self, index: usize) -> TokenStream {
        let (ident, index) = (&self.ident, Index::from(index));
        let read = quote_spanned!(self.kind.span()=> columns.#index.read(row)?);
        match (self.json, optional(&self.kind)) {
            (false, _) => quote!(#ident: #read),
            (true, None) => quote!(#ident: #read.0),
            (true, Some(_)) => quote!(#ident: #read.map(|json| json.0)),
        }
    }
}

/// Why no field can be read as `kind`, for the types that are commonly tried. The compiler names the others, with several errors for
/// each, since a macro knows a type only by how it is written.
fn unreadable(kind: &Type) -> Option<&'static str> {
    let Type::Path(path) = kind else {
        let compound = matches!(kind, Type::Array(_) | Type::Tuple(_) | Type::Slice(_));
        return compound.then_some("an input field has one value; put `#[input(json)]` on the field");
    };
    match path.path.segments.last()?.ident.to_string().as_str() {
        "String" | "char" => Some("text is read as `&'a str`, which borrows from the batch"),
        "usize" | "isize" | "u128" | "i128" => {
            Some("an integer is read as a type of fixed width of up to 64 bits, such as `u64` or `i64`")
        }
        "Vec" | "HashMap" | "BTreeMap" | "HashSet" | "BTreeSet" => {
            Some("an input field has one value; put `#[input(json)]` on the field")
        }
        _ => None,
    }
}

/// The type argument if `kind` is written as an `Option`.
fn optional(kind: &Type) -> Option<&Type> {
    let Type::Path(path) = kind else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) => Some(inner),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use syn::parse::Parser;
    use syn::{Field as Declaration, parse_quote};

    use super::Field;

    fn fault(declaration: Declaration) -> Option<String> {
        Field::parse(&declaration).err().map(|fault| fault.to_string())
    }

    #[test]
    fn a_type_that_no_field_can_be_read_as_is_one_error_that_says_what_to_write() {
        let text = "text is read as `&'a str`, which borrows from the batch";
        assert_eq!(fault(parse_quote!(room: String)).as_deref(), Some(text));
        assert_eq!(fault(parse_quote!(room: Option<std::string::String>)).as_deref(), Some(text));
        let width = "an integer is read as a type of fixed width of up to 64 bits, such as `u64` or `i64`";
        assert_eq!(fault(parse_quote!(nights: usize)).as_deref(), Some(width));
        let json = "an input field has one value; put `#[input(json)]` on the field";
        for declaration in
            [parse_quote!(stops: Vec<Stop>), parse_quote!(stops: [u8; 2]), parse_quote!(stops: (u8, u8))]
        {
            assert_eq!(fault(declaration).as_deref(), Some(json));
        }
    }

    #[test]
    fn json_fields_and_types_of_the_author_are_left_to_the_compiler() {
        for declaration in ["#[input(json)] stops: Vec<Stop>", "room: &'a str", "room: Option<Room>"] {
            let declaration = Declaration::parse_named.parse_str(declaration).expect("a field");
            assert_eq!(fault(declaration), None);
        }
    }
}
