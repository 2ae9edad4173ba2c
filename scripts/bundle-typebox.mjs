// Puts TypeBox into the one module of ours that takes it, when the package is built: looking for its 200 modules takes a tenth
// of a second at the start of every command. Its licence wants to be where its code is.
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import webpack from 'webpack';

const file = join(resolve(process.argv[2]), 'platform', 'documents', 'typebox.js');
const licence = readFileSync('node_modules/@sinclair/typebox/license', 'utf8');

const compiler = webpack({
  mode: 'none',
  target: 'node20',
  devtool: false,
  entry: file,
  output: { path: dirname(file), filename: 'typebox.js', library: { type: 'commonjs2' } },
  plugins: [new webpack.BannerPlugin({ banner: `@sinclair/typebox\n\n${licence}` })],
});
compiler.run((error, stats) => {
  if (error ?? stats?.hasErrors()) throw error ?? new Error(stats.toString({ all: false, errors: true }));
  compiler.close(() => undefined);
});
