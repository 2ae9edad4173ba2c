import type { Descriptor } from './registries/descriptor';

/** `os/architecture`, or `os/architecture/variant`. */
export const PLATFORM_PATTERN = '^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?$';
const PLATFORM = new RegExp(PLATFORM_PATTERN);

/** Whether a text names a platform, such as `linux/arm64` or `linux/arm/v7`. */
export function isPlatform(text: string): boolean {
  return PLATFORM.test(text);
}

/** Whether an image of an index is of a platform. One that is named without a variant has all of them. */
export function isOfPlatform({ platform }: Descriptor, named: string): boolean {
  if (platform === undefined) return false;
  const name = `${platform.os}/${platform.architecture}`;
  return named === name || named === `${name}/${platform.variant ?? ''}`;
}
