// Starts `heft serve` on a port of its own.
import { spawn } from "node:child_process";
import { createServer } from "node:net";

function freePort() {
    return new Promise((resolve, reject) => {
        const probe = createServer();
        probe.once("error", reject);
        probe.listen(0, "127.0.0.1", () => {
            const { port } = probe.address();
            probe.close(() => resolve(port));
        });
    });
}

async function answers(url) {
    try {
        return (await fetch(url)).ok;
    } catch {
        return false;
    }
}

// HEFT names the program. `args`: models and options. stop() when the tests are over.
export async function startServer(args = ["tiny"]) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const child = spawn(process.env.HEFT ?? "heft", ["serve", ...args, "--port", String(port)], {
        stdio: ["ignore", "inherit", "inherit"],
    });
    process.once("exit", () => child.kill("SIGKILL")); // where nobody came to stop it
    for (let i = 0; i < 100; ++i) {
        if (child.exitCode !== null) break;
        if (await answers(`${url}/ready`)) return { url, stop: () => child.kill("SIGTERM") };
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
    child.kill("SIGKILL");
    throw new Error(`heft serve did not answer at ${url}`);
}
