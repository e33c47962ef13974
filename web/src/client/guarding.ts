/** Guards the boundary between the worker and the page: anything thrown inside leaves as a plain refusal. */

import { refusalOf } from './refusing';

/** Wraps `inside`: every error becomes a plain `Refusal`, and every result goes through `pass`. */
export function guarded<Inside extends object>(inside: Inside, pass: (result: unknown) => unknown): Inside {
  return new Proxy(inside, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      // Pages can call methods only: fields of a class are never exposed, whatever their name.
      if (typeof member !== 'function' || Object.hasOwn(target, name)) return undefined;
      return async (...given: readonly unknown[]) => {
        try {
          return pass(await (Reflect.apply(member, target, given) as unknown));
        } catch (error) {
          // eslint-disable-next-line @typescript-eslint/only-throw-error -- an Error would cross with its message and stack
          throw refusalOf(error);
        }
      };
    },
  });
}
