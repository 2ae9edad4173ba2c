import type { LoadedSettings } from '../../settings/load-settings';
import { temporalConnectionConfig } from '../../settings/temporal-connection';
import { placedMessage } from '../../kernel/fault-text';
import { GateError } from '../../kernel/failures';
import { openReleaseSource } from '../../releases/sources/open-release-source';
import { cachedToolPath, findInstalled } from '../../platform/tools/find-tool';
import { openLoadedSettings } from '../open-settings';
import { shortSha } from '../output';
import type { Finding } from '../../clients/version-findings';
import type { CliIo } from '../io';

export type { Finding };

/** What a worker with these settings would find; looks, and changes nothing. */
export async function diagnose(io: CliIo, settingsPath: string | undefined): Promise<Finding[]> {
  const findings: Finding[] = [
    { state: 'ok', what: 'node', found: `${process.version} on ${process.platform} ${process.arch}` },
    await tool(io, 'temporal', 'its dev server; a production worker needs none'),
    await tool(io, 'opa', 'policy authors and tests; a production worker with a bundle needs none'),
  ];
  const loaded = await attempt(() => openLoadedSettings(io, settingsPath));
  if ('error' in loaded) return [...findings, missing('settings', loaded.error, 'Correct the settings file')];
  const { value: settings } = loaded;
  findings.push({
    state: 'ok',
    what: 'settings',
    found:
      settingsPath ??
      io.env.GATE_SETTINGS ??
      'of a running gate dev, else the defaults (--settings or GATE_SETTINGS names a file)',
  });
  const server = await temporal(io, settings);
  return [
    ...findings,
    await release(io, settings),
    server,
    ...(server.state === 'ok' ? await workers(io, settings) : []),
    await encryption(io, settings),
    await store(io, settings),
    ...(settings.settings.audit.store.type === 'dynamodb' ? [await bigFacts(settings)] : []),
    alerts(settings),
  ];
}

async function tool(io: CliIo, name: 'temporal' | 'opa', use: string): Promise<Finding> {
  const search = await attempt(() => findInstalled(name, io.env));
  if ('error' in search) return { state: 'note', what: name, found: search.error };
  const found = search.value;
  if (found) return { state: 'ok', what: name, found: `${found.version} at ${found.path} (${found.from})` };
  return {
    state: 'note',
    what: name,
    found: `not found; for ${use}`,
    advice: `It is downloaded, or built with Go, into ${cachedToolPath(name, io.env)} when first needed; PLANNING_ENGINE_${name.toUpperCase()} names another`,
  };
}

async function release(io: CliIo, loaded: LoadedSettings): Promise<Finding> {
  const { manifest } = loaded.settings.release;
  const named = await attempt(async () => {
    const source = openReleaseSource(loaded, { env: io.env });
    const found = await source.read();
    const [policy, config] = await Promise.all([found.loadPolicy(), found.loadConfig()]);
    return `version ${found.manifest.version}, policy ${shortSha(policy.sha)}, configuration ${shortSha(config.configRev)}, from ${source.where}`;
  });
  if ('error' in named)
    return missing(
      'release',
      named.error,
      `Correct the manifest ${manifest} or what it names; gate policy check says more of a policy`,
    );
  return { state: 'ok', what: 'release', found: named.value };
}

async function encryption(io: CliIo, loaded: LoadedSettings): Promise<Finding> {
  const { encryptionKeys } = loaded.settings.temporal;
  const { openPayloadCodec } = await import('../../settings/open-data-converter.js');
  const opened = await attempt(() => openPayloadCodec(loaded, io.env));
  if ('error' in opened) return missing('encryption', opened.error, 'Correct temporal.encryptionKeys');
  const [first] = encryptionKeys;
  if (first) {
    const found = `${encryptionKeys.length} keys, of which ${JSON.stringify(first.id)} encrypts`;
    return { state: 'ok', what: 'encryption', found };
  }
  const found = "no keys: facts are in Temporal's history in the clear";
  if (loaded.settings.audit.mask.length === 0) return { state: 'ok', what: 'encryption', found };
  return missing('encryption', found, 'Set temporal.encryptionKeys: audit.mask is refused without');
}

async function temporal(io: CliIo, { settings }: LoadedSettings): Promise<Finding> {
  const answer = await attempt(async () => {
    const [{ Connection }, { SEARCH_ATTRIBUTES }] = await Promise.all([
      import('@temporalio/client'),
      import('../../workflows/search-attributes.js'),
    ]);
    const { connectionOptions, namespace, address } = temporalConnectionConfig(settings, io.env);
    const connection = await Connection.connect({ ...connectionOptions, connectTimeout: 3_000 });
    try {
      const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
      const lacking = SEARCH_ATTRIBUTES.filter(({ name }) => customAttributes?.[name] === undefined).map(
        ({ name }) => name,
      );
      return { address, namespace, lacking };
    } finally {
      await connection.close();
    }
  });
  if ('error' in answer)
    return missing(
      'temporal server',
      answer.error,
      'gate dev starts one; TEMPORAL_ADDRESS or temporal.address names another',
    );
  const { address, namespace, lacking } = answer.value;
  if (lacking.length > 0)
    return missing(
      'temporal server',
      `${address}, namespace ${namespace}, without the search attributes ${lacking.join(', ')}`,
      'gate setup creates them',
    );
  return { state: 'ok', what: 'temporal server', found: `${address}, namespace ${namespace}` };
}

