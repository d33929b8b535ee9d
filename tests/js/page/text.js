// What models write, shown.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { ask, literal, open, set, setMore } from "./person.js";

const kHostile = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 2'>",
    "<svg/onload=window.hacked=3>",
    "[one](javascript:window.hacked=4) [two](JaVaScRiPt:window.hacked=5) [three](data:text/html,hi)",
    "![four](https://example.org/seen.png) ![five](x \"y\")",
    "<https://example.org/ok> [six](https://example.org/?a=1 \"t\") [seven](//example.org/x) [eight](file:///etc/passwd)",
    "<a href='https://example.org' onclick='window.hacked=6'>nine</a>",
    "[ten]: javascript:window.hacked=7",
    "[ten] &lt;b&gt; &#106;avascript:x",
    "```html\n<script>window.hacked = 8</script>\n```",
];

describe("text", () => {
    test("stays text, whatever the model writes", async () => {
        const page = await open();
        for (const hostile of kHostile) {
            await page.getByRole("button", { name: "New conversation" }).click();
            await setMore(page, literal(hostile));
            const reply = await ask(page);
            const found = await reply.locator(".prose").evaluate((prose) => ({
                strange: [...prose.querySelectorAll("script, img, svg, iframe, object, style, form, input, b")].map((e) => e.outerHTML),
                handlers: [...prose.querySelectorAll("*")].flatMap((e) => e.getAttributeNames()).filter((n) => n.startsWith("on")),
                links: [...prose.querySelectorAll("a")].map((a) => [a.protocol, a.rel, a.target]),
                text: prose.textContent,
            }));
            assert.deepEqual(found.strange, [], hostile);
            assert.deepEqual(found.handlers, [], hostile);
            for (const link of found.links)
                assert.deepEqual(link, ["https:", "noopener noreferrer nofollow", "_blank"], hostile);
            assert.equal(await page.evaluate(() => window.hacked), undefined, hostile);
            if (hostile.startsWith("<")) assert.ok(found.text.includes(hostile.slice(0, 8).replace("<https:/", "https://")), found.text);
        }
    });

    test("is Markdown: headings, lists, tables, code that can be copied", async () => {
        const page = await open({ permissions: ["clipboard-read", "clipboard-write"] });
        await setMore(page, literal("# Title\n\n- one\n- **two**\n\n| a | b |\n| - | -: |\n| 1 | 2 |\n\n```py\nx = 1 < 2\n```\n"));
        const reply = await ask(page);
        await reply.getByRole("heading", { name: "Title", level: 3 }).waitFor();
        assert.deepEqual(await reply.getByRole("listitem").allInnerTexts(), ["one", "two"]);
        assert.deepEqual(await reply.getByRole("cell").allInnerTexts(), ["1", "2"]);
        await reply.getByRole("button", { name: "Copy code" }).click();
        assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "x = 1 < 2\n");
        assert.deepEqual(await reply.locator(".code-number").allInnerTexts(), ["1", "2"]);
        await page.getByRole("button", { name: "Copied code" }).waitFor();
    });

    test("of the person is shown as typed", async () => {
        const page = await open();
        await set(page, "Longest reply", "2");
        await ask(page, "<b>*not* bold</b>");
        assert.equal(await page.locator(".bubble").innerText(), "<b>*not* bold</b>");
    });
});
