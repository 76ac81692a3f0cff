/** How good a new password looks: four strokes and a sentence, which screen readers speak when it changes. */
import type { JSX } from 'preact';
import type { PasswordAdvice } from '../session/password-advice.ts';

export function StrengthMeter({
  id,
  advice,
}: {
  readonly id: string;
  readonly advice: PasswordAdvice;
}): JSX.Element {
  return (
    <>
      <div class="strength" data-level={advice.level} aria-hidden="true">
        {[1, 2, 3, 4].map(step => (
          <span key={step} class={step <= advice.meter ? 'on' : undefined} />
        ))}
      </div>
      <p id={id} class="small advice" data-level={advice.level} aria-live="polite">
        {advice.text}
      </p>
    </>
  );
}
