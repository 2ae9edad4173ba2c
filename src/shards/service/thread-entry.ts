import { serveRules } from '../../rules/threads/serve-rules';
import { shardDomain } from '../domain';
import { measuresOf } from '../simulate/measures';
import { simulateQuestion } from '../simulate/simulate-question';

serveRules({ domain: shardDomain, simulate: simulateQuestion, measure: measuresOf });
