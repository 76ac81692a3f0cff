/** The words in the corner that say how things are, in one or two words; screen readers speak them when they change. */

/** @param {'quiet' | 'good' | 'warn' | 'bad'} tone */
export function showState(words, tone) {
  const state = document.getElementById('state');
  // Setting the same words again would make a screen reader say them again.
  if (state.textContent !== words) state.textContent = words;
  state.dataset.tone = tone;
}
