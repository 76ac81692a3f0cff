/** The log-in: e-mail and password for a session of the camera's user. */
import { logIn } from './camera-api.js';
import { deviceLabel, isEmail } from './credentials.js';
import { FieldFault, FormView } from './form-view.js';

const element = id => document.getElementById(id);

export class LoginView {
  #form;

  /** @param {(session: { token: string, lifeMs: number, stays: boolean }) => void} onEnter the log-in succeeded. */
  constructor(onEnter) {
    this.#form = new FormView(element('login'), async () => onEnter(await this.#submit()));
  }

  get isShown() {
    return this.#form.isShown;
  }

  /** @param {string | undefined} words why it is shown, if there is a reason to give. */
  show(words, tone, email = '') {
    element('login-email').value ||= email;
    this.#form.show(words, tone);
  }

  hide() {
    this.#form.hide();
  }

  async #submit() {
    const email = element('login-email');
    const password = element('login-password');
    if (!isEmail(email.value.trim())) throw new FieldFault(email, 'Please enter your e-mail address.');
    if (password.value === '') throw new FieldFault(password, 'Please enter your password.');
    try {
      return {
        ...(await enter(email.value.trim(), password.value)),
        stays: element('login-stay').checked,
      };
    } catch (error) {
      // Which of the two is wrong the camera does not tell; the password is the one that is hard to type.
      if (error.code === 'credentials-invalid') error.input = password;
      throw error;
    }
  }
}

/** Logs in under the name of this device; gives `{ token, lifeMs }`. */
export async function enter(email, password) {
  const { access_token: token, lifeMs } = await logIn(email, password, deviceLabel(navigator));
  return { token, lifeMs };
}
