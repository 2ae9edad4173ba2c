import type { JsonObject, JsonValue } from '../kernel/json';
import { toCommandJson } from './command-json';
import { ExitCode, type CommandFailure } from './exit';

/**
 * What `-o json` prints of one command: its result when it ends, or results a line each as they come. A program finds one
 * JSON document for every exit code.
 */
export class Results {
  private result?: JsonValue;
  private hasLines = false;

  constructor(private readonly write: (text: string) => unknown) {}

  /** @param value printed when the command ends; its keys become snake_case, but those of `quoted` documents */
  set(value: unknown): void {
    this.result = toCommandJson(value);
  }

  /** Prints a result at once, on a line of its own. */
  line(value: unknown): void {
    this.hasLines = true;
    this.write(`${JSON.stringify(toCommandJson(value))}\n`);
  }

  /**
   * Prints the result, or `{error}`: for code 2, where what is known stands in the error as its `result`, and for any other
   * code without a result.
   *
   * @param failure why the command ended with a code other than 0
   * @param asked whether `-o json` was given, so that a failure without a result is printed too
   */
  finish(code: ExitCode, failure: CommandFailure | undefined, asked: boolean): void {
    const isKnown = this.result !== undefined || this.hasLines;
    const isTold = isKnown && code !== ExitCode.usage;
    if (failure === undefined || isTold || !(asked || isKnown)) {
      if (this.result !== undefined) this.print(this.result);
      return;
    }
    const error = toCommandJson(failure) as JsonObject;
    this.print({ error: this.result === undefined ? error : { ...error, result: this.result } });
  }

  private print(document: JsonValue): void {
    this.write(`${JSON.stringify(document, null, this.hasLines ? 0 : 2)}\n`);
  }
}
