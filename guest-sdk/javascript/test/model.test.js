import assert from 'node:assert/strict';
import { test } from 'node:test';

import { abstain, answer, comparator, fail, jsonText, model } from '../index.js';
import { loadModel } from '../testing.js';

/** A model that answers a field as a form. */
const echo = (kind, form, details = {}) => loadModel(model({ reads: { value: kind }, answers: form, decide: ({ value }) => value, ...details }));

test('fields have the values of their kinds', () => {
  const kinds = { boolean: true, integer: -7, number: 0.5, text: 'ä𐍈', timestamp: 1_700_000_000_000_000, json: { b: [1, null] } };
  for (const [kind, value] of Object.entries(kinds)) {
    assert.deepEqual(echo(kind, 'json').answer({ value }), { answer: value }, kind);
  }
  for (const value of [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, -1, 0, 4294967295, -4294967296]) {
    assert.deepEqual(echo('integer', 'number').answer({ value }), { answer: value });
  }
});

test('texts of a batch are read whether they are ASCII or not', () => {
  const texts = ['a', '', '\ufeffé', '漢字', 'b'];
  for (const values of [texts, ['a', '', 'b']]) {
    const rows = values.map((value) => ({ value }));
    assert.deepEqual(echo('text', 'label').answers(rows), values.map((value) => ({ answer: value })));
  }
});

test('an integer that a number cannot hold fails its row', () => {
  const rows = [{ value: 2n ** 53n }, { value: 3 }, { value: -(2n ** 63n) }];
  assert.deepEqual(echo('integer', 'number').answers(rows), [
    { failed: 'field `value`: 9007199254740992 does not fit a number; read it as bigint' },
    { answer: 3 },
    { failed: 'field `value`: -9223372036854775808 does not fit a number; read it as bigint' },
  ]);
  const big = model({ reads: { value: { kind: 'integer', as: 'bigint' } }, answers: 'label', decide: ({ value }) => `${value}` });
  assert.deepEqual(loadModel(big).answer({ value: 2n ** 63n - 1n }), { answer: '9223372036854775807' });
});

test('JSON can be read as text', () => {
  const text = model({ reads: { value: { kind: 'json', as: 'string' } }, answers: 'json', decide: ({ value }) => jsonText(value) });
  assert.deepEqual(loadModel(text).answer({ value: { a: [1] } }), { answer: { a: [1] } });
});

test('fields may be missing or have another name', () => {
  const rows = comparator({
    reads: { room: { kind: 'text?', name: 'decision.room' }, nights: 'integer' },
    answers: 'label',
    decide: ({ room, nights }) => (room === undefined ? abstain('no room') : `${room} ${nights}`),
  });
  const loaded = loadModel(rows);
  assert.deepEqual(loaded.description.reads, [
    { name: 'decision.room', kind: 'text', required: false },
    { name: 'nights', kind: 'integer', required: true },
  ]);
  assert.deepEqual(
    loaded.answers([{ 'decision.room': 'a', nights: 1 }, { 'decision.room': null, nights: 2 }, { 'decision.room': 'b' }, { nights: 4 }]),
    [{ answer: 'a 1' }, { abstained: 'no room' }, { abstained: 'the field `nights` is missing' }, { abstained: 'no room' }],
  );
});

test('each form has its answers', () => {
  assert.deepEqual(echo('json', 'ranking').answer({ value: ['b', 'a'] }), { answer: ['b', 'a'] });
  assert.deepEqual(echo('json', 'label-set').answers([{ value: ['b', 'a', 'b'] }, { value: [] }]), [{ answer: ['b', 'a'] }, { answer: [] }]);
  const set = model({ reads: {}, answers: 'label-set', decide: () => new Set(['x', 'y']) });
  assert.deepEqual(loadModel(set).answer({}), { answer: ['x', 'y'] });
  assert.deepEqual(echo('json', 'json').answer({ value: { a: 0 } }), { answer: { a: 0 } });
});

test('an answer of another form fails its row', () => {
  const of = (form, returned) => loadModel(model({ reads: {}, answers: form, decide: () => returned })).answer({}).failed;
  assert.equal(of('label', undefined), 'the answer is undefined, expected a string');
  assert.equal(of('label', 3), 'the answer is 3, expected a string');
  assert.equal(of('label', 'a\ud800'), 'the answer "a\\ud800" has half of a surrogate pair');
  assert.equal(of('number', NaN), 'the answer is NaN, expected a finite number');
  assert.equal(of('number', '3'), 'the answer is "3", expected a finite number');
  assert.equal(of('number', 3n), 'the answer is 3n, expected a finite number');
  assert.equal(of('ranking', ['a', 'b', 'a']), 'the ranking repeats `a`');
  assert.equal(of('ranking', 'a'), 'the answer is "a", expected an array of names, best first');
  assert.equal(of('ranking', ['a', 1]), 'an item of the ranking is 1, expected a string');
  assert.equal(of('label-set', { a: 1 }), 'the answer is {"a":1}, expected a Set or an array of names');
  assert.equal(of('json', { a: [Infinity] }), 'the answer cannot be written as JSON: Infinity is no JSON number');
  assert.equal(of('json', undefined), 'the answer is undefined, expected a JSON value');
  assert.match(of('json', 1n), /^the answer cannot be written as JSON: /);
  assert.equal(of('label', fail('no table')), 'no table');
  assert.equal(of('label', 'x'.repeat(3)), undefined);
});

