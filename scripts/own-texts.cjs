// The modules that read JSON or YAML by other means than the one parser of platform/documents, and why. What users and sources
// hand in is not among them: the linter refuses JSON.parse, the packages yaml and lossless-json, and Response.json() elsewhere.

/** @type {Readonly<Record<string, string>>} */
const OWN_TEXTS = {
  'src/platform/documents/json-text.ts': 'is the parser',
  'src/platform/documents/to-yaml.ts': 'writes, and reads nothing',
  'src/platform/documents/{json,pkl}-places.ts': 'single texts within a document that the parser has taken',
  'src/{platform/documents/ajv-schema,rules/document/published-schema}.ts': 'copies a schema of ours',
  'src/platform/database/{lock,owner-files}.ts': 'files that this program wrote',
  'src/platform/database/fresh-data.ts': "an installed package's manifest",
  'src/platform/observability/pretty-line.ts': 'log lines of this program; others are shown as they are',
  'src/dev/{child-process,demo,demo-releases,dev-addresses}.ts': 'answers and files of processes that it started',
  'src/dev/level-server.ts': 'a stand-in that answers what a test told it, whatever that is',
  'src/releases/sources/release-cache.ts': 'what this program kept on disk',
  'src/audit/stores/**/*.ts': 'stored records, and the answers of the worker that holds the store',
  'src/rules/{store,threads}/**/*.ts': 'documents that this program stored',
  'src/plans/store/postgres/**/*.ts': 'objects that this program stored',
  'src/gate/big-facts.ts': 'facts that this program put aside',
  'src/rego/{wasm-policy,evaluation/{evaluator,plan-evaluator}}.ts':
    'inputs and answers of the policy and of its thread',
  'src/rego/{toolchain/{ask-opa,build-policy,opa,parse-sources,test-policy},analysis/{reads,data-references},declarations/path-pattern}.ts':
    'what opa prints',
  'src/rego/bundle/bundle.ts': 'what opa build wrote: the numbers of data.json are exact, and read by the evaluator',
  'src/rego/bundle/signing/hash-file.ts': 'the digest of OPA, over exact numbers',
  'src/rego/toolchain/policy-folder.ts': "a policy's data.json, whose numbers OPA keeps exactly",
  'src/rego/{values,builtins}/**/*.ts': 'answers as OPA does',
};

module.exports = { OWN_TEXTS };
