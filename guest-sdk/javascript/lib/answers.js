// Answers of models and comparators: what `decide` can return, and how the answers of a batch are collected.
//
// Invariants:
// - Every row of a batch has one value, whether it is answered or not.
// - A value that the contract forbids becomes an unanswered row with a reason: a number that is not finite, a confidence outside
//   0 to 1, a ranking that repeats a name, probabilities of which the sum is not 1.

import { Dictionary, quoted } from './dictionary.js';
import { RowError } from './fields.js';

/** How far the sum of the probabilities of a row may be from 1. */
const SUM_TOLERANCE = 1e-6;

/** Why a row has no answer. */
export class Unanswered {
  constructor(tag, why) {
    this.tag = tag;
    this.why = String(why);
  }
}

/** No answer, by choice. Return it from `decide`. */
export function abstain(why) {
  return new Unanswered('abstained', why);
}

/** No answer, by inability. Return it from `decide`. */
export function fail(why) {
  return new Unanswered('failed', why);
}

/** An answer with what the model reports beside it. */
export class DetailedAnswer {
  constructor(value, { confidence, probabilities }) {
    this.value = value;
    this.confidence = confidence;
    this.probabilities = probabilities;
  }
}

/** An answer with its confidence, or with the probabilities of classes. Return it from `decide`. */
export function answer(value, details) {
  return new DetailedAnswer(value, details);
}

/** A JSON text that is an answer as it is. */
export class JsonText {
  constructor(text) {
    this.text = text;
  }
}

/** An answer of the form `json` as text, for numbers that JavaScript would change, such as 2.0. */
export function jsonText(text) {
  return new JsonText(text);
}

/** The code of a name, or the error of its row. */
function code(names, name, what) {
  if (typeof name !== 'string') throw new RowError(`${what} is ${quoted(name)}, expected a string`);
  try {
    return names.code(name);
  } catch (error) {
    throw new RowError(`${what} ${error.message}`);
  }
}

/** Labels and JSON values: one code a row. */
class Codes {
  constructor(rows, form) {
    this.form = form;
    this.names = new Dictionary();
    this.codes = new Uint32Array(rows);
  }

  push(row, value) {
    const name = this.form === 'json' ? jsonOf(value) : value;
    this.codes[row] = this.names.codes.get(name) ?? code(this.names, name, 'the answer');
  }

  skip() {}

  record() {
    return { tag: this.form === 'json' ? 'json' : 'labels', val: { names: this.names.text(), codes: this.codes } };
  }
}

/** The text of a JSON value. */
function jsonOf(value) {
  if (value instanceof JsonText) return value.text;
  let text;
  try {
    text = JSON.stringify(value, finite);
  } catch (error) {
    throw new RowError(`the answer cannot be written as JSON: ${error.message}`);
  }
  if (text === undefined) throw new RowError(`the answer is ${quoted(value)}, expected a JSON value`);
  return text;
}

/** `JSON.stringify` would write null for such a number. */
function finite(key, value) {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError(`${value} is no JSON number`);
  return value;
}

/** Numbers. */
class Numbers {
  constructor(rows) {
    this.numbers = new Float64Array(rows);
  }

  push(row, value) {
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw new RowError(`the answer is ${quoted(value)}, expected a finite number`);
    }
    this.numbers[row] = value;
  }

  skip() {}

  record() {
    return { tag: 'numbers', val: this.numbers };
  }
}

/** Rankings and sets of labels: a list of codes a row. */
class Lists {
  constructor(rows, form) {
    this.form = form;
    this.names = new Dictionary();
    this.offsets = new Uint32Array(rows + 1);
    this.codes = [];
  }

  push(row, value) {
    for (const listed of this.form === 'ranking' ? this.#ranking(value) : this.#set(value)) this.codes.push(listed);
    this.offsets[row + 1] = this.codes.length;
  }

  #ranking(value) {
    if (!Array.isArray(value)) throw new RowError(`the answer is ${quoted(value)}, expected an array of names, best first`);
    const known = new Set();
    for (const name of value) {
      const ranked = code(this.names, name, 'an item of the ranking');
      if (known.has(ranked)) throw new RowError(`the ranking repeats \`${name}\``);
      known.add(ranked);
    }
    return known;
  }

  #set(value) {
    if (!(value instanceof Set || Array.isArray(value))) {
      throw new RowError(`the answer is ${quoted(value)}, expected a Set or an array of names`);
    }
    const codes = new Set();
    for (const name of value) codes.add(code(this.names, name, 'a label of the set'));
    return codes;
  }

  skip(row) {
    this.offsets[row + 1] = this.codes.length;
  }

  record() {
    const val = { names: this.names.text(), offsets: this.offsets, codes: Uint32Array.from(this.codes) };
    return { tag: this.form === 'ranking' ? 'rankings' : 'label-sets', val };
  }
}

