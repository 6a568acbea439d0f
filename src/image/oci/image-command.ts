/** What a container of an image runs unless it is told otherwise. */
export interface ImageCommand {
  /** Entrypoint and command. */
  readonly argv: readonly string[];
  /** Folders of `PATH`. */
  readonly path: readonly string[];
}

const USUAL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const MAX_WORDS = 256;

/** From the bytes of an image config (OCI image spec, config.md). What is not as it should be is taken for absent. */
export function parseImageCommand(bytes: Uint8Array): ImageCommand {
  const config = configOf(bytes);
  const env = words(config['Env']).find((one) => one.startsWith('PATH='));
  return {
    argv: [...words(config['Entrypoint']), ...words(config['Cmd'])],
    path: (env?.slice('PATH='.length) ?? USUAL_PATH).split(':').filter((folder) => folder.startsWith('/')),
  };
}

function configOf(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const document: unknown = JSON.parse(Buffer.from(bytes).toString());
    const config = (document as { readonly config?: unknown } | null)?.config;
    return typeof config === 'object' && config !== null ? (config as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function words(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((one) => typeof one === 'string').slice(0, MAX_WORDS);
}
