/**
 * The text of `--help`, made from the schema: every option with its meaning, range, default and environment variable.
 * Pure; at most 80 columns.
 */
import { type Option, options, shownValue } from './options.ts';
import type { ValueSchema } from './value-schema.ts';

const columns = 80;

/** The whole text, ending in a newline. */
export function helpText(version: string): string {
  const lines = [
    `opencamerad ${version}: the daemon of an open IP camera`,
    '',
    'Usage',
    '  opencamerad [start] [OPTIONS]      run the camera',
    '  opencamerad config show [OPTIONS]  print every setting and where it comes from',
    '  opencamerad config check [OPTIONS] check the settings and do nothing else',
    '  opencamerad doctor [OPTIONS]       find what could go wrong, say what to do',
    '  opencamerad user reset-password    set a new password, asked for or on stdin',
    '  opencamerad token rotate-key       make new keys: every log-in and link ends',
    '  opencamerad index rebuild          make the index of recordings anew',
    '  opencamerad firmware --help        make, sign and check firmware images',
    '  opencamerad bench --help           measure the camera on this machine',
    '  opencamerad factory-reset [--yes]  remove user, log-ins and API settings',
    '  opencamerad --help | --version',
    '',
    ...wrap(
      'Each option is also a key of the configuration file (JSON) and an environment variable, both printed with it. ' +
        'A flag wins over the environment, the environment over the file.',
      '',
    ),
    '',
    '  --config FILE',
    ...wrap('The configuration file. (OPENCAMERAD_CONFIG)', '      '),
    '  --yes',
    ...wrap('Do not ask (factory-reset).', '      '),
  ];
  let group = '';
  for (const option of options) {
    if (option.group !== group) {
      group = option.group;
      lines.push('', group);
    }
    lines.push(...linesOf(option));
  }
  lines.push(
    '',
    ...wrap(
      'When everything serves, one line "ready URL" is printed to standard output; the log goes to standard error. ' +
        'Exit status: 0 after SIGTERM or SIGINT, 1 when the camera cannot start or run, 2 for bad options or settings.',
      '',
    ),
  );
  return `${lines.join('\n')}\n`;
}

function linesOf({ flag, key, variable, schema }: Option): string[] {
  return [
    `  ${flag} ${placeholder(schema)}`,
    ...wrap(schema.description, '      '),
    ...wrap(`Default: ${defaultText(schema)}${rangeText(schema)}.`, '      '),
    ...wrap(`(${key}, ${variable})`, '      '),
  ];
}

function placeholder(schema: ValueSchema): string {
  if (schema.enum && schema.type === 'string') return schema.enum.join('|');
  return { string: 'TEXT', integer: 'NUMBER', number: 'NUMBER', boolean: 'true|false', array: 'LIST' }[
    schema.type
  ];
}

function defaultText({ default: value }: ValueSchema): string {
  if (value === '' || (Array.isArray(value) && value.length === 0)) return 'empty';
  return typeof value === 'string' ? value : shownValue(value);
}

function rangeText(schema: ValueSchema): string {
  if (schema.enum && schema.type !== 'string') return `; one of ${schema.enum.join(', ')}`;
  if (schema.minimum === undefined || schema.maximum === undefined) return '';
  const multiple = schema.multipleOf === undefined ? '' : `, a multiple of ${schema.multipleOf}`;
  return `; ${schema.minimum} to ${schema.maximum}${multiple}`;
}

function wrap(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    if (line.length > indent.length && line.length + word.length + 1 > columns) {
      lines.push(line);
      line = indent;
    }
    line += (line.length > indent.length ? ' ' : '') + word;
  }
  return [...lines, line];
}
