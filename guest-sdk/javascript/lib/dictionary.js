// Distinct names, each with a code, as the host receives them.
//
// Invariants:
// - Equal names have equal codes. Codes count from 0 in the order of the first use.
// - A name is well-formed: UTF-8 has no lone surrogate, so two names would become one.

const encoder = new TextEncoder();

export class Dictionary {
  #codes = new Map();

  /** The code of a name. Throws an error that says what is wrong with the name. */
  code(name) {
    const known = this.#codes.get(name);
    if (known !== undefined) return known;
    if (!name.isWellFormed()) throw new RangeError(`${quoted(name)} has half of a surrogate pair`);
    const code = this.#codes.size;
    this.#codes.set(name, code);
    return code;
  }

  /** The number of names. */
  get size() {
    return this.#codes.size;
  }

  /** The names in the order of their codes, as the record `text` of the contract. */
  text() {
    return encodeTexts([...this.#codes.keys()]);
  }
}

/** Concatenates strings to the record `text` of the contract. */
export function encodeTexts(strings) {
  const parts = strings.map((string) => encoder.encode(string));
  const offsets = new Uint32Array(parts.length + 1);
  parts.forEach((part, index) => (offsets[index + 1] = offsets[index] + part.length));
  const bytes = new Uint8Array(offsets[parts.length]);
  parts.forEach((part, index) => bytes.set(part, offsets[index]));
  return { offsets, bytes };
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** A function that returns the string at an index of a record `text`. */
export function textReader({ offsets, bytes }) {
  const all = decoder.decode(bytes);
  // With ASCII alone, an offset in bytes is an index of characters, and one call decodes all strings.
  if (all.length === bytes.length) return (index) => all.substring(offsets[index], offsets[index + 1]);
  return (index) => decoder.decode(bytes.subarray(offsets[index], offsets[index + 1]));
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
  if (typeof value === 'object' && value !== null) {
    try {
      return excerpt(JSON.stringify(value) ?? String(value));
    } catch {
      return 'an object';
    }
  }
  return Object.is(value, -0) ? '-0' : String(value);
}
