// Compiles the checks of the schemas that commands use most, once, when the package is built: at a command's start that takes
// longer than all else. What is written answers as what `documentCheck` and `JsonSchemaCompiler` compile by themselves.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import addFormats from 'ajv-formats';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import standalone from 'ajv/dist/standalone/index.js';

const built = resolve(process.argv[2]);
const load = createRequire(join(built, 'index.js'));
const { toAjvSchema } = load('./platform/documents/ajv-schema.js');
const { CHECK_OPTIONS, checkKey } = load('./platform/documents/document-check.js');
const { DIALECT_ID, STRICT } = load('./platform/documents/json-schema-compiler.js');
const { ReleaseConfig } = load('./releases/config/release-config.js');
const { Settings } = load('./settings/settings.js');

const code = { source: true };
const folder = join(built, 'platform', 'documents', 'prepared');
const prepared = [];

mkdirSync(folder);
for (const [name, schema] of Object.entries({ ReleaseConfig, Settings })) {
  const document = toAjvSchema(schema);
  const ajv = new Ajv({ ...CHECK_OPTIONS, code });
  write(name, checkKey(document), standalone.default(ajv, ajv.compile(document)));
}
const ajv = addFormats.default(new Ajv2020({ ...STRICT, code }));
write('Dialect', DIALECT_ID, standalone.default(ajv, ajv.getSchema(DIALECT_ID)));

const entries = prepared.map(({ key, file }) => `  ${JSON.stringify(key)}: () => require(${JSON.stringify(file)}),`);
const lines = ['"use strict";', 'exports.PREPARED_CHECKS = {', ...entries, '};', ''];
writeFileSync(join(built, 'platform', 'documents', 'prepared-checks.js'), lines.join('\n'));

function write(name, key, text) {
  writeFileSync(join(folder, `${name}.js`), text);
  prepared.push({ key, file: `./prepared/${name}.js` });
}
