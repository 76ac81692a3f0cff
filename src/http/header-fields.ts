/**
 * The header fields of one request, in the order in which they came (RFC 9110 §5).
 *
 * The library joins nothing and its own lookup sees only the first of two equal names, which is how requests are
 * smuggled; so everything is read once, and whoever needs a field once asks for `single`. Pure.
 */

/** Name and value; the name in lower case, the value without surrounding white space. */
export type HeaderField = readonly [name: string, value: string];

/** The fields of a request; immutable. */
export class HeaderFields {
  private readonly fields: readonly HeaderField[];

  /** @param fields kept, not copied. */
  constructor(fields: readonly HeaderField[]) {
    this.fields = fields;
  }

  /** All values of a name; `name` in lower case. */
  all(name: string): readonly string[] {
    return this.fields.filter(field => field[0] === name).map(field => field[1]);
  }

  /** The value of a name that came once; undefined when it is missing or came more than once. */
  single(name: string): string | undefined {
    const values = this.all(name);
    return values.length === 1 ? values[0] : undefined;
  }

  /** How often a name came. */
  count(name: string): number {
    return this.all(name).length;
  }

  [Symbol.iterator](): Iterator<HeaderField> {
    return this.fields[Symbol.iterator]();
  }
}
