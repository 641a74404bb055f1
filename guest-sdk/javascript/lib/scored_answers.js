// Answers of model and comparator as a metric sees them.
//
// Invariants:
// - An answer is the same value on both sides if and only if the plugins answered the same: a string, a number, or an array of
//   strings, which `equal` compares.

import { FORMS } from './answers.js';
import { textReader } from './dictionary.js';

/** A label with what a model reports beside it. */
export class Prediction {
  constructor(label, confidence, probabilities) {
    /** The label. */
    this.label = label;
    /** The confidence that the plugin reports, or else the probability of the label; `undefined` without either. */
    this.confidence = confidence ?? probabilities?.get(label) ?? (probabilities && 0);
    /** The probability of each class, a `Map`; `undefined` if the plugin reports none. */
    this.probabilities = probabilities;
  }
}

/** Whether two answers of a pair are the same. No answer, `undefined`, is never the same. */
export function equal(model, comparator) {
  if (Array.isArray(model) && Array.isArray(comparator)) {
    return model.length === comparator.length && model.every((name, index) => name === comparator[index]);
  }
  return model !== undefined && model === comparator;
}

/** A function that returns the answer to a row, which must be answered. */
export function answerReader(side, rows, accepts, { values: { tag, val } }) {
  const { form, length, read } = decoded(tag, val);
  if (!accepts.includes(form)) throw new TypeError(`the metric scores ${accepts.join(' or ')}, not ${form}`);
  if (length !== rows) throw new TypeError(`the ${side}'s answers: found ${length} answers, expected ${rows}`);
  return read;
}

/** A function that returns the label of a row with its confidence and probabilities. */
export function predictionReader(side, rows, accepts, answers) {
  const read = answerReader(side, rows, accepts, answers);
  const { confidence, probabilities } = answers;
  const classes = probabilities && listReader(probabilities, (name, at) => [name, probabilities.values[at]]);
  return (row) => {
    const given = confidence?.[row];
    const listed = classes?.(row);
    return new Prediction(read(row), Number.isNaN(given) ? undefined : given, listed?.length ? new Map(listed) : undefined);
  };
}

/** The form of answers, their number, and a function that reads one. */
function decoded(tag, val) {
  switch (tag) {
    case 'numbers':
      return { form: 'number', length: val.length, read: (row) => val[row] };
    case 'labels':
    case 'json': {
      const names = texts(val.names);
      return { form: FORMS[tag === 'json' ? 4 : 0], length: val.codes.length, read: (row) => names[val.codes[row]] };
    }
    default: {
      const form = tag === 'rankings' ? 'ranking' : 'label-set';
      // The host sorts the labels of a set by their bytes, so equal sets are equal lists.
      return { form, length: val.offsets.length - 1, read: listReader(val, (name) => name) };
    }
  }
}

function texts(text) {
  const read = textReader(text);
  return Array.from({ length: text.offsets.length - 1 }, (_, index) => read(index));
}

/** A function that reads the list of a row. `item` makes an item from a name and its position in `codes`. */
function listReader({ names, offsets, codes }, item) {
  const known = texts(names);
  return (row) => {
    const list = [];
    for (let at = offsets[row]; at < offsets[row + 1]; at += 1) list.push(item(known[codes[at]], at));
    return list;
  };
}
