/** Parts of forms: a field with its label, a password that can be shown, the message, the button that sends. */
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Notice } from '../session/page-session.ts';
import type { Submission } from './submission.ts';

/** Words in a box; it is there before they are, so that screen readers speak them. */
export function Message({
  id,
  notice,
}: {
  readonly id: string;
  readonly notice: Notice | undefined;
}): JSX.Element {
  return (
    <p id={id} class="message" role="alert" data-tone={notice?.tone ?? 'quiet'}>
      {notice?.words ?? ''}
    </p>
  );
}

type InputProps = Omit<JSX.InputHTMLAttributes<HTMLInputElement>, 'id' | 'label' | 'value' | 'onInput'>;

interface FieldProps extends InputProps {
  readonly id: string;
  readonly label: string;
  readonly optional?: boolean;
  readonly value: string;
  readonly submission: Submission;
  /** Of the form's message, which describes the field when it is wrong. */
  readonly messageId: string;
  readonly children?: ComponentChildren;
  onValue(value: string): void;
}

/** `children` are notes below it; the first gets the id `ID-note`. */
export function Field(props: FieldProps): JSX.Element {
  const { id, label, optional, value, submission, messageId, children, onValue, ...input } = props;
  const [isShown, setShown] = useState(false);
  const isPassword = input.type === 'password';
  const isWrong = submission.faultId === id;
  const described = [...(isWrong ? [messageId] : []), ...(children ? [`${id}-note`] : [])].join(' ');
  return (
    <div class="field">
      <label for={id}>
        {label}
        {optional && <span class="optional"> optional</span>}
      </label>
      <div class={isPassword ? 'with-button' : undefined}>
        <input
          autoCapitalize="none"
          autoCorrect="off"
          spellcheck={false}
          {...input}
          id={id}
          type={isPassword && isShown ? 'text' : (input.type ?? 'text')}
          value={value}
          aria-invalid={isWrong || undefined}
          aria-describedby={described || undefined}
          onInput={event => onValue(event.currentTarget.value)}
        />
        {isPassword && (
          <button
            type="button"
            class="quiet"
            aria-label={isShown ? 'Hide password' : 'Show password'}
            onClick={() => setShown(!isShown)}
          >
            {isShown ? 'Hide' : 'Show'}
          </button>
        )}
      </div>
      {children && (
        <div id={`${id}-note`} class="note">
          {children}
        </div>
      )}
    </div>
  );
}

/** Keeps the focus while it does nothing, which a disabled button would lose. */
export function SubmitButton({
  submission,
  children,
  wide,
}: {
  readonly submission: Submission;
  readonly children: string;
  readonly wide?: boolean;
}): JSX.Element {
  const { busyWords } = submission;
  return (
    <button
      type="submit"
      class={wide ? 'primary wide' : 'primary'}
      aria-disabled={busyWords !== undefined || undefined}
    >
      {busyWords ?? children}
    </button>
  );
}
