import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { FAULT_KINDS } from '../../../src/base/fault.ts';
import type { ControlDoor } from '../../../src/doors/control/control-door.ts';
import { createControlDoor } from '../../../src/doors/control/create-control-door.ts';
import { FAULT_STATUS } from '../../../src/doors/control/fault-status.ts';
import { ENDPOINTS, type EndpointName, MAX_REQUEST } from '../../../src/observe/control/endpoints.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { createMemoryStation, IMAGE_ROOT, type MemoryStation, PEER, ROOT } from './memory-station.ts';

let folder: string;
let path: string;
let station: MemoryStation;
let door: ControlDoor;
let agent: Agent;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shp-door-'));
  path = join(folder, 'control.sock');
  station = createMemoryStation();
  door = createControlDoor(station, { log: silentLogger });
  agent = new Agent({ keepAlive: true });
  await door.listen(path);
});
afterEach(async () => {
  agent.destroy();
  await door.close();
  rmSync(folder, { recursive: true });
});

interface Sent {
  readonly method?: string;
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer | Readable;
}

function open(sent: Sent) {
  const request = httpRequest({
    socketPath: path,
    path: sent.url,
    method: sent.method ?? 'GET',
    headers: sent.headers ?? {},
    agent,
  });
  if (sent.body instanceof Readable) sent.body.pipe(request);
  else request.end(sent.body);
  return request;
}

async function exchange(
  sent: Sent,
): Promise<{ status: number; text: string; headers: IncomingMessage['headers'] }> {
  const request = open(sent);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return {
    status: response.statusCode ?? 0,
    text: Buffer.concat(chunks).toString(),
    headers: response.headers,
  };
}

const ask = (name: EndpointName, value?: unknown, body?: Sent['body']): Sent => {
  const { method, path: url, request } = ENDPOINTS[name];
  const json = JSON.stringify(value ?? {});
  if (request === 'body') return { method, url, body: json };
  const headers = request === 'header' ? { 'shp-request': encodeURIComponent(json) } : {};
  return { method, url, headers, ...(body === undefined ? {} : { body }) };
};

