// Unpacks the age test kit into a folder, one file per vector, exactly as it was published.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as vectors from "cctv-age";

const [folder] = process.argv.slice(2);
for (const [name, bytes] of Object.entries(vectors)) {
  writeFileSync(join(folder, name), bytes);
}
