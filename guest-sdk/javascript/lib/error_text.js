// What an error says to the author of a plugin: its place in the source, its name and its message.

import { quoted } from './dictionary.js';
import { ConfigError } from './setup.js';

/**
 * The text of an error. `places` are those of the author's source: the names of the `files`, and `lines` with the index of a file and a
 * line for each line of the bundle that the author wrote.
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
    const found = /:(\d+):\d+\)?$/.exec(frame);
    const place = found === null ? undefined : sourcePlace(found[1], places);
    if (place !== undefined) return place;
  }
  return undefined;
}

/** The file and line of the author's source that a line of the bundle, counted from 1, comes from. */
export function sourcePlace(line, { files, lines }) {
  const place = lines[line - 1];
  return place ? `${files[place[0]]}:${place[1]}` : undefined;
}
