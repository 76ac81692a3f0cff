/**
 * Which content coding a client takes (RFC 9110 §12.5.3), for files that are kept packed. Pure.
 *
 * Only what is kept is compared: Brotli (RFC 7932), which browsers ask for under https alone, and gzip (RFC 1952). Weights
 * count as yes or no: a client that ranks gzip above Brotli is given Brotli all the same, since it takes both.
 */

/** Codings that files are kept in, the best first. */
export const contentCodings = ['br', 'gzip'] as const;

export type ContentCoding = (typeof contentCodings)[number];

/** The best coding that Accept-Encoding allows; undefined when the client wants the content as it is. */
export function codingFor(acceptEncoding: readonly string[]): ContentCoding | undefined {
  const weights = new Map<string, number>();
  for (const item of acceptEncoding.join(',').split(',')) {
    const [name = '', ...parameters] = item.split(';').map(part => part.trim().toLowerCase());
    const weight = parameters.find(parameter => /^q\s*=/.test(parameter))?.replace(/^q\s*=\s*/, '');
    if (name !== '') weights.set(name, weight === undefined ? 1 : Number(weight));
  }
  const takes = (name: string): boolean => (weights.get(name) ?? weights.get('*') ?? 0) > 0;
  return contentCodings.find(takes);
}
