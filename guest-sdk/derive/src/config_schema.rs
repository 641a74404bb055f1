//! The derive macro `#[derive(ConfigSchema)]`.
//!
//! Invariants:
//! - A type whose JSON the macro cannot know is a compile error that says what to write.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Data, DataEnum, DataStruct, DeriveInput, Error, Field, Fields, Result};

use super::config_field::{ContainerAttributes, FieldAttributes, description};

/// Derives `ConfigSchema`.
pub fn derive(item: &DeriveInput) -> Result<TokenStream> {
    if !item.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &item.generics,
            "a configuration has no parameters: the host deserialises one type, which borrows nothing",
        ));
    }
    let container = ContainerAttributes::parse(&item.attrs)?;
    let schema = match &item.data {
        Data::Struct(data) => of_struct(data, &container, item)?,
        Data::Enum(data) => of_enum(data, &container)?,
        Data::Union(_) => return Err(Error::new_spanned(&item.ident, "a configuration cannot be a union")),
    };
    let (name, description) = (&item.ident, description(&item.attrs));
    Ok(quote! {
        #[automatically_derived]
        impl ::understudy_sdk::config::ConfigSchema for #name {
            const SCHEMA: ::understudy_sdk::config::Schema = { #schema }.described(#description);
        }
    })
}

/// A table of the fields. The schema of a struct with one unnamed field is that of the field, as for serde.
fn of_struct(data: &DataStruct, container: &ContainerAttributes, item: &DeriveInput) -> Result<TokenStream> {
    let fields = match &data.fields {
        Fields::Named(fields) => &fields.named,
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
            let field = &fields.unnamed[0];
            return Ok(field_schema(field, &FieldAttributes::parse(&field.attrs)?));
        }
        Fields::Unnamed(_) | Fields::Unit => {
            return Err(Error::new_spanned(
                &item.ident,
                "a configuration is a JSON object: write a struct with named fields",
            ));
        }
    };
    let members = fields.iter().map(|field| member(field, container)).collect::<Result<Vec<_>>>()?;
    let members = members.into_iter().flatten();
    let is_closed = container.denies_unknown;
    Ok(quote! {
        const MEMBERS: &[::understudy_sdk::config::Member] = &[#(#members),*];
        ::understudy_sdk::config::Schema::table(MEMBERS, #is_closed)
    })
}

/// One member of a table; `None` if serde skips the field.
fn member(field: &Field, container: &ContainerAttributes) -> Result<Option<TokenStream>> {
    let attributes = FieldAttributes::parse(&field.attrs)?;
    if attributes.is_skipped {
        return Ok(None);
    }
    let ident = field.ident.as_ref().map(|ident| ident.unraw().to_string()).unwrap_or_default();
    let cased = container.field_case.map_or(ident.clone(), |case| case.field(&ident));
    let name = attributes.name.clone().unwrap_or(cased);
    let (schema, kind) = (field_schema(field, &attributes), &field.ty);
    let is_required = if attributes.has_default || container.has_default {
        quote!(false)
    } else if attributes.is_any {
        quote!(true)
    } else {
        quote!(<#kind as ::understudy_sdk::config::ConfigSchema>::IS_REQUIRED)
    };
    Ok(Some(quote! {
        ::understudy_sdk::config::Member { name: #name, schema: #schema, is_required: #is_required }
    }))
}

fn field_schema(field: &Field, attributes: &FieldAttributes) -> TokenStream {
    let (kind, bounds, description) = (&field.ty, &attributes.bounds, description(&field.attrs));
    let schema = if attributes.is_any {
        quote!(::understudy_sdk::config::Schema::ANY)
    } else {
        quote!(<#kind as ::understudy_sdk::config::ConfigSchema>::SCHEMA)
    };
    quote!(#schema #(#bounds)* .described(#description))
}

/// One of the names of the variants.
fn of_enum(data: &DataEnum, container: &ContainerAttributes) -> Result<TokenStream> {
    let mut names = Vec::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new_spanned(
                variant,
                "a derived schema covers enums of unit variants only; write `impl ConfigSchema` by hand",
            ));
        }
        let attributes = FieldAttributes::parse(&variant.attrs)?;
        if attributes.is_skipped {
            continue;
        }
        let ident = variant.ident.unraw().to_string();
        let cased = container.field_case.map_or(ident.clone(), |case| case.variant(&ident));
        names.push(attributes.name.unwrap_or(cased));
    }
    Ok(quote!(::understudy_sdk::config::Schema::choice(&[#(#names),*])))
}