test('a failed row leaves nothing behind', () => {
  const rows = [{ value: ['a', 'b', 'a'] }, { value: ['c'] }, { value: 7 }, { value: ['d', 'e'] }];
  assert.deepEqual(echo('json', 'ranking').answers(rows).map(({ answer: given }) => given), [undefined, ['c'], undefined, ['d', 'e']]);
});

test('confidences and probabilities are checked', () => {
  const detailed = (details, declared) =>
    loadModel(model({ reads: {}, answers: 'label', ...declared, decide: () => answer('a', details) })).answer({});
  assert.deepEqual(detailed({ confidence: 0.5 }, { confidence: true }), { answer: 'a', confidence: 0.5 });
  const probabilities = { a: 0.75, b: 0.25 };
  for (const given of [probabilities, new Map(Object.entries(probabilities)), Object.entries(probabilities)]) {
    assert.deepEqual(detailed({ probabilities: given }, { probabilities: true }), { answer: 'a', probabilities });
  }
  const failed = (details, declared) => detailed(details, declared).failed;
  assert.equal(failed({ confidence: 2 }, { confidence: true }), 'the confidence is 2, expected a value from 0 to 1');
  assert.equal(failed({}, { confidence: true }), 'the confidence is undefined, expected a value from 0 to 1');
  assert.equal(failed({ confidence: 1 }, {}), 'the answer has confidence, but the plugin does not declare it; write confidence: true');
  assert.equal(failed({ probabilities }, {}), 'the answer has probabilities, but the plugin does not declare it; write probabilities: true');
  assert.equal(failed({ probabilities: { a: 0.5 } }, { probabilities: true }), 'the sum of the probabilities is 0.5, expected 1');
  assert.equal(failed({ probabilities: { a: NaN } }, { probabilities: true }), 'the probability of `a` is NaN, expected a value from 0 to 1');
  assert.equal(failed({ probabilities: [['a', 0.5], ['a', 0.5]] }, { probabilities: true }), 'the probabilities repeat the class `a`');
  assert.equal(failed({}, { probabilities: true }), 'the probabilities are undefined, expected an object such as { a: 0.75, b: 0.25 }');
});

test('a batch can be answered at once', () => {
  const doubled = model({
    reads: { value: 'number', text: 'text?' },
    answers: 'number',
    decideBatch({ rows, columns: { value, text } }) {
      const answers = new Array(rows);
      for (let row = 0; row < rows; row += 1) answers[row] = text.isMissing(row) ? abstain('no text') : 2 * value.values[row];
      return answers;
    },
  });
  assert.deepEqual(loadModel(doubled).answers([{ value: 1, text: 'a' }, { value: 2 }]), [{ answer: 2 }, { abstained: 'no text' }]);
  const short = model({ reads: { value: 'number' }, answers: 'number', decideBatch: () => [] });
  assert.throws(() => loadModel(short).answer({ value: 1 }), { message: 'decideBatch returned 0 answers, expected 1' });
});

test('fields and form can follow from the configuration', () => {
  const recorded = comparator({
    config: { field: 'text', form: { kind: 'text', values: ['label', 'number'] } },
    reads: ({ field, form }) => ({ value: { kind: form === 'label' ? 'text' : 'number', name: field } }),
    answers: ({ form }) => form,
    decide: ({ value }) => value,
  });
  const loaded = loadModel(recorded, { config: { field: 'decision.price', form: 'number' } });
  assert.deepEqual(loaded.answer({ 'decision.price': 2.5 }), { answer: 2.5 });
});

test('an error in the code of the author is thrown', () => {
  const broken = model({ reads: { room: 'text' }, answers: 'label', decide: ({ rom }) => rom.trim() });
  assert.throws(() => loadModel(broken).answer({ room: 'a' }), TypeError);
});

test('a definition with a fault says what to write', () => {
  const message = (definition) => {
    try {
      model(definition);
    } catch (error) {
      return error.message;
    }
    return undefined;
  };
  const decide = () => 'a';
  const answers = 'label';
  assert.match(message(undefined), /^a model is defined by an object, not undefined; write model\(/);
  assert.match(message({ reads: {}, answers, decide, read: {} }), /^the model has the key "read"; the keys are reads, answers/);
  assert.equal(message({ reads: {}, answers }), '`decide` of the model is undefined, expected a function');
  assert.equal(message({ reads: {}, answers, decide, decideBatch: decide }), 'the model has decide and decideBatch; write one of them');
  assert.match(message({ reads: {}, answers: 'class', decide }), /^answers is "class"; the forms are label, number/);
  assert.match(message({ reads: ['room'], answers, decide }), /^reads is \["room"\]; write an object of fields/);
  assert.match(message({ reads: { a: 'string' }, answers, decide }), /^reads: the field "a" has the kind "string"; the kinds are boolean/);
  assert.match(message({ reads: { a: 3 }, answers, decide }), /^reads: the field "a" is 3; write its kind/);
  assert.match(message({ reads: { a: { kind: 'text', optional: true } }, answers, decide }), /has the key "optional"; the keys are kind/);
  assert.match(message({ reads: { a: { kind: 'text', as: 'bigint' } }, answers, decide }), /is read as "bigint"; a field of kind text is read as string$/);
  assert.match(message({ reads: { a: 'text', b: { kind: 'text', name: 'a' } }, answers, decide }), /has the field "a" twice/);
});

test('an asynchronous function gives no answer', () => {
  const later = model({ reads: {}, answers: 'label', decide: async () => 'a' });
  assert.deepEqual(loadModel(later).answer({}), { failed: 'the answer is a promise, expected a string' });
});
