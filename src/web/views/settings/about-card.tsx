/** What this is, and what it is made of. */
import type { JSX } from 'preact';
import { Rows } from './card-parts.tsx';

/** How many packages are inside; scripts/build-web.mjs says so. */
declare const __COMPONENTS__: number;

export function AboutCard({ version }: { readonly version: string | undefined }): JSX.Element {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['Software', version && `opencamerad ${version}`],
    ['Licence', 'Apache-2.0'],
    ['Cloud', 'none'],
  ];
  return (
    <div class="card" id="about">
      <h2>About</h2>
      <Rows rows={rows} />
      <p class="small">
        Built with {__COMPONENTS__} open packages:{' '}
        <a href="/licenses.txt" target="_blank" rel="noreferrer">
          their licences
        </a>
        . The camera's API is{' '}
        <a href="/api/docs" target="_blank" rel="noreferrer">
          described here
        </a>
        .
      </p>
    </div>
  );
}
