// The list of a bundle's parts: CycloneDX 1.6 (ECMA-424) in JSON. Nothing in it but what follows from the lock file and the
// build; a time only where SOURCE_DATE_EPOCH gives one.
import { createHash } from 'node:crypto';

/** https://github.com/package-url/purl-spec: the @ of a scope is escaped. */
function purlOf(name, version) {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function licencesOf(licence) {
  return /^[A-Za-z0-9.+-]+$/.test(licence) ? [{ license: { id: licence } }] : [{ expression: licence }];
}

function nameFields(name) {
  const [group, rest] = name.startsWith('@') ? name.split('/') : [undefined, name];
  return group ? { group, name: rest } : { name };
}

function componentOf({ name, version, licence, integrity, isShipped, isBundled, licenceFile }) {
  const purl = purlOf(name, version);
  const where = [isShipped && 'node_modules', isBundled && 'dist'].filter(Boolean);
  return {
    type: 'library',
    'bom-ref': purl,
    ...nameFields(name),
    version,
    scope: 'required',
    hashes: [
      { alg: 'SHA-512', content: Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex') },
    ],
    licenses: licencesOf(licence),
    purl,
    properties: [
      { name: 'opencamerad:in', value: where.join(' ') },
      { name: 'opencamerad:licence-text', value: licenceFile },
    ],
  };
}

/**
 * The document as text.
 * @param packages sorted; each with `dependsOn`, the packages it uses as [name, version].
 */
export function sbomOf({ product, target, packages, epochSeconds }) {
  const own = purlOf(product.name, product.version);
  const content = {
    metadata: {
      ...(epochSeconds !== undefined && { timestamp: new Date(epochSeconds * 1000).toISOString() }),
      component: {
        type: 'application',
        'bom-ref': own,
        name: product.name,
        version: product.version,
        licenses: licencesOf(product.license),
        purl: own,
        properties: [{ name: 'opencamerad:target', value: target }],
      },
    },
    components: packages.map(componentOf),
    dependencies: [
      { ref: own, dependsOn: product.dependsOn.map(part => purlOf(...part)).sort() },
      ...packages.map(({ name, version, dependsOn }) => ({
        ref: purlOf(name, version),
        dependsOn: dependsOn.map(part => purlOf(...part)).sort(),
      })),
    ],
  };
  // A name of its own for each content, in the form of RFC 9562 §5.8.
  const hash = createHash('sha256').update(JSON.stringify(content)).digest();
  hash[6] = (hash[6] & 0x0f) | 0x80;
  hash[8] = (hash[8] & 0x3f) | 0x80;
  const uuid = hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuid}`,
    version: 1,
    ...content,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
