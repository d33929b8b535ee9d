// The built-in model as a folder, changed: what it is without some files, or with another template.
import { copyFileSync, mkdtempSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// Whoever asks for it removes it.
export function tinyFolder({ without = [], template } = {}) {
    const tiny = fileURLToPath(new URL("../../../models/tiny", import.meta.url));
    const folder = mkdtempSync(join(tmpdir(), "heft-tiny-"));
    for (const name of readdirSync(tiny))
        if (statSync(join(tiny, name)).isFile() && !without.includes(name))
            copyFileSync(join(tiny, name), join(folder, name));
    if (template !== undefined) writeFileSync(join(folder, "chat_template.jinja"), template);
    return folder;
}
