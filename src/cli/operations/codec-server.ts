import { Command } from 'commander';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { examples, withSettings, type CommonOptions } from '../options';

interface CodecServerCommandOptions extends CommonOptions {
  host: string;
  port: string;
  uiOrigin?: string;
  withoutToken?: true;
}

export function codecServerCommand({ io }: CommandContext): Command {
  const command = new Command('codec-server')
    .summary('decode payloads for the Temporal UI')
    .description(
      'Serves the encryption keys of the settings as a remote codec (POST /encode, /decode) for the Temporal UI and command line, until it is stopped. The bearer token comes from GATE_CODEC_TOKEN.',
    )
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 takes a free one', '9101')
    .option('--ui-origin <origin>', "the Temporal UI's origin, e.g. http://127.0.0.1:8233")
    .option('--without-token', 'ask for no token, on loopback only: every user of this machine can decode');
  examples(withSettings(command), [
    'GATE_CODEC_TOKEN=… gate codec-server --settings settings.pkl --ui-origin http://127.0.0.1:8233',
  ]);
  return command.action(async (options: CodecServerCommandOptions) => {
    const [{ startCodecServer }, { openPayloadCodec }, { openLoadedSettings }] = await Promise.all([
      import('../../api/codec-server.js'),
      import('../../settings/open-data-converter.js'),
      import('../open-settings.js'),
    ]);
    const port = Number(options.port);
    if (!/^\d{1,5}$/.test(options.port) || port > 65535) {
      throw new CliExit(ExitCode.usage, `Expected --port to be a number from 0 to 65535, found ${options.port}`);
    }
    const token = io.env.GATE_CODEC_TOKEN?.trim() || undefined;
    if (token === undefined && !options.withoutToken) {
      throw new CliExit(
        ExitCode.usage,
        'Expected a token in GATE_CODEC_TOKEN (on loopback --without-token does without)',
      );
    }
    const codec = await openPayloadCodec(await openLoadedSettings(io, options.settings), io.env);
    if (codec === undefined) {
      throw new CliExit(ExitCode.usage, 'Expected temporal.encryptionKeys in the settings, found none');
    }
    const { host, uiOrigin } = options;
    const server = await startCodecServer({ host, port, codec, uiOrigin, token });
    io.stderr.write(`Codec server at ${server.url}\n`);
    if (io.env.GATE_READY_LINE === '1') io.stdout.write(`${JSON.stringify({ ready: true, http: server.url })}\n`);
    if (!io.signal.aborted) {
      await new Promise<void>((resolve) => io.signal.addEventListener('abort', () => resolve(), { once: true }));
    }
    await server.close();
  });
}
