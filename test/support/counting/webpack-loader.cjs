// Puts the same counters into the workflows' bundle as jest's transform puts into everything else.
const { instrument } = require('./instrument.cjs');

module.exports = function (source) {
  const { code, map } = instrument(source, this.resourcePath);
  this.callback(null, code, map);
};
