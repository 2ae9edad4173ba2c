import { BoundedMap } from '../../kernel/bounded-map';
import { FailureType, GateError } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import { allOrFaults } from '../../kernel/all-or-faults';
import type { FactTarget } from '../../gate/facts/fact';
import type { ProviderKind } from '../../gate/facts/provider-kind';
import { fillParameters, parameterFaults } from '../../gate/facts/providers/parameters';
import type { ImageProviderConfig } from '../../releases/config/release-config';
import { formatImageReference, type ImageReference } from '../image-reference';
import { readMetadataOf, type MetadataCache } from '../metadata/read-metadata';
import { joinReference, splitReference, type ReferenceTemplate } from '../reference-template';
import { RegistryError } from '../registries/registry-error';
import type { NamedRegistries } from '../registries/named-registries';

/** Digests whose labels and time are kept; what a digest has never changes. */
const MOST_DIGESTS = 1_000;

/**
 * An image in a registry: `{exists, digest, labels, created_at, age_seconds}`. An image that the registry does not have is
 * `{exists: false}`; one that could not be asked for has no value.
 */
export function imageFact(registries: NamedRegistries): ProviderKind {
  const kind: ProviderKind<ImageProviderConfig> = {
    type: 'image',
    create(factId, config, schema) {
      const place = `facts.${factId}.image`;
      const { image, metadata = true } = config;
      const [template] = allOrFaults(
        () => readTemplate(image, place, registries),
        () => {
          const faults = parameterFaults(image, place);
          if (faults.length > 0) throw new GateError(FailureType.ConfigInvalid, faults[0]!.message, faults);
        },
      );
      const cache: MetadataCache = new BoundedMap(MOST_DIGESTS);
      return {
        factId,
        description: config.description ?? `The image ${image}`,
        schema,
        source: `image ${image}`,
        async collect(target, signal) {
          const reference = fill(factId, template, target, registries.hostOf(template.registry));
          const name = formatImageReference(reference);
          const { repository, tag = null, digest } = reference;
          const registry = registries.open(reference.registry).within({ signal, once: true });
          const unread = (what: string, cause?: unknown): GateError =>
            failure(FailureType.FactSourceUnavailable, factId, name, what, cause);
          const observation = (value: JsonObject) => ({ value, source: `image ${name}` });
          try {
            const head = await registry.headManifest(repository, digest ?? tag ?? 'latest');
            if (head === undefined) return observation({ exists: false });
            if (!metadata) return observation({ exists: true, digest: head.digest });
            const read = await readMetadataOf({ registry, repository }, tag, head.digest, cache, false);
            if (read.labels === undefined)
              throw unread('could not be read whole: a manifest or a config of it is missing or broken');
            return observation({
              exists: true,
              digest: head.digest,
              labels: read.labels as unknown as JsonObject,
              ...agesOf(read.createdAtMs, Date.now()),
            });
          } catch (error) {
            if (signal.aborted) throw unread('was not asked for to the end', signal.reason);
            if (!(error instanceof RegistryError)) throw error;
            const isUnread = error.failure === 'unavailable' || error.failure === 'denied';
            if (isUnread) throw unread(`could not be asked for: ${error.message}`, error);
            throw failure(FailureType.FactInvalid, factId, name, `could not be read: ${error.message}`, error);
          }
        },
      };
    },
  };
  // The registry of providers hands each kind the configurations of its own type.
  return kind as unknown as ProviderKind;
}

function readTemplate(image: string, place: string, registries: NamedRegistries): ReferenceTemplate {
  const template = splitReference(image);
  const sentence = typeof template === 'string' ? template : registries.fault(template.registry);
  if (sentence === undefined) return template as ReferenceTemplate;
  const message = `${place}: ${sentence}`;
  throw new GateError(FailureType.ConfigInvalid, message, [{ type: FailureType.ConfigInvalid, message, where: place }]);
}

/** Each part by itself, so that a value stays in its part. */
function fill(factId: string, template: ReferenceTemplate, target: FactTarget, host: string): ImageReference {
  const part = (text: string): string => {
    const filled = fillParameters(text, target, factId, (value) => value);
    if ('fault' in filled) throw failure(FailureType.FactInvalid, factId, text, filled.fault);
    return filled.text;
  };
  const { registry, repository, tag, digest } = template;
  const parts = {
    registry,
    repository: part(repository),
    ...(tag === undefined ? {} : { tag: part(tag) }),
    ...(digest === undefined ? {} : { digest: part(digest) }),
  };
  const reference = joinReference(parts, host);
  if (typeof reference !== 'string') return reference;
  throw failure(FailureType.FactInvalid, factId, `${registry}/${repository}`, `is no image: ${reference}`);
}

/** Absent without a time: reproducible builds leave it out. */
function agesOf(createdAtMs: number | undefined, nowMs: number): JsonObject {
  if (createdAtMs === undefined) return {};
  return {
    created_at: new Date(createdAtMs).toISOString(),
    age_seconds: Math.max(0, Math.floor((nowMs - createdAtMs) / 1000)),
  };
}

function failure(type: FailureType, factId: string, name: string, what: string, cause?: unknown): GateError {
  const message = `Fact ${factId}: ${name} ${what}`;
  return new GateError(type, message, [{ type, message, factId, where: `facts.${factId}` }], { cause });
}
