// By keyboard, on a phone, in light and dark, and by axe-core.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { assertNoSideScroll, violations } from "./browser.js";
import {
    ask, ended, kAsked, kLong, kPhone, literal, open, replies, say, setMore, until, view,
} from "./person.js";

const kViews = ["Chat", "Models", "Live"];

async function focusOn(page) {
    return page.evaluate(() => {
        const { activeElement: e } = document;
        return (e.getAttribute("aria-label") ?? e.textContent).trim();
    });
}

async function tabTo(page, name) {
    for (let i = 0; i < 60; ++i) {
        await page.keyboard.press("Tab");
        if (name.test(await focusOn(page))) return;
    }
    assert.fail(`Tab does not reach ${name}`);
}

describe("everybody", () => {
    test("can do all of it by keyboard", async () => {
        const page = await open();
        await page.getByLabel("Message", { exact: true }).waitFor();
        await until(async () => (await focusOn(page)) === "Message");
        await page.keyboard.type("Hello");
        await page.keyboard.press("Shift+Enter");
        await page.keyboard.type("you");
        await page.keyboard.press("Enter");
        await ended(page);
        assert.equal(await page.locator(".bubble").innerText(), "Hello\nyou");
        await page.evaluate(() => document.activeElement.blur());
        await tabTo(page, /^To the content$/);
        await tabTo(page, /^Edit/);
        await page.keyboard.press("Enter");
        await until(async () => (await focusOn(page)) === "Edit the message");
        await page.keyboard.press("Escape");
        await until(async () => (await focusOn(page)).startsWith("Edit"));
        await tabTo(page, /^Regenerate$/);
        await page.keyboard.press("Enter");
        await page.getByText("2 of 2").waitFor();
        await ended(page);
        await page.evaluate(() => document.activeElement.blur());
        await tabTo(page, /^Settings$/);
        await page.keyboard.press("Enter");
        await tabTo(page, /^Reasoning|^default/); // a field of the panel that opened
        await page.evaluate(() => document.activeElement.blur());
        await tabTo(page, /^Models$/);
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { name: "Models" }).waitFor();
        const ring = await page.getByRole("link", { name: "Live" }).evaluate((link) => {
            link.focus({ focusVisible: true });
            return getComputedStyle(link).outlineStyle;
        });
        assert.equal(ring, "solid");
    });

    test("stops a reply by Escape", async () => {
        const page = await open();
        await setMore(page, kLong);
        await say(page, kAsked);
        await replies(page).locator(".prose", { hasText: /\w/ }).waitFor();
        await page.getByLabel("Message", { exact: true }).press("Escape");
        await ended(page);
        assert.match(await replies(page).last().locator(".numbers").innerText(), /stopped/);
    });

    test("sees all of it on a phone, without scrolling sideways", async () => {
        const page = await open(kPhone);
        await setMore(page, literal(`${"long".repeat(40)} \`${"code".repeat(30)}\`\n\n\`\`\`\n${"x = ".repeat(40)}\n\`\`\`\n\n| ${"a | ".repeat(12)}\n| ${"- | ".repeat(12)}\n| ${"wide | ".repeat(12)}\n`));
        await ask(page, "word ".repeat(40) + "w".repeat(200));
        await assertNoSideScroll(page);
        await page.getByRole("button", { name: "Conversations" }).click();
        await page.getByRole("dialog", { name: "Conversations" }).waitFor();
        await assertNoSideScroll(page);
        await page.keyboard.press("Escape");
        for (const name of kViews) {
            await view(page, name);
            await page.waitForTimeout(300);
            await assertNoSideScroll(page);
        }
    });

    test("has light and dark, as the system or as chosen", async () => {
        const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        const page = await open({ colorScheme: "dark" });
        const dark = await ground(page);
        await page.emulateMedia({ colorScheme: "light" });
        const light = await ground(page);
        assert.notEqual(light, dark);
        const button = page.getByRole("button", { name: /^Colours/ });
        await button.click(); // light
        await button.click(); // dark
        assert.equal(await ground(page), dark);
        await page.reload();
        assert.equal(await ground(page), dark);
    });

    test("is spared motion where they ask for it", async () => {
        const page = await open({ reducedMotion: "reduce" });
        assert.equal(await page.evaluate(() => {
            const probe = document.createElement("p");
            probe.className = "waiting";
            document.body.append(probe);
            return getComputedStyle(probe, "::after").animationName;
        }), "none");
    });

    for (const colorScheme of ["light", "dark"]) {
        for (const [name, size] of [["a desktop", {}], ["a phone", kPhone]]) {
            test(`finds nothing wrong by axe-core: ${colorScheme}, ${name}`, async () => {
                const page = await open({ colorScheme, ...size });
                await page.getByText("What is on your mind?").waitFor();
                assert.deepEqual(await violations(page), [], "an empty chat");
                await setMore(page, { verbosity: "low", ...literal("# A\n\n[b](https://example.org) `c`\n\n```py\nif d == 1: # e\n  f(\"g\")\n```\n\n| e |\n| - |\n| f |\n\n> g\n") });
                await ask(page);
                assert.deepEqual(await violations(page), [], "a chat");
                await page.getByRole("button", { name: "Settings" }).click();
                await page.getByLabel("Temperature").fill("9");
                assert.deepEqual(await violations(page), [], "settings");
                await page.getByLabel("Temperature").fill("");
                if (await page.getByRole("button", { name: "Close" }).isVisible())
                    await page.getByRole("button", { name: "Close" }).click();
                for (const which of ["Models", "Live"]) {
                    await view(page, which);
                    await page.getByRole("heading", { level: 2 }).first().waitFor();
                    assert.deepEqual(await violations(page), [], which);
                }
            });
        }
    }
});
