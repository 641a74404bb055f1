// Prints a YAML document as JSON.
//
// Usage: node yaml_as_json.mjs FILE
// UNDERSTUDY_NODE_MODULES is the folder with the packages of package.json.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const require = createRequire(join(resolve(process.env.UNDERSTUDY_NODE_MODULES), "yaml_as_json.cjs"));
const { load } = require("js-yaml");

console.log(JSON.stringify(load(readFileSync(process.argv[2], "utf8"))));
