import { Type, type TSchema, type Static } from '../../platform/documents/typebox';
import { parseJsonText } from '../../platform/documents/json-text';
import { validate } from '../../platform/documents/validate';
import type { PublicKey } from './public-key';

/** undefined for a signature that holds, else why it does not count, as a clause. */
export type SignatureFault = string | undefined;

/** The media types of signatures: cosign's simple signing, and the bundle of its version 3. */
export const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
export const SIGSTORE_BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
/** The annotation of a simple signing layer that holds the signature in base64. */
export const SIGNATURE_ANNOTATION = 'dev.cosignproject.cosign/signature';

const IN_TOTO = 'application/vnd.in-toto+json';
const COSIGN_TYPE = 'cosign container image signature';

const SimplePayload = Type.Object({
  critical: Type.Object({
    image: Type.Object({ 'docker-manifest-digest': Type.String() }),
    type: Type.String(),
  }),
});

const Bundle = Type.Object({
  mediaType: Type.String(),
  dsseEnvelope: Type.Object({
    payload: Type.String(),
    payloadType: Type.String(),
    signatures: Type.Array(Type.Object({ sig: Type.String() }), { minItems: 1 }),
  }),
});

const Statement = Type.Object({
  subject: Type.Array(Type.Object({ digest: Type.Record(Type.String(), Type.String()) }), { minItems: 1 }),
});

/**
 * Whether a simple signing payload is the key's, and about `digest`. The payload is read only after its signature was found good.
 *
 * @param signature base64, from the layer's annotation
 */
export function simpleSigningFault(
  key: PublicKey,
  payload: Uint8Array,
  signature: string | undefined,
  digest: string,
): SignatureFault {
  if (signature === undefined) return `has no annotation ${SIGNATURE_ANNOTATION}`;
  if (!key.verifies(payload, Buffer.from(signature, 'base64'))) return 'is of another key, or of other content';
  const read = readAs(SimplePayload, payload);
  if (read === undefined) return 'is over something that is not a simple signing payload';
  const { image, type } = read.critical;
  if (type !== COSIGN_TYPE) return `is of the type "${type}", expected "${COSIGN_TYPE}"`;
  const signed = image['docker-manifest-digest'];
  return signed === digest ? undefined : `is about ${signed}`;
}

/**
 * Whether a Sigstore bundle holds an envelope (DSSE) of the key whose statement is about `digest`. The transparency log is not checked,
 * and certificates (keyless signing) count as another key.
 */
export function bundleFault(key: PublicKey, bundle: Uint8Array, digest: string): SignatureFault {
  const read = readAs(Bundle, bundle);
  if (read === undefined) return 'is not a Sigstore bundle with an envelope';
  const { payload, payloadType, signatures } = read.dsseEnvelope;
  if (payloadType !== IN_TOTO) return `holds a payload of ${payloadType}, expected ${IN_TOTO}`;
  const content = Buffer.from(payload, 'base64');
  const signed = preAuthenticated(payloadType, content);
  if (!signatures.some(({ sig }) => key.verifies(signed, Buffer.from(sig, 'base64')))) {
    return 'is of another key, or of other content';
  }
  const statement = readAs(Statement, content);
  if (statement === undefined) return 'is over something that is not an in-toto statement';
  const [algorithm = '', hex = ''] = digest.split(':');
  if (statement.subject.some((subject) => subject.digest[algorithm] === hex)) return undefined;
  return 'is about another digest';
}

/** DSSE's encoding, which says what type was meant, so that one kind of content cannot pass for another. */
function preAuthenticated(type: string, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${content.length} `), content]);
}

function readAs<S extends TSchema>(schema: S, bytes: Uint8Array): Static<S> | undefined {
  try {
    return validate(schema, parseJsonText(Buffer.from(bytes).toString()), { file: 'signature' });
  } catch {
    return undefined;
  }
}