/** Class probabilities: a list of codes and values a row. */
class Probabilities {
  constructor(rows) {
    this.names = new Dictionary();
    this.offsets = new Uint32Array(rows + 1);
    this.codes = [];
    this.values = [];
  }

  push(row, probabilities) {
    if (typeof probabilities !== 'object' || probabilities === null) {
      throw new RowError(`the probabilities are ${quoted(probabilities)}, expected an object such as { a: 0.75, b: 0.25 }`);
    }
    const pairs = Symbol.iterator in probabilities ? probabilities : Object.entries(probabilities);
    const known = new Map();
    let sum = 0;
    for (const [name, probability] of pairs) {
      if (!(typeof probability === 'number' && probability >= 0 && probability <= 1)) {
        throw new RowError(`the probability of \`${name}\` is ${quoted(probability)}, expected a value from 0 to 1`);
      }
      const coded = code(this.names, name, 'a class');
      if (known.has(coded)) throw new RowError(`the probabilities repeat the class \`${name}\``);
      known.set(coded, probability);
      sum += probability;
    }
    if (!(Math.abs(sum - 1) <= SUM_TOLERANCE)) throw new RowError(`the sum of the probabilities is ${sum}, expected 1`);
    for (const [coded, probability] of known) {
      this.codes.push(coded);
      this.values.push(probability);
    }
    this.offsets[row + 1] = this.codes.length;
  }

  /** Removes what the row has. */
  skip(row) {
    this.offsets[row + 1] = this.codes.length = this.values.length = this.offsets[row];
  }

  record() {
    const { offsets } = this;
    return { names: this.names.text(), offsets, codes: Uint32Array.from(this.codes), values: Float64Array.from(this.values) };
  }
}

/** Collects the answers of a batch, row by row. */
class AnswerBatch {
  constructor(rows, { form, confidence, probabilities }) {
    this.answers = form === 'number' ? new Numbers(rows) : form === 'label' || form === 'json' ? new Codes(rows, form) : new Lists(rows, form);
    this.confidence = confidence ? new Float64Array(rows) : undefined;
    this.probabilities = probabilities ? new Probabilities(rows) : undefined;
    this.isDetailed = Boolean(confidence || probabilities);
    this.unanswered = [];
  }

  add(row, returned) {
    try {
      // Most answers are plain values.
      const isObject = typeof returned === 'object';
      if (isObject && returned instanceof Unanswered) this.skip(row, returned);
      else if (this.isDetailed || (isObject && returned instanceof DetailedAnswer)) this.pushDetailed(row, returned);
      else this.answers.push(row, returned);
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      this.skip(row, fail(error.message));
    }
  }

  /** Adds an answer with what is reported beside it. */
  pushDetailed(row, returned) {
    const { value, confidence, probabilities } = returned instanceof DetailedAnswer ? returned : { value: returned };
    const undeclared = (name) => new RowError(`the answer has ${name}, but the plugin does not declare it; write ${name}: true`);
    if (this.confidence === undefined && confidence !== undefined) throw undeclared('confidence');
    if (this.probabilities === undefined && probabilities !== undefined) throw undeclared('probabilities');
    if (this.confidence !== undefined) {
      if (!(typeof confidence === 'number' && confidence >= 0 && confidence <= 1)) {
        throw new RowError(`the confidence is ${quoted(confidence)}, expected a value from 0 to 1`);
      }
      this.confidence[row] = confidence;
    }
    this.probabilities?.push(row, probabilities);
    this.answers.push(row, value);
  }

  skip(row, { tag, why }) {
    this.answers.skip(row);
    this.probabilities?.skip(row);
    if (this.confidence !== undefined) this.confidence[row] = 0;
    this.unanswered.push([row, { tag, val: why.toWellFormed() }]);
  }

  record() {
    return {
      values: this.answers.record(),
      confidence: this.confidence,
      probabilities: this.probabilities?.record(),
      unanswered: this.unanswered,
    };
  }
}

/** The forms of answers. */
export const FORMS = ['label', 'number', 'ranking', 'label-set', 'json'];

/**
 * Collects the answers to `rows` rows as the record `answers` of the contract. Calls `answerOf` once per row, in ascending order.
 * `shape` has the form of the answers, and whether they have a `confidence` and `probabilities`.
 */
export function collectAnswers(rows, shape, answerOf) {
  const batch = new AnswerBatch(rows, shape);
  for (let row = 0; row < rows; row += 1) {
    let returned;
    try {
      returned = answerOf(row);
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      returned = fail(error.message);
    }
    batch.add(row, returned);
  }
  return batch.record();
}
