/** The clock as a parameter, so that tests run on virtual time. */

export interface Timers {
  now(): number;
  /** Runs `action` once after `ms`; call the result to prevent it. */
  after(ms: number, action: () => void): () => void;
}

export const systemTimers: Timers = {
  now: () => performance.now(),
  after(ms, action) {
    const id = setTimeout(action, ms);
    return () => clearTimeout(id);
  },
};
