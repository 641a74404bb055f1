// A model with a fault for each text, and a sum of all kinds of fields otherwise.

import { abstain, model } from '@understudy/sdk';

const rooms = {};

const faults = {
  throw: () => rooms.single.price,
  'throw text': () => {
    throw 'no room';
  },
  random: () => String(Math.random()),
  now: () => String(Date.now()),
  date: () => String(new Date()),
  loop: () => {
    for (;;);
  },
  recursion: () => faults.recursion() + 1,
  timer: () => setTimeout(() => {}, 1),
  performance: () => String(performance.now()),
  crypto: () => crypto.randomUUID(),
  normalize: () => 'é'.normalize('NFD'),
  promise: async () => 'a',
  lower: () => 'İÄ'.toLowerCase(),
  stack: () => {
    const nested = (depth) => (depth === 0 ? rooms.double.price : nested(depth - 1));
    return nested(3);
  },
};

export default model({
  reads: { text: 'text', integer: 'integer?', number: 'number?', boolean: 'boolean?', timestamp: 'timestamp?', json: 'json?' },
  answers: 'label',
  decide({ text, ...values }) {
    if (Object.hasOwn(faults, text)) return faults[text]();
    if (text === 'nothing') return abstain('there is nothing');
    if (text === 'time') return new Date(values.timestamp / 1000).toISOString();
    return JSON.stringify(values);
  },
});
