import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers what the AWS SDK asks of ECR in this process, whatever is asked. */
export interface EcrEndpoint {
  /** names of the calls so far */
  asked: string[];
  /** of all calls from now on */
  answer: { status: number; body: object };
  stop(): Promise<void>;
}

/** The SDK's variables are set until it is stopped; the SDK reads them from the process itself. */
export async function startEcrEndpoint(): Promise<EcrEndpoint> {
  const endpoint = { asked: [] as string[], answer: { status: 200, body: {} }, stop };
  const server = createServer((request, response) => {
    endpoint.asked.push(String(request.headers['x-amz-target']).split('.')[1]!);
    request.resume().once('end', () => {
      const { status, body } = endpoint.answer;
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const variables: Record<string, string> = {
    AWS_ENDPOINT_URL_ECR: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
  Object.assign(process.env, variables);
  return endpoint;

  async function stop(): Promise<void> {
    for (const [name, value] of Object.entries(before))
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}
