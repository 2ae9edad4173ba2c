/** Options of a worker that runs the gate's activities. */
export const HEARTBEATS = {
  /**
   * A cancellation reaches an activity with the answer to a heartbeat, and the SDK holds heartbeats back for 80 % of their
   * time-out: 8 s of an action's 10. With this an aborted action stops within 2 s.
   */
  maxHeartbeatThrottleInterval: '1s',
} as const;
