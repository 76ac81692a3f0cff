/**
 * The first boot: creates the camera's one user with the setup token, and logs in.
 *
 * The token may come in the fragment of the link that the camera prints (`#setup=…`). A fragment is never sent, but
 * it stays in the address bar and in the history, so it is taken out of both at once.
 */
import { createUser, isSetupRequired } from './camera-api.js';
import { isEmail } from './credentials.js';
import { FieldFault, FormView } from './form-view.js';
import { enter } from './login-view.js';
import { adviseOnPassword } from './password-advice.js';

const element = id => document.getElementById(id);

const fieldOf = {
  '/email': 'setup-email',
  '/password': 'setup-password',
  '/firstName': 'setup-first-name',
  '/lastName': 'setup-last-name',
};

/** The setup token of the address, which is removed from it; '' when there is none. */
export function takeSetupToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get('setup');
  if (token === null) return '';
  history.replaceState(history.state, '', location.pathname + location.search);
  return token.trim();
}

export class SetupView {
  #form;
  #onEnter;
  #onClaimed;
  /** Characters that this camera requires of a password, once it has said so. */
  #required;

  /**
   * @param {(session: { token: string, lifeMs: number, stays: boolean }) => void} onEnter the user is created and in.
   * @param {(words: string, tone: string, email?: string) => void} onClaimed there is a user, who has to log in.
   */
  constructor(onEnter, onClaimed) {
    this.#onEnter = onEnter;
    this.#onClaimed = onClaimed;
    this.#form = new FormView(element('setup'), () => this.#submit());
    for (const id of ['setup-password', 'setup-email'])
      element(id).addEventListener('input', () => this.#advise());
  }

  get isShown() {
    return this.#form.isShown;
  }

  /** @param {string} setupToken from the address, or ''. */
  show(setupToken, words, tone) {
    if (setupToken !== '') element('setup-token').value = setupToken;
    element('setup-token-note').hidden = setupToken !== '';
    element('setup-token-known').hidden = setupToken === '';
    this.#advise();
    this.#form.show(words, tone);
  }

  hide() {
    this.#form.hide();
  }

  #advise() {
    const { level, text, meter } = this.#advice();
    const hint = element('setup-advice');
    // The same words again would be spoken again.
    if (hint.textContent !== text) hint.textContent = text;
    hint.dataset.level = level;
    element('setup-meter').value = meter;
  }

  #advice() {
    return adviseOnPassword({
      password: element('setup-password').value,
      email: element('setup-email').value,
      required: this.#required,
    });
  }

  async #submit() {
    const [token, email, password, repeated] = ['token', 'email', 'password', 'repeat'].map(name =>
      element(`setup-${name}`),
    );
    const values = { token: token.value.trim(), email: email.value.trim(), password: password.value };
    // Only what fits into a header field can be a token.
    if (!/^[\x21-\x7e]+$/.test(values.token))
      throw new FieldFault(token, 'Please enter the setup token: letters and digits, no spaces.');
    if (!isEmail(values.email))
      throw new FieldFault(email, 'Please enter an e-mail address; it is the name that you log in with.');
    const { level, text } = this.#advice();
    if (level === 'none') throw new FieldFault(password, 'Please choose a password.');
    if (level === 'refused') throw new FieldFault(password, text);
    if (repeated.value !== values.password)
      throw new FieldFault(repeated, 'The two passwords are not the same.');
    await this.#create(values);
    try {
      this.#onEnter({ ...(await enter(values.email, values.password)), stays: false });
    } catch {
      this.#onClaimed('The user is created. Please log in.', 'good', values.email);
    }
  }

  async #create({ token, email, password }) {
    const names = {
      firstName: element('setup-first-name').value.trim(),
      lastName: element('setup-last-name').value.trim(),
    };
    const given = Object.entries(names).filter(([, name]) => name !== '');
    try {
      await createUser(token, { email, password, ...Object.fromEntries(given) });
    } catch (error) {
      if (error.code === 'unauthorized') await this.#tokenRefused();
      throw this.#explained(error);
    }
  }

  /** The token is wrong, or it is spent: by somebody else, or by this page, whose answer got lost. */
  async #tokenRefused() {
    if (await isSetupRequired().catch(() => true))
      throw new FieldFault(element('setup-token'), 'The camera does not accept this setup token.');
    this.#onClaimed('The camera has its user already. Please log in.', 'quiet');
    // The view is gone; nothing is left to be said in it.
    throw new FieldFault(undefined, '');
  }

  #explained(error) {
    const { rule, lengthMin, pointer } = error.details ?? {};
    if (rule === 'too-short' && lengthMin > 0) {
      this.#required = lengthMin;
      this.#advise();
    }
    const isPassword = error.code === 'password-unacceptable';
    const id = isPassword ? 'setup-password' : fieldOf[pointer];
    if (id === undefined) return error;
    const { level, text } = this.#advice();
    const words = { 'setup-email': 'The camera does not take this e-mail address.' }[id] ?? error.message;
    return new FieldFault(element(id), isPassword && level === 'refused' ? text : words);
  }
}
