/** A login at a registry. An identity token is exchanged for access tokens, as `docker login` of some registries gives it. */
export type Credentials = { username: string; password: string } | { identityToken: string };

/** @returns undefined without a login: the registry is asked without credentials */
export type FindCredentials = (registry: string) => Promise<Credentials | undefined>;
