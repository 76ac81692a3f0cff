import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CameraError, type ErrorCode, errorCodes } from '../../src/base/errors.ts';
import { problemReply, problems, RequestFault } from '../../src/http/problems.ts';

const requestId = '5d2a3a0e-93b5-4a4c-8bd1-5d6c6f0d2d11';

function documentOf(error: unknown): Record<string, unknown> {
  return JSON.parse(String(problemReply(error, requestId).body)) as Record<string, unknown>;
}

test('has a row for every error code of the daemon', () => {
  for (const code of Object.keys(errorCodes)) assert.ok(Object.hasOwn(problems, code), code);
});

test('writes the members of RFC 9457, a stable code and the request id', () => {
  const reply = problemReply(new CameraError('session-unknown', 'in its own words'), requestId);
  assert.equal(reply.status, 404);
  assert.equal(reply.headers['content-type'], 'application/problem+json');
  assert.deepEqual(JSON.parse(String(reply.body)), {
    type: 'urn:opencamera:problem:session-unknown',
    title: 'No such live session',
    status: 404,
    detail: 'The live session has ended or never was.',
    code: 'session-unknown',
    instance: `urn:uuid:${requestId}`,
  });
});

test('shows the details of a codec fault and says when to come back for a busy camera', () => {
  assert.deepEqual(documentOf(new CameraError('codec-unsupported', '', { offered: 'VP8' })).details, {
    offered: 'VP8',
  });
  for (const code of [
    'viewer-limit',
    'offers-pending',
    'source-not-ready',
    'worker-unavailable',
    'request-timeout',
  ]) {
    const reply = problemReply(new CameraError(code as ErrorCode, ''), requestId);
    assert.equal(reply.status, 503, code);
    assert.ok(Number(reply.headers['retry-after']) >= 1, code);
  }
});

test('tells nothing of the inside: neither message nor stack nor details nor code', () => {
  for (const error of [
    new Error('/home/camera/secret'),
    'text',
    undefined,
    new CameraError('source-failed', 'rtsp://user:password@host', { command: 'password' }),
    new CameraError('a-code-of-the-future' as ErrorCode, 'password', { password: 'password' }),
  ]) {
    const document = documentOf(error);
    assert.equal(document.code, 'internal');
    assert.equal(document.status, 500);
    assert.equal(document.details, undefined);
    assert.doesNotMatch(JSON.stringify(document), /secret|password|rtsp|Error:|\.ts/);
  }
});

test('hands the header fields of a request fault on', () => {
  const reply = problemReply(new RequestFault('method-not-allowed', {}, { allow: 'GET, HEAD' }), requestId);
  assert.equal(reply.headers.allow, 'GET, HEAD');
  assert.match(
    problemReply(new RequestFault('unauthorized'), requestId).headers['www-authenticate'] ?? '',
    /^Bearer/,
  );
});
