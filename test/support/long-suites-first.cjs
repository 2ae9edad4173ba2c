// The order of the suites: those that wait for servers, timers and whole programs first, in any order among themselves.
// By jest's own order, the size of the file where no run is remembered, short files that take minutes began last, and one
// core had nothing to do until they ended.
const { default: Sequencer } = require('@jest/test-sequencer');

const LONG = [
  ...['test/e2e/', 'test/package.test.ts', 'test/plugin.test.ts', 'examples/', 'test/workflows/', 'test/audit/stores/'],
  ...['test/cli/policy/', 'test/cli/audit/', 'test/images/sync/', 'test/releases/fleet/', 'test/platform/database/'],
  ...['test/plans/store/', 'test/replay/', 'test/rego/corpus/', 'test/gate/publishing/', 'test/lint.test.ts'],
];

module.exports = class LongSuitesFirst extends Sequencer {
  sort(tests) {
    const ordered = super.sort(tests);
    const isLong = ({ path, context }) => LONG.some((part) => path.startsWith(`${context.config.rootDir}/${part}`));
    return [...ordered.filter(isLong), ...ordered.filter((test) => !isLong(test))];
  }
};
