// Distinct names, each with a code, as the host receives them.
//
// Invariants:
// - Equal names have equal codes. Codes count from 0 in the order of the first use.
// - A name is well-formed: UTF-8 has no lone surrogate, so two names would become one.
//
// The engine of a component interprets this code. Spread, destructured arrays and callbacks cost it much, so what runs for each call
// and row has none.

const encoder = new TextEncoder();

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
  const offsets = new Uint32Array(strings.length + 1);
  const parts = [];
  for (let index = 0; index < strings.length; index += 1) {
    const part = encoder.encode(strings[index]);
    parts.push(part);
    offsets[index + 1] = offsets[index] + part.length;
  }
  if (parts.length === 1) return { offsets, bytes: parts[0] };
  const bytes = new Uint8Array(offsets[strings.length]);
  for (let index = 0; index < parts.length; index += 1) bytes.set(parts[index], offsets[index]);
  return { offsets, bytes };
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
