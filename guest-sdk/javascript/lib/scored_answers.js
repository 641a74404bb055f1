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
  if (!Array.isArray(model) || !Array.isArray(comparator)) return model !== undefined && model === comparator;
  if (model.length !== comparator.length) return false;
  for (let index = 0; index < model.length; index += 1) {
    if (model[index] !== comparator[index]) return false;
  }
  return true;
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
  const classes = probabilities && probabilityReader(probabilities);
  return (row) => {
    const given = confidence?.[row];
    return new Prediction(read(row), Number.isNaN(given) ? undefined : given, classes?.(row));
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
      return { form, length: val.offsets.length - 1, read: listReader(val) };
    }
  }
}

function texts(text) {
  const read = textReader(text);
  const strings = [];
  for (let index = 0; index < text.offsets.length - 1; index += 1) strings.push(read(index));
  return strings;
}

/** A function that reads the list of a row. */
function listReader({ names, offsets, codes }) {
  const known = texts(names);
  return (row) => {
    const start = offsets[row];
    const list = new Array(offsets[row + 1] - start);
    for (let index = 0; index < list.length; index += 1) list[index] = known[codes[start + index]];
    return list;
  };
}

/** A function that reads the probabilities of a row; `undefined` if it has none. */
function probabilityReader({ names, offsets, codes, values }) {
  const known = texts(names);
  return (row) => {
    const end = offsets[row + 1];
    if (offsets[row] === end) return undefined;
    const probabilities = new Map();
    for (let at = offsets[row]; at < end; at += 1) probabilities.set(known[codes[at]], values[at]);
    return probabilities;
  };
}
