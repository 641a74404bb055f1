// Models and comparators: from the definition of an author to the interface `decider` of the contract.

import { FORMS, collectAnswers } from './answers.js';
import { quoted } from './dictionary.js';
import { Column, declaredFields } from './fields.js';
import { Setup, checkDefinition, declaredConfig } from './setup.js';

const KEYS = ['reads', 'answers', 'confidence', 'probabilities', 'config', 'configure', 'decide', 'decideBatch'];

/** A model or comparator. `interface` makes the functions that the host calls. */
export class Decider {
  #definition;

  constructor(what, definition) {
    const isBatch = definition?.decideBatch !== undefined;
    checkDefinition(what, definition, {
      keys: KEYS,
      functions: [isBatch ? 'decideBatch' : 'decide', ...(definition?.configure === undefined ? [] : ['configure'])],
      example: `${what}({ reads: { room: 'text' }, answers: 'label', decide: (row) => row.room })`,
    });
    if (isBatch && definition.decide !== undefined) {
      throw new TypeError(`the ${what} has decide and decideBatch; write one of them`);
    }
    this.#definition = { ...definition, config: declaredConfig(definition.config) };
    // Faults of fields and form are found without a configuration where they do not depend on it.
    if (typeof definition.reads !== 'function') declaredFields(definition.reads);
    if (typeof definition.answers !== 'function') checkForm(definition.answers);
  }

  /** The interface of the contract that it exports. */
  get exports() {
    return 'decider';
  }

  /** The functions of the interface, for one instance. */
  interface({ name, version }) {
    const definition = this.#definition;
    const setup = new Setup();
    let fields;
    let shape;
    const resolve = (value, state) => (typeof value === 'function' ? value(state) : value);
    return {
      configure(json, assets) {
        const state = setup.configure(definition, json, assets);
        fields = declaredFields(resolve(definition.reads, state));
        shape = {
          form: checkForm(resolve(definition.answers, state)),
          confidence: Boolean(resolve(definition.confidence, state)),
          probabilities: Boolean(resolve(definition.probabilities, state)),
        };
        if (shape.probabilities && shape.form !== 'label') {
          throw new TypeError(`probabilities need the form label, not ${shape.form}`);
        }
      },
      describe() {
        const reads = fields.map(({ name, kind, required }) => ({ name, kind, required }));
        return { name, version, reads, answers: shape.form, hasProbabilities: shape.probabilities };
      },
      decide(rows, given) {
        const { state } = setup;
        if (given.length !== fields.length) {
          throw new TypeError(`expected ${fields.length} columns, found ${given.length}`);
        }
        const columns = [];
        for (let index = 0; index < fields.length; index += 1) columns.push(boundColumn(fields[index], rows, given[index]));
        return collectAnswers(rows, shape, answerFunction(definition, fields, rows, columns, state));
      },
    };
  }
}

function checkForm(form) {
  if (!FORMS.includes(form)) throw new TypeError(`answers is ${quoted(form)}; the forms are ${FORMS.join(', ')}`);
  return form;
}

/** A column of the host for a field that has a value in each row if it is required. */
function boundColumn(field, rows, given) {
  const column = new Column(field, rows, given);
  if (field.required && column.missing !== undefined) {
    throw new TypeError(`field \`${field.name}\`: row ${given.missing[0]} has no value, but the field is required`);
  }
  return column;
}

/** A function from the index of a row to what the author's code answers. */
function answerFunction({ decide, decideBatch }, fields, rows, columns, state) {
  if (decideBatch !== undefined) {
    const named = Object.fromEntries(fields.map(({ key }, index) => [key, columns[index]]));
    const answers = decideBatch({ rows, columns: named }, state);
    if (answers?.length !== rows) {
      throw new TypeError(`decideBatch returned ${quoted(answers?.length)} answers, expected ${rows}`);
    }
    return (row) => answers[row];
  }
  // The engine of the component has no compiler, so the loop over fields and rows is as plain as can be.
  const keys = [];
  const missing = [];
  const reads = [];
  for (let field = 0; field < fields.length; field += 1) {
    keys.push(fields[field].key);
    missing.push(columns[field].missing);
    reads.push(columns[field].read);
  }
  return (index) => {
    const row = {};
    for (let field = 0; field < keys.length; field += 1) {
      const isMissing = missing[field] !== undefined && missing[field].has(index);
      row[keys[field]] = isMissing ? undefined : reads[field](index);
    }
    return decide(row, state);
  };
}
