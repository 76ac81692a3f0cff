/**
 * Where the access token stays: in this tab (gone when it is closed), or in the browser for those who stay logged in.
 * A browser that keeps nothing asks again after a reload.
 */

const key = 'camera-token';

export class TokenStore {
  #tab;
  #browser;

  /** @param tab, browser two Storages, or undefined where the browser has none to give. */
  constructor(tab = storageOf(() => sessionStorage), browser = storageOf(() => localStorage)) {
    this.#tab = tab;
    this.#browser = browser;
  }

  /** `{ token, stays }`, if there is one; this tab's comes first. */
  read() {
    const own = this.#tab?.getItem(key);
    const token = own || this.#browser?.getItem(key);
    return token ? { token, stays: !own } : undefined;
  }

  /** @param {boolean} stays whether it outlives this tab. */
  write(token, stays) {
    try {
      (stays ? this.#browser : this.#tab)?.setItem(key, token);
      if (stays) this.#tab?.removeItem(key);
    } catch {
      // The storage is full or closed: then the token lives in memory alone.
    }
  }

  /** Removes the token; one that another tab has stored since stays. */
  forget(token) {
    for (const storage of [this.#tab, this.#browser])
      if (storage?.getItem(key) === token) storage.removeItem(key);
  }

  /** Whether this `storage` event says that another tab has removed the token that stays. */
  isRemoval(event, token) {
    if (event.storageArea !== this.#browser || event.newValue !== null) return false;
    return event.key === null || (event.key === key && event.oldValue === token);
  }
}

/** Merely naming a storage throws where the browser forbids it. */
function storageOf(name) {
  try {
    return name();
  } catch {
    return undefined;
  }
}
