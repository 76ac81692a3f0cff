/**
 * Where the access token stays: in this tab (gone when it is closed), or in the browser for those who stay logged in.
 * A browser that keeps nothing asks again after a reload.
 */

const key = 'camera-token';

/** As much of the Web Storage standard as is used here. */
export type KeyedStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** A token, and whether it outlives its tab. */
export interface StoredToken {
  readonly token: string;
  readonly stays: boolean;
}

export class TokenStore {
  private readonly tab: KeyedStorage | undefined;
  private readonly browser: KeyedStorage | undefined;

  /** The two storages; null where the browser has none to give. */
  constructor(
    tab: KeyedStorage | null = storageOf(() => sessionStorage),
    browser: KeyedStorage | null = storageOf(() => localStorage),
  ) {
    this.tab = tab ?? undefined;
    this.browser = browser ?? undefined;
  }

  /** The token, if there is one; this tab's comes first. */
  read(): StoredToken | undefined {
    const own = this.tab?.getItem(key);
    const token = own || this.browser?.getItem(key);
    return token ? { token, stays: !own } : undefined;
  }

  /** Keeps it in this tab, or beyond it. */
  write(token: string, stays: boolean): void {
    try {
      (stays ? this.browser : this.tab)?.setItem(key, token);
      if (stays) this.tab?.removeItem(key);
    } catch {
      // The storage is full or closed: then the token lives in memory alone.
    }
  }

  /** Removes the token; one that another tab has stored since stays. */
  forget(token: string): void {
    for (const storage of [this.tab, this.browser])
      if (storage?.getItem(key) === token) storage.removeItem(key);
  }

  /** Whether this `storage` event says that another tab has removed the token that stays. */
  isRemoval(
    event: Pick<StorageEvent, 'key' | 'oldValue' | 'newValue'> & { readonly storageArea: unknown },
    token: string,
  ): boolean {
    if (event.storageArea !== this.browser || event.newValue !== null) return false;
    return event.key === null || (event.key === key && event.oldValue === token);
  }
}

/** Merely naming a storage throws where the browser forbids it. */
function storageOf(name: () => Storage): KeyedStorage | null {
  try {
    return name();
  } catch {
    return null;
  }
}
