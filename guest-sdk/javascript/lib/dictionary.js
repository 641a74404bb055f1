// Distinct names, each with a code, as the host receives them.
//
// Invariants:
// - Equal names have equal codes. Codes count from 0 in the order of the first use.
// - A name is well-formed: UTF-8 has no lone surrogate, so two names would become one.
//
// The engine of a component interprets this code. Spread, destructured arrays and callbacks cost it much, so what runs for each call
// and row has none.

const encoder = new TextEncoder();
/** Most bytes of UTF-8 for a unit of UTF-16. */
const MOST_BYTES = 3;

export class Dictionary {
  /** The code of each name. */
  codes = new Map();
  /** The names in the order of their codes. */
  names = [];

  /** The code of a name. Throws an error that says what is wrong with the name. */
  code(name) {
    const known = this.codes.get(name);
    if (known !== undefined) return known;
    if (!name.isWellFormed()) throw new RangeError(`${quoted(name)} has half of a surrogate pair`);
    const code = this.names.length;
    this.codes.set(name, code);
    this.names.push(name);
    return code;
  }

  /** The names in the order of their codes, as the record `text` of the contract. */
  text() {
    return encodeTexts(this.names);
  }
}

/** Concatenates strings to the record `text` of the contract. */
export function encodeTexts(strings) {
  let most = 0;
  for (let index = 0; index < strings.length; index += 1) most += MOST_BYTES * strings[index].length;
  const buffer = new ArrayBuffer(most);
  const offsets = new Uint32Array(strings.length + 1);
  let length = 0;
  for (let index = 0; index < strings.length; index += 1) {
    // In the component it takes half of the time of `encode`.
    length += encoder.encodeInto(strings[index], new Uint8Array(buffer, length)).written;
    offsets[index + 1] = length;
  }
  return { offsets, bytes: new Uint8Array(buffer, 0, length) };
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** A function that returns the string at an index of a record `text`. */
export function textReader({ offsets, bytes }) {
  const { buffer, byteOffset } = bytes;
  // The engine of the component interprets `subarray` and `substring`, but not these.
  return (index) => {
    const start = offsets[index];
    return decoder.decode(new Uint8Array(buffer, byteOffset + start, offsets[index + 1] - start));
  };
}

/** The number of characters of a value that a message quotes. */
const EXCERPT_CHARS = 80;

/** A text for a message, cut if it is long. */
export function excerpt(text) {
  const characters = [...text.slice(0, 2 * EXCERPT_CHARS + 2)];
  return characters.length > EXCERPT_CHARS ? `${characters.slice(0, EXCERPT_CHARS).join('')}…` : text;
}

/** A value for a message. */
export function quoted(value) {
  if (typeof value === 'string') return excerpt(JSON.stringify(value));
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (value instanceof Promise) return 'a promise';
  if (typeof value === 'object' && value !== null) {
    try {
      return excerpt(JSON.stringify(value) ?? String(value));
    } catch {
      return 'an object';
    }
  }
  return Object.is(value, -0) ? '-0' : String(value);
}
