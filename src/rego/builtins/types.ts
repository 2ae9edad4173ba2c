import type { Builtin, Builtins } from './builtin';
import { typeName, type RegoTypeName } from '../values/value';

const is =
  (type: RegoTypeName): Builtin =>
  ([value]) =>
    typeName(value!) === type;

export const typeBuiltins: Builtins = {
  is_null: is('null'),
  is_boolean: is('boolean'),
  is_number: is('number'),
  is_string: is('string'),
  is_array: is('array'),
  is_object: is('object'),
  is_set: is('set'),
  type_name: ([value]) => typeName(value!),
};
