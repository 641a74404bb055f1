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
        Ok(parsed)
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
