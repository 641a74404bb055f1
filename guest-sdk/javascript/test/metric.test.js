import assert from 'node:assert/strict';
import { test } from 'node:test';

import { equal, metric } from '../index.js';
import { loadMetric } from '../testing.js';

const share = (details) =>
  loadMetric(
    metric({
      accepts: ['label', 'label-set', 'json', 'ranking', 'number'],
      components: ['agreements'],
      direction: 'higher-is-better',
      range: [0, 1],
      score: (model, comparator) => (equal(model, comparator) ? 1 : 0),
      reduce: (rows, [agreements]) => (rows > 0 ? agreements / rows : undefined),
      ...details,
    }),
  );

test('equals the accuracy of scikit-learn', () => {
  // sklearn.metrics.accuracy_score(["a", "b", "b", "c", "a", "a", "c"], ["a", "b", "c", "c", "b", "a", "a"])
  const decisions = ['a', 'b', 'c', 'c', 'b', 'a', 'a'];
  const pairs = ['a', 'b', 'b', 'c', 'a', 'a', 'c'].map((model, row) => ({ model, comparator: decisions[row] }));
  assert.equal(share().value(pairs), 0.5714285714285714);
  assert.equal(share().value([]), undefined);
  assert.equal(share().value([{ comparator: 'a' }, { model: 'a', comparator: 'a' }]), 0.5);
});

test('answers of each form are compared as a whole', () => {
  const sets = [{ model: ['b', 'a'], comparator: ['a', 'b', 'a'] }, { model: ['a'], comparator: ['a', 'b'] }];
  assert.equal(share().value(sets, 'label-set'), 0.5);
  const json = [{ model: { b: 1, a: [2] }, comparator: { a: [2], b: 1 } }, { model: [1, 2], comparator: [2, 1] }];
  assert.equal(share().value(json, 'json'), 0.5);
  assert.equal(share().value([{ model: ['a', 'b'], comparator: ['b', 'a'] }, { model: ['a'], comparator: ['a'] }], 'ranking'), 0.5);
  assert.equal(share().value([{ model: 1.5, comparator: 1.5 }, { comparator: 0 }], 'number'), 0.5);
});

test('predictions have confidence and probabilities', () => {
  const seen = [];
  const loaded = share({
    accepts: 'label',
    predictions: true,
    needsProbabilities: true,
    score: (model, comparator) => (seen.push([model?.label, model?.confidence, model?.probabilities?.get(comparator.label)]), 0),
  });
  loaded.value([
    { model: 'a', probabilities: { a: 0.75, b: 0.25 }, comparator: 'b' },
    { model: 'c', confidence: 0.5, probabilities: { a: 1 }, comparator: 'c' },
    { comparator: 'a' },
  ]);
  assert.deepEqual(seen, [['a', 0.75, 0.25], ['c', 0.5, undefined], [undefined, undefined, undefined]]);
  assert.equal(loaded.description.needsProbabilities, true);
});

test('components have names', () => {
  const two = share({ components: ['hits', 'misses'], score: (model, comparator) => [Number(model === comparator), Number(model !== comparator)] });
  assert.deepEqual(two.score({ model: 'a', comparator: 'a' }), { hits: 1, misses: 0 });
  assert.throws(() => share({ score: () => undefined }).score({ comparator: 'a' }), { message: 'score returned undefined, expected a number' });
  assert.throws(() => share({ components: ['a', 'b'] }).score({ comparator: 'a' }), { message: 'score returned 0, expected an array of 2 numbers' });
});

test('a description says range and direction', () => {
  const { minimum, maximum, direction } = share({ range: [null, 3], direction: 'lower-is-better' }).description;
  assert.deepEqual([minimum, maximum, direction], [undefined, 3, 'lower-is-better']);
});

test('a definition with a fault says what to write', () => {
  assert.throws(() => share({ accepts: 'class' }), /^TypeError: accepts is "class"; the forms are label/);
  assert.throws(() => share({ accepts: [] }), /^TypeError: accepts is \[\]; the forms are/);
  assert.throws(() => share({ direction: 'up' }), /^TypeError: direction is "up"; write "higher-is-better" or "lower-is-better"$/);
  assert.throws(() => share({ components: [] }), /^TypeError: components is \[\]; write the names/);
  assert.throws(() => share({ range: 3 }), /^TypeError: range is 3; write its ends/);
  assert.throws(() => share({ predictions: true }), /^TypeError: predictions are labels/);
  assert.throws(() => share({ reduce: () => 'a' }).value([]), /^TypeError: reduce returned "a", expected a number/);
  assert.throws(() => share().value([{ model: 1, comparator: 'a' }]), /^TypeError: pair 0: model: the answer is 1, expected a string$/);
});
