/**
 * Access tokens: JWTs (RFC 7519) signed with HS256, made and checked by jose; the only module that knows it.
 *
 * A token says which session it belongs to and nothing else that counts; it has no `exp`, since a refresh must not change
 * it and the record in the database decides. There is one spelling of each token: jose also takes padding, a newline at
 * the end and other spare bits, so the form is checked before. The header must be the very one that we write, which leaves
 * no room for `alg`, `kid`, `jwk`, `jku`, `crit` or an encrypted token (never opened, let alone inflated). Main thread.
 */
import { createSecretKey, type KeyObject } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';

/** Longest token that is looked at; ours have about 200 characters. */
export const tokenLengthMax = 1024;

const issuer = 'urn:opencamerad';
const audience = 'urn:opencamerad:api';
const header = { alg: 'HS256', typ: 'JWT' } as const;
const headerText = Buffer.from(JSON.stringify(header)).toString('base64url');
/** 32 bytes of signature end on a character whose two lowest bits are zero (RFC 4648 §3.5). */
const form = /^([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
const sidForm = /^[A-Za-z0-9_-]{22}$/;

/** Signs and checks tokens under one key. */
export class Tokens {
  private readonly key: KeyObject;

  /** @param key 32 bytes. */
  constructor(key: Uint8Array) {
    this.key = createSecretKey(key);
  }

  /** @param issuedUnixMs for those who read the token; nothing depends on it. */
  sign(sid: string, issuedUnixMs: number): Promise<string> {
    return new SignJWT({ sid })
      .setProtectedHeader(header)
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(Math.floor(issuedUnixMs / 1000))
      .sign(this.key);
  }

  /** The session of a token of ours; undefined for anything else. Never rejects. */
  async sidOf(token: string): Promise<string | undefined> {
    if (token.length > tokenLengthMax || form.exec(token)?.[1] !== headerText) return undefined;
    try {
      const { payload } = await jwtVerify(token, this.key, {
        algorithms: [header.alg],
        typ: header.typ,
        issuer,
        audience,
        requiredClaims: ['sid', 'iat'],
      });
      const { sid } = payload;
      return typeof sid === 'string' && sidForm.test(sid) ? sid : undefined;
    } catch {
      return undefined;
    }
  }
}
