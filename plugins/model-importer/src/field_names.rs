//! The names of the fields that a model reads.

use tabular_program::{Field, FieldKind, Program};

/// The fields of a program: one for each column of its inputs. `declared` are the names that the study gives, `known`
/// those of the file; either may be empty. All are required.
///
/// # Errors
/// If a name is missing or occurs twice, or if there are more or fewer names than columns.
pub(crate) fn fields(program: &Program, declared: &[String], known: &[String]) -> Result<Vec<Field>, String> {
    let columns: usize = program.inputs.iter().map(|input| input.columns.width as usize).sum();
    let names: Vec<String> = if !declared.is_empty() {
        if declared.len() != columns {
            return Err(format!(
                "`fields` has {} names, and the model reads {columns} columns{}; name each column, in order",
                declared.len(),
                columns_of(program)
            ));
        }
        declared.to_vec()
    } else if program.inputs.iter().all(|input| input.columns.width == 1) {
        program.inputs.iter().map(|input| input.name.clone()).collect()
    } else if known.len() == columns {
        known.to_vec()
    } else if known.is_empty() {
        return Err(unnamed(program));
    } else {
        return Err(format!(
            "the file names {} columns, and the model reads {columns}{}; write fields = [...] with the names in the \
             order of training",
            known.len(),
            columns_of(program)
        ));
    };
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!(
            "two columns are named {:?}; write fields = [...] with a different name for each column",
            pair[0]
        ));
    }
    if let Some(position) = names.iter().position(String::is_empty) {
        return Err(format!(
            "column {} of {} has no name; write fields = [...] with a name for each column",
            position + 1,
            names.len()
        ));
    }
    let field = |(name, kind)| Field { name, kind: FieldKind::of_cells(kind), required: true };
    Ok(names.into_iter().zip(program.input_kinds()).map(field).collect())
}

/// The fault of a file without names of columns.
pub(crate) fn unnamed(program: &Program) -> String {
    let columns: usize = program.inputs.iter().map(|input| input.columns.width as usize).sum();
    format!(
        "the file has no names of columns, and the model reads {columns}{}; write fields = [...] with their names in the \
         order of training",
        columns_of(program)
    )
}

/// The inputs and their widths, for messages.
fn columns_of(program: &Program) -> String {
    const MOST: usize = 5;
    let shown: Vec<String> = program
        .inputs
        .iter()
        .take(MOST)
        .map(|input| format!("{} in {:?}", input.columns.width, input.name))
        .collect();
    let more = if program.inputs.len() > MOST { ", ..." } else { "" };
    format!(" ({}{more})", shown.join(", "))
}
