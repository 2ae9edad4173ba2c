// Prints the names of the rules that each text breaks, for [file, text] pairs of the first argument. ESLint loads its
// configuration by an import, which jest's own modules cannot.
import { ESLint } from 'eslint';

const eslint = new ESLint();
const broken = [];
for (const [filePath, text] of JSON.parse(process.argv[2])) {
  const [result] = await eslint.lintText(text, { filePath });
  broken.push(result.messages.map(({ ruleId }) => ruleId));
}
process.stdout.write(JSON.stringify(broken));
