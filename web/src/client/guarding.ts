/** Stands between what holds keys and the page: whatever is thrown inside leaves as a plain refusal, or not at all. */

import { refusalOf } from './refusing';

/** `inside`, with every method's failure made into a plain `Refusal`, and every result passed through `hand`. */
export function guarded<Inside extends object>(inside: Inside, hand: (result: unknown) => unknown): Inside {
  return new Proxy(inside, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      // Only what is made for pages is theirs: no field of a class is handed out, whatever its name.
      if (typeof member !== 'function' || Object.hasOwn(target, name)) return undefined;
      return async (...given: readonly unknown[]) => {
        try {
          return hand(await (Reflect.apply(member, target, given) as unknown));
        } catch (error) {
          // eslint-disable-next-line @typescript-eslint/only-throw-error -- an Error would cross with its message and stack
          throw refusalOf(error);
        }
      };
    },
  });
}
