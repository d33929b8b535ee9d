// What can be set for a conversation: a row each, of OpenAI's parameters and heft's own. What is left
// empty is not sent, and the model's default holds.

export interface Setting {
    name: string; // as requests have it
    label: string;
    help: string;
    min?: number;
    max?: number;
    step?: number;
    options?: string[]; // one of these, or empty
    lines?: boolean; // one text a line
}

export const kSettings: Setting[] = [
    { name: "temperature", label: "Temperature", help: "0 takes the most probable token", min: 0, max: 2, step: 0.05 },
    { name: "top_p", label: "Top p", help: "share of probability to sample from", min: 0, max: 1, step: 0.01 },
    { name: "top_k", label: "Top k", help: "tokens to sample from; 0: all", min: 0, step: 1 },
    { name: "min_p", label: "Min p", help: "least probability, relative to the best", min: 0, max: 1, step: 0.01 },
    { name: "max_tokens", label: "Longest reply", help: "in tokens", min: 1, step: 1 },
    { name: "seed", label: "Seed", help: "the same seed gives the same reply", min: 0, step: 1 },
    { name: "repeat_penalty", label: "Repeat penalty", help: "1: none", min: 0.01, max: 10, step: 0.01 },
    { name: "presence_penalty", label: "Presence penalty", help: "0: none", min: -2, max: 2, step: 0.1 },
    { name: "frequency_penalty", label: "Frequency penalty", help: "0: none", min: -2, max: 2, step: 0.1 },
    {
        name: "reasoning_effort",
        label: "Reasoning",
        help: "for models that think before they answer",
        options: ["none", "minimal", "low", "medium", "high", "xhigh"],
    },
    { name: "stop", label: "Stop before", help: "a text on each line", lines: true },
];

// Whatever else requests may have: tools, response_format, a grammar.
export const kMore = "more";

// Why the text cannot be sent; "": it can.
export function problem(setting: Setting, text: string): string {
    if (text.trim() === "" || setting.options || setting.lines) return "";
    const value = Number(text);
    if (!Number.isFinite(value)) return "This has to be a number.";
    if (setting.min !== undefined && value < setting.min) return `At least ${setting.min}.`;
    if (setting.max !== undefined && value > setting.max) return `At most ${setting.max}.`;
    if (setting.step === 1 && !Number.isInteger(value)) return "This has to be a whole number.";
    return "";
}

export function moreProblem(text: string): string {
    if (text.trim() === "") return "";
    try {
        const value: unknown = JSON.parse(text);
        return typeof value === "object" && value !== null && !Array.isArray(value)
            ? ""
            : "This has to be an object, in braces.";
    } catch (error) {
        return error instanceof Error ? error.message : "This is not JSON.";
    }
}

// The first thing that keeps a request from being sent; "": there is none.
export function firstProblem(settings: Record<string, string>): string {
    for (const setting of kSettings) {
        const found = problem(setting, settings[setting.name] ?? "");
        if (found !== "") return `${setting.label}: ${found}`;
    }
    const found = moreProblem(settings[kMore] ?? "");
    return found === "" ? "" : `Further parameters: ${found}`;
}

// The part of a request that settings make. They have no problem.
export function parameters(settings: Record<string, string>): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    for (const setting of kSettings) {
        const text = settings[setting.name] ?? "";
        if (text.trim() === "") continue;
        if (setting.lines) out[setting.name] = text.split("\n").filter((line) => line !== "");
        else out[setting.name] = setting.options ? text : Number(text);
    }
    const more = settings[kMore] ?? "";
    if (more.trim() !== "") Object.assign(out, JSON.parse(more) as Record<string, unknown>);
    return out;
}
