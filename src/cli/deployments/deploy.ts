import { Command } from 'commander';
import { messageOf } from '../../kernel/message-of';
import type { DeploymentClient } from '../../clients/deployment-client';
import type { DeploymentSpec } from '../../gate/deployments/deployment-spec';
import { isFinal, type DeploymentStatus } from '../../gate/deployments/deployment-state';
import { summarise } from '../../gate/deployments/explain';
import type { PastResult } from '../../gate/deployments/past-result';
import { workflowIdOf } from '../../kernel/names';
import { CliExit, ExitCode, type CommandIo, type CommandContext } from '../io';
import { collect, durationOption, examples, keyValues, withOutput, withSettings, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { statusResult } from './status-result';
import { exitCodeOf, oneLine, statusLines } from './status-text';
import { connect } from '../temporal-client';
import type { Learned } from './reports/deploy-report';

interface DeployOptions extends CommonOptions {
  file?: string;
  id?: string;
  stage?: string[];
  attribute?: string[];
  onDeny?: string;
  wait?: boolean;
  again?: boolean;
  timeout: number;
  junit?: string;
}

export function deployCommand({ io, exit }: CommandContext): Command {
  const command = new Command('deploy')
    .summary('start a deployment, or find the one already started')
    .description(
      'Starts a deployment from a YAML or JSON file, or from flags. The same id with the same input is one deployment, however often it is started. ' +
        'With --wait it returns when the deployment is done (0), denied, failed or aborted (1), paused (3; it stays paused), or when the time is up (4).',
    )
    .option('-f, --file <file>', 'deployment file, YAML or JSON; - reads standard input')
    .option('--id <id>', 'deployment id; overrides the file’s')
    .option('--stage <name>', 'a stage without an action, instead of a file; repeat it in order', collect)
    .option('--attribute <key=value>', 'an attribute of the deployment; repeatable', collect)
    .option('--on-deny <what>', 'fail or wait, for the stages given by --stage')
    .option('--wait', 'wait for the end, or for a pause')
    .addOption(durationOption('--timeout <duration>', 'how long --wait waits', '30m'))
    .option('--junit <file>', 'also write a JUnit report to this file')
    .option('--again', 'run a deployment that has ended once more, as <id>.2');
  examples(withOutput(withSettings(command)), [
    'gate deploy -f deployment.yaml --wait --timeout 30m',
    'gate deploy --id firmware-1.4.0 --stage canary --stage fleet --on-deny wait',
  ]);
  command.allowExcessArguments(true);
  return command.action(async (options: DeployOptions) => {
    if (command.args.length > 0) throw new CliExit(ExitCode.usage, unexpected(command.args));
    const { withReports } = await import('./reports/write-reports.js');
    exit(await withReports(io, options.junit, (learned) => deploy(io, options, learned)));
  });
}

/** Who gives a name means the deployment, or its file. */
function unexpected([name = '', ...more]: readonly string[]): string {
  const option = /\.(ya?ml|json|pkl)$/.test(name) ? '--file' : '--id';
  return `expected no argument, got ${[name, ...more].join(' ')}; did you mean ${option} ${name}?`;
}

/** @param learned is told what becomes known, for the reports */
async function deploy(io: CommandIo, options: DeployOptions, learned: Learned): Promise<ExitCode> {
  const spec = await readSpec(io, options);
  learned.id = spec.id;
  learned.stages = spec.stages.map(({ name }) => name);
  const { deployments, close } = await connect(io, options.settings);
  try {
    const id = options.again
      ? await deployments.nextId(spec.id, async (candidate) => {
          return (await findPast(io, options, { ...spec, id: candidate })) !== undefined;
        })
      : spec.id;
    learned.id = id;
    if (!options.again && (await deployments.status(id, workflowIdOf(id))).found === 'unknown') {
      const past = await askPast(io, options, { ...spec, id }, learned);
      if (past !== undefined) return past;
    }
    const { started } = await deployments.start({ ...spec, id });
    io.stderr.write(started ? `Started deployment ${id}\n` : `Deployment ${id} was started before\n`);
    const status = options.wait
      ? await waitFor(io, deployments, id, options, learned)
      : await glance(deployments, id, started);
    if (status === undefined) {
      if (options.output === 'json') printJson(io, { deployment_id: id, started });
      else
        printLines(io, [
          `${started ? `Deployment ${id} is running` : await currentState(deployments, id)}; gate status ${id} shows its state`,
        ]);
      return ExitCode.ok;
    }
    learned.status = status;
    if (options.output === 'json') printJson(io, statusResult(status));
    else printLines(io, statusLines(io, status, Date.now()));
    if (options.wait && !isFinal(status.state) && status.state !== 'paused') {
      throw new CliExit(
        ExitCode.timeout,
        `timed out: deployment ${id} is still ${status.state} at stage ${status.stage}; it continues`,
      );
    }
    return exitCodeOf(status.state);
  } finally {
    await close();
  }
}

/** Without --wait an end that is already there is reported, and a pause of one that was started before. */
async function glance(
  deployments: DeploymentClient,
  id: string,
  started: boolean,
): Promise<DeploymentStatus | undefined> {
  const found = await deployments.status(id, workflowIdOf(id));
  if (found.found !== 'status') return undefined;
  return found.closed || (!started && found.status.state === 'paused') ? found.status : undefined;
}

/** One that was started before may have been paused for days: to say that it runs would mislead. */
async function currentState(deployments: DeploymentClient, id: string): Promise<string> {
  const found = await deployments.status(id, workflowIdOf(id));
  return found.found === 'status' ? summarise(found.status) : `Deployment ${id} has not ended, but no worker answers`;
}

async function waitFor(
  io: CommandIo,
  deployments: DeploymentClient,
  id: string,
  options: Pick<DeployOptions, 'timeout' | 'output'>,
  learned: Learned,
): Promise<DeploymentStatus> {
  const { waitForDeployment } = await import('../../clients/wait-for-deployment.js');
  let shown = '';
  const show = (line: string): void => {
    if (line !== shown) io.stderr.write(`${line}\n`);
    shown = line;
  };
  const waited = await waitForDeployment(deployments, id, {
    timeoutMs: options.timeout,
    signal: io.signal,
    workflowId: workflowIdOf(id),
    onAnswer: (found) => {
      if (found.found === 'status') learned.status = found.status;
      show(
        found.found === 'status' ? progressLine(found.status) : `No worker answers for deployment ${id}; still waiting`,
      );
    },
  });
  if (waited.result === 'stopped') {
    if (learned.status && options.output === 'json') printJson(io, statusResult(learned.status));
    throw new CliExit(ExitCode.timeout, `stopped waiting; deployment ${id} continues`);
  }
  if (waited.status) return waited.status;
  throw new CliExit(
    ExitCode.timeout,
    `timed out: no worker answered for deployment ${id}; it is started and continues when a worker runs`,
  );
}

function progressLine(status: DeploymentStatus): string {
  const reasons =
    status.state === 'waiting'
      ? (status.lastDecision?.decision.denyReasons ?? [])
      : (status.pause?.faults ?? []).map((fault) => fault.message);
  return oneLine([summarise(status), ...(reasons.length === 0 ? [] : [reasons.join('; ')])].join(': '));
}

async function readSpec(io: CommandIo, options: DeployOptions): Promise<DeploymentSpec> {
  const [{ loadDeployment, parseDeploymentBytes, validateDeployment }, { readStandardInput }] = await Promise.all([
    import('../../gate/deployments/files/load-deployment.js'),
    import('../standard-input.js'),
  ]);
  if (options.file !== undefined && options.stage !== undefined) {
    throw new CliExit(ExitCode.usage, 'give either --file or --stage, not both');
  }
  if (options.file === undefined && options.stage === undefined) {
    throw new CliExit(ExitCode.usage, 'give the deployment by --file, or by --id and --stage');
  }
  const attributes = options.attribute && keyValues('--attribute', options.attribute);
  if (options.file !== undefined) {
    const spec =
      options.file === '-'
        ? await parseDeploymentBytes(await readStandardInput(io), 'standard input')
        : await loadDeployment(options.file, io.cwd);
    return validateDeployment({
      ...spec,
      id: options.id ?? spec.id,
      ...(attributes ? { attributes: { ...spec.attributes, ...attributes } } : {}),
    });
  }
  if (options.id === undefined) throw new CliExit(ExitCode.usage, '--stage needs --id');
  const behaviour = options.onDeny === undefined ? {} : { onDeny: options.onDeny };
  return validateDeployment({
    id: options.id,
    ...(attributes ? { attributes } : {}),
    stages: (options.stage ?? []).map((name) => ({ name, ...behaviour })),
  });
}

/** A store that is away now does not keep a deployment from starting: nothing acts before it is back. */
async function findPast(io: CommandIo, options: DeployOptions, spec: DeploymentSpec): Promise<PastResult | undefined> {
  const [{ findPastDeployment }, { openLoadedSettings }] = await Promise.all([
    import('../../clients/find-past-deployment.js'),
    import('../open-settings.js'),
  ]);
  const loaded = await openLoadedSettings(io, options.settings);
  try {
    return await findPastDeployment(loaded, io.env, spec);
  } catch (error) {
    const why = messageOf(error);
    io.stderr.write(`Not asked whether ${spec.id} ran in the past: ${why}\n`);
    return undefined;
  }
}

/** How it ended beyond Temporal's retention, printed; undefined when it never ran. */
async function askPast(
  io: CommandIo,
  options: DeployOptions,
  spec: DeploymentSpec,
  learned: Learned,
): Promise<ExitCode | undefined> {
  const past = await findPast(io, options, spec);
  if (!past) return undefined;
  const { state, stage } = past;
  learned.state = state;
  learned.summary = `Deployment ${spec.id} ran before, beyond Temporal's retention: ${state} at stage ${stage}`;
  if (options.output === 'json') printJson(io, { deployment_id: spec.id, state, stage, from: 'audit' });
  else {
    printLines(io, [`${learned.summary} (from the audit store); --again runs it again`]);
  }
  if (state === 'uncertain') throw new CliExit(ExitCode.usage, learned.summary, 'NotConfirmed');
  return state === 'done' ? ExitCode.ok : ExitCode.denied;
}
