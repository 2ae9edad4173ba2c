import { Command } from 'commander';
import type { ImagePolicySet } from '../../images/policies/image-policy';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { examples, withOutput, type CommonOptions } from '../options';
import { colorsFor, printJson, printLines } from '../output';
import { decisionJson, decisionLines } from './decision-text';
import { imageExit, withRegistries, type RegistryOptions } from './registry-options';
import { openImagePolicies, withImagePolicies, type ImagePolicyOptions } from './policy-options';

interface EvaluateOptions extends CommonOptions, ImagePolicyOptions, RegistryOptions {
  image?: string;
}

export function imagesEvaluateCommand({ io, exit }: CommandContext): Command {
  const command = new Command('evaluate')
    .summary('decide whether an image is replicated')
    .description(
      'Evaluates image policies for one image: whether it is replicated, where, and which policies say so. The image is read from its registry, with the credentials of docker login, or described by a file. Nothing is copied. Exit code 1 when it is not replicated.',
    );
  withRegistries(
    withImagePolicies(command.argument('[reference]', 'an image of a registry, such as docker.example/team/app:v1')),
  ).option('--image <file>', 'a JSON or YAML file that describes the image, instead of a reference');
  examples(withOutput(command), [
    'gate images evaluate --policies policies --image image.json -o json',
    'gate images evaluate --policies policies docker.example/team/app:v1',
  ]);
  return command.action(async (reference: string | undefined, options: EvaluateOptions) => {
    const { image: file } = options;
    if ((reference === undefined) === (file === undefined))
      throw new CliExit(ExitCode.usage, 'expected one image: its reference, or --image with a file that describes it');
    const { decideImage } = await import('../../images/decision/decide-image.js');
    const { readOwnValues } = await import('../../images/metadata/read-own-values.js');
    const { set, decide, conditionTypes } = await openImagePolicies(io, options);
    const read =
      file === undefined
        ? await storedImage(reference!, options.plainHttp ?? [], io.env, set)
        : await describedImage(io.cwd, file);
    const clockNs = () => Math.round(performance.now() * 1e6);
    const nowMs = Date.now();
    const { timeoutMs = Infinity } = decide;
    const own = await readOwnValues(read, set.policies, conditionTypes, { nowMs, timeoutMs });
    const decision = decideImage(set, { ...read, own }, { ...decide, nowMs, clockNs });
    if (options.output === 'json') printJson(io, decisionJson(decision));
    else printLines(io, decisionLines(decision, colorsFor(io)));
    if (!decision.shouldReplicate) exit(ExitCode.denied);
  });
}

async function describedImage(cwd: string, file: string) {
  const [{ resolve }, { loadDocument }, { readImageDocument }] = await Promise.all([
    import('node:path'),
    import('../../platform/documents/loaders/document.js'),
    import('../../images/image-document.js'),
  ]);
  const { document, lineOf, columnOf } = await loadDocument(resolve(cwd, file));
  return readImageDocument(document, { file, ...(lineOf === undefined ? {} : { lineOf, columnOf }) });
}

/** @throws CliExit 2 with the code of what is wrong: IMAGE_NOT_FOUND or REGISTRY_UNAVAILABLE */
async function storedImage(text: string, plainHttp: readonly string[], env: NodeJS.ProcessEnv, set: ImagePolicySet) {
  const [{ parseImageReference }, { readImageFrom }, { ImageError }, { withoutTls }] = await Promise.all([
    import('../../images/image-reference.js'),
    import('../../images/metadata/read-image-from.js'),
    import('../../images/image-error.js'),
    import('../../images/registries/open-registries.js'),
  ]);
  const reference = parseImageReference(text);
  if (typeof reference === 'string') throw new CliExit(ExitCode.usage, reference);
  try {
    return await readImageFrom(reference, { access: withoutTls(plainHttp), env }, set.policies);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw imageExit(error);
  }
}
