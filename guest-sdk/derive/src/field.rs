//! One field of an input.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{GenericArgument, Ident, Index, Lifetime, LitStr, PathArguments, Result, Type};

/// A field of the struct, and the field of the study that it reads.
pub struct Field {
    ident: Ident,
    kind: Type,
    json: bool,
    /// Its name in the study.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
}

impl Field {
    /// Reads a named field and its attributes.
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
                    return Err(meta.error("unknown key: there are `name = \"...\"` and `json`"));
                }
                Ok(())
            })?;
        }
        Ok(parsed)
    }

    /// The type that reads its column.
    pub fn reader(&self, lifetime: &Lifetime) -> TokenStream {
        let kind = &self.kind;
        let value = match (self.json, optional(kind)) {
            (false, _) => quote!(#kind),
            (true, None) => quote!(::understudy_sdk::input::Json<#kind>),
            (true, Some(kind)) => quote!(::std::option::Option<::understudy_sdk::input::Json<#kind>>),
        };
        quote_spanned!(kind.span()=> ::understudy_sdk::Reader::<#lifetime, #value>)
    }

    /// What the description says of it, where `reader` reads its column.
    pub fn describe(&self, reader: &TokenStream) -> TokenStream {
        let name = &self.name;
        quote_spanned!(self.kind.span()=> #reader::field(#name))
    }

    /// Its column bound, where `reader` reads it.
    pub fn bind(&self, reader: &TokenStream, column: &Ident) -> TokenStream {
        let name = &self.name;
        quote_spanned!(self.kind.span()=> #reader::bind(#name, rows, #column)?)
    }

    /// Its initialiser in the row, where its column is number `index`.
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

/// The type within, of a type that is written as an `Option`.
fn optional(kind: &Type) -> Option<&Type> {
    let Type::Path(path) = kind else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(within)) => Some(within),
        _ => None,
    }
}
