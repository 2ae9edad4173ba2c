import type { JsonObject } from '../../kernel/json';
import type { CompiledConditions } from '../conditions/compile-conditions';
import type { ImageCondition } from '../conditions/image-condition';
import type { DocumentPlace } from '../../platform/documents/validate';
import type { PublicKey } from '../signatures/public-key';
import type { SignatureEnforcement } from '../signatures/signature-check';
import type { TagChooser } from './choose-tags';
import type { ImageAction, ImagePolicyDocument, ReplicateAction } from './policy-document';
import type { FitsRepository } from './repository-pattern';
import type { TargetTemplate } from './target-template';

/** Which images a policy is about, ready to be asked. */
export interface PolicySource {
  registry: string;
  /** as written */
  repositories: readonly string[];
  fitsRepository: FitsRepository;
  /** one of them must hold; empty where every tag is meant */
  tags: readonly TagChooser[];
  /** whether a tag never moves once it is pushed */
  isImmutable(tag: string): boolean;
}

/** Where an image goes, ready to be filled in. */
export interface ReplicateTarget {
  registry: string;
  repository: TargetTemplate;
  tag?: TargetTemplate;
  backupTag?: TargetTemplate;
}

export type CompiledAction =
  { document: ReplicateAction; target: ReplicateTarget } | { document: Exclude<ImageAction, ReplicateAction> };

/** A signature that images of a policy must have. */
export interface PolicySignature {
  key: PublicKey;
  /** as written */
  keyFile: string;
  enforce: SignatureEnforcement;
}

/** A policy that was checked and compiled. */
export interface ImagePolicy {
  id: string;
  name: string;
  enabled: boolean;
  priority: number;
  source?: PolicySource;
  signature?: PolicySignature;
  conditions: readonly ImageCondition[];
  compiled: CompiledConditions;
  actions: readonly CompiledAction[];
  metadata: JsonObject;
  /** as written, defaults filled in */
  document: ImagePolicyDocument;
}

/** The policies of a folder: the higher priority first, then by id. */
export interface ImagePolicySet {
  policies: readonly ImagePolicy[];
  byId: ReadonlyMap<string, ImagePolicy>;
  places: ReadonlyMap<string, DocumentPlace>;
}
