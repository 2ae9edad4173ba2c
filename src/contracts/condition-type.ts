import type { ImageConditionType } from '../images/conditions/condition-type';
import type { ImageMetadata } from '../images/image-metadata';
import type { TestFramework } from './test-framework';

/** A condition type under test, and what stands behind it. */
export interface ConditionTypeUnderTest {
  type: ImageConditionType;
  /** of a condition that the type answers @default none */
  key?: string;
  /** from now on what the type asks answers, or never does; absent for a type that asks no one */
  answers?(isAnswering: boolean): Promise<void>;
  close(): Promise<void>;
}

const IMAGE: ImageMetadata = {
  registry: 'docker.example',
  repository: 'team/app',
  tag: 'v1',
  digest: `sha256:${'ab'.repeat(32)}`,
};

/** What every condition type keeps to, as a sync asks it. */
export function describeConditionType(
  { describe, it, expect }: TestFramework,
  name: string,
  open: () => Promise<ConditionTypeUnderTest>,
): void {
  describe(`condition type contract on ${name}`, () => {
    const using = async (work: (opened: ConditionTypeUnderTest) => Promise<void>): Promise<void> => {
      const opened = await open();
      try {
        await opened.answers?.(true);
        await work(opened);
      } finally {
        await opened.answers?.(true);
        await opened.close();
      }
    };
    const { signal } = new AbortController();

    it('a condition type answers with texts, or does not know', () =>
      using(async ({ type, key }) => {
        const values: unknown = await type.values(IMAGE, key, signal);
        const texts: unknown[] = Array.isArray(values) ? values : [values ?? ''];
        expect(texts.map((text) => typeof text)).toEqual(texts.map(() => 'string'));
        expect(values === undefined || Array.isArray(values)).toBe(true);
      }));

    it('a condition type answers the same for the same image, and leaves the image as it is', () =>
      using(async ({ type, key }) => {
        const image = Object.freeze({ ...IMAGE });
        const first: unknown = await type.values(image, key, signal);
        expect(await type.values(image, key, signal)).toEqual(first);
      }));

    it('a condition type ends once the signal aborts', () =>
      using(async ({ type, key, answers }) => {
        if (answers === undefined) return;
        await answers(false);
        const controller = new AbortController();
        const asked = Promise.resolve(type.values(IMAGE, key, controller.signal)).then(
          () => 'ended',
          () => 'ended',
        );
        setImmediate(() => controller.abort());
        expect(await asked).toBe('ended');
      }));
  });
}
