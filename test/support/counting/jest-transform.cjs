// jest's transform: swc compiles, and what is to be counted gets its counters before.
const { createTransformer } = require('@swc/jest');
const { instrument, INSTRUMENTED_BY } = require('./instrument.cjs');

exports.createTransformer = (options) => {
  const swc = createTransformer(options);
  return {
    canInstrument: true,
    getCacheKey: (source, path, jest) => swc.getCacheKey(source, path, jest) + (jest.instrument ? INSTRUMENTED_BY : ''),
    process(source, path, jest) {
      if (!jest.instrument) return swc.process(source, path, jest);
      const { code, map } = instrument(source, path);
      const inline = Buffer.from(JSON.stringify(map)).toString('base64');
      return swc.process(`${code}\n//# sourceMappingURL=data:application/json;base64,${inline}`, path, jest);
    },
  };
};
