import { config } from './config';
import { http } from './http';
import { levelServer } from './level-server';
import { moduleProvider } from './module';
import { prometheus } from './prometheus';
import { staticProvider } from './static';
import type { ProviderKind } from '../provider-kind';

/** Every kind of provider. A new one is one file and its line here. */
export const PROVIDER_KINDS = [
  levelServer,
  http,
  prometheus,
  config,
  moduleProvider,
  staticProvider,
] as unknown as readonly ProviderKind[];
