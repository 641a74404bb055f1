// Metrics: from the definition of an author to the interface `scorer` of the contract.

import { FORMS } from './answers.js';
import { quoted } from './dictionary.js';
import { answerReader, predictionReader } from './scored_answers.js';
import { Setup, checkDefinition, declaredConfig } from './setup.js';

const KEYS = [
  'accepts',
  'components',
  'direction',
  'range',
  'predictions',
  'needsProbabilities',
  'config',
  'configure',
  'score',
  'reduce',
];
const DIRECTIONS = ['higher-is-better', 'lower-is-better'];

/** A metric. `interface` makes the functions that the host calls. */
export class Scorer {
  #definition;

  constructor(definition) {
    checkDefinition('metric', definition, {
      keys: KEYS,
      functions: ['score', 'reduce', ...(definition?.configure === undefined ? [] : ['configure'])],
      example: `metric({ accepts: 'label', components: ['hits'], direction: 'higher-is-better', score, reduce })`,
    });
    const { accepts, components, direction, range = [], predictions = false } = definition;
    const forms = [accepts].flat();
    const unknown = forms.length === 0 ? accepts : forms.find((form) => !FORMS.includes(form));
    if (unknown !== undefined || accepts === undefined) {
      throw new TypeError(`accepts is ${quoted(unknown)}; the forms are ${FORMS.join(', ')}`);
    }
    if (predictions && (forms.length !== 1 || forms[0] !== 'label')) {
      throw new TypeError('predictions are labels with their probabilities; write accepts: \'label\'');
    }
    if (!DIRECTIONS.includes(direction)) {
      throw new TypeError(`direction is ${quoted(direction)}; write ${DIRECTIONS.map(quoted).join(' or ')}`);
    }
    if (!Array.isArray(range) || range.some((end) => end != null && typeof end !== 'number')) {
      throw new TypeError(`range is ${quoted(range)}; write its ends, such as [0, 1], and null for an end without a bound`);
    }
    if (typeof components !== 'function') checkComponents(components);
    this.#definition = { ...definition, accepts: forms, range, predictions, config: declaredConfig(definition.config) };
  }

  /** The interface of the contract that it exports. */
  get exports() {
    return 'scorer';
  }

  /** The functions of the interface, for one instance. */
  interface({ name, version }) {
    const definition = this.#definition;
    const { accepts, direction, range } = definition;
    const setup = new Setup();
    let components;
    return {
      configure(json, assets) {
        const state = setup.configure(definition, json, assets);
        const named = definition.components;
        components = checkComponents(typeof named === 'function' ? named(state) : named);
      },
      describe() {
        const [minimum, maximum] = [range[0] ?? undefined, range[1] ?? undefined];
        const needsProbabilities = Boolean(definition.needsProbabilities);
        return { name, version, accepts, needsProbabilities, components, direction, minimum, maximum };
      },
      score(rows, model, comparator) {
        const { state } = setup;
        const columns = components.map(() => new Float64Array(rows));
        const reader = definition.predictions ? predictionReader : answerReader;
        const modelAnswer = reader('model', rows, accepts, model);
        const comparatorAnswer = reader('comparator', rows, accepts, comparator);
        const unanswered = new Set(model.unanswered.map(([row]) => row));
        const single = components.length === 1 ? columns[0] : undefined;
        for (let row = 0; row < rows; row += 1) {
          const given = unanswered.has(row) ? undefined : modelAnswer(row);
          const scores = definition.score(given, comparatorAnswer(row), state);
          if (typeof scores === 'number' && single !== undefined) single[row] = scores;
          else write(columns, row, scores);
        }
        return columns;
      },
      reduce(rows, sums) {
        const value = definition.reduce(Number(rows), sums, setup.state) ?? undefined;
        if (value !== undefined && typeof value !== 'number') {
          throw new TypeError(`reduce returned ${quoted(value)}, expected a number, or undefined if there is no value`);
        }
        return value;
      },
    };
  }
}

function checkComponents(components) {
  const isName = (name) => typeof name === 'string' && name !== '';
  if (!Array.isArray(components) || components.length === 0 || !components.every(isName)) {
    throw new TypeError(`components is ${quoted(components)}; write the names of the components, such as ['hits']`);
  }
  return components;
}

/** Writes the array that `score` returned for a row: one number a component. */
function write(columns, row, scores) {
  if (!Array.isArray(scores) || scores.length !== columns.length || !scores.every((score) => typeof score === 'number')) {
    const expected = columns.length === 1 ? 'a number' : `an array of ${columns.length} numbers`;
    throw new TypeError(`score returned ${quoted(scores)}, expected ${expected}`);
  }
  for (let index = 0; index < columns.length; index += 1) columns[index][row] = scores[index];
}
