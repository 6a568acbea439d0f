import { Fault } from '../../base/fault.ts';

/** Where a Docker engine answers. */
export type EngineAddress =
  | { readonly kind: 'unix'; readonly socketPath: string; readonly text: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly text: string };

/**
 * Reads DOCKER_HOST as docker does: `unix:///path`, `tcp://host:port`.
 * @param env DOCKER_TLS_VERIFY makes a tcp address one that is not supported
 * @throws Fault `unsupported/docker-host`, `invalid/docker-host`
 */
export function parseEngineAddress(
  text: string,
  env: Readonly<Record<string, string | undefined>> = {},
): EngineAddress {
  const unix = /^unix:\/\/(\/.+)$/.exec(text);
  if (unix !== null) return { kind: 'unix', socketPath: unix[1] as string, text };
  const tcp = /^(?:tcp|http):\/\/(\[[0-9a-fA-F:]+\]|[^/:]+)(?::(\d+))?\/?$/.exec(text);
  const fields = { host: text };
  if (tcp === null) {
    const known = /^(ssh|npipe|https|fd):/.test(text);
    throw new Fault(
      known ? 'unsupported' : 'invalid',
      'docker-host',
      `DOCKER_HOST ${JSON.stringify(text)} cannot be used: give unix:///path or tcp://host:port; what docker save writes can be pushed too: docker save <image> | dkr-shp push -`,
      { fields },
    );
  }
  if ((env['DOCKER_TLS_VERIFY'] ?? '') !== '') {
    throw new Fault(
      'unsupported',
      'docker-tls',
      `DOCKER_TLS_VERIFY is set, and TLS to the engine at ${text} is not supported: docker save <image> | dkr-shp push - goes through docker`,
      { fields },
    );
  }
  const port = Number(tcp[2] ?? 2375);
  if (port < 1 || port > 65_535)
    throw new Fault('invalid', 'docker-host', `${text}: the port is no port`, { fields });
  return { kind: 'tcp', host: (tcp[1] as string).replace(/^\[|\]$/g, ''), port, text };
}
