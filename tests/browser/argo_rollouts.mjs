// Checks an AnalysisTemplate against the schema of Argo Rollouts, and prints it as JSON.
//
// Usage: node argo_rollouts.mjs FILE
// UNDERSTUDY_NODE_MODULES is the folder with the packages of package.json.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const require = createRequire(join(resolve(process.env.UNDERSTUDY_NODE_MODULES), "argo_rollouts.cjs"));
const { AnalysisTemplate } = require("@kubernetes-models/argo-rollouts/argoproj.io/v1alpha1/AnalysisTemplate");
const { load } = require("js-yaml");

const template = load(readFileSync(process.argv[2], "utf8"));
new AnalysisTemplate(template).validate();
console.log(JSON.stringify(template));
