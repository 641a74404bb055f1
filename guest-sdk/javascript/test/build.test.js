import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ConfigError } from '../index.js';
import { errorText } from '../lib/error_text.js';

// Two lines of the bundle: the first is of the SDK, the second of two lines of the author.
const places = { files: ['src/plugin.js'], lines: [[], [[4, 0, 7], [20, 0, 8]]] };

function thrown(stack, message = 'no room') {
  return Object.assign(new TypeError(message), { stack });
}

test('an error has the first place in the source of the author', () => {
  const engine = 'of@bundle.js:1:9\ndecide@bundle.js:2:15\ncall@bundle.js:2:30\n';
  assert.equal(errorText(thrown(engine), places), 'src/plugin.js:7: TypeError: no room');
  const node = 'TypeError: no room\n    at of (file:///tmp/bundle.js:1:9)\n    at decide (file:///tmp/bundle.js:2:21)';
  assert.equal(errorText(thrown(node), places), 'src/plugin.js:8: TypeError: no room');
  assert.equal(errorText(thrown('of@bundle.js:1:9\nof@bundle.js:9:9'), places), 'TypeError: no room');
});

test('what is thrown need not be an error', () => {
  assert.equal(errorText('no room', places), 'threw "no room"');
  assert.equal(errorText(undefined, places), 'threw undefined');
  assert.equal(errorText(new ConfigError('config: no table'), places), 'config: no table');
  assert.equal(errorText(thrown('', 'half \ud800'), places), 'TypeError: half \ufffd');
});
