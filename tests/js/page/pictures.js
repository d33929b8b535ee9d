// The pictures of docs/images, from the page as it is.
import { rmSync } from "node:fs";

import { openPage } from "./browser.js";
import { startServer } from "../server.js";
import { tinyFolder } from "./tiny_folder.js";

const kNames = ["README.md", "LICENSE", "openness.yaml"];
const kDesktop = { viewport: { width: 1200, height: 760 } };
const kPhone = { viewport: { width: 360, height: 720 }, deviceScaleFactor: 1.5 };

// Asked to write exactly this, so that pictures are the same each time.
const kReply = `Here is a short tale, and a way to count its words.

> Once upon a time a **fox** found a lantern in the snow. It carried the light home, and nobody in the forest was afraid of the dark any more.

\`\`\`python
def words(text):
    return len(text.split())
\`\`\`

| sentence | words |
| --- | ---: |
| first | 12 |
| second | 17 |
`;

async function settle(page, parameters) {
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByLabel("Further parameters").fill(JSON.stringify(parameters));
    const close = page.getByRole("button", { name: "Close" });
    if (await close.isVisible()) await close.click();
    else await page.getByRole("button", { name: "Settings" }).click();
}

async function talk(page) {
    await settle(page, { grammar: `root ::= ${JSON.stringify(kReply)}`, max_tokens: 900 });
    await page.getByLabel("Message", { exact: true }).fill("Tell me a tale, and how to count its words.");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Regenerate" }).waitFor();
    await page.mouse.move(0, 0);
}

async function models(page) {
    await page.getByRole("article", { name: "tiny" }).getByText(/^loaded/).waitFor();
    await page.getByRole("article", { name: "unlabelled" }).waitFor();
}

// Answers what is left to wait for.
async function busy(page, url) {
    const body = JSON.stringify({ messages: [{ role: "user", content: "Tell me a story." }], max_tokens: 700, ignore_eos: true });
    const ask = () => fetch(`${url}/v1/chat/completions`, { method: "POST", body });
    const until = Date.now() + 45_000;
    const clients = Array.from({ length: 6 }, async (_, i) => {
        await new Promise((resolve) => setTimeout(resolve, i * 5000));
        while (Date.now() < until) await (await ask()).json();
    });
    await page.waitForTimeout(42_000);
    return () => Promise.all(clients);
}

const kPictures = [
    { name: "page-chat", options: kDesktop, make: talk },
    { name: "page-chat-dark", options: { ...kDesktop, colorScheme: "dark" }, make: talk },
    { name: "page-phone", options: kPhone, make: talk },
    { name: "page-models", options: { viewport: { width: 1200, height: 900 } }, path: "/#/models", make: models },
    { name: "page-live", options: { ...kDesktop, colorScheme: "dark" }, path: "/#/live", make: busy },
];

export async function takePictures(browser, folder) {
    const unlabelled = tinyFolder({ without: kNames });
    const server = await startServer(["tiny", `unlabelled=${unlabelled}`]);
    for (const { name, options, path, make } of kPictures) {
        const { page, close } = await openPage(browser, server.url, { path: path ?? "/", ...options });
        const rest = await make(page, server.url);
        await page.screenshot({ path: `${folder}/${name}.png` });
        await rest?.();
        await close();
    }
    server.stop();
    rmSync(unlabelled, { recursive: true });
}
