// `npm run proto:accept`: the messages and services as they are become what later ones are compared with, in etc/proto.
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGE = 'planning_engine';
const accepted = join('etc', 'proto', PACKAGE);
rmSync(accepted, { recursive: true, force: true });
cpSync(join('proto', PACKAGE), accepted, { recursive: true });
