import { standardError, standardOutput } from '../observability/terminal';
import { ensureTools } from './find-tool';
import { isToolName, TOOLS } from './tool-spec';

/** `node dist/platform/tools/main.js opa temporal`: finds or installs the tools named and prints each one's path, as JSON. */
async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !isToolName(name));
  if (names.length === 0 || unknown.length > 0) {
    const found = unknown.length > 0 ? unknown.join(', ') : 'none';
    standardError().write(`Expected names of tools (${Object.keys(TOOLS).join(', ')}), got ${found}\n`);
    return 2;
  }
  const tools = await ensureTools(names.filter(isToolName));
  standardOutput().write(`${JSON.stringify(tools, null, 2)}\n`);
  return 0;
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: Error) => {
    standardError().write(`${error.message}\n`);
    process.exitCode = 1;
  },
);
