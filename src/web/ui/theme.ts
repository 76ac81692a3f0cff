/** Light or dark: as the system is set, or as the owner wants it, which this browser remembers. */

const key = 'camera-theme';
const themes = ['auto', 'light', 'dark'] as const;

export type Theme = (typeof themes)[number];

export function currentTheme(): Theme {
  const theme = document.documentElement.dataset.theme;
  return theme === 'light' || theme === 'dark' ? theme : 'auto';
}

/** Shows the theme and remembers it. */
export function setTheme(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(key, theme);
  } catch {
    // Then it lasts until the page is left.
  }
}

/** Shows what was remembered. */
export function restoreTheme(): void {
  try {
    const stored = localStorage.getItem(key);
    if (stored === 'light' || stored === 'dark') document.documentElement.dataset.theme = stored;
  } catch {
    // A browser that keeps nothing shows what the system says.
  }
}

/** The one after it, in a round. */
export function nextTheme(theme: Theme): Theme {
  return themes[(themes.indexOf(theme) + 1) % themes.length]!;
}
