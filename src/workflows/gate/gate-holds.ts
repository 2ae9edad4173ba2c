import { CancellationScope, condition, uuid4, workflowInfo } from '@temporalio/workflow';
import { beginHold, heldMessage, holdAct, holdEndedAct, isHeld } from '../../gate/deployments/hold';
import { rest } from '../parts/rest';
import { steadyNow } from '../parts/steady-now';
import type { Gate, GateCall } from './gate';
import type { StageGate } from './stage-gate';

/** How a pause on demand ended: by a call that fitted, or by itself. */
export type Release = { by: 'call'; call: GateCall } | { by: 'time' };

/**
 * Pauses on demand. A call is in force from its acceptance, whatever the main line does meanwhile: its handler changes the
 * state, and stores the record beside the main line. What is decided or begun after that is up to the main line.
 */
export class GateHolds {
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly gate: Gate) {}

  get isHeld(): boolean {
    return isHeld(this.gate.progress);
  }

  /** To be asked by the handler of a call; undefined for a call that the main line carries out. */
  atOnce(queued: GateCall): Promise<void> | undefined {
    const { kind, call } = queued;
    if (kind === 'pause') return this.begin(queued);
    const { hold } = this.gate.progress;
    // The main line runs an action, which may take long.
    const isMeant = kind === 'resume' && hold !== undefined && call.for === hold.id;
    const isPending = isMeant && (!this.isHeld || this.gate.options.branches !== undefined);
    return isPending ? this.lift(queued) : undefined;
  }

  /**
   * Waits while an operator has paused the deployment; undefined where none has.
   *
   * @param record stores the record of a call before it is carried out
   */
  async awaitRelease(stage: Pick<StageGate, 'recordCall' | 'reminders'>): Promise<Release | undefined> {
    const { gate } = this;
    let waited = false;
    for (; this.isHeld; waited = true) {
      gate.showAttributes();
      const call = gate.inbox.takeFitting();
      if (call) {
        await stage.recordCall(call);
        if (call.kind === 'resume') await this.end(`resumed by ${call.call.actor}`);
        return { by: 'call', call };
      }
      await gate.continueAsNewIfLong();
      await this.awaitChange(stage);
    }
    return waited ? { by: 'time' } : undefined;
  }

  /** Ends the pause after its end is recorded; does nothing without one. */
  async end(reason: string): Promise<void> {
    const { trunk } = this.gate.options;
    if (trunk !== undefined) return await trunk.endHold(reason);
    const { hold } = this.gate.progress;
    if (hold === undefined) return;
    await this.inOrder(async (stage) => stage.recordOwn(holdEndedAct(hold, Date.now(), reason)));
    // Another one may have taken its place meanwhile.
    if (this.gate.progress.hold?.id === hold.id) this.gate.apply({ type: 'released' });
    this.gate.showAttributes();
  }

  private async awaitChange(stage: Pick<StageGate, 'reminders'>): Promise<void> {
    const { gate } = this;
    const { hold } = gate.progress;
    const untilMs = hold?.untilMs ?? Infinity;
    if (steadyNow() >= untilMs) return await this.end('its time is over');
    // Signals that are only noted let the history grow, up to where the server terminates the run.
    const wasLong = workflowInfo().continueAsNewSuggested;
    const isAwake = (): boolean =>
      !gate.inbox.isEmpty || gate.progress.hold?.id !== hold?.id || (!wasLong && workflowInfo().continueAsNewSuggested);
    const wakeAtMs = Math.min(untilMs, stage.reminders.nextReminderAtMs);
    await rest(isAwake, wakeAtMs, gate.notesRests());
    stage.reminders.remindIfDue();
  }

  private async begin(queued: GateCall): Promise<void> {
    const { gate } = this;
    // A call that came before the gate was made is dispatched while the gate is being made.
    await Promise.resolve();
    const { hold: replaced } = gate.progress;
    const hold = beginHold(uuid4(), queued.call, Date.now());
    gate.apply({ type: 'held', hold });
    if (this.isHeld) gate.showAttributes();
    const message = heldMessage(gate.status(), replaced);
    await this.inOrder(async (stage) => {
      const because = `replaced by a pause of ${hold.actor}`;
      if (replaced) await stage.recordOwn(holdEndedAct(replaced, hold.startedAtMs, because));
      await stage.recordOwn(holdAct(hold, queued.call.for));
    });
    gate.inbox.answer(queued, true, message);
  }

  private async lift(queued: GateCall): Promise<void> {
    await this.inOrder((stage) => stage.recordCall(queued));
    await this.end(`resumed by ${queued.call.actor}`);
    const { stage, state } = this.gate.status();
    const goesOn =
      state === 'acting'
        ? `the action of stage ${stage} goes on, and so does what follows it`
        : 'what waited continues';
    this.gate.inbox.answer(queued, true, `Resumed: ${goesOn}`);
  }

  /** One record after the other, as the calls came. A cancellation does not stop them. */
  private async inOrder(act: (stage: StageGate) => Promise<void>): Promise<void> {
    const before = this.last;
    const now = CancellationScope.nonCancellable(async () => {
      await before;
      // A call may come in before the defaults in force are known.
      await condition(() => this.gate.stage !== undefined);
      await act(this.gate.stage!);
    });
    this.last = now.catch(() => undefined);
    await now;
  }
}
