// The adapter between a plugin and the component: what an error becomes, and what the sandbox has not.
//
// Invariants:
// - An error that the author's code throws reaches the host with its message and its place in the author's source.
// - The code that runs depends on nothing but the configuration and the rows: there is no clock and no randomness.

import { quoted } from './lib/dictionary.js';
import { ConfigError } from './lib/setup.js';

/**
 * The functions of a component. `title` has the plugin's name and version. `places` are the places of the author's source: the names
 * of the `files`, and `lines` with the index of a file and a line for each line of the bundle.
 */
export function component(plugin, title, places) {
  const functions = plugin.interface(title);
  const { configure } = functions;
  // Not before, since the build runs this module, too.
  functions.configure = (...values) => {
    removeImpureFunctions();
    return configure(...values);
  };
  const returning = (call) => (...values) => {
    try {
      return call(...values);
    } catch (error) {
      // What componentize-js makes the error of a `result`.
      throw Object.assign(new Error(), { payload: message(error, places) });
    }
  };
  const trapping = (call) => (...values) => {
    try {
      return call(...values);
    } catch (error) {
      report.write(message(error, places));
      throw error;
    }
  };
  const traps = ['describe', 'reduce'];
  const wrap = ([name, call]) => [name, traps.includes(name) ? trapping(call) : returning(call)];
  return Object.fromEntries(Object.entries(functions).map(wrap));
}

/** What an error says: its place in the author's source, its name and its message. */
function message(error, places) {
  if (error instanceof ConfigError) return error.message;
  if (!(error instanceof Error)) return `threw ${quoted(error)}`;
  const place = firstPlace(error.stack ?? '', places);
  return `${place === undefined ? '' : `${place}: `}${error.name}: ${error.message}`.toWellFormed();
}

/** The first place in a stack that is in the author's source. Each line of a stack ends with `:LINE:COLUMN`. */
function firstPlace(stack, { files, lines }) {
  for (const frame of stack.split('\n')) {
    const [, line] = /:(\d+):\d+$/.exec(frame) ?? [];
    const [file, source] = lines[line - 1] ?? [];
    if (file !== undefined) return `${files[file]}:${source}`;
  }
  return undefined;
}

/** Writes a report that the host finds in the memory of a component that trapped; `wit/shadow.wit` has no error there. */
const report = {
  /** Longest message in bytes. */
  most: 4096,
  // The memory has the magic only as part of a report, so the code has it inverted.
  magic: [...'\xff\x8a\x91\x9b\x9a\x8d\x8c\x8b\x8a\x9b\x86\xdf\x8f\x9e\x91\x96\x9c\xdf\x8d\x9a\x8f\x90\x8d\x8b\xdf\x89\xce\xff\xff\xff\xff\xff'].map(
    (inverted) => 255 - inverted.charCodeAt(0),
  ),
  bytes: undefined,
  write(text) {
    const encoded = new Uint8Array(this.most);
    const { written } = new TextEncoder().encodeInto(text, encoded);
    this.bytes = new Uint8Array(this.magic.length + 4 + written);
    this.bytes.set(this.magic);
    new DataView(this.bytes.buffer).setUint32(this.magic.length, written, true);
    this.bytes.set(encoded.subarray(0, written), this.magic.length + 4);
  },
};

/** Replaces the functions whose results would differ from call to call by ones that say so. */
function removeImpureFunctions() {
  const refuse = (name, advice) => () => {
    throw new Error(`${name} is not available: an answer depends on the row and the configuration alone; ${advice}`);
  };
  Math.random = refuse('Math.random', 'compute a pseudorandom number from the row');
  const { Date } = globalThis;
  const now = refuse('the current time', 'read a timestamp of the row');
  Date.now = now;
  globalThis.Date = new Proxy(Date, {
    apply: now,
    construct: (target, values, made) => (values.length === 0 ? now() : Reflect.construct(target, values, made)),
  });
}
