const QUERY_RULES = 'would need the rules for queries of the GraphQL library in OPA';

/**
 * Why OPA's other built-ins do not build here, by name or by family (`graphql.` stands for all that begin so). Shown with
 * the error of a build and listed in docs/built-ins.md.
 */
const REASONS: Readonly<Record<string, string>> = {
  'http.send': 'reaches the network: a fact provider collects what the policy needs',
  'net.lookup_ip_addr': 'reaches the network: a fact provider collects what the policy needs',
  'rand.intn': 'is random: a decision must be the same when it is replayed',
  'uuid.rfc4122': 'is random: a decision must be the same when it is replayed',
  'opa.runtime': "depends on the process's environment: a decision must be the same when it is replayed",
  'graphql.is_valid': QUERY_RULES,
  'graphql.parse': QUERY_RULES,
  'graphql.parse_and_verify': QUERY_RULES,
  'rego.parse_module': 'needs the parser of OPA itself',
};

/** The reason in words, or undefined where OPA has the built-in only in a later version. */
export function whyRefused(name: string): string | undefined {
  const family = Object.keys(REASONS).find((key) => key.endsWith('.') && name.startsWith(key));
  return Object.hasOwn(REASONS, name) ? REASONS[name] : family && REASONS[family];
}
