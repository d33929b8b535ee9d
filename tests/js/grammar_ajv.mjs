// node grammar_ajv.mjs SCHEMA_PAIRS [N] [SEED]: random schemas, and texts drawn through the masks of
// their grammars, held against ajv. Every text must be valid JSON and valid against its schema.
import { execFileSync } from 'node:child_process';
import Ajv2020 from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

const [program, count = '1000', seed = '1'] = process.argv.slice(2);
const lines = execFileSync(program, [count, seed], { maxBuffer: 1 << 30 })
  .toString()
  .trim()
  .split('\n');
let invalid = 0;
for (const line of lines) {
  const { schema, text } = JSON.parse(line);
  const ajv = formats(new Ajv2020({ strict: false, validateFormats: true }));
  const validate = ajv.compile(schema);
  let why;
  try {
    if (!validate(JSON.parse(text))) why = JSON.stringify(validate.errors);
  } catch (error) {
    why = String(error);
  }
  if (why === undefined) continue;
  invalid += 1;
  console.log(`${JSON.stringify(schema)}\n  ${text}\n  ${why}`);
}
console.log(`${lines.length - invalid} of ${lines.length} texts are valid`);
process.exit(invalid === 0 && lines.length === Number(count) ? 0 : 1);