const events = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('the control door', () => {
  it('is for its owner only', () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it.each<[EndpointName, unknown, unknown]>([
    ['status', undefined, { peerId: PEER }],
    ['addrs', undefined, [`/ip4/127.0.0.1/tcp/4001/p2p/${PEER}`]],
    ['peers', undefined, []],
    ['connect', { addr: `/ip4/192.0.2.1/tcp/1/ipfs/${PEER}` }, { peer: PEER }],
    ['network', undefined, { kind: 'public' }],
    ['trustAdd', { peer: PEER }, [PEER]],
    ['trustList', undefined, []],
    ['images', undefined, [{ root: IMAGE_ROOT }]],
    ['inspect', { image: 'jbenet/go-ipfs' }, { root: IMAGE_ROOT, layers: [{ index: 0 }] }],
    ['remove', { image: 'c1d9bf8d8844' }, { root: IMAGE_ROOT }],
    ['gc', { cached: true }, { objects: 3 }],
    ['debugDag', { cid: ROOT }, { cid: ROOT }],
    ['debugLayer', { cid: ROOT }, { root: ROOT }],
    ['stop', undefined, { pid: process.pid }],
  ])('%s answers one document', async (name, value, expected) => {
    const { status, text } = await exchange(ask(name, value));
    expect(JSON.parse(text)).toMatchObject(expected as object);
    expect(status).toBe(200);
  });

  it('takes trust back', async () => {
    await exchange(ask('trustAdd', { peer: PEER }));
    expect(JSON.parse((await exchange(ask('trustRemove', { peer: PEER }))).text)).toEqual([]);
    const again = await exchange(ask('trustRemove', { peer: PEER }));
    expect([again.status, JSON.parse(again.text).fault.code]).toEqual([404, 'not-trusted']);
  });

  it('streams the events of a pull, the result last', async () => {
    const { status, text, headers } = await exchange(ask('pull', { reference: 'c1d9bf8d8844' }));
    expect(status).toBe(200);
    expect(headers['content-type']).toContain('application/x-ndjson');
    const all = events(text);
    expect(all.map(({ event }) => event)).toEqual(['layer', 'note', 'layer', 'total', 'result']);
    expect(all.at(-1).result).toMatchObject({ address: `/ipfs/${ROOT}/c1d9bf8d8844`, imageRoot: IMAGE_ROOT });
  });

  it('answers with a fault in the stream when an operation fails', async () => {
    const { text } = await exchange(ask('pull', { reference: 'nothing' }));
    expect(events(text)).toEqual([
      {
        event: 'fault',
        fault: expect.objectContaining({
          kind: 'not-found',
          code: 'unknown-image',
          fields: { image: 'nothing' },
        }),
      },
    ]);
    expect(events((await exchange(ask('pull', { reference: 'internal' }))).text)).toEqual([
      { event: 'fault', fault: expect.objectContaining({ kind: 'internal', message: 'a defect' }) },
    ]);
  });
});

describe('push', () => {
  const request = { argument: './image.tar', by: 'file', names: [] };

  it('hands every byte of the body over', async () => {
    const body = randomBytes(5_000_000);
    const { text } = await exchange(ask('push', request, body));
    expect(events(text).at(-1)).toMatchObject({
      event: 'result',
      result: { address: `/ipfs/${ROOT}/c1d9bf8d8844` },
    });
    expect(station.pushed).toEqual([createHash('sha256').update(body).digest('hex')]);
  });

  it('reports while the body is still on its way', async () => {
    const body = new Readable({ read: () => {} });
    body.push('first');
    const sent = open(ask('push', request, body));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const [first] = (await once(response, 'data')) as [Buffer];
    expect(first.toString()).toContain('"event":"layer"');
    expect(station.pushed).toEqual([]);
    body.push(null);
    response.resume();
    await once(response, 'end');
    expect(station.pushed).toHaveLength(1);
  });

  it('answers at once when the body is refused, however long it is', async () => {
    const endless = new Readable({
      read() {
        this.push(Buffer.alloc(65_536));
      },
    });
    const sent = open(ask('push', { ...request, argument: 'refused.tar' }, endless));
    sent.on('error', () => {});
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    expect(events(Buffer.concat(chunks).toString())).toEqual([
      { event: 'fault', fault: expect.objectContaining({ kind: 'corrupt', code: 'bad-archive' }) },
    ]);
    endless.destroy();
    sent.destroy();
  });

  it('aborts the operation when the client goes away', async () => {
    const begun = station.begun();
    const body = new Readable({ read: () => {} });
    body.push('first');
    const sent = open(ask('push', { ...request, argument: 'hang.tar' }, body));
    sent.on('error', () => {});
    await begun;
    sent.destroy();
    while (station.aborted.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(station.aborted).toEqual(['push']);
  });

  it('ends the archive with an error when the client goes away in the middle', async () => {
    const body = new Readable({ read: () => {} });
    body.push('half');
    const begun = station.begun();
    const sent = open(ask('push', request, body));
    sent.on('error', () => {});
    await begun;
    sent.destroy();
    await door.close();
    expect(station.pushed).toEqual([]);
  });
});

describe('export', () => {
  it('streams a tar with its length', async () => {
    const { status, text, headers } = await exchange(
      ask('export', { image: ROOT, format: 'docker-archive' }),
    );
    expect([status, text, headers['content-length']]).toEqual([
      200,
      'x'.repeat(1024) + 'y'.repeat(1024),
      '2048',
    ]);
    expect(headers['content-type']).toContain('application/x-tar');
  });

  it('is a fault before the first byte, and a cut stream behind it', async () => {
    const unknown = await exchange(ask('export', { image: 'nothing', format: 'oci-archive' }));
    expect([unknown.status, JSON.parse(unknown.text).fault.code]).toEqual([404, 'unknown-image']);
    await expect(exchange(ask('export', { image: 'broken', format: 'oci-archive' }))).rejects.toThrow();
  });
});

describe('what a client sends wrong', () => {
  it.each<[string, Sent, number, string]>([
    ['an unknown path', { url: '/v1/nothing' }, 404, 'unknown-endpoint'],
    ['a wrong method', { method: 'DELETE', url: '/v1/status' }, 404, 'unknown-endpoint'],
    ['no JSON', { method: 'POST', url: '/v1/pull', body: '{' }, 400, 'bad-request'],
    ['JSON that is no object', { method: 'POST', url: '/v1/pull', body: '[]' }, 400, 'bad-request'],
    ['a missing field', ask('pull', {}), 400, 'bad-request'],
    ['an empty field', ask('pull', { reference: '' }), 400, 'bad-request'],
    ['a field too long', ask('pull', { reference: 'x'.repeat(9000) }), 400, 'bad-request'],
    ['an unknown field', ask('pull', { reference: 'x', refrence: 'x' }), 400, 'bad-request'],
    ['a field of a wrong type', ask('gc', { cached: 'yes' }), 400, 'bad-request'],
    ['a wrong choice', ask('export', { image: 'x', format: 'zip' }), 400, 'bad-request'],
    [
      'a wrong digest',
      ask('push', { argument: 'x', by: 'id', names: [], expectedId: 'sha256:1' }),
      400,
      'bad-request',
    ],
    [
      'a body too long',
      { method: 'POST', url: '/v1/pull', body: 'x'.repeat(MAX_REQUEST + 1) },
      400,
      'request-too-large',
    ],
    ['a bad header', { url: '/v1/image', headers: { 'shp-request': '%zz' } }, 400, 'bad-request'],
    ['no header', { url: '/v1/image' }, 400, 'bad-request'],
    ['prototype keys', ask('inspect', JSON.parse('{"image":"x","__proto__":1}')), 400, 'bad-request'],
  ])('%s is refused', async (_, sent, status, code) => {
    const answer = await exchange(sent);
    expect([answer.status, JSON.parse(answer.text).fault.code]).toEqual([status, code]);
  });

  it('has a status for every kind of fault, none twice', () => {
    expect(new Set(FAULT_KINDS.map((kind) => FAULT_STATUS[kind])).size).toBe(FAULT_KINDS.length);
  });
});

describe('listen and close', () => {
  it('does not take the socket of a living station', async () => {
    const second = createControlDoor(createMemoryStation(), { log: silentLogger });
    await expect(second.listen(path)).rejects.toMatchObject({ kind: 'busy', code: 'already-running' });
    expect((await exchange(ask('status'))).status).toBe(200);
  });

  it('takes the socket of a dead one', async () => {
    const stale = join(folder, 'stale.sock');
    // A process that closes its socket removes the file; one that is killed leaves it.
    const script = `require('net').createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    expect(existsSync(stale)).toBe(true);
    const second = createControlDoor(createMemoryStation(), { log: silentLogger });
    await second.listen(stale);
    await second.close();
    expect(existsSync(stale)).toBe(false);
  });

  it('never removes a file that is no socket', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, 'data');
    const second = createControlDoor(createMemoryStation(), { log: silentLogger });
    await expect(second.listen(file)).rejects.toMatchObject({ code: 'socket-path-taken' });
  });

  it('says why when the folder is not there', async () => {
    const second = createControlDoor(createMemoryStation(), { log: silentLogger });
    await expect(second.listen(join(folder, 'no/control.sock'))).rejects.toMatchObject({
      code: 'socket-not-writable',
    });
  });

  it('tells running operations that the station stops, and ends', async () => {
    const begun = station.begun();
    const answer = exchange(ask('pull', { reference: 'hang' }));
    await begun;
    await door.close();
    expect(events((await answer).text)).toEqual([
      { event: 'fault', fault: expect.objectContaining({ kind: 'unavailable', code: 'station-stopping' }) },
    ]);
    expect(existsSync(path)).toBe(false);
    await door.close();
  });
});
