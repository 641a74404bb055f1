// The rule of plugins/recorded in JavaScript: a comparator or a model that answers what a recorded field holds.

import { abstain, answer, comparator, ConfigError, fail, jsonText } from '@understudy/sdk';

/** The kinds of fields that a form can be read from, the default first. */
const KINDS = {
  label: ['text', 'integer', 'boolean'],
  number: ['number'],
  ranking: ['json', 'text', 'integer'],
  'label-set': ['json', 'text', 'integer'],
  json: ['json'],
};

/** The names of items: strings, and integers in decimal. `undefined` if there is another item. */
function itemNames(items) {
  const names = new Array(items.length);
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    const isName = typeof item === 'string' || typeof item === 'bigint' || (item | 0) === item || Number.isSafeInteger(item);
    if (!isName) return undefined;
    names[index] = `${item}`;
  }
  return names;
}

/** Makes the answer of a value. */
function converted(form, value) {
  switch (form) {
    case 'number':
      return value;
    case 'label':
      return String(value);
    case 'json':
      return jsonText(value);
    default: {
      const names = itemNames(Array.isArray(value) ? value : [value]);
      return names ?? fail(`the field holds neither a string or an integer nor an array of these: ${JSON.stringify(value)}`);
    }
  }
}

export default comparator({
  config: {
    field: 'text',
    form: { kind: 'text', values: Object.keys(KINDS) },
    kind: { kind: 'text?', values: ['boolean', 'integer', 'number', 'text', 'json'] },
    probabilities: 'text?',
  },
  configure({ field, form, kind = KINDS[form][0], probabilities }) {
    if (!KINDS[form].includes(kind)) throw new ConfigError(`config: form \`${form}\` needs kind ${KINDS[form].join(' or ')}`);
    if (probabilities !== undefined && form !== 'label') throw new ConfigError('config: `probabilities` needs form `label`');
    return { field, form, kind, probabilities };
  },
  reads({ field, form, kind, probabilities }) {
    const as = { integer: 'bigint', json: form === 'json' ? 'string' : 'value' }[kind];
    const decision = { kind, name: field, required: false, as };
    const classes = { kind: 'json?', name: probabilities };
    return probabilities === undefined ? { decision } : { decision, classes };
  },
  answers: ({ form }) => form,
  probabilities: ({ probabilities }) => probabilities !== undefined,
  decide({ decision, classes }, { field, form, probabilities }) {
    const missing = (name) => abstain(`the ${name.startsWith('decision.') ? 'decision' : 'snapshot'} has no \`${name}\``);
    if (decision === undefined) return missing(field);
    if (probabilities === undefined) return converted(form, decision);
    return classes === undefined ? missing(probabilities) : answer(converted(form, decision), { probabilities: classes });
  },
});
