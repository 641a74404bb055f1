// Runs a plugin without the sandbox, for unit tests. Rows and answers take the way of the component: through the columns of the
// contract and back.

import { abstain, answer, collectAnswers } from './lib/answers.js';
import { encodeTexts, quoted } from './lib/dictionary.js';
import { answerReader, predictionReader } from './lib/scored_answers.js';

/** Sets up a model or comparator as the host does. `config` is that of the study, `assets` the content of files by name. */
export function loadModel(plugin, study) {
  return new LoadedModel(configured(plugin, 'decider', study));
}

/** Sets up a metric as the host does. */
export function loadMetric(plugin, study) {
  return new LoadedMetric(configured(plugin, 'scorer', study));
}

function configured(plugin, exported, { config = {}, assets = {} } = {}) {
  if (plugin?.exports !== exported) {
    throw new TypeError(`the plugin is ${exported === 'scorer' ? 'no metric; use loadModel' : 'no model or comparator; use loadMetric'}`);
  }
  const functions = plugin.interface({ name: 'test', version: '0' });
  const encoder = new TextEncoder();
  const files = Object.entries(assets).map(([name, content]) => {
    return { name, bytes: typeof content === 'string' ? encoder.encode(content) : content };
  });
  functions.configure(JSON.stringify(config), files);
  return functions;
}

/** A model or comparator that is set up. */
class LoadedModel {
  #functions;

  constructor(functions) {
    this.#functions = functions;
    /** What the plugin reads and answers. */
    this.description = functions.describe();
  }

  /** The answer to a row. The keys of the row are the names of the fields in the study. */
  answer(row) {
    return this.answers([row])[0];
  }

  /** The answers to the rows of one batch. */
  answers(rows) {
    const { reads, answers: form } = this.description;
    for (const row of rows) checkKeys(row, reads.map(({ name }) => name));
    const missing = ({ name }, row) => row[name] === undefined || row[name] === null;
    const withheld = rows.map((row) => reads.find((field) => field.required && missing(field, row)));
    const passed = rows.filter((_, index) => withheld[index] === undefined);
    const columns = reads.map((field) => {
      const indices = passed.flatMap((row, index) => (missing(field, row) ? [index] : []));
      return {
        values: columnValues(field, passed.map((row) => (missing(field, row) ? undefined : row[field.name]))),
        missing: indices.length === 0 ? undefined : Uint32Array.from(indices),
      };
    });
    const outcomes = decodedAnswers(form, passed.length, this.#functions.decide(passed.length, columns));
    return withheld.map((field) => {
      return field === undefined ? outcomes.shift() : { abstained: `the field \`${field.name}\` is missing` };
    });
  }
}

function checkKeys(row, names) {
  const unknown = Object.keys(row).find((key) => !names.includes(key));
  if (unknown !== undefined) {
    throw new TypeError(`the row has the field ${quoted(unknown)}, which the plugin does not read; it reads ${names.join(', ')}`);
  }
}

/** The values of a column, with any value in place of a missing one. */
function columnValues({ name, kind }, values) {
  const typed = (types, placeholder, convert) =>
    values.map((value) => {
      if (value === undefined) return placeholder;
      if (!types.includes(typeof value)) {
        throw new TypeError(`the row has ${quoted(value)} as \`${name}\`, expected a value of kind ${kind}`);
      }
      return convert(value);
    });
  switch (kind) {
    case 'boolean':
      return { tag: kind, val: Uint8Array.from(typed(['boolean'], 0, Number)) };
    case 'integer':
    case 'timestamp':
      return { tag: kind, val: BigInt64Array.from(typed(['number', 'bigint'], 0n, BigInt)) };
    case 'number':
      return { tag: kind, val: Float64Array.from(typed(['number', 'boolean'], 0, Number)) };
    case 'text':
      return { tag: kind, val: encodeTexts(typed(['string'], '', String)) };
    default:
      return { tag: kind, val: encodeTexts(values.map((value) => (value === undefined ? '' : JSON.stringify(value)))) };
  }
}

/** The answers of a batch as objects: `answer` and what the plugin reports beside it, or `abstained` or `failed` with the reason. */
function decodedAnswers(form, rows, answers) {
  const answerOf = answerReader('plugin', rows, [form], answers);
  const predictionOf = answers.probabilities && predictionReader('plugin', rows, [form], answers);
  const reasons = new Map(answers.unanswered);
  return Array.from({ length: rows }, (_, row) => {
    if (reasons.has(row)) return { [reasons.get(row).tag]: reasons.get(row).val };
    const outcome = { answer: form === 'json' ? JSON.parse(answerOf(row)) : answerOf(row) };
    if (answers.confidence !== undefined) outcome.confidence = answers.confidence[row];
    if (predictionOf !== undefined) outcome.probabilities = Object.fromEntries(predictionOf(row).probabilities);
    return outcome;
  });
}

/** A metric that is set up. */
class LoadedMetric {
  #functions;

  constructor(functions) {
    this.#functions = functions;
    /** What the metric scores. */
    this.description = functions.describe();
  }

  /** The components of a pair by their names. A pair without `model` is one that the model did not answer. */
  score(pair, form) {
    const columns = this.#columns([pair], form);
    return Object.fromEntries(this.description.components.map((name, index) => [name, columns[index][0]]));
  }

  /** The value of the metric over some pairs; `undefined` if it has none. */
  value(pairs, form) {
    const sums = this.#columns(pairs, form).map((column) => column.reduce((sum, score) => sum + score, 0));
    return this.#functions.reduce(BigInt(pairs.length), Float64Array.from(sums));
  }

  #columns(pairs, form = this.description.accepts[0]) {
    const canonical = form === 'json' ? sortedKeys : form === 'label-set' ? sortedBytes : (value) => value;
    const hasConfidence = pairs.some(({ confidence }) => confidence !== undefined);
    const hasProbabilities = this.description.needsProbabilities || pairs.some(({ probabilities }) => probabilities !== undefined);
    const collect = (values, shape, details) => {
      const read = (row) => details(values[row], pairs[row]);
      return collectAnswers(pairs.length, { form, ...shape }, read);
    };
    const model = collect(
      pairs.map((pair) => pair.model),
      { confidence: hasConfidence, probabilities: hasProbabilities },
      (value, { confidence = hasConfidence ? 0 : undefined, probabilities }) =>
        value === undefined ? abstain('no answer') : answer(canonical(value), { confidence, probabilities }),
    );
    pairs.forEach(({ confidence }, row) => {
      if (hasConfidence && confidence === undefined) model.confidence[row] = NaN;
    });
    const comparator = collect(pairs.map((pair) => pair.comparator), {}, canonical);
    // A value of another form is a fault of the test, not a missing answer.
    for (const [side, { unanswered }] of Object.entries({ model, comparator })) {
      const fault = unanswered.find(([, { tag }]) => tag === 'failed');
      if (fault !== undefined) throw new TypeError(`pair ${fault[0]}: ${side}: ${fault[1].val}`);
    }
    return this.#functions.score(pairs.length, model, comparator);
  }
}

/** A JSON value with sorted keys, as the host writes it. */
function sortedKeys(value) {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sortedKeys(value[key])]));
}

/** The labels of a set in the order of their bytes, as the host sorts them. */
function sortedBytes(labels) {
  return [...new Set(labels)].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
}
