// The page as a few files of fixed names, which the program carries (src/serve/page/).
import { defineConfig } from "vite";

export default defineConfig({
    base: "./",
    build: {
        target: ["chrome123", "firefox120", "safari17.5"], // those that know light-dark()
        modulePreload: false,
        assetsInlineLimit: 0,
        license: { fileName: "licences.md" },
        rolldownOptions: {
            output: {
                entryFileNames: "app.js",
                assetFileNames: "app[extname]",
                codeSplitting: false,
            },
        },
    },
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    // `npm run dev` beside a running `heft serve`.
    server: {
        proxy: Object.fromEntries(
            ["/v1", "/api", "/heft", "/version"].map((path) => [path, "http://127.0.0.1:8080"])),
    },
});
