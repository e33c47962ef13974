/**
 * Where somebody has been, so that the browser's back button works. The history contains only a number: what it
 * refers to is in memory, and gone with the page.
 */

type Past = Pick<History, 'pushState' | 'replaceState'>;

export class Trail<Screen> {
  private readonly steps: Screen[];
  private at = 0;

  constructor(
    private readonly past: Past,
    private readonly home: Screen,
  ) {
    this.steps = [home];
    past.replaceState({ step: 0 }, '');
  }

  get current(): Screen {
    return this.steps[this.at] ?? this.home;
  }

  go(screen: Screen): void {
    this.at += 1;
    this.steps.splice(this.at, Infinity, screen);
    this.past.pushState({ step: this.at }, '');
  }

  /** For a screen to which one cannot return, such as a letter that was sent. */
  replace(screen: Screen): void {
    this.steps[this.at] = screen;
    this.past.replaceState({ step: this.at }, '');
  }

  /** After back or forward: a number from before this page was loaded leads home. */
  came(state: unknown): Screen {
    const step = typeof state === 'object' && state !== null && 'step' in state ? state.step : 0;
    if (typeof step === 'number' && step < this.steps.length) {
      this.at = step;
      return this.current;
    }
    this.at = 0;
    this.past.replaceState({ step: 0 }, '');
    return this.current;
  }
}
