// An informer of @kubernetes/client-node over the goals of a namespace, in a process of its own because the package is an ES
// module. Arguments: the server's URL and the namespace. Answers each line on its standard input with one line of JSON: the
// cache, and what has been told so far, as `add NAME REVISION`. Ends with its standard input.
import { createInterface } from 'node:readline';
import { CustomObjectsApi, KubeConfig, makeInformer } from '@kubernetes/client-node';

/** Before the watch that broke off is begun again, as the package's examples have it. */
const AGAIN_MS = 200;

const [, , server, namespace] = process.argv;
const config = new KubeConfig();
// The package speaks plain http to no other.
config.loadFromClusterAndUser({ name: 'gate', server, skipTLSVerify: true }, { name: 'nobody' });
const objects = config.makeApiClient(CustomObjectsApi);
const place = { group: 'planspec.io', version: 'v1alpha1', namespace, plural: 'goals' };
const path = `/apis/planspec.io/v1alpha1/namespaces/${namespace}/goals`;
const informer = makeInformer(config, path, () => objects.listNamespacedCustomObject(place));

const told = [];
for (const verb of ['add', 'update', 'delete']) {
  informer.on(verb, ({ metadata }) => told.push(`${verb} ${metadata.name} ${metadata.resourceVersion}`));
}
const errors = [];
informer.on('error', (error) => {
  errors.push(String(error));
  setTimeout(() => informer.start(), AGAIN_MS);
});
await informer.start();

for await (const _line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify({ cache: informer.list(), told, errors }));
}
process.exit(0);
