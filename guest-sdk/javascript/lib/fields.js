// Fields that a plugin reads: their declaration, and the values of a column.
//
// Invariants:
// - A value that JavaScript cannot hold exactly fails its own row only. The message names the field.

import { excerpt, quoted, textReader } from './dictionary.js';

/** The kinds of fields, and the types that their values can have: the first one by default. */
const TYPES = {
  boolean: ['boolean'],
  integer: ['number', 'bigint'],
  number: ['number'],
  text: ['string'],
  timestamp: ['number', 'bigint'],
  json: ['value', 'string'],
};

/** Why a row cannot be read. Only this row fails. */
export class RowError extends Error {}

/**
 * The declared fields in their order: `key` in the row, `name` in the study, `kind`, `required`, and the type `as`. Throws a
 * `TypeError` that says what to write.
 */
export function declaredFields(reads) {
  if (typeof reads !== 'object' || reads === null || Array.isArray(reads)) {
    throw new TypeError(`reads is ${quoted(reads)}; write an object of fields, such as { room: 'text', nights: 'integer?' }`);
  }
  const fields = Object.entries(reads).map(([key, declared]) => declaredField(key, declared));
  const names = new Set();
  for (const { name } of fields) {
    if (names.has(name)) throw new TypeError(`reads has the field ${quoted(name)} twice; declare it once`);
    names.add(name);
  }
  return fields;
}

function declaredField(key, declared) {
  const place = `reads: the field ${quoted(key)}`;
  const long = typeof declared === 'string' ? { kind: declared } : declared;
  if (typeof long !== 'object' || long === null) {
    throw new TypeError(`${place} is ${quoted(declared)}; write its kind, such as 'text', or 'text?' if it may be missing`);
  }
  const unknown = Object.keys(long).find((known) => !['kind', 'name', 'required', 'as'].includes(known));
  if (unknown !== undefined) {
    throw new TypeError(`${place} has the key ${quoted(unknown)}; the keys are kind, name, required and as`);
  }
  const written = String(long.kind);
  const kind = written.endsWith('?') ? written.slice(0, -1) : written;
  if (!Object.hasOwn(TYPES, kind)) {
    throw new TypeError(`${place} has the kind ${quoted(long.kind)}; the kinds are ${Object.keys(TYPES).join(', ')}`);
  }
  const as = long.as ?? TYPES[kind][0];
  if (!TYPES[kind].includes(as)) {
    throw new TypeError(`${place} is read as ${quoted(as)}; a field of kind ${kind} is read as ${TYPES[kind].join(' or ')}`);
  }
  return { key, name: long.name ?? key, kind, required: long.required ?? !written.endsWith('?'), as };
}

/**
 * The values of one field in a batch: its `name` in the study, its `kind`, the number of `rows`, and
 *
 * - `values` as the host sends them, with any value in place of a missing one: a `Uint8Array` of 0 and 1 for `boolean`, a
 *   `BigInt64Array` for `integer` and `timestamp`, a `Float64Array` for `number`, and `{ offsets, bytes }` for `text` and `json`;
 * - `missing`, the set of rows without a value; `undefined` if there is none;
 * - `read`, a function from a row to its value, any value for a row that has none.
 */
export class Column {
  /** Binds a column of the host to a declared field. */
  constructor(field, rows, { values, missing }) {
    const { tag, val } = values;
    const { kind, name } = field;
    const length = tag === 'text' || tag === 'json' ? val.offsets.length - 1 : val.length;
    if (tag !== kind || length !== rows) {
      throw new TypeError(
        `field \`${name}\`: expected ${rows} values of kind ${kind}, found ${length} of kind ${tag}`,
      );
    }
    this.name = name;
    this.kind = kind;
    this.rows = rows;
    this.values = val;
    this.missing = missing?.length ? new Set(missing) : undefined;
    this.read = reader(field, val);
  }

  /** Whether a row has no value. */
  isMissing(row) {
    return this.missing !== undefined && this.missing.has(row);
  }

  /** The value of a row; `undefined` if it has none. */
  get(row) {
    return this.missing !== undefined && this.missing.has(row) ? undefined : this.read(row);
  }
}

/** A function that reads the value of a row. */
function reader({ name, kind, as }, values) {
  switch (kind) {
    case 'boolean':
      return (row) => values[row] !== 0;
    case 'number':
      return (row) => values[row];
    case 'integer':
    case 'timestamp':
      return as === 'bigint' ? (row) => values[row] : safeIntegerReader(name, values);
    case 'text':
      return textReader(values);
    default: {
      const text = textReader(values);
      return as === 'string' ? text : (row) => parsed(name, text(row));
    }
  }
}

/** A reader of 64-bit integers that needs no `BigInt`, which would be created for each row. */
function safeIntegerReader(name, values) {
  const low = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  const high = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  return (row) => {
    const integer = high[2 * row + 1] * 4294967296 + low[2 * row];
    if (integer > Number.MAX_SAFE_INTEGER || integer < Number.MIN_SAFE_INTEGER) {
      throw new RowError(`field \`${name}\`: ${values[row]} does not fit a number; read it as bigint`);
    }
    return integer;
  };
}

function parsed(name, text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RowError(`field \`${name}\`: ${error.message}: ${excerpt(text)}`);
  }
}
