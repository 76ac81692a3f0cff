/**
 * What `opencamerad doctor` finds: one line for a person, with what to do where something should be done.
 *
 * A check looks at one thing, changes nothing that it does not put back, never throws for what it looks for, and has a
 * time limit of its own where it waits. Pure types.
 */
import type { Configuration } from '../config/configuration.ts';

/** `problem`: the camera will not work as it should; `warning`: it works, with less than it could have. */
export type FindingLevel = 'ok' | 'warning' | 'problem';

export interface Finding {
  readonly level: FindingLevel;
  /** What was looked at, one or two words. */
  readonly subject: string;
  /** What is so, in one sentence without a full stop. */
  readonly found: string;
  /** What to do about it; present unless all is well. */
  readonly advice?: string;
}

/** Looks at one thing. */
export type Check = (configuration: Configuration) => Promise<readonly Finding[]> | readonly Finding[];

export function good(subject: string, found: string): Finding {
  return { level: 'ok', subject, found };
}

export function warning(subject: string, found: string, advice: string): Finding {
  return { level: 'warning', subject, found, advice };
}

export function problem(subject: string, found: string, advice: string): Finding {
  return { level: 'problem', subject, found, advice };
}
