//! `#[derive(Input)]` for `understudy-sdk`, whose trait `Input` says what can be derived. Used through that crate.
//!
//! Always holds: what cannot be derived is an error at the place that is wrong, never code that fails to compile
//! elsewhere.

mod field;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Fields, GenericParam, Lifetime, Result, parse_macro_input};

use field::Field;

/// Derives `Input` for a struct that has one field for each field it reads. On a field, `#[input(name = "...")]` says
/// what the field is called in the study, and `#[input(json)]` that it is deserialised from a field of kind `json`.
#[proc_macro_derive(Input, attributes(input))]
pub fn input(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    derive(&item).unwrap_or_else(Error::into_compile_error).into()
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
        // Signatures, since a type that cannot be read is told at the field there; an `impl` would tell it at the derive.
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
                        "{} columns were to come, but {} did", #count, columns.len()
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
                    "a field of an input needs a name, which is its name in the study",
                ));
            }
        },
        Data::Enum(_) | Data::Union(_) => {
            return Err(Error::new_spanned(
                &item.ident,
                "an input is a struct with one field for each field it reads",
            ));
        }
    };
    let fields = fields.into_iter().map(Field::parse).collect::<Result<Vec<_>>>()?;
    for (index, field) in fields.iter().enumerate() {
        if fields[..index].iter().any(|earlier| earlier.name == field.name) {
            return Err(Error::new(field.name_span, format!("`{}` is read twice", field.name)));
        }
    }
    Ok(fields)
}

/// The lifetime of the columns that the input borrows from.
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
                    "an input borrows from one batch: it has one lifetime at most",
                ));
            }
            GenericParam::Type(_) | GenericParam::Const(_) => {
                return Err(Error::new_spanned(parameter, "an input has no parameters but a lifetime"));
            }
        }
    }
    Ok(lifetime.unwrap_or_else(|| Lifetime::new("'input", proc_macro2::Span::call_site())))
}
