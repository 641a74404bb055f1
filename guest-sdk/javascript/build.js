#!/usr/bin/env node
// Builds the component of a plugin: bundles its source with esbuild, and componentizes the bundle with componentize-js.
//
// Invariants:
// - The component has no import: all features of the engine are disabled.
// - Both tools are those of the plugin's own folder `node_modules`, in the versions that its `package.json` has.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { errorText, sourcePlace } from './lib/error_text.js';

const USAGE = 'usage: understudy-componentize [DIR] --output COMPONENT.WASM';
const SDK = fileURLToPath(new URL('.', import.meta.url));
/** What the places of the source replace in the bundle. It has no line break, so no line of the bundle moves. */
const PLACES = '"understudy places"';

/** A fault that its message explains. */
class BuildError extends Error {}

/** Imports a tool from the folder `node_modules` of a plugin, or of a folder above it. */
async function tool(folder, name) {
  for (const modules of createRequire(join(folder, 'package.json')).resolve.paths(name)) {
    const path = join(modules, name);
    const manifest = await readFile(join(path, 'package.json'), 'utf8').catch(() => undefined);
    if (manifest === undefined) continue;
    const { exports = {}, main } = JSON.parse(manifest);
    const entry = exports['.'] ?? exports;
    return import(pathToFileURL(join(path, entry.import ?? entry.default ?? main)));
  }
  throw new BuildError(`${name} is not installed in ${join(folder, 'node_modules')}; run \`npm install\` there`);
}

async function packageOf(folder) {
  const path = join(folder, 'package.json');
  let text;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new BuildError(`${error.message}; name the folder of a plugin`);
  }
  try {
    const { name, version = '0.0.0', main = 'index.js' } = JSON.parse(text);
    if (typeof name !== 'string') throw new BuildError('it has no name');
    return { name, version, main };
  } catch (error) {
    throw new BuildError(`${path}: ${error.message}`);
  }
}

/** The bundle of a plugin, and the places of its source. */
async function bundle(folder, { name, version, main }) {
  const { build } = await tool(folder, 'esbuild');
  const contents = `import plugin from ${JSON.stringify(`./${main}`)};
import { component } from ${JSON.stringify(join(SDK, 'component.js'))};
const exported = component(plugin, ${JSON.stringify({ name, version })}, ${PLACES});
export { exported as decider, exported as scorer, plugin };`;
  const built = await build({
    stdin: { contents, resolveDir: folder, sourcefile: 'entry.js' },
    absWorkingDir: folder,
    outfile: join(folder, 'bundle.js'),
    write: false,
    bundle: true,
    charset: 'utf8',
    format: 'esm',
    legalComments: 'none',
    logLevel: 'silent',
    mainFields: ['module', 'main'],
    platform: 'neutral',
    sourcemap: 'external',
    sourcesContent: false,
    target: 'es2022',
  }).catch((error) => {
    const texts = (error.errors ?? []).map(({ location, text }) => {
      return location === null ? text : `${location.file}:${location.line}:${location.column + 1}: ${text}`;
    });
    throw new BuildError(texts.length === 0 ? error.message : texts.join('\n'));
  });
  const [map, { text }] = built.outputFiles;
  const places = sourcePlaces(folder, JSON.parse(map.text));
  return { text: text.replace(PLACES, () => JSON.stringify(places)), places };
}

/** The places of the plugin's source in a bundle, as `errorText` reads them. */
function sourcePlaces(folder, { mappings, sources }) {
  const isOwn = sources.map((source) => source !== 'entry.js' && !resolve(folder, source).startsWith(SDK));
  let [source, line] = [0, 0];
  const lines = mappings.split(';').map((segments) => {
    const starts = [];
    let column = 0;
    for (const segment of segments.split(',')) {
      const [columnStep = 0, sourceStep, lineStep] = decodeVlq(segment);
      column += columnStep;
      if (sourceStep === undefined) continue;
      source += sourceStep;
      line += lineStep;
      const last = starts.at(-1);
      const isChange = last === undefined || last[1] !== source || last[2] !== line + 1;
      if (isOwn[source] && isChange) starts.push([column, source, line + 1]);
    }
    return starts;
  });
  return { files: sources, lines };
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The numbers of a segment of a source map: base 64, five bits a digit, the lowest bit is the sign. */
function decodeVlq(segment) {
  const numbers = [];
  let [value, shift] = [0, 0];
  for (const digit of segment) {
    const bits = BASE64.indexOf(digit);
    value += (bits & 31) << shift;
    shift += 5;
    if (bits < 32) {
      numbers.push(value & 1 ? -(value >> 1) : value >> 1);
      [value, shift] = [0, 0];
    }
  }
  return numbers;
}

/** The interface that the default export of a bundle exports. Runs the bundle, as the engine of the component will. */
async function exportedInterface(path, main, places) {
  const { plugin } = await import(pathToFileURL(path)).catch((error) => {
    throw new BuildError(errorText(error, places));
  });
  if (!['decider', 'scorer'].includes(plugin?.exports)) {
    throw new BuildError(`${main} has no plugin as its default export; write export default model({ ... }), comparator or metric`);
  }
  return plugin.exports;
}

async function main() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { output: { type: 'string' } } });
  if (values.output === undefined || positionals.length > 1) throw new BuildError(USAGE);
  const folder = resolve(positionals[0] ?? '.');
  const manifest = await packageOf(folder);
  const { componentize } = await tool(folder, '@bytecodealliance/componentize-js');
  const scratch = await mkdtemp(join(tmpdir(), 'understudy-'));
  try {
    const source = join(scratch, 'bundle.js');
    const { text, places } = await bundle(folder, manifest);
    await writeFile(join(scratch, 'package.json'), '{"type": "module"}');
    await writeFile(source, text);
    const exported = await exportedInterface(source, manifest.main, places);
    const { component, imports } = await componentize({
      sourcePath: source,
      witPath: join(SDK, 'wit'),
      worldName: exported === 'scorer' ? 'metric' : 'model',
      disableFeatures: ['clocks', 'fetch-event', 'http', 'random', 'stdio'],
    }).catch((error) => {
      // The engine has refused what node accepts.
      const text = error.message.replace(/bundle\.js:(\d+):(\d+)/g, (place, line, column) => {
        return sourcePlace(line, column, places) ?? place;
      });
      throw new BuildError(text);
    });
    if (imports.length > 0) throw new BuildError(`the component imports ${imports.join(', ')}, but it must import nothing`);
    await writeFile(resolve(values.output), component);
    const kind = exported === 'scorer' ? 'a metric' : 'a model or a comparator';
    process.stderr.write(`written to ${values.output}: ${kind}\n`);
  } finally {
    await rm(scratch, { recursive: true });
  }
}

main().catch((error) => {
  process.stderr.write(`${error instanceof BuildError ? error.message : error.stack}\n`);
  process.exitCode = 1;
});
