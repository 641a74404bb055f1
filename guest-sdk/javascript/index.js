// Models, comparators and metrics for understudy, in JavaScript and TypeScript. `index.d.ts` describes each function.

import { Decider } from './lib/decider.js';
import { Scorer } from './lib/scorer.js';

export { abstain, answer, fail, jsonText } from './lib/answers.js';
export { equal } from './lib/scored_answers.js';
export { ConfigError } from './lib/setup.js';

/** A model: answers a row. It never sees a field of the decision. */
export function model(definition) {
  return new Decider('model', definition);
}

/** A comparator: expresses the decision in the form of the model's answers. */
export function comparator(definition) {
  return new Decider('comparator', definition);
}

/** A metric: scores a model's answers against the comparator's. */
export function metric(definition) {
  return new Scorer(definition);
}
