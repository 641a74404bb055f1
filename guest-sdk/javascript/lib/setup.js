// Set-up of a plugin: its configuration and assets.

import { quoted } from './dictionary.js';

/** An error for the author of the study, who sees its message alone. Throw it from `configure`. */
export class ConfigError extends Error {}

/** What a value of the configuration must be. */
const KINDS = {
  boolean: ['true or false', (value) => typeof value === 'boolean'],
  integer: ['an integer', (value) => Number.isSafeInteger(value)],
  number: ['a number', (value) => typeof value === 'number'],
  text: ['a text', (value) => typeof value === 'string'],
  json: ['a value', (value) => value !== null],
};

/** Checks the declaration of a configuration. Returns its entries: `key`, `kind`, `required`, `default`, `values`, and a range. */
export function declaredConfig(config = {}) {
  return Object.entries(config).map(([key, declared]) => {
    const place = `config: \`${key}\``;
    const long = typeof declared === 'string' ? { kind: declared } : declared;
    if (typeof long !== 'object' || long === null) {
      throw new TypeError(`${place} is ${quoted(declared)}; write its kind, such as 'integer', or { kind: 'integer', default: 7 }`);
    }
    const known = ['kind', 'default', 'values', 'minimum', 'maximum'];
    const unknown = Object.keys(long).find((name) => !known.includes(name));
    if (unknown !== undefined) throw new TypeError(`${place} has the key ${quoted(unknown)}; the keys are ${known.join(', ')}`);
    const written = String(long.kind);
    const kind = written.endsWith('?') ? written.slice(0, -1) : written;
    if (!Object.hasOwn(KINDS, kind)) {
      throw new TypeError(`${place} has the kind ${quoted(long.kind)}; the kinds are ${Object.keys(KINDS).join(', ')}`);
    }
    return { ...long, key, kind, required: !written.endsWith('?') && long.default === undefined };
  });
}

/** Reads a configuration from the text of a JSON object. Throws a `ConfigError` for the author of the study. */
export function readConfig(declared, json) {
  const given = JSON.parse(json);
  const names = declared.map(({ key }) => `\`${key}\``);
  const unknown = Object.keys(given).find((key) => !declared.some((known) => known.key === key));
  if (unknown !== undefined) {
    const expected =
      names.length === 0 ? 'there are no fields'
      : names.length <= 2 ? `expected ${names.join(' or ')}`
      : `expected one of ${names.join(', ')}`;
    throw new ConfigError(`config: unknown field \`${unknown}\`, ${expected}`);
  }
  const config = {};
  for (const { key, kind, required, values, minimum, maximum, default: fallback } of declared) {
    if (!Object.hasOwn(given, key)) {
      if (required) throw new ConfigError(`config: missing field \`${key}\``);
      config[key] = fallback;
      continue;
    }
    const value = given[key];
    const [expected, fits] = KINDS[kind];
    const wrong = (wanted) => new ConfigError(`config: \`${key}\` is ${quoted(value)}, expected ${wanted}`);
    if (!fits(value)) throw wrong(expected);
    if (values !== undefined && !values.includes(value)) throw wrong(`one of ${values.map(quoted).join(', ')}`);
    if (minimum !== undefined && value < minimum) throw wrong(`at least ${minimum}`);
    if (maximum !== undefined && value > maximum) throw wrong(`at most ${maximum}`);
    config[key] = value;
  }
  return Object.freeze(config);
}

/** The files that a study passes to a plugin. */
export class Assets {
  #files;

  /** From records with `name` and `bytes`. */
  constructor(files) {
    this.#files = new Map(files.map(({ name, bytes }) => [name, bytes]));
  }

  /** The bytes of an asset; `undefined` if the study has no asset of this name. */
  get(name) {
    return this.#files.get(name);
  }

  /** The text of an asset. Throws a `ConfigError` if there is none, or if it is not UTF-8. */
  text(name) {
    const bytes = this.get(name);
    if (bytes === undefined) throw new ConfigError(`assets: missing \`${name}\`; name the file under \`assets\` of the plugin`);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      throw new ConfigError(`assets: \`${name}\` is not UTF-8`);
    }
  }

  /** The JSON value of an asset. Throws a `ConfigError` if there is none. */
  json(name) {
    const text = this.text(name);
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new ConfigError(`assets: \`${name}\` is no JSON: ${error.message}`);
    }
  }
}

/** The plugin of a component: set up once, by its configuration. */
export class Setup {
  #plugin;

  /** Creates what `definition.configure` returns; without it, the state is the configuration. */
  configure({ config, configure }, json, assets) {
    if (this.#plugin !== undefined) throw new ConfigError('the plugin is already configured');
    const read = readConfig(config, json);
    this.#plugin = { state: configure === undefined ? read : configure(read, new Assets(assets)) };
    return this.#plugin.state;
  }

  /** The state that all rows share. */
  get state() {
    if (this.#plugin === undefined) throw new Error('the plugin is not configured: call `configure` first');
    return this.#plugin.state;
  }
}

/** Checks that a definition has no other keys, and the functions that it needs. `example` says what to write. */
export function checkDefinition(what, definition, { keys, functions, example }) {
  if (typeof definition !== 'object' || definition === null) {
    throw new TypeError(`a ${what} is defined by an object, not ${quoted(definition)}; write ${example}`);
  }
  const unknown = Object.keys(definition).find((key) => !keys.includes(key));
  if (unknown !== undefined) {
    throw new TypeError(`the ${what} has the key ${quoted(unknown)}; the keys are ${keys.join(', ')}`);
  }
  for (const name of functions) {
    if (typeof definition[name] !== 'function') {
      throw new TypeError(`\`${name}\` of the ${what} is ${quoted(definition[name])}, expected a function`);
    }
  }
}
