// The rule of plugins/agreement in JavaScript: the share of pairs in which model and comparator give the same answer.
// With `fault = true`, `reduce` throws an error.

import { equal, metric } from '@understudy/sdk';

export default metric({
  accepts: ['label', 'label-set', 'json'],
  components: ['agreements'],
  direction: 'higher-is-better',
  range: [0, 1],
  config: { fault: { kind: 'boolean', default: false } },
  score: (model, decision) => (equal(model, decision) ? 1 : 0),
  reduce(rows, [agreements], { fault }) {
    if (fault) throw new Error(`${rows} pairs have no value`);
    return rows > 0 ? agreements / rows : undefined;
  },
});
