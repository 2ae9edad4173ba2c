import { BuiltinError, type Builtins } from '../builtin';
import { stringAt } from '../operands';
import { marshalYaml } from './marshal';
import { unmarshalYaml } from './unmarshal';

/** YAML as OPA reads and writes it, with go-yaml's types: `yes` is a text, `0777` an octal number, a moment a text. */
export const yamlBuiltins: Builtins = {
  'yaml.marshal': ([value], { budget }) => marshalYaml(value!, budget),
  'yaml.unmarshal': (operands, { budget }) => unmarshalYaml(stringAt(operands, 0), budget),
  'yaml.is_valid': ([text], { budget }) => {
    if (typeof text !== 'string') return false;
    try {
      unmarshalYaml(text, budget);
      return true;
    } catch (error) {
      if (error instanceof BuiltinError) return false;
      throw error;
    }
  },
};
