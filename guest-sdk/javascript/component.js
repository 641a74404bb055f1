// The adapter between a plugin and the component: what an error becomes, and what the sandbox has not.
//
// Invariants:
// - An error that the author's code throws reaches the host with its message and its place in the author's source.
// - The code that runs depends on nothing but the configuration and the rows: there is no clock and no randomness.

import { errorText } from './lib/error_text.js';

/** The functions of a component. `title` has the plugin's name and version, `places` those of the author's source; see `errorText`. */
export function component(plugin, title, places) {
  // The build says that this is no plugin.
  if (typeof plugin?.interface !== 'function') return {};
  const functions = plugin.interface(title);
  const { configure } = functions;
  // Not before, since the build runs this module, too.
  functions.configure = (config, assets) => {
    removeImpureFunctions();
    configure(config, assets);
  };
  const returning = (call) => (first, second, third) => {
    try {
      return call(first, second, third);
    } catch (error) {
      // What componentize-js makes the error of a `result`.
      throw Object.assign(new Error(), { payload: errorText(error, places) });
    }
  };
  const trapping = (call) => (first, second) => {
    try {
      return call(first, second);
    } catch (error) {
      report.write(errorText(error, places));
      throw error;
    }
  };
  const traps = ['describe', 'reduce'];
  const wrap = ([name, call]) => [name, traps.includes(name) ? trapping(call) : returning(call)];
  return Object.fromEntries(Object.entries(functions).map(wrap));
}

/** Length of the magic and of the number after it. */
const HEAD = 36;

/** Writes a report that the host finds in the memory of a component that trapped; `wit/shadow.wit` has no error there. */
const report = {
  // Allocated when the component is built, and too large for the engine to move it. 4096 bytes are the longest message.
  bytes: new Uint8Array(HEAD + 4096),
  // The memory has the magic only as part of a report, so the code has it inverted.
  inverted: '\xff\x8a\x91\x9b\x9a\x8d\x8c\x8b\x8a\x9b\x86\xdf\x8f\x9e\x91\x96\x9c\xdf\x8d\x9a\x8f\x90\x8d\x8b\xdf\x89\xce\xff\xff\xff\xff\xff',
  write(text) {
    const { bytes, inverted } = this;
    const { written } = new TextEncoder().encodeInto(text, bytes.subarray(HEAD));
    new DataView(bytes.buffer).setUint32(inverted.length, written, true);
    // The magic is last: the host takes the first report, which must be whole.
    for (let index = 0; index < inverted.length; index += 1) bytes[index] = 255 - inverted.charCodeAt(index);
  },
};

/** Replaces the functions whose results would differ from call to call, or that the engine lacks, by ones that say so. */
function removeImpureFunctions() {
  const refuse = (name, advice) => () => {
    throw new Error(`${name} is not available in a plugin; ${advice}`);
  };
  const randomness = 'an answer depends on the row and the configuration alone, so compute a pseudorandom number from the row';
  Math.random = refuse('Math.random', randomness);
  for (const name of ['getRandomValues', 'randomUUID']) crypto[name] = refuse(`crypto.${name}`, randomness);
  const now = refuse('the current time', 'an answer depends on the row and the configuration alone, so read a timestamp of the row');
  performance.now = now;
  const { Date } = globalThis;
  Date.now = now;
  globalThis.Date = new Proxy(Date, {
    apply: now,
    construct: (target, values, made) => (values.length === 0 ? now() : Reflect.construct(target, values, made)),
  });
  Date.prototype.constructor = globalThis.Date;
  for (const name of ['setTimeout', 'setInterval', 'fetch']) {
    globalThis[name] = refuse(name, 'a call ends when its function returns');
  }
  String.prototype.normalize = refuse('String.prototype.normalize', 'the engine has no tables of Unicode, so bundle a library');
}
