import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import type { ECRClientConfig } from '@aws-sdk/client-ecr';
import type { S3ClientConfig } from '@aws-sdk/client-s3';

/** Where a service of AWS is asked; what is absent comes from the AWS SDK's usual places. */
export interface AwsPlace {
  endpoint?: string;
  region?: string;
}

// The SDK warns of Node 20 on standard error of every command; which Node is used is the operator's choice, made knowingly.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

/** Every request ends: a server that hangs costs this and no more. */
const CONNECTION_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 10_000;
const ATTEMPTS = 3;

const common = ({ endpoint, region }: AwsPlace) => ({
  ...(endpoint === undefined ? {} : { endpoint }),
  ...(region === undefined ? {} : { region }),
  maxAttempts: ATTEMPTS,
  requestHandler: {
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    throwOnRequestTimeout: true,
  },
});

/** Options of an S3Client. */
export function s3ClientConfig({
  forcePathStyle = false,
  ...place
}: AwsPlace & { forcePathStyle?: boolean }): S3ClientConfig {
  return { ...common(place), forcePathStyle };
}

/** Options of an ECRClient. */
export function ecrClientConfig(place: AwsPlace): ECRClientConfig {
  return common(place);
}

/** Options of a DynamoDBClient. */
export function dynamoDbClientConfig(place: AwsPlace): DynamoDBClientConfig {
  return common(place);
}
