/** Runs tasks one after the other, in the order in which they were added. */

export class Serial {
  /** Resolves when all tasks so far are done. */
  done: Promise<unknown> = Promise.resolve();

  run<Value>(task: () => Promise<Value>): Promise<Value> {
    const result = this.done.then(task);
    this.done = result.catch(() => undefined);
    return result;
  }
}
