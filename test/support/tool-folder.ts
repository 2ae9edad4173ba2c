import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { cachedToolPath, findTool, type ToolName } from '../../src/platform/tools/find-tool';

const onPath = (command: string) =>
  (process.env.PATH ?? '').split(delimiter).some((entry) => existsSync(join(entry, command)));

/** Whether `tool` is here or can be built. Without Go, on machines without a way out, tests of it are skipped by name. */
export const canHaveTool = (tool: ToolName): boolean =>
  existsSync(cachedToolPath(tool)) || onPath(tool) || onPath('go');

/** The folder of `tool`, for a PATH; installed first where it is not here. */
export const toolFolder = async (tool: ToolName): Promise<string> => dirname((await findTool(tool)).path);
