/** Requests from the benchmark page to its worker. */

export type Maker = 'relay' | 'age-encryption';

export interface Asked {
  readonly maker: Maker;
  readonly bytes: number;
}
