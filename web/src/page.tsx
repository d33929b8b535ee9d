import type { ComponentChildren, VNode } from "preact";

// A view that scrolls as a whole, by keyboard too.
export function Page({ title, children }: { title: string; children: ComponentChildren }): VNode {
    return (
        <main id="main" class="page" tabIndex={0} aria-label={title}>
            <div class="page-column">
                <h1>{title}</h1>
                {children}
            </div>
        </main>
    );
}
