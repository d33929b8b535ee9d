// Models, live numbers, keys.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { startServer } from "../server.js";
import { openPage, violations } from "./browser.js";
import { ask, expectedText, kAsked, open, set, stage, until } from "./person.js";

describe("models", () => {
    test("shows licence, openness, memory and context, and loads and unloads", async () => {
        const page = await open({ path: "/#/models" });
        const card = page.getByRole("article", { name: "tiny" });
        const text = (await card.innerText()).replace(/\s+/g, " ");
        for (const part of ["1,024 tokens", "4.5M", "llama", "apache-2.0", "Private use allowed", "Commercial use allowed",
            "Redistribution allowed, with duties",
            "3 of 3, open source"])
            assert.ok(text.includes(part), `${part}: ${text}`);
        if (text.includes("not loaded")) await card.getByRole("button", { name: "Load" }).click();
        await card.getByText(/^loaded/).waitFor();
        await card.getByText(/ of at most .* [MG]iB/).waitFor();
        await card.getByRole("button", { name: "Unload" }).click();
        await card.getByText("not loaded").waitFor();
        await card.getByRole("button", { name: "Chat" }).click();
        assert.equal(await page.getByLabel("Model", { exact: true }).inputValue(), "tiny");
    });
});

describe("live", () => {
    test("shows what the server is doing, in numbers and as a plot", async () => {
        const page = await open({ path: "/#/live" });
        await page.getByRole("heading", { name: "Tokens per second" }).waitFor();
        const body = { messages: [{ role: "user", content: kAsked }], max_tokens: 900, ignore_eos: true };
        const asking = Promise.all(Array.from({ length: 24 }, () => expectedText(body)));
        const tile = page.locator(".tile", { hasText: "Writing" }).locator("dd");
        await until(async () => !(await tile.innerText()).startsWith("0"));
        await asking;
        await until(async () => (await page.locator("path.made").getAttribute("d")).split("L").length > 2);
        const label = await page.getByRole("img", { name: /^Tokens per second/ }).getAttribute("aria-label");
        assert.match(label, / [1-9][\d.,]* at most/);
    });
});

describe("keys", () => {
    test("are asked for where the server has some, and kept for this tab alone", async () => {
        const keyed = await startServer(["tiny", "--api-key", "a-key-for-tests"]);
        try {
            stage.opened = await openPage(stage.browser, keyed.url, { expected: /status of 401/ });
            const { page } = stage.opened;
            const dialog = page.getByRole("dialog", { name: "API key" });
            await dialog.getByLabel("Key", { exact: true }).fill("a-wrong-key");
            await page.keyboard.press("Enter");
            await dialog.waitFor();
            assert.deepEqual(await violations(page), []);
            await dialog.getByLabel("Key", { exact: true }).fill("a-key-for-tests");
            await page.keyboard.press("Enter");
            await dialog.waitFor({ state: "detached" });
            await set(page, "Longest reply", "4");
            await ask(page);
            assert.deepEqual(await page.evaluate(() => [sessionStorage.getItem("heft.key"), JSON.stringify(localStorage).includes("a-key")]), ["a-key-for-tests", false]);
            assert.equal((await fetch(`${keyed.url}/heft/models`)).status, 401);
            assert.equal((await fetch(`${keyed.url}/heft/live`)).status, 401);
        } finally {
            keyed.stop();
        }
    });
});
