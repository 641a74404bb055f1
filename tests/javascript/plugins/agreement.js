// The rule of plugins/agreement in JavaScript: the share of pairs in which model and comparator give the same answer.

import { equal, metric } from '@understudy/sdk';

export default metric({
  accepts: ['label', 'label-set', 'json'],
  components: ['agreements'],
  direction: 'higher-is-better',
  range: [0, 1],
  score: (model, decision) => (equal(model, decision) ? 1 : 0),
  reduce: (rows, [agreements]) => (rows > 0 ? agreements / rows : undefined),
});
