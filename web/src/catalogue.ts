// The server's models, as GET /heft/models tells them (docs/serve.md).
import { getJson, ServerError } from "./server";
import { Store } from "./store";

export interface Act {
    verdict: string;
    sentence: string;
    clause: string;
    questions: string[]; // that decide
}

export interface Card {
    licence: { ids: string[]; names: string[]; why: string; private_use: Act; commercial_use: Act; redistribution: Act };
    openness: {
        level: number;
        level_at_most: number;
        mof_class: number;
        osaid: string;
        cannot: string[];
        undetermined: string[];
        sentence: string;
    };
}

export interface ModelEntry {
    name: string;
    base: string | null; // of an adapter: the model that it is beside
    default: boolean;
    loaded: boolean;
    unloads_in_s: number | null;
    n_ctx: number;
    degraded: string[];
    format: string;
    family: string;
    parameters: string;
    quantization: string;
    file_bytes: number;
    memory_bytes: number | null;
    cache: { tokens: number; tokens_used: number; tokens_kept: number; bytes: number } | null;
    card: Card | { error: string } | null;
}

export interface Catalogue {
    models: ModelEntry[];
    error: string; // why there are none
}

export const catalogue = new Store<Catalogue | null>(null);

export async function look(): Promise<void> {
    try {
        const { models } = await getJson<{ models: ModelEntry[] }>("./heft/models");
        catalogue.set({ models, error: "" });
    } catch (error) {
        const why = error instanceof ServerError ? error.message : String(error);
        catalogue.update((before) => ({ models: before?.models ?? [], error: why }));
    }
}
