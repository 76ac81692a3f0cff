/** What several cards of the settings have: rows of facts, and the words for what failed to load. */
import type { JSX } from 'preact';
import { wordsOf } from '../../api/camera-problem.ts';
import type { Loaded } from '../../ui/hooks.ts';

/** What failed to load, in the card that it belongs to. */
export function LoadFault({ loaded }: { readonly loaded: Loaded<unknown> }): JSX.Element | null {
  if (loaded.error === undefined) return null;
  return (
    <p class="message" role="alert" data-tone="warn">
      {wordsOf(loaded.error)}
    </p>
  );
}

/** Names and what they are; a stroke for what is not known yet. */
export function Rows({
  rows,
}: {
  readonly rows: readonly (readonly [string, string | undefined])[];
}): JSX.Element {
  return (
    <dl class="rows figures">
      {rows.map(([name, text]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{text ?? '–'}</dd>
        </div>
      ))}
    </dl>
  );
}
