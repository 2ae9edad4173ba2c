import { BoundedMap } from '../../kernel/bounded-map';
import { readEcrHost } from './ecr-host';
import { RegistryError } from './registry-error';
import type { RepositoryCreator } from './repository-creator';

export interface EcrRepositoriesOptions {
  /** of the registry */
  host: string;
  /** @default that of the host */
  region?: string;
  now?: () => number;
}

/** For so long a refusal counts for all images of the repository, and a new repository may be missing elsewhere in ECR. */
const KEPT_MS = 60_000;
const MOST_KEPT = 10_000;

/**
 * Creates repositories of Amazon ECR, with the defaults of the account. One is asked for once, whoever wants it at the same time;
 * one that is there by then counts as created. Credentials are those of the AWS SDK.
 */
export function createEcrRepositories({ host, region, now = Date.now }: EcrRepositoriesOptions): RepositoryCreator {
  const named = readEcrHost(host);
  const kept = new BoundedMap<string, { at: number; creation: Promise<void> }>(MOST_KEPT);
  const recent = (repository: string): Promise<void> | undefined => {
    const found = kept.get(repository);
    const age = found === undefined ? Infinity : now() - found.at;
    // A clock that was put back keeps nothing for longer.
    return age >= 0 && age < KEPT_MS ? found?.creation : undefined;
  };

  async function create(repository: string): Promise<void> {
    const [{ CreateRepositoryCommand, ECRClient }, { ecrClientConfig }] = await Promise.all([
      import('@aws-sdk/client-ecr'),
      import('../../platform/aws/clients.js'),
    ]);
    const place = region ?? named?.region;
    const client = new ECRClient(ecrClientConfig(place === undefined ? {} : { region: place }));
    try {
      const registry = named === undefined ? {} : { registryId: named.account };
      await client.send(new CreateRepositoryCommand({ repositoryName: repository, ...registry }));
    } catch (error) {
      if ((error as Error).name !== 'RepositoryAlreadyExistsException') throw toRegistryError(host, repository, error);
    } finally {
      client.destroy();
    }
  }

  return {
    create(repository) {
      const known = recent(repository);
      if (known !== undefined) return known;
      const creation = create(repository);
      kept.set(repository, { at: now(), creation });
      creation.catch((error: unknown) => {
        const isRefused = error instanceof RegistryError && error.failure === 'refused';
        if (!isRefused && kept.get(repository)?.creation === creation) kept.delete(repository);
      });
      return creation;
    },
    isNew: async (repository) =>
      (await recent(repository)?.then(
        () => true,
        () => false,
      )) ?? false,
  };
}

/** What the SDK has tried again already, and another attempt may bring. */
const TRANSIENT = /Throttl|TooManyRequests|RequestLimitExceeded|Timeout|ServerException|ServiceUnavailable/;

function toRegistryError(host: string, repository: string, error: unknown): RegistryError {
  const { name, message, code, $metadata } = error as Error & {
    code?: string;
    $metadata?: { httpStatusCode?: number };
  };
  const status = $metadata?.httpStatusCode;
  // What was not sent for want of credentials or a region has neither a status nor a code of the network.
  const isTransient = TRANSIENT.test(name) || (status === undefined ? code !== undefined : status >= 500);
  const why = [name, message].filter((text, at) => at === 0 || (text !== '' && text !== name)).join(': ');
  const sentence = `${host} has no repository ${repository}, and AWS did not create it: ${why}`;
  return new RegistryError(isTransient ? 'unavailable' : 'refused', sentence, {
    cause: error,
    ...(status === undefined ? {} : { status }),
  });
}
