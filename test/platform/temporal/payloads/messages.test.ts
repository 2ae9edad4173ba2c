import { LIMITS } from '../../../../src/kernel/limits';
import { describe, expect, it } from '@jest/globals';
import { defaultPayloadConverter, type ConverterHint, type Payload } from '@temporalio/common';
import { Unreadable } from '../../../../src/kernel/unreadable';
import { createMessageConverter, messageTypeInfo } from '../../../../src/platform/temporal/payloads/messages';
import { payloadConverter } from '../../../../src/platform/temporal/payloads/payload-converter';
import { bytes } from '../../../support/raw-messages';

const json = (data: Uint8Array): Payload => ({ metadata: { encoding: bytes('json/plain') }, data });
const hintAt = (position: number): ConverterHint | undefined =>
  messageTypeInfo().typeInfo?.inputTypes?.[position]?.payloadConverterHint;
const read = (payload: Payload, position = 0): unknown =>
  payloadConverter.fromPayload(payload, undefined, hintAt(position));

describe('the payload converter of messages', () => {
  it.each<[string, number, boolean]>([
    ['just under', LIMITS.messageBytes - 1, true],
    ['at', LIMITS.messageBytes, true],
    ['just over', LIMITS.messageBytes + 1, false],
  ])('the payload converter parses an argument %s the limit: %d bytes, %s', (_, size, parsed) => {
    const value = read(json(bytes(JSON.stringify('x'.repeat(size - 2)))));
    expect(value instanceof Unreadable ? value : 'parsed').toEqual(
      parsed ? 'parsed' : new Unreadable(`Expected at most ${LIMITS.messageBytes} bytes`, size),
    );
  });

  it.each<[string, Payload, number]>([
    ['an unknown encoding', { metadata: { encoding: bytes('x'.repeat(10_000)) }, data: bytes('1') }, 1],
    ['no metadata', { data: bytes('12') }, 2],
    ['nothing at all', {}, 0],
    ['invalid JSON', json(bytes('{')), 1],
    ['bytes of another key', { metadata: { encoding: bytes('binary/encrypted') }, data: new Uint8Array(30) }, 30],
  ])(
    'the payload converter makes of %s what cannot be read, and says why in at most 200 characters',
    (_, payload, size) => {
      const value = read(payload) as Unreadable;
      expect(value).toBeInstanceOf(Unreadable);
      expect([value.bytes, value.why.length <= 200 && value.why.length > 0]).toEqual([size, true]);
      expect(() => payloadConverter.fromPayload(payload)).toThrow();
    },
  );

  it('the payload converter reads eight arguments, and looks at none beyond', () => {
    const payload = json(bytes('{"actor":"ann"}'));
    expect(read(payload, 7)).toEqual({ actor: 'ann' });
    for (const position of [8, 1_000_000]) expect(read(payload, position)).toBeInstanceOf(Unreadable);
  });

  it('the payload converter writes as the inner one does, and passes on the hints of others', () => {
    const seen: (ConverterHint | undefined)[] = [];
    const theirs: ConverterHint = { converter: 'theirs' };
    const wrapped = createMessageConverter({
      toPayload: (value, _context, hint) => {
        seen.push(hint);
        return defaultPayloadConverter.toPayload(value);
      },
      fromPayload: (payload, _context, hint) => {
        seen.push(hint);
        return defaultPayloadConverter.fromPayload(payload);
      },
      validateConverterHint: (hint) => hint === theirs,
    });
    expect(wrapped.fromPayload(wrapped.toPayload({ a: 1 }, undefined, theirs), undefined, theirs)).toEqual({ a: 1 });
    expect(wrapped.fromPayload(wrapped.toPayload({ a: 1 }, undefined, hintAt(0)), undefined, hintAt(0))).toEqual({
      a: 1,
    });
    expect(seen).toEqual([theirs, theirs, undefined, undefined]);
    expect([theirs, hintAt(0)!, { converter: 'x' }].map((hint) => wrapped.validateConverterHint?.(hint))).toEqual([
      true,
      true,
      false,
    ]);
  });
});
