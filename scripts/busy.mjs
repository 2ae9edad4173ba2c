// `node scripts/busy.mjs 2 -- npm test`: runs a command beside 2 busy loops, to see that nothing in it depends on how fast
// the machine is. Ends with the command's exit code, and the loops end with it; a signal ends whatever the command started.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Worker } from 'node:worker_threads';

const [count, separator, command, ...args] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(count ?? '') || separator !== '--' || command === undefined) {
  console.error('Usage: node scripts/busy.mjs LOOPS -- COMMAND [ARGUMENT…]');
  process.exit(2);
}
// Threads of this process: they end with it, however it ends.
for (let loop = 0; loop < Number(count); loop += 1) new Worker('for (;;);', { eval: true });

let child;
let endedBy;
// Before the command starts: it may be told to end as soon as it says something.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    // A second one is for a command that does not follow the first.
    killGroup(endedBy === undefined ? signal : 'SIGKILL');
    endedBy ??= signal;
  });
}
// A process group of its own: npm ends by a signal without the shell, the script and the jest that it started.
child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
child.on('error', ({ message }) => {
  console.error(message);
  process.exit(2);
});
child.on('exit', (code, signal) => {
  // The command is over: whoever of its group did not follow the signal is ended now.
  if (endedBy !== undefined) killGroup('SIGKILL');
  const by = endedBy ?? signal;
  process.exit(by ? 128 + constants.signals[by] : code);
});

function killGroup(signal) {
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // No such process: the group is empty.
    if (error.code !== 'ESRCH') throw error;
  }
}
