import { formatPlatform, normalizePlatform, type Platform } from '../image/oci/platform.ts';

/** As BuildKit writes it for attestations: a platform that no machine has. */
export const UNKNOWN_PLATFORM = 'unknown/unknown';

/** `os/arch[/variant]`, normalised; {@link UNKNOWN_PLATFORM} where an index or config leaves out one of the two. */
export function platformText(platform: Platform | undefined): string {
  if (platform === undefined || platform.os === '' || platform.architecture === '') return UNKNOWN_PLATFORM;
  return formatPlatform(normalizePlatform(platform));
}
