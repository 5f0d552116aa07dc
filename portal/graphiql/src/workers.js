// Monaco's background work (completion, validation), as module workers served by this service.
/* global WORKER_ADDRESSES -- written by the build */

globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => new Worker(WORKER_ADDRESSES[label] ?? WORKER_ADDRESSES.editor, { type: "module" }),
};
