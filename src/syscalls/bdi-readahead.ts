/**
 * Sets how far the kernel reads ahead on a mount, in KiB: `/sys/class/bdi/<device>/read_ahead_kb`.
 * @param device `major:minor` of the mount as /proc/self/mountinfo has it: a stat would ask the mount itself
 * @throws Fault `unsupported/no-readahead` where the kernel has no such file
 */
export async function setReadahead(device: string, kibibytes: number): Promise<void> {
  throw new Error(`not built yet ${device} ${kibibytes}`);
}
