/** What jsdom lacks and Lumino expects. */

class DragEventStub extends MouseEvent {}
class ResizeObserverStub {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

Object.assign(globalThis, { DragEvent: DragEventStub, ResizeObserver: ResizeObserverStub });
window.matchMedia ??= (query: string) =>
  ({
    matches: false,
    media: query,
    addEventListener: () => undefined,
    removeEventListener: () => undefined
  }) as unknown as MediaQueryList;
