// Counts what runs, by the lines of the TypeScript as it is written. Counters that are put into compiled code need the
// file's source map beside them to be understood: nine tenths of what each suite would have to copy, send and merge.
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { createInstrumenter } = require('istanbul-lib-instrument');
const { version } = require('istanbul-lib-instrument/package.json');

const instrumenter = createInstrumenter({ esModules: true, produceSourceMap: true, parserPlugins: ['typescript'] });

/** Changes whenever the same source would be instrumented differently. */
exports.INSTRUMENTED_BY = createHash('sha256').update(version).update(readFileSync(__filename)).digest('hex');

/** The source with counters, still TypeScript; how it maps to the file; and the file's coverage, nothing counted yet. */
exports.instrument = (source, path) => {
  const code = instrumenter.instrumentSync(source, path);
  return { code, map: instrumenter.lastSourceMap(), coverage: instrumenter.lastFileCoverage() };
};
