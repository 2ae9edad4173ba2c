import { ImageError, ImageErrorCode } from '../image-error';
import { RegistryError } from './registry-error';

/** The error of an image for what a registry did not do; undefined if the failure has another cause. */
export function toImageError(failure: unknown): ImageError | undefined {
  if (failure instanceof ImageError) return failure;
  if (!(failure instanceof RegistryError)) return undefined;
  return new ImageError(codeOf(failure), failure.message, { cause: failure });
}

function codeOf({ failure }: RegistryError): ImageErrorCode {
  switch (failure) {
    case 'missing':
      return ImageErrorCode.IMAGE_NOT_FOUND;
    case 'unavailable':
    case 'denied':
      return ImageErrorCode.REGISTRY_UNAVAILABLE;
    case 'refused':
    case 'invalid':
      return ImageErrorCode.ACTION_EXEC_ERROR;
    default:
      return failure satisfies never;
  }
}
