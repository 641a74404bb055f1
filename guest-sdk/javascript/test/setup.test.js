import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ConfigError, model } from '../index.js';
import { loadModel } from '../testing.js';

const config = {
  nights: { kind: 'integer', default: 7, minimum: 1, maximum: 30 },
  room: 'text?',
  mode: { kind: 'text', default: 'near', values: ['near', 'far'] },
};

/** The state of a plugin, or the error of its set-up. */
function stateOf(definition, study) {
  let state;
  const plugin = model({ reads: {}, answers: 'label', ...definition, decide: (row, given) => ((state = given), 'a') });
  try {
    loadModel(plugin, study).answer({});
  } catch (error) {
    assert.ok(error instanceof ConfigError, error);
    return error.message;
  }
  return state;
}

test('a configuration has the given values or the defaults', () => {
  assert.deepEqual(stateOf({ config }, {}), { nights: 7, room: undefined, mode: 'near' });
  assert.deepEqual(stateOf({ config }, { config: { nights: 3, room: 'a', mode: 'far' } }), { nights: 3, room: 'a', mode: 'far' });
});

test('an invalid configuration is refused in the words of its author', () => {
  const refused = (given, declared = config) => stateOf({ config: declared }, { config: given });
  assert.equal(refused({ k: 3 }, {}), 'config: unknown field `k`, there are no fields');
  assert.equal(refused({ k: 3 }, { a: 'text?' }), 'config: unknown field `k`, expected `a`');
  assert.equal(refused({ night: 3 }), 'config: unknown field `night`, expected one of `nights`, `room`, `mode`');
  assert.equal(refused({ nights: '3' }), 'config: `nights` is "3", expected an integer');
  assert.equal(refused({ nights: 3.5 }), 'config: `nights` is 3.5, expected an integer');
  assert.equal(refused({ nights: 0 }), 'config: `nights` is 0, expected at least 1');
  assert.equal(refused({ nights: 31 }), 'config: `nights` is 31, expected at most 30');
  assert.equal(refused({ mode: 'up' }), 'config: `mode` is "up", expected one of "near", "far"');
  assert.equal(refused({}, { field: 'text' }), 'config: missing field `field`');
});

test('configure makes the state, and its refusal reaches the author of the study', () => {
  const configure = ({ nights }, assets) => {
    if (nights > 20) throw new ConfigError(`no table for ${nights} nights`);
    return assets.json('table')[nights];
  };
  const assets = { table: '["none", "a", "b"]' };
  assert.equal(stateOf({ config, configure }, { config: { nights: 2 }, assets }), 'b');
  assert.equal(stateOf({ config, configure }, { config: { nights: 21 }, assets }), 'no table for 21 nights');
  assert.match(stateOf({ config, configure }, {}), /^assets: missing `table`; /);
  assert.equal(stateOf({ config, configure }, { assets: { table: new Uint8Array([255]) } }), 'assets: `table` is not UTF-8');
  assert.match(stateOf({ config, configure }, { assets: { table: '[' } }), /^assets: `table` is no JSON: /);
});
