import { describe, expect, it } from '@jest/globals';
import type { ActionContext } from '../../../src/gate/actions/action';
import { renderText, renderValue } from '../../../src/gate/actions/template';
import type { Fault } from '../../../src/kernel/failures';
import type { JsonValue } from '../../../src/kernel/json';

const context: ActionContext = {
  deployment_id: 'firmware-1.4.0',
  stage: 'canary',
  stage_index: 0,
  attributes: { risk: 'low', regions: ['eu', 'us'], nothing: null, owner: { team: 'core' } },
  stage_attributes: { devices: 500, dry: false },
  decision_id: 'd-1',
};

function render(value: JsonValue) {
  const faults: Fault[] = [];
  return { value: renderValue(value, context, { where: 'action.body', faults }), faults };
}

describe('templates in an action', () => {
  it.each<[string, JsonValue, JsonValue]>([
    ['a template alone keeps a number', '{{ stage_attributes.devices }}', 500],
    ['a template alone keeps a boolean', '{{stage_attributes.dry}}', false],
    ['a template alone keeps zero', '{{ stage_index }}', 0],
    ['a template alone keeps an array', '{{ attributes.regions }}', ['eu', 'us']],
    ['a template alone keeps an object', '{{ attributes.owner }}', { team: 'core' }],
    ['a template alone keeps null', '{{ attributes.nothing }}', null],
    ['a template in a text becomes text', 'n={{ stage_attributes.devices }}', 'n=500'],
    ['a blank beside it makes it a text', ' {{ stage_index }}', ' 0'],
    ['two templates are a text', '{{ stage }}{{ stage_index }}', 'canary0'],
    ['an item of an array is named by its index', '{{ attributes.regions.1 }}', 'us'],
    ['a deep path is followed', '{{ attributes.owner.team }}', 'core'],
    ['leaves in objects and arrays are filled in', { a: ['{{ stage }}', 1] }, { a: ['canary', 1] }],
    ['keys are never templates', { '{{ stage }}': 1 }, { '{{ stage }}': 1 }],
    ['other values stay as they are', [1, true, null, 'x } y'], [1, true, null, 'x } y']],
  ])('%s', (_name, given, wanted) => {
    expect(render(given)).toEqual({ value: wanted, faults: [] });
  });

  it.each<[string, JsonValue, string]>([
    ['an unknown path', '{{ attributes.size }}', 'Unknown path attributes.size'],
    ['an unknown root', '{{ facts.x }}', 'Unknown path facts.x'],
    ['an index beyond the end', '{{ attributes.regions.2 }}', 'Unknown path attributes.regions.2'],
    ['a path into a text', '{{ stage.length }}', 'Unknown path stage.length'],
    ['an inherited property', '{{ attributes.constructor }}', 'Unknown path attributes.constructor'],
    ['an object in a text', 'o={{ attributes.owner }}', 'got an object'],
    ['an array in a text', 'o={{ attributes.regions }}', 'got an array'],
    ['null in a text', 'o={{ attributes.nothing }}', 'got null'],
    ['an empty template', '{{ }}', 'to hold a path'],
    ['an expression', '{{ stage | upper }}', 'to hold a path'],
    ['an unclosed template', 'x {{ stage', 'to be closed'],
    ['an unclosed template after a closed one', '{{ stage }} {{ x', 'to be closed'],
  ])('%s is a fault that names the place', (_name, given, message) => {
    const { faults } = render({ target: given });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({ type: 'ConfigInvalid', where: 'action.body.target' });
    expect(faults[0]?.message).toContain(message);
  });

  it('all faults are reported together', () => {
    const { faults } = render(['{{ a }}', { b: '{{ c }} {{ d }}' }]);
    expect(faults.map((fault) => fault.where)).toEqual(['action.body[0]', 'action.body[1].b', 'action.body[1].b']);
  });

  it('an encoder sees only the values', () => {
    const encode = (text: string) => `<${text}>`;
    expect(renderText('{{ stage }}/x/{{ stage_index }}', context, { where: 'w', faults: [], encode })).toBe(
      '<canary>/x/<0>',
    );
  });

  describe('where secrets may be used', () => {
    const secrets = (name: string) => (name === 'token' ? 's3cret' : undefined);
    const withSecrets = (value: JsonValue) => {
      const faults: Fault[] = [];
      return { value: renderValue(value, context, { where: 'action.body', faults, secrets }), faults };
    };

    it('an object with the one key secret becomes that text, at any depth', () => {
      expect(withSecrets({ a: [{ secret: 'token' }] })).toEqual({ value: { a: ['s3cret'] }, faults: [] });
    });

    it.each<[string, JsonValue]>([
      ['another key beside it', { secret: 'token', x: 1 }],
      ['a value that is no text', { secret: 1 }],
    ])('an object with %s stays what it is', (_what, value) => {
      expect(withSecrets(value)).toEqual({ value, faults: [] });
    });

    it('an unknown name is a fault at its place', () => {
      const { faults } = withSecrets({ a: { secret: 'tokne' } });
      expect(faults).toMatchObject([{ where: 'action.body.a', message: expect.stringContaining('found "tokne"') }]);
    });
  });
});
