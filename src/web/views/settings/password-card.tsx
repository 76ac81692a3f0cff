/** A new password; it ends every other log-in and all links. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { CameraApi } from '../../api/camera-api.ts';
import { adviseOnPassword } from '../../session/password-advice.ts';
import { Field, Message, SubmitButton } from '../../ui/form.tsx';
import { StrengthMeter } from '../../ui/strength-meter.tsx';
import { FieldFault, useSubmission } from '../../ui/submission.ts';

export function PasswordCard({ api }: { readonly api: CameraApi }): JSX.Element {
  const [password, setPassword] = useState('');
  const [repeated, setRepeated] = useState('');
  const advice = adviseOnPassword({ password });
  async function send(): Promise<void> {
    if (advice.level === 'none') throw new FieldFault('new-password', 'Please choose a password.');
    if (advice.level === 'refused') throw new FieldFault('new-password', advice.text);
    if (repeated !== password) throw new FieldFault('new-repeat', 'The two passwords are not the same.');
    await api.resetPassword(password);
    setPassword('');
    setRepeated('');
    submission.say({ words: 'The password is changed. Every other log-in has ended.', tone: 'good' });
  }
  const submission = useSubmission(send);
  const common = { submission, messageId: 'password-message', type: 'password', maxLength: 256 };
  return (
    <div class="card">
      <h2>Password</h2>
      <p class="small hint">A new one ends every other log-in and every link that was shared.</p>
      <form method="post" noValidate onSubmit={submission.onSubmit}>
        <Field
          {...common}
          id="new-password"
          name="password"
          label="New password"
          autocomplete="new-password"
          value={password}
          onValue={setPassword}
        >
          <StrengthMeter id="new-advice" advice={advice} />
        </Field>
        <Field
          {...common}
          id="new-repeat"
          name="password-again"
          label="Again"
          autocomplete="new-password"
          value={repeated}
          onValue={setRepeated}
        />
        <Message id="password-message" notice={submission.notice} />
        <SubmitButton submission={submission}>Change password</SubmitButton>
      </form>
    </div>
  );
}
