//! The derive macros `#[derive(Input)]` and `#[derive(ConfigSchema)]` of `understudy-sdk`. The trait `Input` and the module
//! `config` of that crate document their use.
//!
//! Invariants:
//! - An item that cannot be derived is a compile error at the offending token, not in generated code.

mod config_field;
mod config_schema;
mod field;
mod serde_names;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Fields, GenericParam, Lifetime, Result, parse_macro_input};

use field::Field;

/// Derives `Input` for a struct with one field per field of the study. `#[input(name = "...")]` sets the name
/// of the field in the study. `#[input(json)]` deserialises the value from a field of kind `json`.
#[proc_macro_derive(Input, attributes(input))]
pub fn input(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    derive(&item).unwrap_or_else(Error::into_compile_error).into()
}

/// Derives `ConfigSchema` for a configuration, from its type and the attributes of serde. `#[config(minimum = 1)]` adds
/// bounds.
#[proc_macro_derive(ConfigSchema, attributes(config, serde))]
pub fn config_schema(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    config_schema::derive(&item).unwrap_or_else(Error::into_compile_error).into()
}

fn derive(item: &DeriveInput) -> Result<TokenStream> {
    let fields = fields(item)?;
    let lifetime = lifetime(item)?;
    let name = &item.ident;
    let (_, arguments, _) = item.generics.split_for_impl();

    let readers: Vec<_> = fields.iter().map(|field| field.reader(&lifetime)).collect();
    let described = fields.iter().zip(&readers).map(|(field, reader)| field.describe(reader));
    let columns: Vec<_> = (0..fields.len()).map(|index| format_ident!("column_{index}")).collect();
    let binds =
        fields.iter().zip(&readers).zip(&columns).map(|((field, reader), column)| field.bind(reader, column));
    let reads = fields.iter().enumerate().map(|(index, field)| field.read(index));
    let count = fields.len();

    Ok(quote! {
        // These signatures make the compiler report an unreadable type at the field, not at the derive
        // attribute.
        #(const _: () = {
            fn _readable<#lifetime>(_: #readers) {}
        };)*

        #[automatically_derived]
        impl<#lifetime> ::understudy_sdk::Input<#lifetime> for #name #arguments {
            type Columns = (#(#readers,)*);

            fn fields() -> ::std::vec::Vec<::understudy_sdk::Field> {
                ::std::vec![#(#described),*]
            }

            fn bind(
                rows: usize,
                columns: &#lifetime [::understudy_sdk::Column],
            ) -> ::std::result::Result<Self::Columns, ::std::string::String> {
                let [#(#columns),*] = columns else {
                    return ::std::result::Result::Err(::std::format!(
                        "expected {} columns, found {}", #count, columns.len()
                    ));
                };
                ::std::result::Result::Ok((#(#binds,)*))
            }

            #[inline]
            fn row(
                columns: &Self::Columns,
                row: usize,
            ) -> ::std::result::Result<Self, ::std::string::String> {
                ::std::result::Result::Ok(Self { #(#reads),* })
            }
        }
    })
}

fn fields(item: &DeriveInput) -> Result<Vec<Field>> {
    let fields = match &item.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => fields.named.iter().collect(),
            Fields::Unit => Vec::new(),
            Fields::Unnamed(fields) => {
                return Err(Error::new_spanned(
                    fields,
                    "an input field needs a name: the name of the field in the study",
                ));
            }
        },
        Data::Enum(_) | Data::Union(_) => {
            return Err(Error::new_spanned(
                &item.ident,
                "an input must be a struct with one field per field of the study",
            ));
        }
    };
    let fields = all_or_errors(fields.into_iter().map(Field::parse))?;
    for (index, field) in fields.iter().enumerate() {
        if fields[..index].iter().any(|earlier| earlier.name == field.name) {
            return Err(Error::new(field.name_span, format!("duplicate field `{}`", field.name)));
        }
    }
    Ok(fields)
}

/// All parsed fields, or the errors of all that could not be parsed.
fn all_or_errors(parsed: impl Iterator<Item = Result<Field>>) -> Result<Vec<Field>> {
    let mut fields = Vec::new();
    let mut errors: Option<Error> = None;
    for field in parsed {
        match (field, &mut errors) {
            (Ok(field), _) => fields.push(field),
            (Err(error), Some(errors)) => errors.combine(error),
            (Err(error), None) => errors = Some(error),
        }
    }
    errors.map_or(Ok(fields), Err)
}

/// The lifetime of the borrowed columns.
fn lifetime(item: &DeriveInput) -> Result<Lifetime> {
    let mut lifetime = None;
    for parameter in &item.generics.params {
        match parameter {
            GenericParam::Lifetime(parameter) if lifetime.is_none() => {
                lifetime = Some(parameter.lifetime.clone())
            }
            GenericParam::Lifetime(_) => {
                return Err(Error::new_spanned(
                    parameter,
                    "an input borrows from one batch, so it has at most one lifetime",
                ));
            }
            GenericParam::Type(_) | GenericParam::Const(_) => {
                return Err(Error::new_spanned(parameter, "an input cannot have type or const parameters"));
            }
        }
    }
    Ok(lifetime.unwrap_or_else(|| Lifetime::new("'input", proc_macro2::Span::call_site())))
}
