/**
 * A small model of shared memory with the reorderings that real machines make, and an exhaustive search over it.
 *
 * A thread is a generator of steps in program order. The search executes them in every order that the ECMAScript
 * memory model (and with it ARM, which reorders more than x86) allows, interleaved with the other thread's in every
 * way, and calls a check at the end of each run. What may pass what:
 *
 *   - plain accesses to different locations pass one another freely;
 *   - a plain access may sink below a later atomic load, and rise above an earlier atomic store
 *     (load = acquire, store = release: each holds one direction only);
 *   - nothing passes an atomic read-modify-write, and atomics keep their order among themselves;
 *   - a step may name others whose result it needs.
 *
 * The state is small (a Map of locations), equal states are visited once, and the whole search is bounded.
 */

export type StepKind = 'plain' | 'load' | 'store' | 'read-modify-write';

/** Memory and registers by name; registers are the thread's own and written by its steps alone. */
export type State = Map<string, number>;

export interface Step {
  readonly name: string;
  readonly kind: StepKind;
  /** The memory location it touches. */
  readonly location: string;
  /** Does the step; `registers` are the thread's. */
  run(memory: State, registers: State): void;
  /** Names of earlier steps of the thread that this one must follow whatever their kind. */
  readonly after?: readonly string[];
}

/** The program of a thread, in program order. */
export type Program = () => Generator<Step, void, undefined>;

export interface Outcome {
  /** Schedules explored up to equality of state. */
  readonly states: number;
  /** The first violation found, with the steps that lead to it; undefined when there is none. */
  readonly violation?: { readonly message: string; readonly schedule: readonly string[] };
}

const statesMax = 2_000_000;

/** Explores all schedules. `check` is called in every state and returns what is wrong with it, or undefined. */
export function explore(
  initial: State,
  programs: readonly Program[],
  check: (memory: State, registers: readonly State[]) => string | undefined,
): Outcome {
  const threads = programs.map(program => [...program()]);
  const needs = threads.map(steps =>
    steps.map((step, i) =>
      steps
        .slice(0, i)
        .map((earlier, k) => (isOrdered(earlier, step) ? k : -1))
        .filter(k => k >= 0),
    ),
  );
  const seen = new Set<string>();
  const schedule: string[] = [];
  let violation: Outcome['violation'];

  const visit = (memory: State, registers: readonly State[], done: readonly number[]): void => {
    if (violation) return;
    const key = `${done.join()}|${[...memory].join()}|${registers.map(r => [...r].sort().join()).join('/')}`;
    if (seen.has(key)) return;
    seen.add(key);
    if (seen.size > statesMax) throw new Error('the model is too large to be searched');
    const wrong = check(memory, registers);
    if (wrong !== undefined) {
      violation = { message: wrong, schedule: [...schedule] };
      return;
    }
    threads.forEach((steps, thread) => {
      steps.forEach((step, i) => {
        const doneSteps = done[thread]!;
        if ((doneSteps >> i) & 1 || !needs[thread]![i]!.every(k => (doneSteps >> k) & 1)) return;
        const nextMemory = new Map(memory);
        const nextRegisters = registers.map((r, t) => (t === thread ? new Map(r) : r));
        step.run(nextMemory, nextRegisters[thread]!);
        schedule.push(step.name);
        visit(
          nextMemory,
          nextRegisters,
          done.map((bits, t) => (t === thread ? bits | (1 << i) : bits)),
        );
        schedule.pop();
      });
    });
  };
  visit(
    initial,
    threads.map(() => new Map()),
    threads.map(() => 0),
  );
  return violation ? { states: seen.size, violation } : { states: seen.size };
}

/** Whether `later` must wait for `earlier`, the earlier one of the same thread in program order. */
function isOrdered(earlier: Step, later: Step): boolean {
  if (later.after?.includes(earlier.name)) return true;
  if (earlier.location === later.location) return true;
  if (earlier.kind === 'plain' && later.kind === 'plain') return false;
  if (earlier.kind === 'plain' && later.kind === 'load') return false;
  if (earlier.kind === 'store' && later.kind === 'plain') return false;
  return true;
}
