/** What the page of the benchmark asks of its worker. */

export type Maker = 'relay' | 'age-encryption';

export interface Asked {
  readonly maker: Maker;
  readonly bytes: number;
}
