import { createHash, createHmac } from 'node:crypto';
import type { Builtins } from './builtin';
import { escapedPath, parseUrl, type GoUrl } from './go-url';
import { objectAt, numberAt, OperandError, wrongType } from './operands';
import { formatValue } from './rego-format';
import { compareStrings } from '../values/compare';
import { escapeHtml, writeJson } from '../values/json';
import { toInt64 } from '../values/number';
import { RegoObject } from '../values/rego-object';
import { RegoSet } from '../values/rego-set';
import { isObject, type RegoValue } from '../values/value';

/** Headers for a request to AWS; the policy cannot send it, but may compare or hand it on. */
export const awsSigningBuiltins: Builtins = {
  'providers.aws.sign_req': (operands) => {
    const request = objectAt(operands, 0);
    const config = configAt(operands, 1);
    const timeNs = toInt64(numberAt(operands, 2));
    if (timeNs === undefined) throw new OperandError(2, 'could not convert time_ns value into a unix timestamp');
    checkRequest(request);
    const headers = headersOf(request);
    const signed = sign(
      {
        method: request.get('method') as string,
        url: parseUrl(request.get('url') as string),
        headers,
        body: bodyOf(request),
      },
      config,
      timeNs,
    );
    const all = new RegoObject([...headers, ...signed]);
    return request.copy().set('headers', all);
  },
};

interface Config {
  accessKey: string;
  secretKey: string;
  region: string;
  service: string;
  sessionToken: string;
  isPayloadUnsigned: boolean;
}

const REQUIRED = ['aws_service', 'aws_access_key', 'aws_secret_access_key', 'aws_region'];

function configAt(operands: readonly RegoValue[], index: number): Config {
  const config = objectAt(operands, index);
  const missing = new RegoSet(REQUIRED.filter((name) => !config.has(name)));
  if (missing.size > 0) {
    throw new OperandError(index, `missing required AWS config parameters(s): ${formatValue(missing)}`);
  }
  const invalid = new RegoSet(REQUIRED.filter((name) => typeof config.get(name) !== 'string'));
  if (invalid.size > 0) {
    throw new OperandError(index, `invalid values for required AWS config parameters(s): ${formatValue(invalid)}`);
  }
  const isPayloadUnsigned = config.get('disable_payload_signing') ?? false;
  if (typeof isPayloadUnsigned !== 'boolean') {
    throw new OperandError(index, "invalid value for 'disable_payload_signing' in AWS config");
  }
  return {
    service: textOf(config.get('aws_service')),
    accessKey: textOf(config.get('aws_access_key')),
    secretKey: textOf(config.get('aws_secret_access_key')),
    region: textOf(config.get('aws_region')),
    sessionToken: textOf(config.get('aws_session_token')),
    isPayloadUnsigned,
  };
}

const textOf = (value: RegoValue | undefined) => (typeof value === 'string' ? value : '');

/** What `http.send` takes. */
const PARAMETERS = [
  ...['method', 'url', 'body', 'raw_body', 'headers', 'timeout', 'raise_error', 'max_retry_attempts'],
  ...['enable_redirect', 'force_json_decode', 'force_yaml_decode'],
  ...['tls_use_system_certs', 'tls_ca_cert', 'tls_ca_cert_file', 'tls_ca_cert_env_variable', 'tls_server_name'],
  ...['tls_client_cert', 'tls_client_cert_file', 'tls_client_cert_env_variable', 'tls_insecure_skip_verify'],
  ...['tls_client_key', 'tls_client_key_file', 'tls_client_key_env_variable'],
  ...['cache', 'force_cache', 'force_cache_duration_seconds', 'caching_mode', 'cache_ignored_headers'],
];

function checkRequest(request: RegoObject): void {
  const refuse = (problem: string, names: RegoValue[]) => {
    if (names.length > 0) throw new OperandError(0, `${problem}: ${formatValue(new RegoSet(names))}`);
  };
  const required = ['method', 'url'];
  refuse(
    'invalid request parameters(s)',
    request.keys.filter((key) => !PARAMETERS.includes(key as string)),
  );
  refuse(
    'missing required request parameters(s)',
    required.filter((name) => !request.has(name)),
  );
  refuse(
    'invalid values for required request parameters(s)',
    required.filter((name) => typeof request.get(name) !== 'string'),
  );
}

/** A name or value that is no text is an empty one, as in OPA. */
function headersOf(request: RegoObject): Map<string, string> {
  const headers = request.get('headers') ?? new RegoObject();
  if (!isObject(headers)) throw wrongType([headers], -1, 'object');
  return new Map(headers.entries.map(([name, value]) => [textOf(name), textOf(value)]));
}

function bodyOf(request: RegoObject): string {
  const raw = request.get('raw_body');
  if (raw !== undefined) return textOf(raw);
  const body = request.get('body');
  return body === undefined ? '' : escapeHtml(writeJson(body));
}

interface Request {
  method: string;
  url: GoUrl;
  headers: ReadonlyMap<string, string>;
  body: string;
}

/** A proxy may change them on the way. */
const UNSIGNED_HEADERS = ['authorization', 'user-agent', 'x-amzn-trace-id'];

/**
 * Signature Version 4: https://docs.aws.amazon.com/general/latest/gr/sigv4_signing.html
 *
 * @returns the headers to be added
 */
function sign(request: Request, config: Config, timeNs: bigint): Map<string, string> {
  const { method, url, body } = request;
  const time = timestamp(timeNs);
  const date = time.slice(0, 8);
  const contentHash = config.isPayloadUnsigned ? 'UNSIGNED-PAYLOAD' : sha256(body);
  const added = new Map([
    ['host', url.host],
    ['x-amz-date', time],
  ]);
  if (config.service === 's3' || config.service === 'glacier') added.set('x-amz-content-sha256', contentHash);
  if (config.sessionToken !== '') added.set('x-amz-security-token', config.sessionToken);

  const signed = new Map(added);
  for (const [name, value] of request.headers) {
    if (!UNSIGNED_HEADERS.includes(name.toLowerCase())) signed.set(name.toLowerCase(), value);
  }
  const names = [...signed.keys()].sort(compareStrings);
  const lines = names.map((name) => `${name}:${signed.get(name)}\n`).join('');
  const canonical = [method, escapedPath(url), url.rawQuery, lines, names.join(';'), contentHash].join('\n');
  const scope = `${date}/${config.region}/${config.service}/aws4_request`;
  const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`;
  const key = [date, config.region, config.service, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${config.secretKey}`,
  );
  const signature = hmac(key, text).toString('hex');
  const credential = `Credential=${config.accessKey}/${scope}`;
  return added.set(
    'Authorization',
    `AWS4-HMAC-SHA256 ${credential},SignedHeaders=${names.join(';')},Signature=${signature}`,
  );
}

/** `20060102T150405Z` */
function timestamp(timeNs: bigint): string {
  const ms = Number(BigInt.asIntN(64, timeNs - (((timeNs % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n);
  return new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '');
}

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text, 'utf8').digest();
