import { describe, expect, it } from '@jest/globals';
import { FailureType, type Fault } from '../../src/kernel/failures';
import { faultText, placedFaultText, placedMessage } from '../../src/kernel/fault-text';

const aFault = (message: string, where?: string): Fault => ({
  type: FailureType.ConfigInvalid,
  message,
  ...(where === undefined ? {} : { where }),
});

describe('a fault as text', () => {
  it('has its type and its message', () => {
    expect(faultText(aFault('unknown key x', 'file.yaml:4'))).toBe('ConfigInvalid: unknown key x');
  });

  it.each([
    ['unknown key x', undefined, 'unknown key x'],
    ['unknown key x', 'file.yaml:4', 'file.yaml:4: unknown key x'],
    ['Expected a number at limits.cpu', 'limits.cpu', 'Expected a number at limits.cpu'],
    ['file.yaml:4: unknown key x', 'file.yaml:4 stages[0].x', 'file.yaml:4: unknown key x'],
    ['file.yaml:4: unknown key x', 'file.yaml:40 stages[0].x', 'file.yaml:40 stages[0].x: file.yaml:4: unknown key x'],
    [': unknown key x', ' stages', ' stages: : unknown key x'],
  ])('the message %j at %j is shown as %j', (message, where, shown) => {
    expect(placedMessage(aFault(message, where))).toBe(shown);
    expect(placedFaultText(aFault(message, where))).toBe(`ConfigInvalid: ${shown}`);
  });
});
