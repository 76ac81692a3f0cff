/**
 * A view with one form: sends it once at a time, shows what is wrong, and lets nobody send while the camera asks to wait.
 *
 * Everything is told by one element, which screen readers speak when it changes and which goes where the eyes are: above
 * the fields when the view opens, above the button when the camera refuses, and below the field that it is about, which
 * gets the focus and is described by it. The seconds of a wait count down on the button, in silence.
 */
import { CameraProblem } from './camera-problem.js';

/** Longest wait that blocks the form, in seconds; a camera that asks for more may be tried by hand. */
const waitSecondsMax = 120;

/** Something is wrong with what was typed into `input`. */
export class FieldFault extends Error {
  constructor(input, message) {
    super(message);
    this.input = input;
  }
}

export class FormView {
  #section;
  #submit;
  #form;
  #message;
  #button;
  #buttonText;
  #busy = false;
  #waitTimer;

  /**
   * @param section holds a form with one submit button, and an element of the class `message`.
   * @param {() => Promise<void>} submit sends it; rejects with a FieldFault or a CameraProblem.
   */
  constructor(section, submit) {
    this.#section = section;
    this.#submit = submit;
    this.#form = section.querySelector('form');
    this.#message = section.querySelector('.message');
    this.#button = this.#form.querySelector('[type="submit"]');
    this.#buttonText = this.#button.textContent;
    // The words for what is missing are ours, so that all faults are told in the same way.
    this.#form.noValidate = true;
    this.#form.addEventListener('submit', event => {
      event.preventDefault();
      if (!this.#busy && this.#waitTimer === undefined) void this.#send();
    });
    for (const button of section.querySelectorAll('[data-reveals]'))
      button.addEventListener('click', () => this.#reveal(!isRevealed(button)));
  }

  get isShown() {
    return !this.#section.hidden;
  }

  /** Shows the view, with the focus on the first empty field. `tone` is `quiet`, `good` or `bad`. */
  show(words = '', tone = 'quiet') {
    this.#section.hidden = false;
    this.say(words, tone);
    const inputs = [...this.#form.querySelectorAll('input:not([type="checkbox"])')];
    (inputs.find(({ value }) => value === '') ?? inputs[0]).focus();
  }

  /** Hides the view, and forgets what was typed. */
  hide() {
    if (!this.isShown) return;
    this.#section.hidden = true;
    this.#endWait();
    this.#form.reset();
    this.#reveal(false);
    this.say('');
  }

  say(words, tone = 'quiet') {
    for (const input of this.#form.querySelectorAll('[aria-invalid]')) this.#describe(input, false);
    this.#form.prepend(this.#message);
    this.#tell(words, tone);
  }

  #tell(words, tone) {
    this.#message.textContent = words;
    this.#message.dataset.tone = tone;
  }

  async #send() {
    this.#busy = true;
    this.say('');
    this.#label('One moment …');
    try {
      await this.#submit();
    } catch (error) {
      if (!(error instanceof FieldFault || error instanceof CameraProblem)) throw error;
      this.#refused(error);
    } finally {
      this.#busy = false;
      if (this.#waitTimer === undefined) this.#label();
    }
  }

  #refused({ message, input, retryAfterMs = 0 }) {
    const seconds = Math.ceil(retryAfterMs / 1000);
    if (input) input.closest('.field').append(this.#message);
    else this.#button.before(this.#message);
    if (seconds > 0 && seconds <= waitSecondsMax) this.#wait(message, seconds);
    else this.#tell(message, 'bad');
    if (!input) return;
    this.#describe(input, true);
    input.focus();
    input.select();
  }

  #wait(message, seconds) {
    const end = performance.now() + seconds * 1000;
    const tick = () => {
      const left = Math.ceil((end - performance.now()) / 1000);
      if (left > 0) this.#label(`Wait ${left} s`);
      else {
        this.#endWait();
        this.#tell('Please try again now.', 'quiet');
      }
    };
    this.#tell(
      `${message} Please wait ${seconds === 1 ? 'a second' : `${seconds} seconds`}, then try again.`,
      'bad',
    );
    this.#waitTimer = setInterval(tick, 250);
    tick();
  }

  #endWait() {
    clearInterval(this.#waitTimer);
    this.#waitTimer = undefined;
    this.#label();
  }

  /** Another text on the button says that it does nothing now; it keeps the focus, which a disabled one would lose. */
  #label(text = this.#buttonText) {
    this.#button.textContent = text;
    this.#button.setAttribute('aria-disabled', String(text !== this.#buttonText));
  }

  #describe(input, isWrong) {
    const others = (input.getAttribute('aria-describedby') ?? '')
      .split(' ')
      .filter(id => id !== '' && id !== this.#message.id);
    if (isWrong) input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
    input.setAttribute('aria-describedby', [...(isWrong ? [this.#message.id] : []), ...others].join(' '));
  }

  #reveal(isShown) {
    const word = isShown ? 'Hide' : 'Show';
    for (const button of this.#section.querySelectorAll('[data-reveals]')) {
      button.textContent = word;
      button.setAttribute('aria-label', `${word} password`);
      for (const input of inputsOf(button)) input.type = isShown ? 'text' : 'password';
    }
  }
}

/** The fields whose content a button shows and hides. */
function inputsOf(button) {
  return button.dataset.reveals.split(' ').map(id => document.getElementById(id));
}

function isRevealed(button) {
  return inputsOf(button)[0].type === 'text';
}
