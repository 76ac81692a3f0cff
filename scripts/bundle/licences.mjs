// The licence texts that go with a bundle: one file a package, shipped or written into dist/, made of every licence file in
// it, also those of the C and C++ libraries that its native code was compiled from.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { filesBelow, readJson } from './package-files.mjs';

const licenceFile = /(?:^|\/)(?:un)?(?:licen[cs]e|copying|copyright|notice)(?:[._-][a-z0-9._-]*)?$/i;
const isCode = /\.(?:[cm]?[jt]s|json|h|c|cc|cpp|py)$/i;
const foldersWithout = /^(?:node_modules|tests?|\.git)$/;

/** Where the text in the package says something else than its package.json. */
const concluded = {
  uwebsockets: 'Apache-2.0',
};

const mit = `Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
`;

/** The SPDX expression of a package; throws where it declares none. */
export function licenceOf(name, entry, folder) {
  const declared = entry.license ?? readJson(path.join(folder, 'package.json')).license;
  const licence = concluded[name] ?? declared;
  if (typeof licence !== 'string') throw new Error(`${name} names no licence`);
  return licence;
}

/** The texts in a package's folder, as one; undefined where there is none. */
function textsIn(folder) {
  const names = filesBelow(folder, name => !foldersWithout.test(name)).filter(
    name => licenceFile.test(name) && !isCode.test(name),
  );
  if (names.length === 0) return undefined;
  const parts = names.map(name => {
    const text = readFileSync(path.join(folder, name), 'utf8').trimEnd();
    return names.length === 1 ? `${text}\n` : `==== ${name} ====\n\n${text}\n`;
  });
  return parts.join('\n');
}

/**
 * The licence text of a package. One without a file of its own has that of the package it is a part of (`parentFolder`, for
 * platform packages), or the text of the licence that it declares, with its author.
 */
export function licenceText({ name, version, licence, folder, parentFolder }) {
  const head = `${name} ${version}: ${licence}\n\n`;
  const own = textsIn(folder) ?? (parentFolder && textsIn(parentFolder));
  if (own) return head + own;
  if (licence !== 'MIT') throw new Error(`${name} ${version} (${licence}) carries no licence text`);
  const { author } = readJson(path.join(folder, 'package.json'));
  const holder = (typeof author === 'string' ? author : author?.name) ?? `the authors of ${name}`;
  return `${head}The package carries no text; its package.json declares this licence.\n\nMIT License\n\nCopyright (c) ${holder}\n\n${mit}`;
}
