import { serveRules } from '../../rules/threads/serve-rules';
import { shardDomain } from '../domain';

serveRules({ domain: shardDomain });
