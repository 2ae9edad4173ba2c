import { BuiltinError, type Builtins } from './builtin';
import { parseUrl, splitHost } from './go-url';
import { stringAt } from './operands';
import { RegoObject } from '../values/rego-object';

export const uriBuiltins: Builtins = {
  'uri.parse': (operands) => {
    const url = parseUrl(stringAt(operands, 0));
    const parts = {
      scheme: url.scheme,
      ...splitHost(url.host),
      path: url.path,
      // there whenever a path is, so that a policy can rely on it
      raw_path: url.rawPath === '' ? url.path : url.rawPath,
      raw_query: url.rawQuery,
      fragment: url.fragment,
    };
    return new RegoObject(Object.entries(parts).filter(([, part]) => part !== ''));
  },
  'uri.is_valid': ([text]) => {
    if (typeof text !== 'string' || text === '') return false;
    try {
      parseUrl(text);
      return true;
    } catch (error) {
      if (error instanceof BuiltinError) return false;
      throw error;
    }
  },
};
