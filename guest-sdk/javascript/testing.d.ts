// Runs a plugin without the sandbox, for unit tests.

import type { Form, Kind, Plugin } from './index.js';

/** What the study passes to a plugin. */
export interface Study {
  /** The configuration. */
  config?: object;
  /** The content of files by name. */
  assets?: { [name: string]: string | Uint8Array };
}

/** What a row has: an answer, or the reason why not. */
export type Outcome =
  | { answer: any; confidence?: number; probabilities?: { [name: string]: number } }
  | { abstained: string }
  | { failed: string };

/** A model or comparator that is set up. */
export interface LoadedModel {
  readonly description: { reads: { name: string; kind: Kind; required: boolean }[]; answers: Form; hasProbabilities: boolean };
  /** The answer to a row. Its keys are the names of the fields in the study. A missing value is `undefined` or `null`. */
  answer(row: object): Outcome;
  /** The answers to the rows of one batch. */
  answers(rows: object[]): Outcome[];
}

/** The answers of model and comparator. Without `model`, the model did not answer. */
export interface Pair {
  model?: any;
  confidence?: number;
  probabilities?: { [name: string]: number };
  comparator: any;
}

/** A metric that is set up. `form` is the first that the metric accepts by default. */
export interface LoadedMetric {
  readonly description: { accepts: Form[]; components: string[]; direction: string; minimum?: number; maximum?: number };
  /** The components of a pair by their names. */
  score(pair: Pair, form?: Form): { [component: string]: number };
  /** The value of the metric over some pairs; `undefined` if it has none. */
  value(pairs: Pair[], form?: Form): number | undefined;
}

/** Sets up a model or comparator as the host does. A configuration that it rejects is an error. */
export function loadModel(plugin: Plugin, study?: Study): LoadedModel;
/** Sets up a metric as the host does. */
export function loadMetric(plugin: Plugin, study?: Study): LoadedMetric;
