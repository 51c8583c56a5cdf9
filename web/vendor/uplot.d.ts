/* What the page uses of uplot.js, for the check of types. */
export default class uPlot {
    constructor(options: any, data: any, into: HTMLElement);
    setData(data: any): void;
    setSize(size: { width: number; height: number }): void;
    destroy(): void;
}
