import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Type } from '../../platform/documents/typebox';
import { parseJsonText } from '../../platform/documents/json-text';
import { validate } from '../../platform/documents/validate';
import { credentialKeyOf } from '../image-reference';
import type { Credentials, FindCredentials } from './credentials';
import { RegistryError } from './registry-error';

const Entry = Type.Object({
  auth: Type.Optional(Type.String()),
  username: Type.Optional(Type.String()),
  password: Type.Optional(Type.String()),
  identitytoken: Type.Optional(Type.String()),
});

/** What is used of Docker's configuration file; the rest of it is others'. */
const DockerConfig = Type.Object({
  auths: Type.Optional(Type.Record(Type.String(), Entry)),
  credsStore: Type.Optional(Type.String()),
  credHelpers: Type.Optional(Type.Record(Type.String(), Type.String())),
});

const Answer = Type.Object({ Username: Type.String(), Secret: Type.String() });

const HELPER = /^[A-Za-z0-9_.-]+$/;
const HELPER_TIMEOUT_MS = 30_000;
const MOST_ANSWER_BYTES = 1024 * 1024;
/** What a helper answers as the user's name where the secret is an identity token. */
const TOKEN_USER = '<token>';
/** What a helper prints where it holds nothing. */
const NOT_FOUND = 'credentials not found';

export interface DockerCredentialsOptions {
  /** `DOCKER_CONFIG` (a folder), `HOME` and `PATH` are taken from it */
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * Credentials as `docker login` left them: `auths` of `config.json`, or a credential helper. The file is read for each
 * question, so that a new login needs no restart. Without a file there is no login.
 *
 * @throws RegistryError `denied` for a file that cannot be read and a helper that fails; without any secret
 */
export function createDockerCredentials({ env }: DockerCredentialsOptions): FindCredentials {
  const file = join(env.DOCKER_CONFIG ?? join(env.HOME ?? '', '.docker'), 'config.json');
  return async (registry) => {
    const config = await readConfig(file);
    const key = credentialKeyOf(registry);
    const helper = config.credHelpers?.[registry] ?? config.credHelpers?.[key] ?? config.credsStore;
    if (helper !== undefined) {
      const found = await askHelper(helper, key, env);
      if (found !== undefined || config.credHelpers?.[registry] !== undefined) return found;
    }
    const entry = Object.entries(config.auths ?? {}).find(([name]) => hostOf(name) === hostOf(key))?.[1];
    return entry && credentialsOf(entry, file);
  };
}

async function readConfig(file: string) {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return {};
    throw new RegistryError('denied', `Expected Docker's configuration at ${file}, but it could not be read (${code})`);
  }
  try {
    return validate(DockerConfig, parseJsonText(text), { file });
  } catch (error) {
    throw new RegistryError('denied', `Docker's configuration is unreadable: ${(error as Error).message}`);
  }
}

function credentialsOf(
  entry: { auth?: string; username?: string; password?: string; identitytoken?: string },
  file: string,
) {
  if (entry.identitytoken) return { identityToken: entry.identitytoken };
  if (entry.username !== undefined && entry.password !== undefined) {
    return { username: entry.username, password: entry.password };
  }
  if (!entry.auth) return undefined;
  const text = Buffer.from(entry.auth, 'base64').toString();
  const colon = text.indexOf(':');
  if (colon === -1) throw new RegistryError('denied', `${file}: expected name:password in base64 as auth`);
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') };
}

/** `https://index.docker.io/v1/` and `index.docker.io` are one registry to Docker. */
const hostOf = (key: string): string => key.replace(/^https?:\/\//, '').split('/')[0] ?? '';

async function askHelper(
  helper: string,
  key: string,
  env: DockerCredentialsOptions['env'],
): Promise<Credentials | undefined> {
  if (!HELPER.test(helper)) {
    throw new RegistryError(
      'denied',
      `Expected the name of a credential helper in Docker's configuration, got "${helper}"`,
    );
  }
  const command = `docker-credential-${helper}`;
  const printed = await new Promise<string | undefined>((resolve, reject) => {
    const options = { env: env as NodeJS.ProcessEnv, timeout: HELPER_TIMEOUT_MS, maxBuffer: MOST_ANSWER_BYTES };
    const child = execFile(command, ['get'], options, (error, stdout) => {
      if (error === null) resolve(stdout);
      else if (stdout.includes(NOT_FOUND)) resolve(undefined);
      // What a helper prints may hold a secret.
      else
        reject(
          new RegistryError(
            'denied',
            `${command} gave no credentials for ${key} (${String(error.code ?? error.signal)})`,
          ),
        );
    });
    // A helper that ends before it reads is reported by its exit code.
    child.stdin?.on('error', () => undefined).end(key);
  });
  if (printed === undefined) return undefined;
  try {
    const value = validate(Answer, parseJsonText(printed), { file: command });
    return value.Username === TOKEN_USER
      ? { identityToken: value.Secret }
      : { username: value.Username, password: value.Secret };
  } catch {
    throw new RegistryError('denied', `Expected ${command} to answer {Username, Secret}, got something else`);
  }
}
