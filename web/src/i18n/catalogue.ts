/** What a catalogue of sentences is: English says which there are, and French that lacks one does not compile. */

export type Language = 'en' | 'fr';

/** The shape of `English`, with any sentence in each place; a function keeps what it takes. */
export type Catalogue<English> = {
  readonly [Key in keyof English]: English[Key] extends string
    ? string
    : English[Key] extends (...given: infer Given) => string
      ? (...given: Given) => string
      : Catalogue<English[Key]>;
};