async function workers(io: CliIo, settings: LoadedSettings): Promise<Finding[]> {
  const { diagnoseWorkers } = await import('../../clients/diagnose-workers.js');
  const asked = await attempt(() => diagnoseWorkers(settings, io.env, io.signal));
  if ('value' in asked) return asked.value;
  return [missing('workers', asked.error, 'Whether workers run could not be found out; gate policy status asks them')];
}

async function store(io: CliIo, { settings, baseDir }: LoadedSettings): Promise<Finding> {
  const { type, url, folder } = settings.audit.store;
  if (type === 'none') {
    return {
      state: 'note',
      what: 'audit store',
      found: 'none: copies on stdout alone',
      advice: 'After a crash no record can be adopted, so a decision may be recorded twice. Set audit.store',
    };
  }
  if (type === 'dynamodb') return dynamoDb(settings.audit.store);
  if (url !== undefined) {
    const opened = await attempt(async () => {
      const [{ openAuditDatabase }, { readSecret }] = await Promise.all([
        import('../../audit/stores/postgres/open-audit-database.js'),
        import('../../platform/files/read-secret.js'),
      ]);
      const database = await openAuditDatabase({
        url: typeof url === 'string' ? url : await readSecret(url, { env: io.env, configFolder: baseDir }),
      });
      await database.close();
      return database.where;
    });
    return 'error' in opened
      ? missing('audit store', opened.error, 'Correct audit.store.url')
      : { state: 'ok', what: 'audit store', found: opened.value };
  }
  const [{ storeFolder }, { findHolder }] = await Promise.all([
    import('../../platform/database/store-folder.js'),
    import('../../platform/database/lock.js'),
  ]);
  const path = storeFolder(folder, baseDir, io.env);
  const holder = await findHolder(path);
  return {
    state: 'note',
    what: 'audit store',
    found: `embedded, in ${path}${holder ? `, held by process ${holder.pid}` : ', held by no process'}`,
    advice:
      'One worker alone can own it, and a power failure may lose its last moments: for more, set audit.store.url to a PostgreSQL URL',
  };
}

async function dynamoDb(settings: LoadedSettings['settings']['audit']['store']): Promise<Finding> {
  const what = 'audit store';
  const [{ openDynamoDbClient }, { inspectTable, TTL_ATTRIBUTE }] = await Promise.all([
    import('../../audit/stores/open-audit-store.js'),
    import('../../audit/stores/dynamodb/table.js'),
  ]);
  const asked = await attempt(async () => {
    const client = await openDynamoDbClient(settings);
    try {
      const where = `DynamoDB table ${settings.table} in ${await client.config.region()}`;
      return { where, state: await inspectTable(client, settings.table) };
    } finally {
      client.destroy();
    }
  });
  if ('error' in asked) return missing(what, asked.error, 'Correct audit.store, or the credentials of the AWS SDK');
  const { where, state } = asked.value;
  if (state === undefined) return missing(what, `${where} does not exist`, 'gate audit setup creates it');
  if (state.differences.length > 0) {
    return missing(what, `${where}: ${state.differences.join('; ')}`, 'Name another in audit.store.table');
  }
  if (state.ttl === 'enabled') return { state: 'ok', what, found: `${where}, TTL on ${TTL_ATTRIBUTE}` };
  const ttl = {
    disabled: ['TTL is off', 'Records stay for ever: gate audit setup switches it on where the server has it'],
    changing: ['TTL is being switched off', 'Records stay for ever: run gate audit setup when that is done'],
    other: ['TTL goes by another attribute', `Records do not end when they should: have TTL go by ${TTL_ATTRIBUTE}`],
    unsupported: ['a server without TTL', 'Records stay until somebody deletes them; DynamoDB itself has TTL'],
  }[state.ttl];
  return { state: 'note', what, found: `${where}, ${ttl[0]}`, advice: ttl[1] };
}

/** An object that is not there is asked for: who may read one is told so, and nothing is changed. */
async function bigFacts({ settings }: LoadedSettings): Promise<Finding> {
  const what = 'big facts';
  const place = settings.audit.store.bigFacts;
  if (place === undefined) {
    return {
      state: 'note',
      what,
      found: 'no place is configured',
      advice: 'A record near 400 KB is refused, and its deployment pauses: set audit.store.bigFacts to a bucket of S3',
    };
  }
  const { openBigFacts } = await import('../../audit/stores/open-audit-store.js');
  try {
    const { url, get } = await openBigFacts(place);
    await get('gate-doctor');
    return { state: 'ok', what, found: url };
  } catch (error) {
    const { message, cause } = error as Error;
    if ((cause as Error | undefined)?.name !== 'AccessDenied') {
      return missing(what, message, 'Correct audit.store.bigFacts, or the credentials of the AWS SDK');
    }
    const advice = 'S3 says so to who may not read there, and of an absent object to who may not list the bucket';
    return { state: 'note', what, found: message, advice };
  }
}

function alerts({ settings }: LoadedSettings): Finding {
  const { receivers } = settings.alerts;
  if (receivers.length > 0)
    return { state: 'ok', what: 'alerts', found: receivers.map(({ format }) => format).join(', ') };
  return {
    state: 'note',
    what: 'alerts',
    found: 'no receiver is configured',
    advice: 'Nobody is told when a deployment pauses: set alerts.receivers',
  };
}

function missing(what: string, found: string, advice: string): Finding {
  return { state: 'missing', what, found, advice };
}

async function attempt<T>(act: () => Promise<T>): Promise<{ value: T } | { error: string }> {
  try {
    return { value: await act() };
  } catch (error) {
    const faults = error instanceof GateError ? error.faults.map(placedMessage) : [];
    return { error: faults.length > 0 ? faults.join('; ') : error instanceof Error ? error.message : String(error) };
  }
}
