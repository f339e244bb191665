// Makes wasm files smaller, in place: `wasm-opt -Oz` for many of them in one process, because starting the optimiser takes
// longer than most of the parts take.

import binaryen from 'binaryen';
import { readFile, writeFile } from 'node:fs/promises';

const { Features } = binaryen;
// What wasm-bindgen's output uses and every browser has for which the styles are translated.
const FEATURES = Features.BulkMemory | Features.BulkMemoryOpt | Features.NontrappingFPToInt | Features.SignExt
  | Features.MutableGlobals | Features.ReferenceTypes | Features.Multivalue;

binaryen.setOptimizeLevel(2);
binaryen.setShrinkLevel(2);
for (const file of process.argv.slice(2)) {
  const wasm = binaryen.readBinary(await readFile(file), FEATURES);
  wasm.optimize();
  if (!wasm.validate()) throw new Error(`${file} is not valid once it is optimised`);
  await writeFile(file, wasm.emitBinary());
  wasm.dispose();
}
