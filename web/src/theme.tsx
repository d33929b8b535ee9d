import type { VNode } from "preact";

import { Icon } from "./icons";
import { read, write } from "./storage";
import { Store, useStore } from "./store";

const kKey = "heft.theme";
const kThemes = ["system", "light", "dark"] as const;
type Theme = (typeof kThemes)[number];

const kLabels: Record<Theme, string> = { system: "as the system", light: "light", dark: "dark" };

function kept(): Theme {
    const value = read(localStorage, kKey);
    return kThemes.find((theme) => theme === value) ?? "system";
}

const theme = new Store<Theme>("system");
theme.listen((value) => {
    if (value === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = value;
});
theme.set(kept());

export function ThemeButton(): VNode {
    const value = useStore(theme);
    const next = kThemes[(kThemes.indexOf(value) + 1) % kThemes.length]!;
    const turn = () => {
        theme.set(next);
        write(localStorage, kKey, next);
    };
    const label = `Colours: ${kLabels[value]}; change to ${kLabels[next]}`;
    return (
        <button type="button" class="icon" onClick={turn} aria-label={label} title={label}>
            <Icon sign={value} />
        </button>
    );
}
