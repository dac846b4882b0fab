// The documents of the events: the AsyncAPI document is valid, and every example is what its JSON Schema allows.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const require = createRequire(resolve(process.argv[3], "package.json"));
const { Parser, fromFile } = require("@asyncapi/parser");
const Ajv2020 = require("ajv/dist/2020").default;
const formats = require("ajv-formats").default;

const folder = process.argv[2];
let wrong = 0;
const say = (text) => { wrong += 1; console.error(text); };

const { document, diagnostics } = await fromFile(new Parser(), `${folder}/asyncapi.yaml`).parse();
for (const found of diagnostics.filter((item) => item.severity === 0)) say(`asyncapi.yaml: ${found.path.join(".")}: ${found.message}`);
if (!document || document.version() !== "3.0.0") say("asyncapi.yaml: expected AsyncAPI 3.0.0");

const ajv = formats(new Ajv2020({ strict: true, strictTypes: false, allErrors: true }));
const schemas = readdirSync(folder).filter((name) => name.endsWith(".schema.json"));
for (const name of schemas) {
  const validate = ajv.compile(JSON.parse(readFileSync(`${folder}/${name}`)));
  const example = name.replace(".schema.", ".example.");
  if (!validate(JSON.parse(readFileSync(`${folder}/${example}`)))) say(`${example}: ${ajv.errorsText(validate.errors)}`);
}
if (schemas.length === 0) say(`${folder}: no schemas`);
console.log(`${schemas.length} schemas, ${document ? document.allChannels().length : 0} channels, ${wrong} mistakes`);
process.exit(wrong ? 1 : 0);
