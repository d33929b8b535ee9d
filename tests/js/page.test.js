// The page at "/", driven as a person would: the real server, the built-in model, Debian's Chromium.
// HEFT_PICTURES=FOLDER writes the pictures of docs/ anew.
import { rmSync } from "node:fs";
import { after, afterEach, before, test } from "node:test";

import { findBrowser, startBrowser } from "./page/browser.js";
import { close, stage } from "./page/person.js";
import { takePictures } from "./page/pictures.js";
import { tinyFolder } from "./page/tiny_folder.js";
import { startServer } from "./server.js";

if (findBrowser() === undefined) {
    console.log("Chromium is missing: ./do setup installs it");
    process.exit(process.env.CI === "true" ? 1 : 77);
}

// Knows of tools, as Hermes has it.
const kTemplate = `{%- if tools %}<|start|>system
# Tools
You are provided with function signatures within <tools></tools> XML tags:
<tools>{%- for tool in tools %}
{{ tool | tojson }}{%- endfor %}
</tools>
For each function call, return a json object within <tool_call></tool_call> XML tags:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call><|end|>
{% endif %}{%- for message in messages %}{{- '<|start|>' + message['role'] + '\\n' + message['content'] + '<|end|>\\n' }}{%- endfor %}{%- if add_generation_prompt %}{{- '<|start|>assistant\\n' }}{%- endif %}`;

const folder = tinyFolder({ template: kTemplate });

before(async () => {
    stage.server = await startServer(["tiny", `tools=${folder}`]);
    stage.browser = await startBrowser();
});

afterEach(close);

after(async () => {
    await stage.browser?.close();
    stage.server?.stop();
    rmSync(folder, { recursive: true });
});

for (const part of ["chat", "text", "views", "everybody"]) await import(`./page/${part}.js`);

if (process.env.HEFT_PICTURES)
    test("pictures for docs/", () => takePictures(stage.browser, process.env.HEFT_PICTURES));
