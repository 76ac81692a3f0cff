/** The log-in: e-mail and password for a session of the camera's user. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { CameraProblem } from '../api/camera-problem.ts';
import { isEmail } from '../api/credentials.ts';
import type { Notice, PageSession } from '../session/page-session.ts';
import { Field, Message, SubmitButton } from '../ui/form.tsx';
import { Mark } from '../ui/icons.tsx';
import { FieldFault, useSubmission } from '../ui/submission.ts';

interface Props {
  readonly session: PageSession;
  readonly notice: Notice | undefined;
  readonly email: string;
}

export function LoginView({ session, notice, email: known }: Props): JSX.Element {
  const [email, setEmail] = useState(known);
  const [password, setPassword] = useState('');
  const [stays, setStays] = useState(false);
  useEffect(() => document.getElementById(known === '' ? 'login-email' : 'login-password')?.focus(), [known]);

  async function send(): Promise<void> {
    if (!isEmail(email.trim())) throw new FieldFault('login-email', 'Please enter your e-mail address.');
    if (password === '') throw new FieldFault('login-password', 'Please enter your password.');
    try {
      await session.logIn(email.trim(), password, stays);
    } catch (error) {
      // Which of the two is wrong the camera does not tell; the password is the one that is hard to type.
      if (error instanceof CameraProblem && error.code === 'credentials-invalid')
        throw new FieldFault('login-password', error.message);
      throw error;
    }
  }

  const submission = useSubmission(send, notice);
  const common = { submission, messageId: 'login-message' };
  return (
    <section id="login" class="card gate" aria-labelledby="login-title">
      <Mark />
      <h1 id="login-title">Log in</h1>
      <form method="post" noValidate onSubmit={submission.onSubmit}>
        <Field
          {...common}
          id="login-email"
          name="username"
          label="E-mail"
          inputMode="email"
          required
          maxLength={254}
          autocomplete="username"
          value={email}
          onValue={setEmail}
        />
        <Field
          {...common}
          id="login-password"
          name="password"
          type="password"
          label="Password"
          required
          maxLength={256}
          autocomplete="current-password"
          value={password}
          onValue={setPassword}
        />
        <div class="check">
          <input
            id="login-stay"
            type="checkbox"
            checked={stays}
            aria-describedby="login-stay-note"
            onChange={event => setStays(event.currentTarget.checked)}
          />
          <div>
            <label for="login-stay">Stay logged in</label>
            <p id="login-stay-note" class="small">
              Only on a device that is yours. Otherwise the log-in ends with this tab.
            </p>
          </div>
        </div>
        <Message id="login-message" notice={submission.notice} />
        <SubmitButton submission={submission} wide>
          Log in
        </SubmitButton>
      </form>
    </section>
  );
}
