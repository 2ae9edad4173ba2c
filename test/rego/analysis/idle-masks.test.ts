import { describe, expect, it } from '@jest/globals';
import { idleMaskFault, idleMasks } from '../../../src/rego/analysis/idle-masks';

const inputSchema = {
  properties: {
    fleet: {
      type: 'object',
      properties: { serial: { type: 'string' }, tags: { type: 'array', items: { type: 'string' } }, open: {} },
      additionalProperties: false,
    },
    health: { type: 'object', additionalProperties: { type: 'object', additionalProperties: false } },
    open: {},
  },
};
const attributesSchema = { type: 'object', properties: { owner: { type: 'string' } }, additionalProperties: false };

describe('a mask that can hide nothing', () => {
  it.each([
    ['a fact that input.json does not describe', '/input/flete/serial', /no fact flete/],
    ['a key that the schema rules out', '/input/fleet/sreial', /fleet has no sreial/],
    ['a key below a text', '/input/fleet/serial/x', /fleet has no serial.x/],
    ['a key of a list that is no index', '/input/fleet/tags/first', /fleet has no tags.first/],
    ['a key below what every entry rules out', '/input/health/eu/x', /health has no eu.x/],
    ['an attribute that attributes.json rules out', '/input/deployment/attributes/onwer', /no onwer/],
  ])('is one to %s', (_what, pointer, fault) => {
    expect(idleMaskFault(pointer, { inputSchema, attributesSchema })).toMatch(fault);
  });

  it.each([
    '/input',
    '/input/fleet',
    '/input/fleet/serial',
    '/input/fleet/tags/0',
    '/input/fleet/open/x',
    '/input/health/eu',
    '/input/open/anything/below',
    '/input/deployment',
    '/input/deployment/attributes',
    '/input/deployment/attributes/owner',
    '/input/deployment/stage_attributes/anything',
  ])('is not %s', (pointer) => {
    expect(idleMaskFault(pointer, { inputSchema, attributesSchema })).toBeUndefined();
  });

  it('is named with its place in the settings', () => {
    expect(idleMasks(['/input/open', '/input/nope'], { inputSchema })).toMatchObject([
      { type: 'ConfigInvalid', where: 'audit.mask[1]', message: expect.stringContaining('/input/nope masks nothing') },
    ]);
  });

  it('is not looked for while input.json is missing', () => {
    expect(idleMasks(['/input/nope'], {})).toEqual([]);
  });
});
