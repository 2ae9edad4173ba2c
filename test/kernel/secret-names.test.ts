import { describe, expect, it } from '@jest/globals';
import { isSecretName } from '../../src/kernel/secret-names';

describe('the name of a secret', () => {
  it.each([
    ...['Authorization', 'auth', 'bearerToken', 'access_token', 'clientSecret', 'password', 'passwd', 'passwordHash'],
    ...['Cookie', 'set-cookie', 'api_key', 'api-key', 'apiKey', 'key', 'credentials', 'X-Amz-Signature', 'sig'],
  ])('%s names one', (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each(['accept', 'stage', 'query', 'workflowId', 'sign', 'design', 'sigma', 'pass', ''])(
    '%j names none',
    (name) => {
      expect(isSecretName(name)).toBe(false);
    },
  );
});
