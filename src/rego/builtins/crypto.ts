import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Builtin, Builtins } from './builtin';
import { stringAt } from './operands';

const hash =
  (algorithm: string): Builtin =>
  (operands) =>
    createHash(algorithm).update(stringAt(operands, 0), 'utf8').digest('hex');

const hmac =
  (algorithm: string): Builtin =>
  (operands) => {
    const [message, key] = [stringAt(operands, 0), stringAt(operands, 1)];
    return createHmac(algorithm, key).update(message, 'utf8').digest('hex');
  };

/** Hashes; certificates and private keys are in `x509/`. */
export const cryptoBuiltins: Builtins = {
  'crypto.md5': hash('md5'),
  'crypto.sha1': hash('sha1'),
  'crypto.sha256': hash('sha256'),
  'crypto.hmac.md5': hmac('md5'),
  'crypto.hmac.sha1': hmac('sha1'),
  'crypto.hmac.sha256': hmac('sha256'),
  'crypto.hmac.sha512': hmac('sha512'),
  'crypto.hmac.equal': (operands) => {
    const [a, b] = [Buffer.from(stringAt(operands, 0)), Buffer.from(stringAt(operands, 1))];
    return a.length === b.length && timingSafeEqual(a, b);
  },
};
