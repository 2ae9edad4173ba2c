/** What the name of a private registry of Amazon ECR tells. */
export interface EcrHost {
  /** the registry's id, which is its account */
  account: string;
  region: string;
}

/** By endpoint: the usual one, FIPS, and both IP versions; the domain is another in other partitions of AWS. */
const HOST = /^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z]{2}(?:-[a-z]+)+-\d+)\.[a-z0-9.-]+$/;

/** undefined for any other host */
export function readEcrHost(host: string): EcrHost | undefined {
  const [, account, region] = HOST.exec(host) ?? [];
  return account === undefined || region === undefined ? undefined : { account, region };
}
