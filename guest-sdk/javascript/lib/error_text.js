// What an error says to the author of a plugin: its place in the source, its name and its message.

import { quoted } from './dictionary.js';
import { ConfigError } from './setup.js';

/**
 * The text of an error. `places` are those of the author's source: the names of the `files`, and for each line of the bundle `lines` with
 * what begins in it: a column, from 0, the index of a file, and a line, from 1.
 */
export function errorText(error, places) {
  if (error instanceof ConfigError) return error.message.toWellFormed();
  if (!(error instanceof Error)) return `threw ${quoted(error)}`;
  const place = firstPlace(error.stack ?? '', places);
  return `${place === undefined ? '' : `${place}: `}${error.name}: ${error.message}`.toWellFormed();
}

/** The first place in a stack that is in the author's source. Each frame ends with `:LINE:COLUMN`, and with `)` in node. */
function firstPlace(stack, places) {
  for (const frame of stack.split('\n')) {
    const found = /:(\d+):(\d+)\)?$/.exec(frame);
    const place = found === null ? undefined : sourcePlace(found[1], found[2], places);
    if (place !== undefined) return place;
  }
  return undefined;
}

/** The file and line of the author's source that a line and a column of the bundle, both from 1, come from. */
export function sourcePlace(line, column, { files, lines }) {
  const place = (lines[line - 1] ?? []).findLast(([start]) => start < column);
  return place === undefined ? undefined : `${files[place[1]]}:${place[2]}`;
}
