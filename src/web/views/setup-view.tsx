/**
 * The first boot: creates the camera's one user with the setup token, and logs in.
 */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { createUser, isSetupRequired } from '../api/camera-api.ts';
import { CameraProblem } from '../api/camera-problem.ts';
import { isEmail } from '../api/credentials.ts';
import type { Notice, PageSession } from '../session/page-session.ts';
import { adviseOnPassword } from '../session/password-advice.ts';
import { Field, Message, SubmitButton } from '../ui/form.tsx';
import { Mark } from '../ui/icons.tsx';
import { StrengthMeter } from '../ui/strength-meter.tsx';
import { FieldFault, useSubmission } from '../ui/submission.ts';

const fieldOf: Readonly<Record<string, string>> = {
  '/email': 'setup-email',
  '/password': 'setup-password',
  '/firstName': 'setup-first-name',
};

interface Props {
  readonly session: PageSession;
  /** From the address, or ''. */
  readonly setupToken: string;
  readonly notice: Notice | undefined;
}

export function SetupView({ session, setupToken, notice }: Props): JSX.Element {
  const [token, setToken] = useState(setupToken);
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [repeated, setRepeated] = useState('');
  const [firstName, setFirstName] = useState('');
  /** Characters that this camera requires of a password, once it has said so. */
  const [required, setRequired] = useState(0);
  const advice = adviseOnPassword({ password, email, required });
  useEffect(() => {
    if (setupToken !== '') setToken(setupToken);
    document.getElementById(setupToken === '' ? 'setup-token' : 'setup-email')?.focus();
  }, [setupToken]);

  /** The token is wrong, or it is spent: by somebody else, or by this page, whose answer got lost. */
  async function tokenRefused(): Promise<never> {
    if (await isSetupRequired().catch(() => true))
      throw new FieldFault('setup-token', 'The camera does not accept this setup token.');
    session.showLogin({ words: 'The camera has its user already. Please log in.', tone: 'quiet' });
    throw new FieldFault('', '');
  }

  function explained(error: unknown): unknown {
    if (!(error instanceof CameraProblem)) return error;
    const { rule, lengthMin, pointer } = error.details;
    if (rule === 'too-short' && Number(lengthMin) > 0) setRequired(Number(lengthMin));
    const id = error.code === 'password-unacceptable' ? 'setup-password' : fieldOf[String(pointer)];
    if (id === undefined) return error;
    const words = id === 'setup-email' ? 'The camera does not take this e-mail address.' : error.message;
    return new FieldFault(id, words);
  }

  async function send(): Promise<void> {
    // Only what fits into a header field can be a token.
    if (!/^[\x21-\x7e]+$/.test(token.trim()))
      throw new FieldFault('setup-token', 'Please enter the setup token: letters and digits, no spaces.');
    if (!isEmail(email.trim()))
      throw new FieldFault(
        'setup-email',
        'Please enter an e-mail address; it is the name that you log in with.',
      );
    if (advice.level === 'none') throw new FieldFault('setup-password', 'Please choose a password.');
    if (advice.level === 'refused') throw new FieldFault('setup-password', advice.text);
    if (repeated !== password) throw new FieldFault('setup-repeat', 'The two passwords are not the same.');
    const name = firstName.trim();
    const user = { email: email.trim(), password, ...(name === '' ? {} : { firstName: name }) };
    try {
      await createUser(token.trim(), user);
    } catch (error) {
      if (error instanceof CameraProblem && error.code === 'unauthorized') await tokenRefused();
      throw explained(error);
    }
    try {
      await session.logIn(user.email, password, false);
    } catch {
      session.showLogin({ words: 'The user is created. Please log in.', tone: 'good' }, user.email);
    }
  }

  const submission = useSubmission(send, notice);
  const common = { submission, messageId: 'setup-message' };
  return (
    <section id="setup" class="card gate" aria-labelledby="setup-title">
      <Mark />
      <h1 id="setup-title">Welcome to your camera</h1>
      <p class="lead">
        It has no user yet. Whoever you create here is the one who can log in; there is no other.
      </p>
      <form method="post" noValidate onSubmit={submission.onSubmit}>
        <Field
          {...common}
          id="setup-token"
          label="Setup token"
          required
          maxLength={64}
          autocomplete="off"
          autoCapitalize="characters"
          class="code"
          value={token}
          onValue={setToken}
        >
          {setupToken === '' ? (
            <>
              Proves that the camera is yours. It prints the token when it starts, and keeps it in the file{' '}
              <code>setup-token</code> of its state folder.
            </>
          ) : (
            'Taken from the link that you opened.'
          )}
        </Field>
        <Field
          {...common}
          id="setup-email"
          name="username"
          label="E-mail"
          inputMode="email"
          required
          maxLength={254}
          autocomplete="username"
          value={email}
          onValue={setEmail}
        >
          The name that you log in with. The camera sends no mail.
        </Field>
        <Field
          {...common}
          id="setup-password"
          name="password"
          type="password"
          label="Password"
          required
          maxLength={256}
          autocomplete="new-password"
          value={password}
          onValue={setPassword}
        >
          <StrengthMeter id="setup-advice" advice={advice} />
        </Field>
        <Field
          {...common}
          id="setup-repeat"
          name="password-again"
          type="password"
          label="Password again"
          required
          maxLength={256}
          autocomplete="new-password"
          value={repeated}
          onValue={setRepeated}
        />
        <Field
          {...common}
          id="setup-first-name"
          name="first-name"
          label="Your name"
          optional
          maxLength={100}
          autocomplete="given-name"
          value={firstName}
          onValue={setFirstName}
        />
        <Message id="setup-message" notice={submission.notice} />
        <SubmitButton submission={submission} wide>
          Create user and log in
        </SubmitButton>
      </form>
    </section>
  );
}
