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

/** Lists of names, one a row, each name at most once in a list. */
class NameLists {
  constructor(rows) {
    this.names = new Dictionary();
    this.offsets = new Uint32Array(rows + 1);
    this.codes = [];
    /** The number of the last row that has a code, counted from 1, by code. */
    this.last = [];
    /** The number of codes. */
    this.length = 0;
  }

  /** Adds a name to the list of a row. Returns whether it is new there. */
  add(row, name, what) {
    const coded = this.names.codes.get(name) ?? code(this.names, name, what);
    if (this.last[coded] === row + 1) return false;
    this.last[coded] = row + 1;
    this.codes[this.length] = coded;
    this.length += 1;
    return true;
  }

  /** Ends the list of a row. */
  end(row) {
    this.offsets[row + 1] = this.length;
  }

  /** Ends the list of a row without a name. */
  clear(row) {
    this.offsets[row + 1] = this.length = this.offsets[row];
  }

  record() {
    this.codes.length = this.length;
    return { names: this.names.text(), offsets: this.offsets, codes: new Uint32Array(this.codes) };
  }
}

/** Rankings and sets of labels. */
class Lists {
  constructor(rows, form) {
    this.form = form;
    this.lists = new NameLists(rows);
  }

  push(row, value) {
    const isRanking = this.form === 'ranking';
    const names = !isRanking && value instanceof Set ? [...value] : value;
    if (!Array.isArray(names)) {
      const expected = isRanking ? 'an array of names, best first' : 'a Set or an array of names';
      throw new RowError(`the answer is ${quoted(value)}, expected ${expected}`);
    }
    const what = isRanking ? 'an item of the ranking' : 'a label of the set';
    const { lists } = this;
    const { codes } = lists.names;
    for (let index = 0; index < names.length; index += 1) {
      // A name that the row has already needs no call, which would cost more than the rest.
      const isKnown = lists.last[codes.get(names[index])] === row + 1;
      if (!isKnown) lists.add(row, names[index], what);
      else if (isRanking) throw new RowError(`the ranking repeats \`${names[index]}\``);
    }
    lists.end(row);
  }

  skip(row) {
    this.lists.clear(row);
  }

  record() {
    return { tag: this.form === 'ranking' ? 'rankings' : 'label-sets', val: this.lists.record() };
  }
}

/** Class probabilities: classes and values of each row. */
class Probabilities {
  constructor(rows) {
    this.classes = new NameLists(rows);
    this.values = [];
  }

  push(row, probabilities) {
    if (typeof probabilities !== 'object' || probabilities === null) {
      throw new RowError(`the probabilities are ${quoted(probabilities)}, expected an object such as { a: 0.75, b: 0.25 }`);
    }
    const pairs = Symbol.iterator in probabilities ? [...probabilities] : Object.entries(probabilities);
    let sum = 0;
    for (let index = 0; index < pairs.length; index += 1) {
      const name = pairs[index][0];
      const probability = pairs[index][1];
      if (!(typeof probability === 'number' && probability >= 0 && probability <= 1)) {
        throw new RowError(`the probability of \`${name}\` is ${quoted(probability)}, expected a value from 0 to 1`);
      }
      this.values[this.classes.length] = probability;
      if (!this.classes.add(row, name, 'a class')) throw new RowError(`the probabilities repeat the class \`${name}\``);
      sum += probability;
    }
    if (!(Math.abs(sum - 1) <= SUM_TOLERANCE)) throw new RowError(`the sum of the probabilities is ${sum}, expected 1`);
    this.classes.end(row);
  }

  /** Removes what the row has. */
  skip(row) {
    this.classes.clear(row);
  }

  record() {
    this.values.length = this.classes.length;
    return { ...this.classes.record(), values: new Float64Array(this.values) };
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
