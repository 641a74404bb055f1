use tabular_engine::{Buffers, Model, OutputColumns, Source, SourceColumn};
use tabular_program::{BinaryFunction, Operand};

use super::*;

fn add(builder: &mut ProgramBuilder, left: Columns, right: Columns) -> Columns {
    let to = builder.columns(Kind::Float, left.width as usize).unwrap();
    let [left, right] = [left, right].map(|columns| Operand::Columns { columns });
    builder.step("Add", Step::Binary { function: BinaryFunction::Add, left, right, to });
    to
}

#[test]
fn columns_are_shared_and_unread_steps_left_out() {
    let mut builder = ProgramBuilder::new();
    let x = builder.input("X", Kind::Float, 1).unwrap();
    let mut sum = x;
    for _ in 0..20 {
        sum = add(&mut builder, sum, x);
        add(&mut builder, sum, sum);
    }
    builder.output("Y", sum);
    let program = builder.finish().unwrap();
    assert_eq!(program.steps.len(), 20);
    // The input, and two sums that take turns.
    assert_eq!(program.planes, [0, 0, 3, 0, 0]);
    let model = Model::new(program).unwrap();
    let source = SourceColumn { values: Source::Floats(&[1.0, 2.0]), missing: &[] };
    let answers = model.run(2, &[source], &mut Buffers::default()).unwrap();
    assert_eq!(answers.outputs, [OutputColumns::Floats(vec![21.0, 42.0])]);
}

#[test]
fn parts_of_a_value_move_with_it() {
    let mut builder = ProgramBuilder::new();
    let x = builder.input("X", Kind::Float, 2).unwrap();
    let padding = add(&mut builder, x, x);
    let pair = builder.columns(Kind::Float, 4).unwrap();
    for (part, from) in [x, padding].into_iter().enumerate() {
        let to = Columns { start: pair.start + 2 * part as u32, width: 2, ..pair };
        builder.step("Concat", Step::Copy { from, to });
    }
    let last = Columns { start: pair.start + 3, width: 1, ..pair };
    builder.output("Y", last);
    let model = Model::new(builder.finish().unwrap()).unwrap();
    let columns = [[1.0], [2.0]];
    let sources =
        columns.each_ref().map(|column| SourceColumn { values: Source::Floats(column), missing: &[] });
    let answers = model.run(1, &sources, &mut Buffers::default()).unwrap();
    assert_eq!(answers.outputs, [OutputColumns::Floats(vec![4.0])]);
}
