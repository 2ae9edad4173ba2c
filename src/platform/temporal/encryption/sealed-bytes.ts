import type { PayloadCodec } from '@temporalio/common';
import { temporal } from '@temporalio/proto';

const PayloadMessage = temporal.api.common.v1.Payload;

/**
 * Bytes under the codec of the payloads, for what is kept outside of Temporal but is no less secret; without a codec they
 * stay as they are.
 */
export async function sealBytes(bytes: Uint8Array, codec: PayloadCodec | undefined): Promise<Uint8Array> {
  if (codec === undefined) return bytes;
  const [sealed] = await codec.encode([{ metadata: {}, data: bytes }]);
  return PayloadMessage.encode(sealed!).finish();
}

/** @throws GateError ConfigInvalid when no key opens them; Error when they are no sealed bytes */
export async function openSealedBytes(bytes: Uint8Array, codec: PayloadCodec | undefined): Promise<Uint8Array> {
  if (codec === undefined) return bytes;
  const [opened] = await codec.decode([PayloadMessage.decode(bytes)]);
  return opened?.data ?? new Uint8Array();
}
