/* What the page uses of preact.js, for the check of types. */
export const h: any;
export const Fragment: any;
export function render(what: any, into: Element): void;
export class Component {
    props: any;
    state: any;
    setState(state: any): void;
}
