import type { ExportFormat, ExportRequest } from '../../observe/control/requests.ts';
import type { PullResult } from '../../observe/control/views.ts';

/**
 * What of an image an export is to hold: the platform that was pulled, whatever else of it was here before. Several go
 * into an OCI archive only; of a docker-archive the station chooses this machine's.
 */
export function exportPlatform(
  { manifests }: Pick<PullResult, 'manifests'>,
  format: ExportFormat,
): Pick<ExportRequest, 'platform'> {
  const [first, ...others] = manifests;
  if (first === undefined) return {};
  if (others.length === 0) return { platform: first.platform };
  return format === 'oci-archive' ? { platform: 'all' } : {};
}
