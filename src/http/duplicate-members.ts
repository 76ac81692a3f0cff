/**
 * Finds a name that comes twice in one object of a JSON text (RFC 8259 §4), which JSON.parse passes over in silence. Pure.
 *
 * For texts that JSON.parse has taken, so the syntax is known to be right and only strings and brackets matter. Names are
 * compared after their escapes were resolved. Depth is bounded: nothing that the API takes is deep.
 */

/** Arrays and objects within one another; the API's own bodies have two. */
export const depthMax = 32;

/** What is wrong, as details of a fault; undefined when nothing is. Nothing of the text is in it. */
export function duplicateMember(
  text: string,
): { readonly rule: string; readonly expected: string } | undefined {
  /** The names of every open object; undefined for an open array. */
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{' || character === '[') {
      if (open.length === depthMax) return { rule: 'depth', expected: `at most ${depthMax} levels` };
      open.push(character === '{' ? new Set() : undefined);
    } else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const end = endOfString(text, at);
      const names = open.at(-1);
      if (names && isName(text, end)) {
        const name = JSON.parse(text.slice(at, end)) as string;
        if (names.has(name)) return { rule: 'duplicate', expected: 'no name twice in an object' };
        names.add(name);
      }
      at = end - 1;
    }
  }
  return undefined;
}

/** The index behind the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** Whether what ends at `end` is the name of a member: a colon follows. */
function isName(text: string, end: number): boolean {
  let at = end;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++;
  return text[at] === ':';
}
